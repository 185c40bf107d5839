"""Events: rows of the outbox, numbered in their project, and published as they were written."""

import peewee
import pytest

from jive.clock import utcnow
from jive.db import database
from jive.errors import InvalidValue
from jive.events import EventName
from jive.models import Event
from jive.models.event import MAX_PAYLOAD_BYTES
from tests.factories import make_project

pytestmark = pytest.mark.usefixtures("db")


def test_an_event_is_published_as_it_was_written() -> None:
    project, at = make_project(), utcnow()
    Event.create(project=project, id=7, event="conflict_detected", payload={"path": "a"}, timestamp=at)
    envelope = Event.get().envelope()
    assert (envelope.event, envelope.project_id, envelope.id) == (EventName.CONFLICT_DETECTED, project.id, 7)
    assert (envelope.payload, envelope.timestamp) == ({"path": "a"}, at)


def test_an_id_is_given_once_in_each_project() -> None:
    project, other = make_project(), make_project()
    for each in (project, other):
        Event.create(project=each, id=1, event="artifact_updated", payload={})
    with pytest.raises(peewee.IntegrityError, match="events_pkey"):
        Event.create(project=project, id=1, event="artifact_updated", payload={})


def test_an_event_of_plain_sql_is_unpublished_and_has_a_time() -> None:
    sql = "INSERT INTO events (project_id, id, event, payload) VALUES (%s, 1, 'artifact_updated', '{}')"
    database.execute_sql(sql, (str(make_project().id),))
    event = Event.get()
    assert event.published_at is None
    assert abs((event.timestamp - utcnow()).total_seconds()) < 60


def test_an_event_that_is_not_in_its_enum_or_too_large_is_refused() -> None:
    project = make_project()
    with pytest.raises(InvalidValue, match="'agent_left' is not a"):
        Event.create(project=project, id=1, event="agent_left", payload={})
    with pytest.raises(InvalidValue, match=f"at most {MAX_PAYLOAD_BYTES:,}"):
        Event.create(project=project, id=1, event="artifact_updated", payload={"key": "x" * MAX_PAYLOAD_BYTES})
    assert Event.select().count() == 0
