"""Rows on Postgres: peewee and the pool, compared with bare psycopg2."""

import contextlib
import itertools
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg2.extras

from benchmarks.documents import document
from benchmarks.measure import compare
from benchmarks.stores import Stores
from benchmarks.table import Row, ratio_row
from jive.db import connection, database
from jive.keys import make as make_key
from jive.models import Artifact, Project
from jive.models.enums import ArtifactStatus, ArtifactType

CONFIG = {"prdFile": "docs/prd.md", "architectureFile": "docs/architecture.md", "prdSharded": False}
CREATED_AT = datetime(2026, 1, 2, tzinfo=UTC)
ARTIFACTS = 1000
LISTED = 100
WRITE_ROUNDS = 25


def _bare() -> Any:
    """Return the driver's connection that is idle in the pool.

    Both sides then use the same server process. Two of them may run on different processors, and their round trips
    differ by more than what is measured here.
    """
    with connection() as db:
        return db.connection()


def _url() -> str:
    return f"https://example.com/benchmark/{uuid.uuid4()}.git"


@contextlib.contextmanager
def _project() -> Iterator[Project]:
    """Create a project for the block."""
    with connection():
        made = Project.create(name="Benchmark", repo_url=_url(), webhook_secret=make_key(), config=CONFIG)
    try:
        yield made
    finally:
        with connection():
            made.delete_instance()


def select_one(stores: Stores) -> Iterator[Row]:
    """Measure the smallest query, with a connection from the pool and with one that is held."""

    def held() -> Any:
        return database.execute_sql("SELECT 1").fetchone()

    def pooled() -> Any:
        with connection() as db:
            return db.execute_sql("SELECT 1").fetchone()

    def plain() -> Any:
        with bare.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone()

    bare = _bare()
    yield ratio_row("SELECT 1, connection from the pool", compare(pooled, plain, calls=100), 0.9)
    with connection():
        yield ratio_row("SELECT 1, connection held", compare(held, plain, calls=100), None)


def project_life(stores: Stores) -> Iterator[Row]:
    """Measure creating, reading and deleting a project; JIVE also encrypts and decrypts the secret."""
    given = {"name": "Benchmark", "webhook_secret": make_key(), "config": CONFIG}

    def jive() -> None:
        with connection():
            made = Project.create(repo_url=_url(), **given)
            Project.get_by_id(made.id).delete_instance()

    row = _as_stored(Project(repo_url=_url(), **given))
    insert = f"INSERT INTO projects ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})"
    columns = ", ".join(field.column_name for field in Project._meta.sorted_fields)

    def plain() -> None:
        fresh = row | {"id": str(uuid.uuid4()), "repo_url": _url()}
        with bare.cursor() as cursor:
            cursor.execute(insert, tuple(fresh.values()))
        with bare.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM projects WHERE id = %s LIMIT 1", (fresh["id"],))
            cursor.fetchone()
        with bare.cursor() as cursor:
            cursor.execute("DELETE FROM projects WHERE id = %s", (fresh["id"],))

    bare = _bare()
    yield ratio_row("create, read, delete a project", compare(jive, plain, calls=10), 0.55)


def _as_stored(project: Project) -> dict[str, Any]:
    """Return the columns that JIVE writes, as the driver takes them: the secret encrypted, JSON as text."""
    fields = {field.column_name: field for field in Project._meta.sorted_fields if field.name in project.__data__}
    row = {name: field.db_value(project.__data__[field.name]) for name, field in fields.items()}
    return row | {"config": json.dumps(project.config)}


def _rows(edition: int, count: int = ARTIFACTS) -> list[dict[str, Any]]:
    """Return rows as a scan writes them; each `edition` has other texts at the same paths."""
    return [_row(number, edition * count + number) for number in range(count)]


