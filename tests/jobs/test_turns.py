"""Turns: one scan of a project at a time, and one more for all requests that came meanwhile."""

import threading
import uuid

import pytest

from jive.jobs import turns as module
from jive.jobs.turns import Turns


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPACING_S", 0.0)


def test_requests_during_a_scan_cost_one_more_scan() -> None:
    turns, project, scans = Turns(), uuid.uuid4(), []

    def scan() -> None:
        scans.append(1)
        if len(scans) == 1:
            for _ in range(100):
                turns.run(project, pytest.fail)

    turns.run(project, scan)
    assert len(scans) == 2


def test_projects_do_not_wait_for_each_other() -> None:
    turns, scans = Turns(), []
    turns.run(uuid.uuid4(), lambda: turns.run(uuid.uuid4(), lambda: scans.append(1)))
    assert scans == [1]


def test_after_a_scan_that_failed_the_project_can_be_scanned() -> None:
    turns, project, scans = Turns(), uuid.uuid4(), []
    with pytest.raises(ZeroDivisionError):
        turns.run(project, lambda: 1 / 0)
    turns.run(project, lambda: scans.append(1))
    assert scans == [1]


def test_a_scan_begins_after_the_last_of_many_concurrent_requests() -> None:
    turns, project = Turns(), uuid.uuid4()
    requested, seen = [0], [0]
    lock = threading.Lock()

    def scan() -> None:
        with lock:
            seen[0] = requested[0]

    def request() -> None:
        for _ in range(50):
            with lock:
                requested[0] += 1
            turns.run(project, scan)

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == requested == [400]
