"""Listening: stored events come from Postgres, new ones from Redis, and none is missing or repeated."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jive import live
from jive.db import database
from jive.events import Envelope, artifact_updated
from jive.live import listen
from jive.models import Event, Project
from jive.operate import servers
from jive.pubsub import publish_project_events
from tests.conftest import using
from tests.factories import make_project

PATIENCE_S = 20

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def project() -> Project:
    return make_project()


def write(project: Project, count: int = 1) -> list[Envelope]:
    """Write events as a scan does, without publishing them."""
    written = []
    for _ in range(count):
        with database.atomic():
            locked = Project.select().where(Project.id == project.id).for_update().get()
            number = locked.last_event_id + 1
            event = artifact_updated(project.id, path=f"docs/{number}.md", type="PRD", version=None, change="created")
            Event.create(project=project, id=number, event=event.event, payload=event.payload)
            Project.update(last_event_id=number).where(Project.id == project.id).execute()
        written.append(event.numbered(number))
    return written


class Listener:
    """A thread that listens, and the ids that it received."""

    def __init__(self, project: Project, since: int | None) -> None:
        self.received: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.stopping, self.ready = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, args=(project, since), daemon=True)

    def _run(self, project: Project, since: int | None) -> None:
        for event in listen(project, since, self.stopping, self.ready.set):
            self.received.put(event.id)

    def ids(self, count: int) -> list[int | None]:
        return [self.received.get(timeout=PATIENCE_S) for _ in range(count)]


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(live, "LOOK_S", 0.2)
    started: list[Listener] = []

    def start(project: Project, since: int | None = None) -> Listener:
        listener = Listener(project, since)
        listener.thread.start()
        assert listener.ready.wait(PATIENCE_S)
        started.append(listener)
        return listener

    yield start
    for listener in started:
        listener.stopping.set()
        listener.thread.join(PATIENCE_S)
        assert listener.received.empty()


def test_events_after_an_id_come_first_and_then_new_ones(project: Project, listening: Any) -> None:
    write(project, 5)
    listener = listening(project, since=2)
    assert listener.ids(3) == [3, 4, 5]
    publish_project_events(write(project))
    assert listener.ids(1) == [6]


def test_without_an_id_only_new_events_come(project: Project, listening: Any) -> None:
    write(project, 5)
    listener = listening(project)
    publish_project_events(write(project))
    assert listener.ids(1) == [6]


def test_more_events_than_a_batch_holds_all_come(project: Project, listening: Any) -> None:
    write(project, live.BATCH + 20)
    assert listening(project, since=0).ids(live.BATCH + 20) == list(range(1, live.BATCH + 21))


def test_events_published_twice_or_out_of_order_come_once_and_in_order(project: Project, listening: Any) -> None:
    listener = listening(project)
    first, second, third = write(project, 3)
    publish_project_events([second, second, first, third, third, first])
    assert listener.ids(3) == [1, 2, 3]


def test_an_event_that_redis_lost_is_found_in_postgres(project: Project, listening: Any) -> None:
    listener = listening(project)
    write(project, 3)
    assert listener.ids(3) == [1, 2, 3]


def test_an_event_that_is_not_stored_comes_as_it_was_published(project: Project, listening: Any) -> None:
    listener = listening(project)
    publish_project_events([artifact_updated(project.id, path="a", type="PRD", version=None, change="created")])
    assert listener.ids(1) == [None]


def test_a_restart_of_redis_leaves_no_gap(project: Project, listening: Any, redis_home: Path) -> None:
    part, url = servers.start_redis(redis_home)
    try:
        with using(REDIS_URL=url):
            database.connect()
            listener = listening(project)
            publish_project_events(write(project))
            assert listener.ids(1) == [1]
            part.stop()
            write(project, 3)
            part, _ = servers.start_redis(redis_home)
            publish_project_events(write(project))
            assert listener.ids(4) == [2, 3, 4, 5]
            listener.stopping.set()
            listener.thread.join(PATIENCE_S)
            database.close()
    finally:
        part.stop()
    database.connect()
