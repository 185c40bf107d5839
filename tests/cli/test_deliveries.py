"""`jive deliveries`: states as they are stored, and retries of failed deliveries only."""

import pytest

from jive.models import Project, WebhookEvent
from jive.models.enums import DeliveryState
from tests.factories import make_delivery, make_project
from tests.flow.processes import run

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def project() -> Project:
    """A project with a delivery in each state, whose id is the name of its state."""
    made = make_project(name="Library")
    for state in DeliveryState:
        error = "refused" if state in (DeliveryState.WAITING, DeliveryState.FAILED) else None
        make_delivery(made, id=f"in-{state}", state=state, error_message=error, retry_count=3 if error else 0)
    return made


def states() -> dict[str, DeliveryState]:
    return {row.id: row.state for row in WebhookEvent.select()}


def test_deliveries_are_listed_in_the_state_that_is_stored(project: Project) -> None:
    status, output, _ = run("deliveries", "list")
    lines = [line.split() for line in output.splitlines() if "Library" in line]
    assert (status, sorted((words[5], words[2]) for words in lines)) == (
        0,
        sorted((f"in-{state}", str(state)) for state in DeliveryState),
    )


def test_only_failed_deliveries_are_listed_on_request(project: Project) -> None:
    output = run("deliveries", "list", "library", "--failed")[1]
    assert "in-failed" in output
    assert "refused" in output
    assert not [state for state in ("received", "waiting", "settled") if state in output]


def test_retrying_all_revives_only_the_failed_one(project: Project) -> None:
    before = states()
    assert run("deliveries", "retry", "--all")[:2] == (0, "1 project will be scanned again.\n")
    assert states() == before | {"in-failed": DeliveryState.WAITING}
    assert run("deliveries", "retry", "--all")[1] == "No failed delivery was found; none is retried.\n"


def test_retrying_by_id_leaves_deliveries_that_have_not_failed(project: Project) -> None:
    before = states()
    status, output, _ = run("deliveries", "retry", "in-received", "in-waiting", "in-settled", "unknown")
    assert (status, output) == (0, "No failed delivery was found; none is retried.\n")
    assert states() == before
    assert run("deliveries", "retry", "in-failed")[1] == "1 project will be scanned again.\n"


def test_retrying_without_redis_leaves_the_scan_to_a_sweep_and_says_so(project: Project) -> None:
    status, output, errors = run("deliveries", "retry", "--all", REDIS_URL="redis://127.0.0.1:1")
    assert (status, output) == (0, "1 project will be scanned again.\n")
    assert "the scans were left to the next sweep" in errors
    assert states()["in-failed"] is DeliveryState.WAITING


def test_retrying_nothing_is_a_usage_error() -> None:
    status, _, errors = run("deliveries", "retry")
    assert (status, "Give the ids of deliveries, or --all." in errors) == (2, True)
