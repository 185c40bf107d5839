"""The database's schema: apply its migrations, tell where it stands, find where it drifted from the models.

Peewee-migrate runs the files in `migrations/`. What it lacks stands here: a lock, so that many may start at
once; one transaction for all that is pending, so that a failure leaves nothing behind; and a checksum of
every applied file, so that an edited one is noticed. The lock and the transaction end together, so a killed
process leaves neither, and a pooler in transaction mode is no obstacle.
"""

import functools
import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee
from peewee_migrate import Migrator, Router

from jive.db import Database, connection, first_line
from jive.errors import MigrationFailed, SchemaMismatch

HISTORY = "migratehistory"
LOCK_KEY = 0x4A495645  # "JIVE"; any number that nobody else locks

_HERE = Path(__file__).parent
# A wheel carries the migrations inside the package; a checkout has them beside it.
MIGRATIONS = next(path for path in (_HERE / "migrations", _HERE.parent / "migrations") if path.is_dir())

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """How the applied migrations compare with the files; every list is in the order of the files' names.

    Attributes:
        applied: what the database has.
        pending: files that it has not had.
        edited: applied files whose text has changed since.
        unknown: applied migrations that have no file here.
    """

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    edited: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def problem(self) -> str | None:
        """One line that says what is wrong and what to do, or None when the schema is the code's own."""
        if self.unknown:
            names = ", ".join(self.unknown)
            if self.unknown[-1] > max((*self.applied, *self.pending), key=lambda n: (n not in self.unknown, n)):
                return f"The database is newer than this JIVE: it has had {names}. Run a JIVE that knows them."
            return f"Applied migrations have lost their files: {names}. Put them back."
        if self.edited:
            names = ", ".join(self.edited)
            return f"Applied migrations were edited: {names}. Undo that, and put the change in a new migration."
        if self.pending:
            return f"Migrations are pending: {', '.join(self.pending)}. Run `jive migrate`."
        return None


def _files(directory: Path) -> dict[str, str]:
    """Return the name and the SHA-256 of every migration file; line ends do not count."""
    return {
        path.stem: hashlib.sha256(path.read_text("utf-8").encode()).hexdigest()
        for path in sorted(directory.iterdir())
        if Router.filemask.match(path.name)
    }


@functools.cache
def _own_files() -> dict[str, str]:
    """Return the files that this process was started with: the schema that its code expects."""
    return _files(MIGRATIONS)


def status(db: Database, directory: Path | None = None) -> Status:
    """Compare the applied migrations with the files in `directory`, or with our own: one query, no write."""
    files = _own_files() if directory is None else _files(directory)
    try:
        applied = dict(db.execute_sql(f"SELECT name, checksum FROM {HISTORY} ORDER BY name").fetchall())
    except peewee.ProgrammingError as exc:
        if getattr(exc.__context__, "pgcode", None) != "42P01":  # undefined_table: nothing was ever applied
            raise
        applied = {}
    return Status(
        applied=tuple(applied),
        pending=tuple(name for name in files if name not in applied),
        edited=tuple(name for name, sha in files.items() if applied.get(name) not in (None, sha)),
        unknown=tuple(name for name in applied if name not in files),
    )


def require_current(db: Database) -> None:
    """Return if the schema is the one that this code expects.

    Raises:
        SchemaMismatch: saying what to run.
    """
    if problem := status(db).problem:
        raise SchemaMismatch(problem)


class LockedRouter(Router):
    """A router whose runs exclude each other and happen whole or not at all."""

    database: Database

    @functools.cached_property
    def migrator(self) -> Migrator:
        # Peewee-migrate would run the applied files once more, to build models that our SQL has no need of.
        return self.migrator_class(self.database)

    def run(self, name: str | None = None, *, fake: bool = False) -> list[str]:
        """Apply what is pending, up to `name`; return the names of what was applied.

        Raises:
            MigrationFailed: a file failed, or an applied one was edited or is unknown. The database is as it
                was.
        """
        with self.database.atomic():
            self._lock()
            current = status(self.database, self.migrate_dir)
            if current.problem and (current.unknown or current.edited):
                raise MigrationFailed(f"{current.problem} The database is as it was.")
            done: list[str] = super().run(name, fake=fake)
            files = _files(self.migrate_dir)
            for applied in done:
                self.database.execute_sql(
                    f"UPDATE {HISTORY} SET checksum = %s WHERE name = %s", (files[applied], applied)
                )
            return done

    def rollback(self) -> None:
        """Undo the newest migration."""
        with self.database.atomic():
            self._lock()
            super().rollback()  # type: ignore[no-untyped-call]

    def _lock(self) -> None:
        # When a process dies in the middle of a long statement, the server should notice and let go.
        self.database.execute_sql(
            "SELECT set_config('client_connection_check_interval', '1s', true) WHERE version() LIKE '%%linux%%'"
        )
        self.database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
        self.database.execute_sql(
            f"CREATE TABLE IF NOT EXISTS {HISTORY} (id serial PRIMARY KEY, name varchar(255) NOT NULL, "
            "migrated_at timestamp NOT NULL, checksum text)"
        )

    def run_one(self, name: str, migrator: Migrator, **options: Any) -> str:
        try:
            return str(super().run_one(name, migrator, **options))
        except Exception as exc:
            raise MigrationFailed(
                f"Migration {name} failed: {type(exc).__name__}: {first_line(exc)}. The database is as it was."
            ) from exc


def apply(db: Database, directory: Path = MIGRATIONS) -> list[str]:
    """Apply every pending migration in one transaction; return their names. Safe to run many times at once.

    Raises:
        MigrationFailed: as `LockedRouter.run`.
    """
    quiet = logging.getLogger("jive.schema.peewee_migrate")  # it logs a traceback of what we raise
    quiet.disabled = True
    with connection():
        done = LockedRouter(db, migrate_dir=directory, logger=quiet).run()
    for name in done:
        logger.info("applied migration %s", name)
    return done
