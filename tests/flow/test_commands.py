"""The commands as a user runs them: what they print, how they end, and what they say if something is wrong."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from jive.operate import servers
from tests.flow.processes import PATIENCE_S, free_port, run, running, serving

NOWHERE = "postgresql://me:hush@127.0.0.1:1/jive"
COMMANDS = (
    *("check", "demo", "deliveries", "keygen", "migrate", "project", "rotate-keys", "scan", "seed", "up"),
    *("watch", "web", "worker"),
)

pytestmark = pytest.mark.usefixtures("db")


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


def test_web_stops_on_sigterm_with_status_0() -> None:
    port = free_port()
    with serving(port) as web:
        assert web.end(signal.SIGTERM) == 0


def test_web_finishes_a_request_before_it_stops(redis_home: Path) -> None:
    part, url = servers.start_redis(redis_home)
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
