"""Publish and subscribe on a real Redis: what is sent arrives, and what goes wrong does not end the listener."""

import os
import queue
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jive import redis_client
from jive.errors import InvalidValue, RedisUnavailable
from jive.events import Envelope, EventName, artifact_updated, channel
from jive.operate import servers
from jive.pubsub import publish_event, publish_project_events, subscribe_to_channel, subscribe_to_project
from tests.conftest import using

PATIENCE_S = 20


@pytest.fixture
def name() -> str:
    return f"test:{uuid.uuid4()}"


@pytest.fixture
def own_redis(home: Path) -> Iterator["OwnRedis"]:
    """A Redis of the test's own, which it may stop and start, in use by this process."""
    own = OwnRedis(home)
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


def test_redis_answers_ping() -> None:
    assert redis_client.check_connection() is True


def test_publishes_and_subscribes_to_channel(name: str) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with subscribe_to_channel(name, heard.put):
        assert publish_event(name, {"hello": "wörld"}) == 1
        assert heard.get(timeout=PATIENCE_S) == {"hello": "wörld"}
    assert publish_event(name, "nobody listens") == 0


def test_a_project_event_arrives_as_it_was_sent_and_in_order() -> None:
    project_id = uuid.uuid4()
    sent = [
        artifact_updated(project_id, path=f"docs/{n}.md", type="PRD", version=None, change="created")
        for n in range(100)
    ]
    heard: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
    with subscribe_to_project(project_id, heard.put):
        assert publish_project_events(sent) == 100
        got = [heard.get(timeout=PATIENCE_S) for _ in sent]
    assert [event.payload for event in got] == [event.payload for event in sent]


def test_the_envelope_is_the_storys() -> None:
    project_id = uuid.uuid4()
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    event = Envelope(event=EventName.CONFLICT_DETECTED, project_id=project_id, payload={"path": "a"}, id=7)
    with subscribe_to_channel(f"project:{project_id}", heard.put):
        publish_project_events([event])
        got = heard.get(timeout=PATIENCE_S)
    assert got.keys() == {"event", "projectId", "timestamp", "payload", "id"}
    assert (got["event"], got["projectId"], got["payload"], got["id"]) == (
        "conflict_detected",
        str(project_id),
        {"path": "a"},
        7,
    )
    assert got["timestamp"].endswith("Z")


def test_a_handler_that_raises_hears_the_next_message(name: str, caplog: pytest.LogCaptureFixture) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def handler(data: Any) -> None:
        if data == "bad":
            raise RuntimeError("cannot take this")
        heard.put(data)

    with subscribe_to_channel(name, handler):
        publish_event(name, "bad")
        publish_event(name, "good")
        assert heard.get(timeout=PATIENCE_S) == "good"
    assert "the handler of" in caplog.text


@pytest.mark.parametrize("message", [b"{no json", b"\xff\xfe\x00", b""])
def test_a_message_that_is_not_json_is_logged_and_skipped(
    name: str, message: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with subscribe_to_channel(name, heard.put):
        redis_client.client().publish(name, message)
        publish_event(name, "good")
        assert heard.get(timeout=PATIENCE_S) == "good"
    assert "not JSON" in caplog.text


def test_a_message_that_is_no_event_is_skipped() -> None:
    project_id = uuid.uuid4()
    heard: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
    good = artifact_updated(project_id, path="a", type="PRD", version=None, change="created")
    with subscribe_to_project(project_id, heard.put):
        bad: Any
        for bad in ("word", None, [], {"event": "unknown"}, {**good.to_dict(), "projectId": "x"}):
            publish_event(channel(project_id), bad)
        publish_project_events([good])
        assert heard.get(timeout=PATIENCE_S).payload["path"] == "a"


def test_a_subscription_survives_a_restart_of_redis_and_says_so(
    own_redis: OwnRedis, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with subscribe_to_channel(name, heard.put):
        publish_event(name, "before")
        assert heard.get(timeout=PATIENCE_S) == "before"
        own_redis.stop()
        with pytest.raises(RedisUnavailable):
            publish_event(name, "meanwhile")
        own_redis.start()
        until = time.monotonic() + PATIENCE_S
        while publish_event(name, "after") == 0:
            assert time.monotonic() < until
        assert heard.get(timeout=PATIENCE_S) == "after"
    assert f"lost the subscription to {name}" in caplog.text
    assert f"subscribed to {name} again" in caplog.text


def test_closing_takes_no_time_while_redis_is_there_or_away(own_redis: OwnRedis, name: str) -> None:
    for stop_first in (False, True):
        subscription = subscribe_to_channel(name, print)
        with subscription:
            if stop_first:
                own_redis.stop()
            started_at = time.monotonic()
        assert time.monotonic() - started_at < 1
        assert not subscription._thread.is_alive()


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
        pytest.fail("there is nothing to listen to")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "redis://nowhere.invalid:6379"])
def test_a_publish_that_cannot_be_delivered_is_a_typed_error(url: str, name: str) -> None:
    started_at = time.monotonic()
    with using(REDIS_URL=url):
        with pytest.raises(RedisUnavailable):
            publish_event(name, "x")
        assert redis_client.check_connection() is False
    assert time.monotonic() - started_at < 10


def test_a_redis_that_hangs_is_given_up_in_bounded_time(own_redis: OwnRedis, name: str) -> None:
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


def test_a_wrong_password_is_a_clear_error_without_it(home: Path, name: str) -> None:
    part, url = servers.start_redis(home)
    try:
        with using(REDIS_URL=url):
            redis_client.client().config_set("requirepass", "right")
        with using(REDIS_URL=f"{url}?password=hush"), pytest.raises(RedisUnavailable) as caught:
            publish_event(name, "x")
        assert "hush" not in str(caught.value)
    finally:
        part.stop()


def test_what_is_no_json_is_not_published(name: str) -> None:
    with pytest.raises(InvalidValue, match="must be JSON"):
        publish_event(name, object())


def test_the_server_tells_its_version() -> None:
    assert int(redis_client.server_version().split(".")[0]) >= 6
