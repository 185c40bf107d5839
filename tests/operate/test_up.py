"""`jive up`: everything from one command, and no process left behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from jive import keys
from tests.conftest import server_home
from tests.flow.processes import JIVE, Running, free_port, run, running

# As on a machine where nothing is set.
UNSET = {"DATABASE_URL": "", "REDIS_URL": "", "JIVE_SECRET_KEYS": ""}
NOT_RUNNING = "jive: JIVE is not running here: make up"


@pytest.fixture(scope="module")
def warm() -> Iterator[Path]:
    """A folder in which `jive up` keeps its data from test to test."""
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
        assert "1 created" in run_bare(empty, "scan", ".")  # other commands in this folder find the same stores
        processes = family(jive)
        assert len(processes) > 4
        assert jive.end(signal.SIGINT) == 0
    assert_all_gone(processes)
    with up(empty, port) as jive:
        jive.line("nothing to do")
        jive.line("Ready in")
        assert "nothing changed" in run_bare(empty, "scan", ".")
        status, _, errors = run("up", cwd=empty, PORT=str(free_port()), **UNSET)
        assert (status, "is running in this folder already" in errors) == (1, True)
        assert jive.process.poll() is None
        processes = family(jive)
        assert jive.end(signal.SIGTERM) == 0
    assert_all_gone(processes)


def run_bare(home: Path, *words: str) -> str:
    """Run a command that finds the stores by itself, and return what it printed."""
    jive = Running((*JIVE, *words), home, UNSET)
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


def test_killing_it_outright_leaves_no_process_and_it_can_start_again(warm: Path) -> None:
    port = free_port()
    with up(warm, port) as jive:
        jive.line("Ready in")
        processes = family(jive)
        jive.end(signal.SIGKILL)
    assert_all_gone(processes)
    status, _, errors = run("check", cwd=warm, **UNSET)
    assert (status, errors.splitlines()[0]) == (1, NOT_RUNNING)
    with up(warm, port) as jive:
        jive.line("Ready in")
        assert jive.end() == 0


# Each command by its words, with something for each argument that it needs.
RUN_EVERY = """
import sys, click
from jive.cli import cli, main

def commands(group, words):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, [*words, name])
        else:
            needed = [each.name for each in command.params if isinstance(each, click.Argument) and each.required]
            yield [*words, name, *needed, *(["--all"] if any("--all" in each.opts for each in command.params) else [])]

for words in commands(cli, []):
    if words[0] not in ("up", "demo", "keygen"):
        sys.argv = ["jive", *words]
        try:
            main()
            status = 0
        except SystemExit as exc:
            status = exc.code
        print(f"{' '.join(words)} ended with {status}", file=sys.stderr)
"""


@pytest.mark.parametrize("is_left_behind", [False, True], ids=["an empty folder", "the env of a stopped jive up"])
def test_every_command_says_that_nothing_runs_here(empty: Path, is_left_behind: bool) -> None:
    if is_left_behind:
        (empty / ".jive").mkdir()
        (empty / ".jive/lock").touch()
        lines = ["DATABASE_URL=postgresql://127.0.0.1:1/jive", "REDIS_URL=redis://127.0.0.1:1"]
        (empty / ".jive/env").write_text("\n".join([*lines, f"JIVE_SECRET_KEYS={keys.make()}"]))
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    words = [sys.executable, "-c", RUN_EVERY]
    done = subprocess.run(words, cwd=empty, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    ends = [line for line in lines if " ended with " in line]
    assert {line.partition(" ")[0] for line in ends} >= {"check", "migrate", "seed", "web", "worker", "scan", "watch"}
    assert [line for line in ends if not line.endswith(" ended with 1")] == []
    assert lines.count(NOT_RUNNING) == len(ends)


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")])
def test_a_port_in_use_is_one_clear_line(empty: Path, family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family) as taken:
        port = taken.getsockname()[1]
        status, _, errors = run("up", cwd=empty, PORT=str(port), **UNSET)
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


def test_a_wrong_setting_is_reported_before_anything_starts(empty: Path) -> None:
    status, _, errors = run("up", cwd=empty, PORT="many", **UNSET)
    assert (status, "PORT: is not a whole number" in errors) == (1, True)
    assert not (empty / ".jive" / "postgres").exists()
