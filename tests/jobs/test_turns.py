"""One scan of a project at a time, and one more for all who came meanwhile."""

import threading
import uuid

import pytest

from jive.jobs import turns as module
from jive.jobs.turns import Turns


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPACING_S", 0.0)


def test_those_who_come_during_a_scan_cost_one_more() -> None:
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


def test_a_scan_that_fails_leaves_the_turn_free() -> None:
    turns, project, scans = Turns(), uuid.uuid4(), []
    with pytest.raises(ZeroDivisionError):
        turns.run(project, lambda: 1 / 0)
    turns.run(project, lambda: scans.append(1))
    assert scans == [1]


def test_threads_that_race_scan_at_least_once_after_the_last_one_came() -> None:
    turns, project = Turns(), uuid.uuid4()
    came, seen = [0], [0]
    lock = threading.Lock()

    def scan() -> None:
        with lock:
            seen[0] = came[0]

    def come() -> None:
        for _ in range(50):
            with lock:
                came[0] += 1
            turns.run(project, scan)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == came == [400]
