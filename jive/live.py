"""Listen to a project: its events after a given one, first from Postgres, then as they come, without gap or repeat."""

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
POLL_S = 0.2  # a listener that is told to stop does so after so long
LOOK_S = 5.0  # news that Redis lost is found in Postgres after so long

logger = logging.getLogger(__name__)


class Identified(Protocol):
    """A project: the model, or a record of the catalog."""

    @property
    def id(self) -> uuid.UUID: ...


def listen(
    project: Identified,
    since: int | None = None,
    stopping: threading.Event | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> Iterator[Envelope]:
    """Yield the project's events after the id `since` (None: after the newest that there is), in order, once each.

    Redis only says that there is news; what it is comes from Postgres wherever an id is missing. So a restart of
    Redis, or a message that it lost, delays an event and loses none. Ends when `stopping` is set.
    `on_ready` is called once it hears.

    Raises:
        DatabaseUnavailable: at the start; later it is waited for.
        RedisUnavailable: at the start; later it may come and go.
    """
    news: queue.SimpleQueue[Envelope | None] = queue.SimpleQueue()
    stopping = stopping or threading.Event()
    with connection():
        last = _newest_id(project) if since is None else since
    with subscribe_to_channel(channel(project.id), _hand_to(news), on_subscribed=lambda: news.put(None)):
        on_ready()
        looked_at = time.monotonic()
        while not stopping.is_set():
            try:
                heard = news.get(timeout=min(POLL_S, LOOK_S))
            except queue.Empty:
                if time.monotonic() - looked_at < LOOK_S:
                    continue
                heard = None
            if heard is not None and heard.id is None:
                yield heard  # it was never a row
            elif heard is not None and heard.id == last + 1:
                last += 1
                yield heard
            elif heard is None or (heard.id or 0) > last:
                looked_at = time.monotonic()
                for event in _rows_after(project, last):
                    last = event.id or last
                    yield event


def _hand_to(news: "queue.SimpleQueue[Envelope | None]") -> Any:
    def hear(data: Any) -> None:
        news.put(Envelope.from_dict(data))

    return hear


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
        logger.warning("cannot look for events now, will again in %.0f s: %s", LOOK_S, exc)
        return []
