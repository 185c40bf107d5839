"""`jive up`: everything from one command, and nothing left behind."""

import json
import os
import shutil
import signal
import socket
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from tests.conftest import server_home
from tests.flow.processes import JIVE, Running, free_port, run, running

# As on a machine where nothing is set.
UNSET = {"DATABASE_URL": "", "REDIS_URL": "", "JIVE_SECRET_KEYS": ""}


@pytest.fixture
def warm() -> Iterator[Path]:
    """A folder where `jive up` has run before."""
    with server_home(".jive") as folder:
        yield folder


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder with nothing in it."""
    folder = Path(tempfile.mkdtemp(prefix="jive-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def up(home: Path, port: int) -> AbstractContextManager[Running]:
    return running("up", cwd=home, PORT=str(port), **UNSET)


def family(process: Running) -> list[psutil.Process]:
    return psutil.Process(process.process.pid).children(recursive=True)


def assert_all_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=15)
    assert alive == []


def get(url: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status, answer.read()


def test_one_command_starts_it_all_and_keeps_the_data(empty: Path) -> None:
    port = free_port()
    (empty / "docs").mkdir()
    (empty / "docs/prd.md").write_text("# The PRD\n")
    with up(empty, port) as jive:
        jive.line("Postgres")
        jive.line("Redis")
        jive.line("001_init")
        assert f"http://localhost:{port}" in jive.line("healthy")
        jive.line("Ready in")
        status, body = get(f"http://127.0.0.1:{port}/api/health")
        assert (status, json.loads(body)["database"]) == (200, True)
        assert b"<title>JIVE" in get(f"http://[::1]:{port}/")[1]
        # Other commands in this folder find the same stores.
        bare = {name: value for name, value in os.environ.items() if name not in UNSET}
        assert "1 created" in run_bare(empty, bare, "scan", ".")
        processes = family(jive)
        assert len(processes) > 4
        assert jive.end(signal.SIGINT) == 0
    assert_all_gone(processes)
    with up(empty, port) as jive:
        jive.line("nothing to do")
        jive.line("Ready in")
        assert "nothing changed" in run_bare(empty, bare, "scan", ".")
        processes = family(jive)
        assert jive.end(signal.SIGTERM) == 0
    assert_all_gone(processes)


def run_bare(home: Path, environ: dict[str, str], *words: str) -> str:
    jive = Running(("env", "-i", *(f"{n}={v}" for n, v in environ.items()), *JIVE, *words), home, {})
    assert jive.wait() == 0, jive.said
    assert jive.process.stdout
    jive.process.stdout.close()
    return "".join(jive.said)


@pytest.mark.parametrize("victim", ["/postgres", "redis.sock", "jive web"])
def test_a_part_that_crashes_stops_everything(warm: Path, victim: str) -> None:
    with up(warm, free_port()) as jive:
        jive.line("Ready in")
        processes = family(jive)
        children = psutil.Process(jive.process.pid).children()
        [part] = [child for child in children if victim in " ".join(child.cmdline())]
        part.kill()
        assert "ended by itself" in jive.line("ended by itself")
        assert jive.wait() == 1
    assert_all_gone(processes)


def test_killing_it_outright_leaves_no_process_and_no_ruin(warm: Path) -> None:
    port = free_port()
    with up(warm, port) as jive:
        jive.line("Ready in")
        processes = family(jive)
        jive.end(signal.SIGKILL)
    assert_all_gone(processes)
    with up(warm, port) as jive:
        jive.line("Ready in")
        assert jive.end() == 0


def test_a_second_one_in_the_same_folder_is_refused(warm: Path) -> None:
    with up(warm, free_port()) as first:
        first.line("Ready in")
        status, _, errors = run("up", cwd=warm, PORT=str(free_port()), **UNSET)
        assert (status, "is running in this folder already" in errors) == (1, True)
        assert first.process.poll() is None
        assert first.end() == 0


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")])
def test_a_port_in_use_is_one_clear_line(empty: Path, family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family) as taken:
        port = taken.getsockname()[1]
        status, _, errors = run("up", cwd=empty, PORT=str(port), DATABASE_URL="", REDIS_URL="", JIVE_SECRET_KEYS="")
    assert status == 1
    assert errors == f"jive: Port {port} is in use by another program. Stop it, or set PORT to another number.\n"
    assert not (empty / ".jive" / "postgres").exists()


def test_given_stores_are_used(empty: Path) -> None:
    port = free_port()
    with running("up", cwd=empty, PORT=str(port)) as jive:
        jive.line("Ready in")
        assert not (empty / ".jive" / "postgres").exists()
        assert not (empty / ".jive" / "redis").exists()
        assert jive.end() == 0


def test_a_wrong_setting_is_told_before_anything_starts(empty: Path) -> None:
    status, _, errors = run("up", cwd=empty, PORT="many", DATABASE_URL="", REDIS_URL="", JIVE_SECRET_KEYS="")
    assert (status, "PORT: is not a whole number" in errors) == (1, True)
    assert not (empty / ".jive" / "postgres").exists()
