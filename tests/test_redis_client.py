"""The client of Redis: every call ends in time, and its errors are JIVE's."""

import os
import signal
import time
from pathlib import Path

import pytest
import redis

from jive import redis_client, settings
from jive.errors import RedisUnavailable
from jive.operate import servers
from tests.conftest import using


def test_redis_answers_ping() -> None:
    assert redis_client.check_connection() is True
    redis_client.ping()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "redis://nowhere.invalid:6379", "unix:///nowhere/redis.sock"])
def test_a_redis_that_cannot_be_reached_is_a_typed_error(url: str) -> None:
    started_at = time.monotonic()
    with using(REDIS_URL=url):
        with pytest.raises(RedisUnavailable, match="Redis cannot be reached"):
            redis_client.ping()
        assert redis_client.check_connection() is False
    assert time.monotonic() - started_at < 10


def test_a_redis_that_hangs_costs_each_call_no_more_than_the_time_limit(redis_home: Path) -> None:
    part, url = servers.start_redis(redis_home)
    try:
        with using(REDIS_URL=url, JIVE_REDIS_TIMEOUT_S="0.5"):
            redis_client.ping()
            os.kill(part.process.pid, signal.SIGSTOP)
            started_at = time.monotonic()
            with pytest.raises(RedisUnavailable, match="Timeout"):
                redis_client.ping()
            assert time.monotonic() - started_at < 3
    finally:
        os.kill(part.process.pid, signal.SIGCONT)
        part.stop()


def test_a_connection_that_redis_closed_while_it_was_idle_is_replaced(redis_home: Path) -> None:
    part, url = servers.start_redis(redis_home)
    try:
        with using(REDIS_URL=url):
            redis_client.ping()
            part.stop()
            part, _ = servers.start_redis(redis_home)
            redis_client.ping()
    finally:
        part.stop()


def test_a_wrong_password_is_a_clear_error_without_it(redis_home: Path) -> None:
    part, url = servers.start_redis(redis_home)
    try:
        with using(REDIS_URL=url):
            redis_client.client().config_set("requirepass", "right")
        with using(REDIS_URL=f"{url}?password=hush"), pytest.raises(RedisUnavailable) as caught:
            redis_client.ping()
        assert "hush" not in str(caught.value)
    finally:
        part.stop()


def test_any_error_of_the_driver_is_a_typed_error() -> None:
    with pytest.raises(RedisUnavailable), redis_client.reaching_redis():
        raise redis.ResponseError("MISCONF the disk is full")
    with pytest.raises(ZeroDivisionError), redis_client.reaching_redis():
        1 / 0  # noqa: B018


def test_answers_are_text_unless_bytes_are_asked_for() -> None:
    for decode, answer in ((True, "PONG"), (False, b"PONG")):
        with redis_client.connect(settings.current(), decode=decode) as client:
            assert client.echo("PONG") == answer


def test_the_version_of_the_server_is_known() -> None:
    assert int(redis_client.server_version().split(".")[0]) >= 6
