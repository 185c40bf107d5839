"""Deliveries on the read side: the newest first, in the state that is stored."""

from datetime import UTC, datetime

import pytest

from jive.catalog import deliveries
from jive.models import Project
from jive.models.enums import DeliveryState, WebhookSource
from tests.factories import make_delivery, make_project

pytestmark = pytest.mark.usefixtures("db")


def make_on_day(project: Project, day: int, **fields: object) -> str:
    return str(make_delivery(project, received_at=datetime(2026, 1, day, tzinfo=UTC), **fields).id)


def ids(project: Project | None = None, *, failed: bool = False, limit: int = 10) -> list[str]:
    return [each.id for each in deliveries.newest(project.id if project else None, failed=failed, limit=limit)]


def test_the_newest_come_first_and_no_more_than_the_limit() -> None:
    project = make_project()
    middle, newest, oldest = (make_on_day(project, day) for day in (2, 3, 1))
    assert ids() == [newest, middle, oldest]
    assert ids(limit=2) == [newest, middle]


def test_those_of_one_project_can_be_chosen() -> None:
    project, other = make_project(), make_project()
    own, foreign = make_on_day(project, 2), make_on_day(other, 1)
    assert (ids(), ids(project), ids(other)) == ([own, foreign], [own], [foreign])


def test_failed_ones_can_be_chosen() -> None:
    project = make_project()
    made = {state: make_on_day(project, 1, state=state) for state in DeliveryState}
    assert ids(failed=True) == ids(project, failed=True) == [made[DeliveryState.FAILED]]


def test_a_record_says_what_is_stored() -> None:
    project = make_project(name="Library")
    made = make_delivery(
        project, source=WebhookSource.GITLAB, state=DeliveryState.WAITING, retry_count=2, error_message="unreachable"
    )
    assert deliveries.newest(None, failed=False, limit=1) == [
        deliveries.DeliveryRecord(
            id=made.id,
            project="Library",
            host=WebhookSource.GITLAB,
            event_type="push",
            state=DeliveryState.WAITING,
            retry_count=2,
            error="unreachable",
            received_at=made.received_at,
        )
    ]
