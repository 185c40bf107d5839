"""Publish and subscribe: messages arrive, and a subscription survives restarts and losses of Redis."""

import os
import queue
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jive import redis_client
from jive.errors import InvalidValue, RedisUnavailable
from jive.events import Envelope, EventName, artifact_updated, channel
from jive.operate import servers
from jive.pubsub import publish_event, publish_project_events, subscribe_to_channel, subscribe_to_project
from tests.conftest import short_folder, using

PATIENCE_S = 20


@pytest.fixture
def name() -> str:
    return f"test:{uuid.uuid4()}"


@pytest.fixture
def own_redis(redis_home: Path) -> Iterator["OwnRedis"]:
    """A Redis that the test may stop and start; this process uses it."""
    own = OwnRedis(redis_home)
    with using(REDIS_URL=own.url):
        yield own
    own.stop()


class OwnRedis:
    """A Redis that a test may stop and start."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.start()

    def start(self) -> None:
        self.part, self.url = servers.start_redis(self.home)

    def stop(self) -> None:
        self.part.stop()

    @property
    def socket(self) -> str:
        return self.url.removeprefix("unix://")


def test_publishes_and_subscribes_to_channel(name: str) -> None:
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with subscribe_to_channel(name, received.put):
        assert publish_event(name, {"hello": "wörld"}) == 1
        assert received.get(timeout=PATIENCE_S) == {"hello": "wörld"}
    assert publish_event(name, "nobody receives this") == 0


def test_a_project_event_arrives_as_it_was_sent_and_in_order() -> None:
    project_id = uuid.uuid4()
    sent = [
        artifact_updated(project_id, path=f"docs/{n}.md", type="PRD", version=None, change="created")
        for n in range(100)
    ]
    received: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
    with subscribe_to_project(project_id, received.put):
        assert publish_project_events(sent) == 100
        got = [received.get(timeout=PATIENCE_S) for _ in sent]
    assert [event.payload for event in got] == [event.payload for event in sent]


def test_a_published_event_is_the_envelope_as_json() -> None:
    project_id = uuid.uuid4()
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()
    event = Envelope(event=EventName.CONFLICT_DETECTED, project_id=project_id, payload={"path": "a"}, id=7)
    with subscribe_to_channel(f"project:{project_id}", received.put):
        publish_project_events([event])
        got = received.get(timeout=PATIENCE_S)
    assert got.keys() == {"event", "projectId", "timestamp", "payload", "id"}
    assert (got["event"], got["projectId"], got["payload"], got["id"]) == (
        "conflict_detected",
        str(project_id),
        {"path": "a"},
        7,
    )
    assert got["timestamp"].endswith("Z")


def test_a_handler_that_raises_receives_the_next_message(name: str, caplog: pytest.LogCaptureFixture) -> None:
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def handler(data: Any) -> None:
        if data == "bad":
            raise RuntimeError("cannot take this")
        received.put(data)

    with subscribe_to_channel(name, handler):
        publish_event(name, "bad")
        publish_event(name, "good")
        assert received.get(timeout=PATIENCE_S) == "good"
    assert "the handler of" in caplog.text


@pytest.mark.parametrize("message", [b"{no json", b"\xff\xfe\x00", b""])
def test_a_message_that_is_not_json_is_logged_and_skipped(
    name: str, message: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with subscribe_to_channel(name, received.put):
        redis_client.client().publish(name, message)
        publish_event(name, "good")
        assert received.get(timeout=PATIENCE_S) == "good"
    assert "not JSON" in caplog.text


def test_a_message_that_is_not_an_event_is_skipped() -> None:
    project_id = uuid.uuid4()
    received: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
    good = artifact_updated(project_id, path="a", type="PRD", version=None, change="created")
    with subscribe_to_project(project_id, received.put):
        bad: Any
        for bad in ("word", None, [], {"event": "unknown"}, {**good.to_dict(), "projectId": "x"}):
            publish_event(channel(project_id), bad)
        publish_project_events([good])
        assert received.get(timeout=PATIENCE_S).payload["path"] == "a"


def test_a_subscription_survives_a_restart_of_redis_and_logs_it(
    own_redis: OwnRedis, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with subscribe_to_channel(name, received.put):
        publish_event(name, "before")
        assert received.get(timeout=PATIENCE_S) == "before"
        own_redis.stop()
        with pytest.raises(RedisUnavailable):
            publish_event(name, "meanwhile")
        own_redis.start()
        until = time.monotonic() + PATIENCE_S
        while publish_event(name, "after") == 0:
            assert time.monotonic() < until
        assert received.get(timeout=PATIENCE_S) == "after"
    assert f"lost the subscription to {name}" in caplog.text
    assert f"subscribed to {name} again" in caplog.text


@pytest.fixture
def frozen_and_replaced(own_redis: OwnRedis) -> Iterator[Callable[[], None]]:
    """A function that freezes the Redis, whose connections stay open and silent, and starts another at its socket."""
    with short_folder() as home:
        replacement = OwnRedis(home)

        def replace() -> None:
            os.kill(own_redis.part.process.pid, signal.SIGSTOP)
            Path(replacement.socket).rename(own_redis.socket)

        yield replace
        os.kill(own_redis.part.process.pid, signal.SIGCONT)
        replacement.stop()


def test_a_connection_that_falls_silent_is_noticed_and_replaced(
    frozen_and_replaced: Callable[[], None], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()
    confirmed: queue.SimpleQueue[None] = queue.SimpleQueue()
    with subscribe_to_channel(name, received.put, lambda: confirmed.put(None), quiet_s=0.2, lost_s=0.6):
        confirmed.get(timeout=PATIENCE_S)
        publish_event(name, "before")
        assert received.get(timeout=PATIENCE_S) == "before"
        frozen_and_replaced()
        confirmed.get(timeout=PATIENCE_S)
        redis_client.client().connection_pool.disconnect()
        publish_event(name, "after")
        assert received.get(timeout=PATIENCE_S) == "after"
    assert "Redis has sent nothing for" in caplog.text


def test_a_connection_that_is_only_quiet_is_kept(own_redis: OwnRedis, name: str) -> None:
    confirmed: queue.SimpleQueue[None] = queue.SimpleQueue()
    with subscribe_to_channel(name, print, lambda: confirmed.put(None), quiet_s=0.1, lost_s=0.3):
        confirmed.get(timeout=PATIENCE_S)
        with pytest.raises(queue.Empty):
            confirmed.get(timeout=1.5)


def test_closing_is_quick_whether_redis_can_be_reached_or_not(own_redis: OwnRedis, name: str) -> None:
    for stop_first in (False, True):
        subscription = subscribe_to_channel(name, print)
        with subscription:
            if stop_first:
                own_redis.stop()
            started_at = time.monotonic()
        assert time.monotonic() - started_at < 1
        assert f"subscription {name}" not in {thread.name for thread in threading.enumerate()}


def test_a_handler_may_close_its_own_subscription(name: str) -> None:
    closed = threading.Event()

    def handler(_: Any) -> None:
        subscription.close()
        closed.set()

    with subscribe_to_channel(name, handler) as subscription:
        publish_event(name, "last")
        assert closed.wait(PATIENCE_S)


def test_subscribing_without_redis_is_a_clear_error(own_redis: OwnRedis, name: str) -> None:
    own_redis.stop()
    with pytest.raises(RedisUnavailable, match="Redis cannot be reached"), subscribe_to_channel(name, print):
        pytest.fail("it was entered without Redis")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "redis://nowhere.invalid:6379"])
def test_publishing_without_redis_is_a_typed_error(url: str, name: str) -> None:
    started_at = time.monotonic()
    with using(REDIS_URL=url), pytest.raises(RedisUnavailable):
        publish_event(name, "x")
    assert time.monotonic() - started_at < 10


def test_publishing_to_a_redis_that_hangs_fails_in_time(own_redis: OwnRedis, name: str) -> None:
    with using(JIVE_REDIS_TIMEOUT_S="0.5"):
        publish_event(name, "x")
        os.kill(own_redis.part.process.pid, signal.SIGSTOP)
        try:
            started_at = time.monotonic()
            with pytest.raises(RedisUnavailable):
                publish_event(name, "x")
            assert time.monotonic() - started_at < 3
        finally:
            os.kill(own_redis.part.process.pid, signal.SIGCONT)


def test_a_value_that_is_not_json_is_not_published(name: str) -> None:
    with pytest.raises(InvalidValue, match="must be JSON"):
        publish_event(name, object())
