"""Publishing: listeners receive the events in order, and only what Redis took is marked as published."""

import queue

import pytest

from jive.db import database
from jive.events import Envelope
from jive.models import Event
from jive.pipeline.publish import publish
from jive.pubsub import subscribe_to_project
from tests.conftest import using
from tests.factories import make_event, make_project
from tests.waiting import DEADLINE_S

pytestmark = pytest.mark.usefixtures("db")


def unpublished() -> list[int]:
    return [row.id for row in Event.select().where(Event.published_at.is_null()).order_by(Event.id)]


def test_events_are_published_in_order_and_marked() -> None:
    project = make_project()
    events = [make_event(project, id=number).envelope() for number in (1, 2, 3)]
    make_event(project, id=4)
    heard: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
    with subscribe_to_project(project.id, heard.put):
        assert publish(project.id, events)
        assert [heard.get(timeout=DEADLINE_S).id for _ in events] == [1, 2, 3]
    assert unpublished() == [4]


def test_events_with_the_same_ids_of_another_project_are_not_marked() -> None:
    project, other = make_project(), make_project()
    event = make_event(project, id=1).envelope()
    make_event(other, id=1)
    assert publish(project.id, [event])
    assert [row.project_id for row in Event.select().where(Event.published_at.is_null())] == [other.id]


def test_without_redis_nothing_is_marked_and_the_reason_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    project = make_project()
    event = make_event(project, id=1).envelope()
    with using(REDIS_URL="redis://127.0.0.1:1"):
        database.connect(reuse_if_open=True)
        assert not publish(project.id, [event])
        assert unpublished() == [1]
        database.close()
    database.connect(reuse_if_open=True)
    assert f"1 events of project {project.id} were stored but not published" in caplog.text


def test_publishing_no_events_needs_no_redis() -> None:
    with using(REDIS_URL="redis://127.0.0.1:1"):
        assert publish(make_project().id, [])
        database.close()
    database.connect(reuse_if_open=True)
