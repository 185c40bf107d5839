"""Programs that stand in for git and ssh: they record calls, fail like the real ones, or hang."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def wrap_git(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Run `script` in place of git; it finds the real git in $REAL."""
    _write(folder / "git", f"REAL={shutil.which('git')}\n{script}")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def wrap_git_children(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Run `script` in place of the git commands that git starts itself; it finds the real git in $REAL."""
    _write(folder / "git", f"REAL={shutil.which('git')}\n{script}")
    monkeypatch.setenv("GIT_EXEC_PATH", str(folder))


def only_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make PATH a folder with these programs and no others."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(folder))


def fail_over_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, message: str) -> Path:
    """Use an ssh that prints `message` and fails; return the file to which it writes its arguments."""
    record = folder / "record"
    _write(folder / "ssh", f'echo "$*" > {record}\necho "{message}" >&2\nexit 255')
    monkeypatch.setenv("GIT_SSH_COMMAND", str(folder / "ssh"))
    return record


@contextmanager
def hang_over_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Iterator[Path]:
    """Use an ssh that runs `script`, which has the command for the host in $command, and then hangs.

    Yields a named pipe: it gives a line when the ssh hangs, and ends when the ssh does.
    """
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    lines = (f"echo $$ > {folder}/pid", "for command; do :; done", script, f"exec 3> {pipe}", "echo >&3")
    _write(folder / "ssh", "\n".join((*lines, "exec sleep 600")))
    monkeypatch.setenv("GIT_SSH_COMMAND", str(folder / "ssh"))
    try:
        yield pipe
    finally:
        with suppress(ProcessLookupError):
            os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


def _write(place: Path, script: str) -> None:
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)
