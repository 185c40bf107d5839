"""Deliveries: what a scan settles, how often one may fail, and what can be retried."""

from datetime import timedelta
from typing import Any

import peewee
import pytest

from jive.clock import utcnow
from jive.db import database, database_now
from jive.errors import InvalidValue
from jive.models import Project, WebhookEvent
from jive.models.enums import DeliveryState, WebhookSource
from jive.models.webhook_event import MAX_ATTEMPTS
from tests.factories import make_delivery, make_project

pytestmark = pytest.mark.usefixtures("db")

FAILED = {"state": "failed", "retry_count": 3, "error_message": "x"}


def states(project: Project) -> list[tuple[str, int, str | None]]:
    rows = WebhookEvent.select().where(WebhookEvent.project == project).order_by(WebhookEvent.received_at)
    return [(str(row.state), row.retry_count, row.error_message) for row in rows]


def make_one_of_each(project: Project) -> None:
    """Make a settled, a received, a waiting and a failed delivery, and one that arrives in the future."""
    now = utcnow()
    fields: list[dict[str, Any]] = [
        {"state": "settled"},
        {},
        {"state": "waiting", "retry_count": 2, "error_message": "x"},
        FAILED,
    ]
    for number, each in enumerate(fields):
        make_delivery(project, received_at=now - timedelta(minutes=9 - number), **each)
    make_delivery(project, received_at=now + timedelta(minutes=9))


@pytest.fixture
def project() -> Project:
    """A project with a delivery in each state; another project has the same, which must not change."""
    make_one_of_each(make_project(name="Other"))
    project = make_project()
    make_one_of_each(project)
    return project


def others() -> list[tuple[str, int, str | None]]:
    return states(Project.get(Project.name == "Other"))


def test_a_scan_settles_what_was_received_before_it_began(project: Project) -> None:
    before = others()
    assert WebhookEvent.settle(project.id, database_now()) == 3
    settled = [("settled", 0, None), ("settled", 0, None), ("settled", 2, None), ("settled", 3, None)]
    assert states(project) == [*settled, ("received", 0, None)]
    assert WebhookEvent.settle(project.id, database_now()) == 0
    assert others() == before


def test_an_attempt_that_failed_counts_on_what_was_pending_when_it_began(project: Project) -> None:
    before = others()
    assert WebhookEvent.count_failure(project.id, database_now(), "why", final=False) == 2
    assert states(project) == [
        ("settled", 0, None),
        ("waiting", 1, "why"),
        ("failed", 3, "why"),
        ("failed", 3, "x"),
        ("received", 0, None),
    ]
    assert others() == before


def test_an_attempt_that_failed_for_good_fails_what_was_pending(project: Project) -> None:
    assert WebhookEvent.count_failure(project.id, database_now(), "why", final=True) == 2
    assert states(project)[1:3] == [("failed", MAX_ATTEMPTS, "why")] * 2


def test_failed_deliveries_are_retried_all_or_by_id(project: Project) -> None:
    assert len(WebhookEvent.retry()) == 2
    assert states(project)[3] == ("waiting", 0, None)
    assert WebhookEvent.retry() == []
    first, second = make_delivery(project, id="first", **FAILED), make_delivery(project, id="second", **FAILED)
    settled = make_delivery(project, id="settled", state="settled")
    assert WebhookEvent.retry([str(first.id), str(settled.id), "unknown"]) == [project.id]
    kept = [str(WebhookEvent.get_by_id(each.id).state) for each in (first, second, settled)]
    assert kept == ["waiting", "failed", "settled"]
    assert WebhookEvent.retry([]) == []


def test_pending_and_failed_deliveries_are_those_that_are_not_settled(project: Project) -> None:
    def found(condition: object) -> list[str]:
        rows = WebhookEvent.select().where(WebhookEvent.project == project, condition)
        return sorted(str(row.state) for row in rows)

    assert found(WebhookEvent.is_pending()) == ["received", "received", "waiting"]
    assert found(WebhookEvent.has_failed()) == ["failed"]


def test_two_hosts_cannot_share_a_delivery_id() -> None:
    project = make_project()
    make_delivery(project, id="same", source=WebhookSource.GITHUB)
    with pytest.raises(peewee.IntegrityError):
        make_delivery(project, id="same", source=WebhookSource.GITLAB)


def test_a_host_or_state_that_is_not_in_its_enum_is_refused_in_python_and_in_postgres() -> None:
    project = make_project()
    for fields in ({"source": "GITEA"}, {"state": "resting"}):
        with pytest.raises(InvalidValue, match=" is not a"):
            make_delivery(project, **fields)
    delivery = WebhookEvent.get_by_id(make_delivery(project, source="BITBUCKET").id)
    assert (delivery.source, delivery.state) == (WebhookSource.BITBUCKET, DeliveryState.RECEIVED)
    with pytest.raises(peewee.IntegrityError, match="check"):
        database.execute_sql("UPDATE webhook_events SET source = 'github'")
