"""Migrations: apply them, and compare the applied ones with the files.

Peewee-migrate runs the files in `migrations/`. This module adds what it lacks:

- a lock, so that processes may migrate at the same time;
- one transaction for all pending migrations, so that a failure leaves nothing behind;
- a checksum of each applied file, so that an edit is noticed.

The lock belongs to the transaction: it ends with a killed process, and works through a pooler in transaction mode.
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
LOCK_KEY = 0x4A495645  # "JIVE"

_HERE = Path(__file__).parent
# In a wheel the migrations are inside the package, in a checkout beside it.
MIGRATIONS = next(path for path in (_HERE / "migrations", _HERE.parent / "migrations") if path.is_dir())

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """The applied migrations, compared with the files; all names are sorted.

    Attributes:
        applied: the migrations that the database has.
        pending: the files that were not applied.
        edited: the applied files whose text has changed since.
        unknown: the applied migrations without a file.
    """

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    edited: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def problem(self) -> str | None:
        """What is wrong and what to do about it, in one line; None if the schema is the one that the code expects."""
        if self.unknown:
            names = ", ".join(self.unknown)
            if self.unknown[-1] > max((*self.applied, *self.pending), key=lambda n: (n not in self.unknown, n)):
                return (
                    f"The database is newer than this version of JIVE: it has {names}. Run a version that has them too."
                )
            return f"The files of applied migrations are missing: {names}. Put them back."
        if self.edited:
            names = ", ".join(self.edited)
            return f"Applied migrations were edited: {names}. Undo the edits, and put the change into a new migration."
        if self.pending:
            return f"Migrations are pending: {', '.join(self.pending)}. Run `jive migrate`."
        return None


def _files(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of each migration file by its name; CRLF and LF count as the same."""
    return {
        path.stem: hashlib.sha256(path.read_text("utf-8").encode()).hexdigest()
        for path in sorted(directory.iterdir())
        if Router.filemask.match(path.name)
    }


@functools.cache
def _own_files() -> dict[str, str]:
    """Return the files as they were when they were first read: the schema that the code of this process expects."""
    return _files(MIGRATIONS)


def status(db: Database, directory: Path | None = None) -> Status:
    """Compare the applied migrations with the files in `directory`, or with JIVE's own if None; writes nothing."""
    files = _own_files() if directory is None else _files(directory)
    try:
        applied = dict(db.execute_sql(f"SELECT name, checksum FROM {HISTORY} ORDER BY name").fetchall())
    except peewee.ProgrammingError as exc:
        if getattr(exc.__context__, "pgcode", None) != "42P01":  # undefined_table: no migration was ever applied
            raise
        applied = {}
    return Status(
        applied=tuple(applied),
        pending=tuple(name for name in files if name not in applied),
        edited=tuple(name for name, sha in files.items() if applied.get(name) not in (None, sha)),
        unknown=tuple(name for name in applied if name not in files),
    )


def require_current(db: Database) -> None:
    """Check that the schema is the one that the code expects.

    Raises:
        SchemaMismatch: it is not; the message says what to run.
    """
    if problem := status(db).problem:
        raise SchemaMismatch(problem)


class LockedRouter(Router):
    """A router whose runs exclude each other, and apply everything or nothing."""

    database: Database

    @functools.cached_property
    def migrator(self) -> Migrator:
        # Peewee-migrate would run the applied files once more to build their models, which plain SQL does not need.
        return self.migrator_class(self.database)

    def run(self, name: str | None = None, *, fake: bool = False) -> list[str]:
        """Apply the pending migrations, up to `name` if it is given; return the names of those that were applied.

        Raises:
            MigrationFailed: one failed, or an applied one was edited or has no file. The database is unchanged.
        """
        with self.database.atomic():
            self._lock()
            current = status(self.database, self.migrate_dir)
            if current.problem and (current.unknown or current.edited):
                raise MigrationFailed(f"{current.problem} The database is unchanged.")
            done: list[str] = super().run(name, fake=fake)
            files = _files(self.migrate_dir)
            for applied in done:
                self.database.execute_sql(
                    f"UPDATE {HISTORY} SET checksum = %s WHERE name = %s", (files[applied], applied)
                )
            return done

    def rollback(self) -> None:
        """Undo the newest applied migration."""
        with self.database.atomic():
            self._lock()
            super().rollback()  # type: ignore[no-untyped-call]

    def _lock(self) -> None:
        # If this process dies during a long statement, the server notices and releases the lock.
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
                f"Migration {name} failed: {type(exc).__name__}: {first_line(exc)}. The database is unchanged."
            ) from exc


def apply(db: Database, directory: Path = MIGRATIONS) -> list[str]:
    """Apply all pending migrations in one transaction; return their names. Safe to repeat, and to run concurrently.

    Raises:
        MigrationFailed: as `LockedRouter.run`.
    """
    quiet = logging.getLogger("jive.schema.peewee_migrate")  # it logs a traceback of an error that is raised too
    quiet.disabled = True
    with connection():
        done = LockedRouter(db, migrate_dir=directory, logger=quiet).run()
    for name in done:
        logger.info("applied migration %s", name)
    return done
