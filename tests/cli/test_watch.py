"""The command `jive watch`: it prints the events of one project until it is stopped."""

import json
import signal
from pathlib import Path

import pytest

from jive.models import Project
from tests.flow.processes import run, running

pytestmark = pytest.mark.usefixtures("db")


def test_watch_prints_one_event_for_each_change(repository: Path) -> None:
    assert run("scan", str(repository))[0] == 0
    with running("watch", str(repository)) as watcher:
        watcher.line("Listening to")
        (repository / "docs/notes.md").unlink()
        (repository / "docs/prd.md").write_text("# Another product\n")
        (repository / "docs/stories/1.2.next.md").write_text("# Story 1.2: Next\n")
        assert "1 created, 1 updated, 1 deleted" in run("scan", str(repository))[1]
        events = [json.loads(watcher.line("artifact_updated")) for _ in range(3)]
        assert watcher.end(signal.SIGINT) == 0
    assert [(event["payload"]["path"], event["payload"]["change"], event["payload"]["type"]) for event in events] == [
        ("docs/notes.md", "deleted", "OTHER"),
        ("docs/prd.md", "updated", "PRD"),
        ("docs/stories/1.2.next.md", "created", "STORY"),
    ]
    project = Project.get()
    assert {event["projectId"] for event in events} == {str(project.id)}


def test_an_unknown_project_is_one_clear_line() -> None:
    assert run("watch", "nobody") == (1, "", "jive: There is no project nobody\n")