def _row(number: int, seed: int) -> dict[str, Any]:
    return {
        "path": f"docs/stories/story-{number}.md",
        "name": f"Story {number}",
        "type": ArtifactType.STORY,
        "version": f"1.{seed}",
        "created_by": "Benchmark",
        "created_at": CREATED_AT,
        "dependencies": [{"path": "docs/prd.md", "version": "1.2"}],
        "content": document(seed),
        "status": ArtifactStatus.DRAFT,
        "status_text": "Draft",
        "blob_id": f"{seed:040x}",
    }


COLUMNS = tuple(_row(0, 0))
INSERT = f"INSERT INTO artifacts (project_id, {', '.join(COLUMNS)}) VALUES %s"
UPSERT = f"{INSERT} ON CONFLICT (project_id, path) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in COLUMNS if name != "path"
)


def _ready(project: Project, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the rows as the driver takes them: tuples, with JSON as text."""
    ready = [row | {"dependencies": json.dumps(row["dependencies"])} for row in rows]
    return [(str(project.id), *(row[name] for name in COLUMNS)) for row in ready]


def _write(bare: Any, sql: str, rows: list[tuple[Any, ...]]) -> None:
    """Write the rows in one transaction, with the driver's fastest helper."""
    with bare.cursor() as cursor:
        cursor.execute("BEGIN")
        psycopg2.extras.execute_values(cursor, sql, rows, page_size=len(rows))
        cursor.execute("COMMIT")


def _upsert(project: Project, rows: list[dict[str, Any]]) -> None:
    with connection() as db, db.atomic():
        Artifact.upsert(project.id, rows)


def insert_artifacts(stores: Stores) -> Iterator[Row]:
    """Measure what the first scan of a large repository writes: new rows of 4 KB."""
    rows, bare = _rows(0), _bare()
    with _project() as ours, _project() as plain:
        plain_rows = _ready(plain, rows)

        def empty() -> None:
            with connection():
                Artifact.delete().where(Artifact.project.in_([ours, plain])).execute()
            _vacuum()

        yield ratio_row(
            "1,000 artifacts of 4 KB, inserted",
            compare(
                lambda: _upsert(ours, rows),
                lambda: _write(bare, INSERT, plain_rows),
                calls=1,
                rounds=WRITE_ROUNDS,
                prepare=empty,
            ),
            0.65,
        )


def upsert_artifacts(stores: Stores) -> Iterator[Row]:
    """Measure what a scan writes after every document changed: the same paths with other texts."""
    editions, bare = [_rows(0), _rows(1)], _bare()
    with _project() as ours, _project() as plain:
        ours_next = itertools.cycle(editions)
        plain_next = itertools.cycle([_ready(plain, rows) for rows in editions])
        yield ratio_row(
            "1,000 artifacts of 4 KB, upserted",
            compare(
                lambda: _upsert(ours, next(ours_next)),
                lambda: _write(bare, UPSERT, next(plain_next)),
                calls=1,
                rounds=WRITE_ROUNDS,
                prepare=_vacuum,
            ),
            0.65,
        )


def _vacuum() -> None:
    """Remove dead rows now, before autovacuum does so in the middle of a round."""
    with connection() as db:
        db.execute_sql("VACUUM artifacts")


def list_artifacts(stores: Stores) -> Iterator[Row]:
    """Measure reading a page of artifacts as model objects, without their content."""
    fields = [field for field in Artifact._meta.sorted_fields if field.name != "content"]
    columns = ", ".join(field.column_name for field in fields)
    sql = f"SELECT {columns} FROM artifacts WHERE project_id = %s ORDER BY path LIMIT {LISTED}"
    bare = _bare()
    with _project() as project, connection():
        Artifact.upsert(project.id, _rows(0, LISTED))

        def jive() -> list[Artifact]:
            query = Artifact.select(*fields).where(Artifact.project == project)
            return list(query.order_by(Artifact.path).limit(LISTED))

        def plain() -> list[Any]:
            with bare.cursor() as cursor:
                cursor.execute(sql, (str(project.id),))
                return list(cursor.fetchall())

        yield ratio_row("list 100 artifacts without their texts", compare(jive, plain, calls=10), 0.45)
