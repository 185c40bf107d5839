"""The commands as a user runs them: what they print, how they end, and what they say if something is wrong."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from jive.models import Artifact, Project
from jive.operate import servers
from tests.flow.processes import JIVE, PATIENCE_S, free_port, run, running, serving

NOWHERE = "postgresql://me:hush@127.0.0.1:1/jive"
COMMANDS = (
    *("check", "demo", "deliveries", "keygen", "migrate", "project", "rotate-keys", "scan", "seed", "up"),
    *("watch", "web", "worker"),
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with a document of each type, and files that are not documents."""
    files = {
        "docs/prd.md": "# Product\n\nWhat it is.\n",
        "docs/architecture.md": "# Architecture\n",
        "docs/stories/1.1.first.md": "# Story 1.1: First\n",
        "docs/qa/gates/1.1-first.yml": "story_title: First\ngate: PASS\n",
        "docs/notes.md": "# Notes\n",
        "README.md": "# Not where documents are\n",
        ".bmad-core/templates/prd.md": "# A template\n",
        "docs/picture.png": "not a document",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_help_names_every_command() -> None:
    status, output, _ = run("--help")
    assert status == 0
    for command in COMMANDS:
        assert f"  {command} " in output


def test_help_imports_no_store() -> None:
    code = (
        "import sys, jive.cli; print([m for m in ('peewee', 'redis', 'granian', 'cryptography') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"


def test_a_second_scan_of_a_folder_changes_nothing(repository: Path) -> None:
    status, output, errors = run("scan", str(repository))
    assert (status, errors) == (0, "")
    assert "5 created" in output
    before = list(Artifact.select().order_by(Artifact.path).dicts())
    status, output, _ = run("scan", str(repository))
    assert (status, "nothing changed" in output) == (0, True)
    assert list(Artifact.select().order_by(Artifact.path).dicts()) == before
    assert Project.select().count() == 1


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


def test_a_scan_without_redis_stores_the_documents_and_says_so(repository: Path) -> None:
    status, output, errors = run("scan", str(repository), REDIS_URL="redis://127.0.0.1:1")
    assert (status, "5 created" in output, "a worker publishes" in errors) == (0, True, True)
    assert Artifact.select().count() == 5


def test_six_scans_at_once_add_one_project_and_each_document_once(repository: Path) -> None:
    scans = [
        subprocess.Popen([*JIVE, "scan", str(repository)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(6)
    ]
    assert [(scan.communicate(timeout=60), scan.returncode)[1] for scan in scans] == [0] * 6
    assert Project.select().count() == 1
    assert Artifact.select().count() == 5


def test_check_reports_that_everything_works() -> None:
    with running("worker") as worker:
        worker.line("worker alive")
        status, output, _ = run("check")
    assert (status, "FAIL" in output) == (0, False)
    for name in ("settings", "postgres", "redis", "pub/sub", "worker", "migrations", "drift", "deliveries"):
        assert f"ok    {name}" in output


@pytest.mark.parametrize(
    "words", [("migrate",), ("migrate", "--check"), ("seed",), ("web",), ("scan", "."), ("watch", "x")]
)
def test_an_unreachable_database_is_one_clear_line(words: tuple[str, ...]) -> None:
    status, output, errors = run(*words, DATABASE_URL=NOWHERE, PORT=str(free_port()))
    assert (status, output) == (1, "")
    assert errors.startswith("jive: Postgres cannot be reached: ")
    assert errors.count("\n") == 1
    assert "hush" not in errors


@pytest.mark.parametrize("words", [("migrate",), ("seed",), ("web",), ("scan", "."), ("watch", "x")])
def test_all_missing_settings_are_reported_together(words: tuple[str, ...], tmp_path: Path) -> None:
    status, _, errors = run(*words, cwd=tmp_path, DATABASE_URL="mysql://x", REDIS_URL="", JIVE_SECRET_KEYS="")
    assert status == 1
    assert errors.startswith("jive: The settings have problems:\n")
    assert [name for name in ("DATABASE_URL", "REDIS_URL", "JIVE_SECRET_KEYS") if name not in errors] == []


def test_an_unknown_project_is_one_clear_line() -> None:
    assert run("watch", "nobody") == (1, "", "jive: There is no project nobody\n")


def test_scanning_a_missing_folder_is_one_clear_line() -> None:
    assert run("scan", "/nowhere/library") == (1, "", "jive: There is no folder /nowhere/library\n")


def test_web_stops_on_sigterm_with_status_0() -> None:
    port = free_port()
    with serving(port) as web:
        assert web.end(signal.SIGTERM) == 0


def test_web_finishes_a_request_before_it_stops(home: Path) -> None:
    part, url = servers.start_redis(home)
    try:
        part.process.send_signal(signal.SIGSTOP)  # health waits for it until its time limit
        port = free_port()
        with serving(port, REDIS_URL=url) as web:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
                link.sendall(b"GET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                wait_for_connection(web.process.pid, port)
                web.process.send_signal(signal.SIGTERM)
                answer = link.makefile("rb").read()
            assert web.wait() == 0
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"degraded"' in answer
    finally:
        part.process.send_signal(signal.SIGCONT)
        part.stop()


def wait_for_connection(pid: int, port: int) -> None:
    """Wait until a process of the server has accepted a connection to `port`."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for process in psutil.Process(pid).children(recursive=True):
            links = process.net_connections("tcp")
            if any(link.status == "ESTABLISHED" and link.laddr.port == port for link in links):
                return
    raise AssertionError("no process accepted the connection")


def test_web_on_a_port_in_use_is_one_clear_line() -> None:
    port = free_port()
    with serving(port):
        status, _, errors = run("web", PORT=str(port))
        assert (status, errors.count("\n"), f"Port {port} is in use" in errors) == (1, 1, True)
