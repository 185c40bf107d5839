"""Processes that end with their parent, and commands that a person can paste."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from jive import processes
from jive.errors import ServerUnavailable

SLEEP = ["sleep", "1000"]
BIN = Path(sys.executable).parent


def assert_gone(*numbers: int) -> None:
    found = [psutil.Process(number) for number in numbers if psutil.pid_exists(number)]
    assert psutil.wait_procs(found, timeout=15)[1] == []


def version_of(command: str) -> str:
    return subprocess.run([*shlex.split(command), "--version"], capture_output=True, text=True, check=True).stdout


def test_the_own_command_is_relative_to_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(BIN.parent)
    assert processes.own_command() == f"{BIN.name}/jive"
    assert version_of(processes.own_command()).startswith("jive")


def test_the_own_command_is_absolute_from_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    assert processes.own_command() == str(BIN / "jive")
    assert version_of(processes.own_command()).startswith("jive")


def test_the_own_command_is_its_name_when_that_is_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{BIN}:/usr/bin:/bin")
    assert processes.own_command() == "jive"


def test_without_a_script_the_own_command_names_the_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "executable", str(python))
    assert processes.own_command() == f"{python} -m jive"


def test_what_is_launched_ends_with_its_parent() -> None:
    # The child prints its number itself: by then, the kernel knows what to send it.
    code = (
        "import subprocess, sys; from jive.processes import launcher\n"
        "subprocess.Popen([*launcher('TERM'), 'sh', '-c', 'echo $$; exec sleep 1000'])\n"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        parent.kill()
    assert_gone(child)


def test_stopping_a_part_ends_its_whole_group(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("wb") as output:
        part = processes.start("part", ["sh", "-c", "sleep 1000 & echo $!; wait"], signal.SIGTERM, output)
    processes.wait_until(lambda: log.read_text().endswith("\n"), part)
    child = int(log.read_text())
    part.stop()
    assert part.process.returncode == -signal.SIGTERM
    assert_gone(child)


def test_a_part_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_S", 0.2)
    part = processes.start("part", SLEEP, signal.SIGCONT)  # which does not end it
    part.stop()
    assert part.process.returncode == -signal.SIGKILL


def test_a_part_that_ends_before_it_is_ready_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("wb") as output:
        part = processes.start("The part", ["sh", "-c", "seq 9; exit 3"], signal.SIGTERM, output)
    with pytest.raises(ServerUnavailable) as caught:
        processes.wait_until(lambda: False, part, log)
    assert str(caught.value).splitlines() == [
        "The part exited with 3.", *(f"  {number}" for number in range(5, 10)), f"  ({log})"
    ]  # fmt: skip


def test_a_part_that_is_not_ready_in_time_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "START_S", 0.2)
    part = processes.start("The part", SLEEP, signal.SIGTERM)
    with pytest.raises(ServerUnavailable, match=r"^The part was not ready in 0.2 s\.$"):
        processes.wait_until(lambda: False, part)
    assert_gone(part.process.pid)
