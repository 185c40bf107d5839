"""Health: it is right while stores stop and start, and never takes longer than 2 s."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jive import redis_client, schema
from jive.db import database
from jive.operate import servers
from jive.web import health
from tests.conftest import FAST, using


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """New probes, for the result of one that hangs would be that of the next tests too."""
    monkeypatch.setattr(health, "_database", health.Probe("postgres", health._check_database))
    monkeypatch.setattr(health, "_redis", health.Probe("redis", redis_client.ping))


def test_with_both_stores_it_is_ok() -> None:
    status, body = health.check()
    assert status == 200
    assert (body["status"], body["database"], body["redis"], body["schema"]) == ("ok", True, True, True)
    assert body["problems"] == []


def test_without_redis_it_is_degraded_and_still_200() -> None:
    with using(REDIS_URL="redis://127.0.0.1:1"):
        status, body = health.check()
    assert (status, body["status"], body["database"], body["redis"]) == (200, "degraded", True, False)
    assert body["problems"] == ["redis: cannot be reached"]


def test_without_postgres_it_is_down_and_503() -> None:
    with using(DATABASE_URL="postgresql://127.0.0.1:1/jive"):
        status, body = health.check()
    assert (status, body["status"], body["database"], body["redis"]) == (503, "down", False, True)


def test_on_a_schema_of_another_version_it_is_down(empty_database: str) -> None:
    with using(DATABASE_URL=empty_database):
        status, body = health.check()
        assert (status, body["status"], body["database"], body["schema"]) == (503, "down", True, False)
        assert "jive migrate" in body["problems"][0]
        schema.apply(database)
        assert health.check()[0] == 200


def test_it_is_ok_again_when_the_stores_are() -> None:
    with using(DATABASE_URL="postgresql://127.0.0.1:1/jive", REDIS_URL="redis://127.0.0.1:1"):
        assert health.check()[1]["status"] == "down"
    assert health.check()[1]["status"] == "ok"


@pytest.fixture
def frozen(home: Path) -> Iterator[Any]:
    """Both stores, frozen: they accept connections and never answer."""
    postgres, database_url = servers.start_postgres(home, "own_test", FAST)
    redis, redis_url = servers.start_redis(home)
    with using(DATABASE_URL=database_url, REDIS_URL=redis_url):
        schema.apply(database)
        everyone = [psutil.Process(redis.process.pid)]
        leader = psutil.Process(postgres.process.pid)
        everyone += [leader, *leader.children(recursive=True)]
        for process in everyone:
            process.send_signal(signal.SIGSTOP)
        yield
        for process in everyone:
            os.kill(process.pid, signal.SIGCONT)
    postgres.stop()
    redis.stop()


@pytest.mark.usefixtures("probes", "frozen")
def test_it_answers_within_two_seconds_when_both_stores_hang() -> None:
    for _ in range(3):
        started_at = time.monotonic()
        status, body = health.check()
        assert time.monotonic() - started_at < 2
        assert (status, body["database"], body["redis"]) == (503, False, False)
        assert "postgres: no answer" in body["problems"]
