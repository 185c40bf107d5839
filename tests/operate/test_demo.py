"""`jive demo`: the whole path of a push, with a JIVE that runs already or is started for it."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from jive import settings
from tests.conftest import server_home
from tests.flow.processes import free_port, run, running

UNSET = {"DATABASE_URL": "", "REDIS_URL": "", "JIVE_SECRET_KEYS": "", "JIVE_DATA_DIR": ""}


@pytest.fixture(scope="module")
def warm() -> Iterator[Path]:
    """A folder in which `jive up` keeps its data from test to test."""
    with server_home(".jive") as folder:
        yield folder


def assert_whole(output: str) -> None:
    steps = [line.split()[0] for line in output.splitlines() if line.startswith("  ")]
    assert [step for step in steps if step != "start"] == [
        *("add", "commit", "push", "event", "event", "event", "event"),
        *("commit", "push", "event", "again"),
    ]
    assert "the same delivery → duplicate" in output


def test_it_starts_jive_where_none_runs_and_stops_it_afterwards(warm: Path) -> None:
    status, output, errors = run("demo", cwd=warm, PORT=str(free_port()), **UNSET)
    assert (status, errors) == (0, "")
    assert "one is started for the demo" in output
    assert_whole(output)
    assert not settings.is_up(warm / ".jive")


def test_it_uses_the_jive_that_runs_and_leaves_nothing_behind(warm: Path) -> None:
    port = free_port()
    with running("up", cwd=warm, PORT=str(port), **UNSET) as jive:
        jive.line("Ready in")
        status, output, errors = run("demo", cwd=warm, PORT=str(port), **UNSET)
        assert (status, errors) == (0, "")
        assert "start " not in output
        assert_whole(output)
        assert "demo" not in run("project", "list", cwd=warm, **UNSET)[1]
        assert list((warm / ".jive/demo").iterdir()) == []
        elsewhere = warm / "elsewhere"
        elsewhere.mkdir()
        status, _, errors = run("demo", cwd=elsewhere, PORT=str(port), **UNSET)
        assert (status, "but this folder does not know its stores" in errors) == (1, True)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=10) as answer:
            assert json.load(answer)["status"] == "ok"
        assert jive.end() == 0
