"""`jive check`: each problem on a line of its own, with a remedy."""

from pathlib import Path

import psycopg2
import pytest
from cryptography.fernet import Fernet

from jive import keys, redis_client, schema, settings
from jive.db import database
from jive.errors import NotRunning
from jive.models.enums import DeliveryState
from jive.operate import check
from tests.conftest import using
from tests.factories import make_delivery, make_project

NOWHERE = "postgresql://me:hush@127.0.0.1:1/jive"
NO_WORKER = "start one: `jive worker`, or `jive up`, which runs one"


@pytest.fixture
def no_worker() -> None:
    """No heartbeat: not even that of a worker that an earlier test killed."""
    for key in redis_client.client().scan_iter("jive:worker:*"):
        redis_client.client().delete(key)


def problems() -> dict[str, tuple[str, str]]:
    """Return the text and remedy of each line that reports a problem, by name."""
    lines = list(check.run())
    assert "hush" not in repr(lines)
    return {line.name: (line.text, line.remedy) for line in lines if line.remedy is not None}


@pytest.mark.usefixtures("db", "no_worker")
def test_all_is_well_but_for_the_worker_that_does_not_run() -> None:
    names = [line.name for line in check.run()]
    assert names == [
        *("settings", "postgres", "redis", "pub/sub", "worker"),
        *("migrations", "drift", "secrets", "scans", "deliveries"),
    ]
    assert problems() == {"worker": ("none has a heartbeat: deliveries are recorded, but not scanned", NO_WORKER)}


@pytest.mark.usefixtures("no_worker")
def test_an_unreachable_postgres_leaves_out_what_needs_it() -> None:
    with using(DATABASE_URL=NOWHERE):
        found = problems()
    text, remedy = found.pop("postgres")
    assert ("refused" in text, remedy) == (True, "check DATABASE_URL: postgresql://127.0.0.1:1/jive")
    assert found.keys() == {"worker"}


def test_an_unreachable_redis_leaves_out_what_needs_it() -> None:
    with using(REDIS_URL="redis://:hush@127.0.0.1:1"):
        lines = list(check.run())
        text, remedy = problems()["redis"]
    assert ("refused" in text, remedy) == (True, "check REDIS_URL: redis://127.0.0.1:1")
    assert {"pub/sub", "worker"}.isdisjoint(line.name for line in lines)
    assert "drift" in {line.name for line in lines}


def test_wrong_settings_are_all_reported_and_nothing_else_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("JIVE_LOG_LEVEL", "y")
    settings.current.cache_clear()
    try:
        lines = list(check.run())
    finally:
        settings.current.cache_clear()
    assert [line.name for line in lines] == ["settings", "settings"]
    assert {line.text.partition(":")[0] for line in lines} == {"PORT", "JIVE_LOG_LEVEL"}
    assert {line.remedy for line in lines} == {
        "set it in the environment or in .env; docs/settings.md explains each",
    }


def test_with_nothing_set_and_nothing_running_there_is_nothing_to_check(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "JIVE_SECRET_KEYS"):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    settings.current.cache_clear()
    try:
        with pytest.raises(NotRunning):
            next(check.run())
    finally:
        settings.current.cache_clear()


def test_pending_migrations_and_drift_are_reported(empty_database: str) -> None:
    with using(DATABASE_URL=empty_database):
        text, remedy = problems()["migrations"]
        assert ("001_init" in text, remedy) == (True, "Run `jive migrate`.")
        schema.apply(database)
        link = psycopg2.connect(empty_database)
        link.autocommit = True
        link.cursor().execute("ALTER TABLE projects ADD extra int")
        link.close()
        text, remedy = problems()["drift"]
    assert "projects: column extra" in text
    assert remedy == "undo the change by hand, or write the missing migration"


@pytest.mark.usefixtures("db")
def test_a_secret_whose_key_is_lost_is_reported() -> None:
    make_project(name="locked")
    with using(JIVE_SECRET_KEYS=keys.make()):
        text, remedy = problems()["secrets"]
    assert text == "no key in JIVE_SECRET_KEYS decrypts the secrets of locked"
    assert "`jive project rotate-secret`" in remedy


@pytest.mark.usefixtures("db")
def test_the_lost_key_of_a_secret_that_is_being_rotated_is_reported_too() -> None:
    project = make_project(name="rotating")
    token = Fernet(keys.make()).encrypt(b"old").decode()
    database.execute_sql("UPDATE projects SET previous_webhook_secret = %s WHERE id = %s", (token, str(project.id)))
    assert problems()["secrets"][0] == "no key in JIVE_SECRET_KEYS decrypts the secrets of rotating"


@pytest.mark.usefixtures("db")
def test_a_failed_scan_and_a_failed_delivery_are_reported_with_their_errors() -> None:
    project = make_project(name="broken", scan_error="no such branch")
    make_project()
    make_delivery(project)
    make_delivery(project, state=DeliveryState.FAILED, error_message="no such branch")
    found = problems()
    assert found["scans"][0] == "1 of 2 projects could not be scanned; broken: no such branch"
    assert found["deliveries"] == (
        "1 failed; the newest: no such branch",
        "fix the cause, then `jive deliveries retry --all`",
    )
