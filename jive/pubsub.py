"""Events over Redis: publish to a channel, and listen to one in a thread that survives what happens to Redis."""

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
QUIET_S = 5.0  # after so long without a word the server is asked for one
LOST_S = 15.0  # and after so long without an answer it is taken for gone
MAX_BACKOFF_S = 5.0

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # json.dumps would make one each time

logger = logging.getLogger(__name__)


def publish_event(channel: str, data: Any) -> int:
    """Publish `data` as JSON; return how many listeners Redis handed it to.

    Raises:
        InvalidValue: `data` is no JSON; nothing was sent.
        RedisUnavailable: Redis did not take it, in bounded time.
    """
    message = _to_json(data)
    with reaching_redis():
        return int(client().publish(channel, message))


def publish_project_events(events: Iterable[Envelope]) -> int:
    """Publish events to their projects' channels, in order and in one round trip; return how many there were.

    Raises:
        RedisUnavailable: some of them may not have been taken.
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
    """A thread that hands every message of a channel to `handler`, from entry to exit of the `with` block.

    When Redis goes away the thread says so, tries again with growing pauses (5 s at most), and subscribes
    anew; what was published meanwhile is lost to it. A message that is no JSON, and a handler that raises,
    are logged and skipped. Entering waits until Redis has confirmed; leaving ends the thread at once.
    """

    def __init__(
        self,
        channel: str,
        handler: Callable[[Any], None],
        client: redis.Redis,
        timeout_s: float,
        on_subscribed: Callable[[], None] = lambda: None,
    ) -> None:
        self.channel = channel
        self._handler = handler
        self._on_subscribed = on_subscribed
        self._client = client
        self._timeout_s = timeout_s
        self._pubsub = client.pubsub()  # type: ignore[no-untyped-call]
        self._stop = threading.Event()
        self._subscribed = threading.Event()
        self._tried = threading.Event()  # set once the first attempt has ended, well or not
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"subscription {channel}", daemon=True)

    def __enter__(self) -> Self:
        """Start listening.

        Raises:
            RedisUnavailable: Redis refused, or did not confirm in time; nothing is left running.
        """
        self._thread.start()
        self._tried.wait(self._timeout_s)
        if not self._subscribed.is_set():
            self.close()
            raise RedisUnavailable(f"Redis cannot be reached: {self._error or 'it does not answer'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening. Safe to repeat, and from within the handler."""
        self._stop.set()
        with contextlib.suppress(Exception):  # only to wake the thread, which may be anywhere
            self._pubsub.unsubscribe()
        if threading.current_thread() is not self._thread:
            self._thread.join(self._timeout_s + POLL_S)

    def _run(self) -> None:
        backoff_s = 0.1
        while not self._stop.is_set():
            try:
                self._pubsub.subscribe(self.channel)
                self._listen()
            except Exception as exc:  # noqa: BLE001  # this thread must not end while somebody listens
                self._error = exc
                self._tried.set()
                if self._stop.is_set():
                    break
                if self._subscribed.is_set():
                    backoff_s = 0.1
                    self._subscribed.clear()
                logger.warning("lost %s, trying again in %.1f s: %s", self.channel, backoff_s, exc)
                self._pubsub.reset()
                self._stop.wait(backoff_s)
                backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)
        self._pubsub.reset()
        self._client.close()

    def _listen(self) -> None:
        heard_at = asked_at = time.monotonic()
        while not self._stop.is_set():
            message = self._pubsub.get_message(timeout=POLL_S)
            now = time.monotonic()
            if message is not None:
                heard_at = now
                self._receive(message)
            elif now - heard_at > LOST_S:
                raise redis.ConnectionError(f"nothing heard for {LOST_S:.0f} s")
            elif now - max(heard_at, asked_at) > QUIET_S:
                asked_at = now
                self._pubsub.ping()

    def _receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            if self._error is not None:
                logger.warning("subscribed to %s again; what was published meanwhile is missed", self.channel)
                self._error = None
            self._on_subscribed()
            self._subscribed.set()
            self._tried.set()
        elif message["type"] == "message":
            try:
                data = json.loads(message["data"])
            except ValueError:
                logger.warning("skipped a message on %s that is no JSON", self.channel)
                return
            try:
                self._handler(data)
            except Exception:  # the next message has done nothing wrong
                logger.exception("a handler of %s failed", self.channel)


def subscribe_to_channel(
    channel: str, handler: Callable[[Any], None], on_subscribed: Callable[[], None] = lambda: None
) -> Subscription:
    """Return a subscription that hands each message, parsed from JSON, to `handler` in its own thread.

    `on_subscribed` is called there each time that Redis has confirmed, at the start and after it was away:
    what is published from then on is heard.

    with subscribe_to_channel("news", print): ...
    """
    config = settings.current()
    # Its own client, with no silent retries: a lost connection must be noticed here. Messages stay bytes: one
    # that is no UTF-8 is the parser's business.
    own = connect(config, retries=0, decode=False)
    return Subscription(channel, handler, own, config.redis_timeout_s * 2, on_subscribed)


def subscribe_to_project(project_id: UUID, handler: Callable[[Envelope], None]) -> Subscription:
    """Return a subscription to a project's events; what is no event is logged and skipped."""
    return subscribe_to_channel(channel(project_id), lambda data: handler(Envelope.from_dict(data)))
