"""`jive worker --check`: the health of a worker's container."""

import pytest

from tests.flow.processes import run, running


def test_a_worker_is_healthy_while_it_has_a_heartbeat() -> None:
    with running("worker") as worker:
        worker.line("worker alive")
        assert run("worker", "--check") == (0, "", "")
        assert worker.end() == 0
    assert run("worker", "--check") == (1, "", "jive: No worker on this machine has a heartbeat.\n")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1"])
def test_without_redis_no_worker_is_healthy_and_one_line_says_why(url: str) -> None:
    status, output, errors = run("worker", "--check", REDIS_URL=url)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("jive: Redis cannot be reached")
