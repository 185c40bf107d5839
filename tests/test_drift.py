"""Drift: the migrations create what the models describe, and every difference is found."""

from collections.abc import Iterator

import pytest

from jive import schema
from jive.db import Database, connection, database
from jive.drift import drift
from jive.models import MODELS
from tests.conftest import using


@pytest.fixture
def other(empty_database: str) -> Iterator[Database]:
    """The process's own database object, for this test on an empty database."""
    with using(DATABASE_URL=empty_database):
        yield database


def test_the_migrated_schema_equals_the_models() -> None:
    assert drift(database, MODELS) == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("ALTER TABLE artifacts ALTER path TYPE varchar(99)", "artifacts: column path"),
        ("ALTER TABLE artifacts ALTER name DROP NOT NULL", "artifacts: column name"),
        ("ALTER TABLE projects ALTER config DROP DEFAULT", "projects: column config"),
        ("ALTER TABLE projects ADD extra int", "projects: column extra"),
        (
            "ALTER TABLE artifacts DROP CONSTRAINT artifacts_type_check",
            "artifacts: constraint artifacts_type_check",
        ),
        ("DROP INDEX artifacts_project_id_type", "artifacts: index artifacts_project_id_type"),
        ("DROP TRIGGER set_updated_at ON projects", "projects: trigger set_updated_at"),
        (
            "CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "set_updated_at",
        ),
        ("DROP TABLE mcp_audit_logs", "mcp_audit_logs: "),
        ("DROP TRIGGER keep_delivery_state ON webhook_events", "webhook_events: trigger keep_delivery_state"),
        ("ALTER FUNCTION free_slug(text) IMMUTABLE", "function free_slug"),
        ("DROP FUNCTION record_deliveries", "function record_deliveries"),
        ("ALTER TABLE webhook_events DROP CONSTRAINT webhook_events_processed_is_settled", "_processed_is_settled"),
        ("ALTER TABLE projects ALTER source SET DEFAULT 'folder'", "projects: column source"),
        (
            "ALTER TABLE artifacts DROP CONSTRAINT artifacts_project_id_fkey, "
            "ADD CONSTRAINT artifacts_project_id_fkey FOREIGN KEY (project_id) REFERENCES projects (id)",
            "artifacts_project_id_fkey",
        ),
    ],
)
def test_every_kind_of_drift_is_found(other: Database, sql: str, expected: str) -> None:
    schema.apply(other)
    other.execute_sql(sql)
    found = drift(other, MODELS)
    assert found
    assert all(expected in line for line in found)


def test_a_database_restored_from_a_dump_has_not_drifted(other: Database) -> None:
    schema.apply(other)
    with connection():
        checks = (
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY 1, 2"
        )
        before = other.execute_sql(checks).fetchall()
        for table, name, definition in before:  # as pg_dump writes them and pg_restore creates them
            other.execute_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition}")
        assert other.execute_sql(checks).fetchall() != before
    assert drift(other, MODELS) == []


def test_looking_for_drift_leaves_no_schema_behind(other: Database) -> None:
    schema.apply(other)
    other.execute_sql("ALTER TABLE projects ADD extra int")
    assert drift(other, MODELS) == drift(other, MODELS)
    other.close()
    schemas = other.execute_sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'drift%%'").fetchall()
    assert (schemas, other.execute_sql("SELECT current_schema()").fetchone()) == ([], ("public",))
