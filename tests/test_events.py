"""Events: the envelope that listeners receive, and what is not one."""

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from jive.errors import InvalidValue
from jive.events import Envelope, EventName, artifact_updated, channel

PROJECT_ID = uuid.UUID("0192f0c1-2345-7abc-8def-0123456789ab")
NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)


def test_an_envelope_has_five_keys_and_a_time_in_utc() -> None:
    at = NOON.astimezone(timezone(timedelta(hours=9)))
    event = Envelope(
        event=EventName.AGENT_STATUS_CHANGED, project_id=PROJECT_ID, payload={"a": [1]}, timestamp=at, id=7
    )
    assert event.to_dict() == {
        "event": "agent_status_changed",
        "projectId": str(PROJECT_ID),
        "timestamp": "2026-01-02T12:00:00.123Z",
        "payload": {"a": [1]},
        "id": 7,
    }


def test_an_envelope_is_read_as_it_was_written() -> None:
    event = Envelope(event=EventName.CONFLICT_DETECTED, project_id=PROJECT_ID, payload={"path": "ä"}).numbered(3)
    read = Envelope.from_dict(json.loads(json.dumps(event.to_dict())))
    assert (read.event, read.project_id, read.payload, read.id) == (event.event, PROJECT_ID, {"path": "ä"}, 3)
    assert abs(read.timestamp - event.timestamp) < timedelta(milliseconds=1)
    assert read.timestamp.tzinfo is not None


def test_an_event_that_is_not_stored_has_no_id() -> None:
    event = artifact_updated(PROJECT_ID, path="a", type="PRD", version=None, change="created")
    assert event.to_dict()["id"] is None
    without_id = {key: value for key, value in event.to_dict().items() if key != "id"}
    assert Envelope.from_dict(without_id).id is None


GOOD = Envelope(event=EventName.CONFLICT_DETECTED, project_id=PROJECT_ID, payload={}).to_dict()


@pytest.mark.parametrize(
    "data",
    [
        None,
        "word",
        7,
        [],
        {},
        GOOD | {"event": "unknown"},
        GOOD | {"projectId": "x"},
        GOOD | {"projectId": None},
        GOOD | {"timestamp": "yesterday"},
        GOOD | {"payload": None},
        GOOD | {"id": "x"},
        {key: value for key, value in GOOD.items() if key != "payload"},
    ],
)
def test_what_is_not_an_envelope_is_refused(data: Any) -> None:
    with pytest.raises(InvalidValue, match="not an event"):
        Envelope.from_dict(data)


def test_the_event_of_a_changed_document_has_four_facts() -> None:
    event = artifact_updated(PROJECT_ID, path="docs/a.md", type="STORY", version="1.2", change="updated")
    assert event.event is EventName.ARTIFACT_UPDATED
    assert event.payload == {"path": "docs/a.md", "type": "STORY", "version": "1.2", "change": "updated"}


def test_each_project_has_a_channel() -> None:
    assert channel(PROJECT_ID) == f"project:{PROJECT_ID}"
