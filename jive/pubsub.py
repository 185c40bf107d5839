"""Publish events to Redis channels, and subscribe to them."""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import redis

from jive import settings
from jive.errors import InvalidValue, RedisUnavailable
from jive.events import Envelope, channel
from jive.redis_client import client, connect, reaching_redis

POLL_S = 1.0
QUIET_S = 5.0  # after this time without a message, the subscription sends a ping
LOST_S = 15.0  # after this time without a message or an answer to the pings, it reconnects
MAX_BACKOFF_S = 5.0

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps would create one for each call

logger = logging.getLogger(__name__)


def publish_event(channel: str, data: Any) -> int:
    """Publish `data` as JSON; return how many subscribers Redis sent it to.

    Raises:
        InvalidValue: `data` cannot be written as JSON; nothing was sent.
        RedisUnavailable: Redis refused it, or did not answer in time.
    """
    message = _to_json(data)
    with reaching_redis():
        return int(client().publish(channel, message))


def publish_project_events(events: Iterable[Envelope]) -> int:
    """Publish events to the channels of their projects, in order and in one round trip; return how many there were.

    Raises:
        RedisUnavailable: some of them may have been published.
    """
    pipeline = client().pipeline(transaction=False)
    for event in events:
        pipeline.publish(channel(event.project_id), _to_json(event.to_dict()))
    with reaching_redis():
        return len(pipeline.execute()) if len(pipeline) else 0


def _to_json(data: Any) -> str:
    try:
        return _ENCODER.encode(data)
    except (TypeError, ValueError) as exc:
        raise InvalidValue(f"An event must be JSON: {exc}") from exc


class Subscription:
    """Passes every message of a channel to a handler, in a thread that runs inside the `with` block.

    If the connection is lost, the thread logs it, reconnects with growing pauses (5 s at most) and subscribes
    again; messages published meanwhile are missed. A message that is not JSON is logged and skipped, and so is one
    whose handler raises. Entering the block waits until Redis confirms the subscription; leaving it ends the thread.
    """

    def __init__(
        self,
        channel: str,
        handler: Callable[[Any], None],
        client: redis.Redis,
        timeout_s: float,
        on_subscribed: Callable[[], None] = lambda: None,
        quiet_s: float = QUIET_S,
        lost_s: float = LOST_S,
    ) -> None:
        """Prepare a subscription; nothing is connected yet.

        Args:
            handler: called in the thread with each message, parsed from JSON.
            client: a client of its own, which is closed at the end; it must not retry, or losses go unnoticed.
            timeout_s: how long entering waits for Redis to confirm.
            on_subscribed: called in the thread whenever Redis has confirmed.
            quiet_s: how long the connection may be silent before a ping is sent.
            lost_s: how long it may be silent before it counts as lost.
        """
        self.channel = channel
        self._handler = handler
        self._on_subscribed = on_subscribed
        self._client = client
        self._timeout_s = timeout_s
        self._quiet_s = quiet_s
        self._lost_s = lost_s
        self._pubsub = client.pubsub()  # type: ignore[no-untyped-call]
        self._stop = threading.Event()
        self._subscribed = threading.Event()
        self._tried = threading.Event()  # set when the first attempt has ended, successful or not
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"subscription {channel}", daemon=True)

    def __enter__(self) -> Self:
        """Subscribe, and start the thread.

        Raises:
            RedisUnavailable: Redis refused, or did not confirm in time; the thread has ended.
        """
        self._thread.start()
        self._tried.wait(self._timeout_s)
        if not self._subscribed.is_set():
            self.close()
            raise RedisUnavailable(f"Redis cannot be reached: {self._error or 'no answer'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the subscription. Safe to repeat, and to call in the handler."""
        self._stop.set()
        with contextlib.suppress(Exception):  # it only wakes the thread, which may be doing anything
            self._pubsub.unsubscribe()
        if threading.current_thread() is not self._thread:
            self._thread.join(self._timeout_s + POLL_S)

    def _run(self) -> None:
        backoff_s = 0.1
        while not self._stop.is_set():
            try:
                self._pubsub.subscribe(self.channel)
                self._listen()
            except Exception as exc:  # noqa: BLE001  # the subscription must survive every error
                self._error = exc
                self._tried.set()
                if self._stop.is_set():
                    break
                if self._subscribed.is_set():
                    backoff_s = 0.1
                    self._subscribed.clear()
                logger.warning("lost the subscription to %s, retrying in %.1f s: %s", self.channel, backoff_s, exc)
                self._pubsub.reset()
                self._stop.wait(backoff_s)
                backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)
        self._pubsub.reset()
        self._client.close()

    def _listen(self) -> None:
        heard_at = asked_at = time.monotonic()
        while not self._stop.is_set():
            message = self._pubsub.get_message(timeout=min(POLL_S, self._quiet_s))
            now = time.monotonic()
            if message is not None:
                heard_at = now
                self._receive(message)
            elif now - heard_at > self._lost_s:
                raise redis.ConnectionError(f"Redis has sent nothing for {self._lost_s:.0f} s")
            elif now - max(heard_at, asked_at) > self._quiet_s:
                asked_at = now
                self._pubsub.ping()

    def _receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            if self._error is not None:
                logger.warning("subscribed to %s again; messages published meanwhile were missed", self.channel)
                self._error = None
            self._on_subscribed()
            self._subscribed.set()
            self._tried.set()
        elif message["type"] == "message":
            try:
                data = json.loads(message["data"])
            except ValueError:
                logger.warning("skipped a message on %s that is not JSON", self.channel)
                return
            try:
                self._handler(data)
            except Exception:  # the next message may be handled
                logger.exception("the handler of %s failed", self.channel)


def subscribe_to_channel(
    channel: str,
    handler: Callable[[Any], None],
    on_subscribed: Callable[[], None] = lambda: None,
    *,
    quiet_s: float = QUIET_S,
    lost_s: float = LOST_S,
) -> Subscription:
    """Return a subscription that passes each message, parsed from JSON, to `handler` in a thread of its own.

    `on_subscribed` is called in that thread whenever Redis has confirmed: at the start, and after a lost connection.
    Every message published from then on is received, until the connection is lost.

    with subscribe_to_channel("news", print): ...

    Args:
        quiet_s: how long the connection may be silent before a ping is sent.
        lost_s: how long it may be silent before it counts as lost.
    """
    config = settings.current()
    # Messages stay bytes: the parser skips those that are not UTF-8, and the client would raise.
    own = connect(config, retries=0, decode=False)
    return Subscription(channel, handler, own, config.redis_timeout_s * 2, on_subscribed, quiet_s, lost_s)


def subscribe_to_project(project_id: UUID, handler: Callable[[Envelope], None]) -> Subscription:
    """Return a subscription to the events of a project; a message that is not an event is logged and skipped."""
    return subscribe_to_channel(channel(project_id), lambda data: handler(Envelope.from_dict(data)))
