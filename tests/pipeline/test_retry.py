"""Retrying: failed deliveries wait for a scan again, and no others do."""

import pytest
import redis

from jive.models import Project, WebhookEvent
from jive.models.enums import DeliveryState
from jive.pipeline.retry import retry
from jive.pipeline.scan import scan_project
from jive.pipeline.sweep import sweep
from tests.factories import make_delivery, make_project
from tests.flow.stack import Repository

pytestmark = pytest.mark.usefixtures("db")


def make_failed(project: Project, **fields: object) -> WebhookEvent:
    return make_delivery(project, state=DeliveryState.FAILED, retry_count=3, error_message="no", **fields)


def stored(delivery: WebhookEvent) -> tuple[DeliveryState, int, str | None]:
    row = WebhookEvent.get_by_id(delivery.id)
    return row.state, row.retry_count, row.error_message


def test_failed_deliveries_wait_again_and_each_project_is_scanned_once() -> None:
    project, other = make_project(), make_project()
    failed = [make_failed(project), make_failed(project), make_failed(other)]
    enqueued: list[Project] = []
    assert retry(None, enqueued.append) == 2
    assert {each.id for each in enqueued} == {project.id, other.id}
    assert [stored(each) for each in failed] == [(DeliveryState.WAITING, 0, None)] * 3


@pytest.mark.parametrize("state", [DeliveryState.RECEIVED, DeliveryState.WAITING, DeliveryState.SETTLED])
def test_a_delivery_that_has_not_failed_is_unchanged(state: DeliveryState) -> None:
    delivery = make_delivery(make_project(), state=state)
    before = stored(delivery)
    enqueued: list[Project] = []
    assert (retry(None, enqueued.append), retry([delivery.id], enqueued.append)) == (0, 0)
    assert (stored(delivery), enqueued) == (before, [])


def test_only_the_deliveries_with_the_given_ids_are_retried() -> None:
    chosen, other = make_failed(make_project()), make_failed(make_project())
    enqueued: list[Project] = []
    assert retry([chosen.id, "unknown"], enqueued.append) == 1
    assert (stored(chosen)[0], stored(other)[0]) == (DeliveryState.WAITING, DeliveryState.FAILED)
    assert retry([], enqueued.append) == 0


def test_without_redis_the_next_sweep_enqueues_the_scans() -> None:
    project = make_project()
    delivery = make_failed(project)
    WebhookEvent.update(received_at="2026-01-01T00:00:00Z").where(WebhookEvent.id == delivery.id).execute()

    def fail(project: Project) -> None:
        raise redis.ConnectionError("refused")

    assert retry(None, fail) == 1
    enqueued: list[Project] = []
    sweep(enqueued.append)
    assert [each.id for each in enqueued] == [project.id]


def test_a_retried_delivery_is_settled_by_the_scan(repository: Repository) -> None:
    delivery = make_failed(make_project(repo_url=repository.path.as_uri()))
    repository.commit(prd="# PRD\n")

    def scan(project: Project) -> None:
        scan_project(project.id)

    retry(None, scan)
    assert stored(delivery) == (DeliveryState.SETTLED, 0, None)
