"""Listen to the events of a project, from any id on, without gaps or repeats."""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import peewee

from jive.db import connection
from jive.errors import DatabaseUnavailable
from jive.events import Envelope, channel
from jive.models import Event, Project
from jive.pubsub import subscribe_to_channel

BATCH = 500
POLL_S = 0.2  # how long a listener takes to notice that it should stop
LOOK_S = 5.0  # how often a listener looks in Postgres for events that Redis lost

logger = logging.getLogger(__name__)


class Identified(Protocol):
    """Anything with the id of a project, such as the model or a record of the catalog."""

    @property
    def id(self) -> uuid.UUID: ...


def listen(
    project: Identified,
    since: int | None = None,
    stopping: threading.Event | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> Iterator[Envelope]:
    """Yield the events of a project after an id, in order and each once: stored ones first, then new ones.

    A message of Redis is yielded if its id is the next one. Otherwise the events are read from Postgres, and every
    `LOOK_S` seconds too: a restart of Redis or a lost message delays events and loses none.

    Args:
        since: the id to begin after; the newest one if None.
        stopping: ends the iteration when it is set.
        on_ready: called once new events are received.

    Raises:
        DatabaseUnavailable: at the start; later, the next look succeeds.
        RedisUnavailable: at the start; later, the subscription is renewed.
    """
    received: queue.SimpleQueue[Envelope | None] = queue.SimpleQueue()  # None: look in Postgres
    stopping = stopping or threading.Event()
    with connection():
        last = _newest_id(project) if since is None else since
    with subscribe_to_channel(channel(project.id), _putter(received), on_subscribed=lambda: received.put(None)):
        on_ready()
        looked_at = time.monotonic()
        while not stopping.is_set():
            try:
                event = received.get(timeout=min(POLL_S, LOOK_S))
            except queue.Empty:
                if time.monotonic() - looked_at < LOOK_S:
                    continue
                event = None
            if event is not None and event.id is None:
                yield event  # it is not stored
            elif event is not None and event.id == last + 1:
                last += 1
                yield event
            elif event is None or (event.id or 0) > last:
                looked_at = time.monotonic()
                for stored in _rows_after(project, last):
                    last = stored.id or last
                    yield stored


def _putter(received: "queue.SimpleQueue[Envelope | None]") -> Callable[[Any], None]:
    def put(data: Any) -> None:
        received.put(Envelope.from_dict(data))

    return put


def _newest_id(project: Identified) -> int:
    return int(Project.select(Project.last_event_id).where(Project.id == project.id).scalar() or 0)


def _rows_after(project: Identified, last: int) -> Iterator[Envelope]:
    while rows := _read_rows(project, last):
        yield from rows
        last = rows[-1].id or last


def _read_rows(project: Identified, last: int) -> list[Envelope]:
    try:
        with connection():
            rows = Event.select().where(Event.project == project.id, Event.id > last).order_by(Event.id).limit(BATCH)
            return [row.envelope() for row in rows]
    except (DatabaseUnavailable, peewee.PeeweeException) as exc:
        logger.warning("events could not be read, retrying in %.0f s: %s", LOOK_S, exc)
        return []
