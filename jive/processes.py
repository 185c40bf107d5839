"""Processes that live and die with us."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from jive.errors import ServerUnavailable

START_S = 30
STOP_S = 8
NOBODY = 65534  # Postgres refuses to run as root, so root runs it as this user


def own_command() -> str:
    """Return how a person calls `jive` in this terminal: by its name if that is on PATH, else by its path."""
    script = Path(sys.executable).with_name("jive")
    if not script.exists():
        return "jive" if shutil.which("jive") else f"{sys.executable} -m jive"
    if shutil.which("jive") == str(script):
        return "jive"
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)


def launcher(stop_signal: str, drop_root: bool = False) -> list[str]:
    """Return the words before a command that end it with its parent, and that take root's identity from it.

    Without root's identity it may still look into root's folders, so that no folder's mode need be widened for it.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:  # not a Linux of the usual kind: what we start is stopped by us or not at all
        return []
    words = [setpriv, "--pdeathsig", stop_signal]
    if drop_root:
        words += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        words += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return [*words, "--"]


@dataclass
class Part:
    """A running process of `jive up`, the leader of its own process group."""

    name: str
    process: "subprocess.Popen[bytes]"
    stop_signal: signal.Signals

    def stop(self) -> None:
        """End the process and whatever it left in its group; waits at most `STOP_S`."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def start(name: str, command: list[str], stop_signal: signal.Signals, output: IO[bytes] | None = None) -> Part:
    """Start a process in a group of its own, so that Ctrl-C in the terminal reaches only us."""
    process = subprocess.Popen(  # our own words
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
    )
    return Part(name, process, stop_signal)


def wait_until(ready: Callable[[], bool], part: Part, log: Path | None = None) -> None:
    """Return once `ready()` is true.

    Raises:
        ServerUnavailable: the process ended, or `START_S` went by; it is stopped. The end of `log` is told.
    """
    deadline = time.monotonic() + START_S
    pause = threading.Event()
    while not ready():
        ended = part.process.poll() is not None
        if ended or time.monotonic() > deadline:
            part.stop()
            why = f"exited with {part.process.returncode}" if ended else f"was not ready in {START_S} s"
            said = _last_lines(log) if log else ""
            raise ServerUnavailable(f"{part.name} {why}.{said}")
        pause.wait(0.02)


def _last_lines(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()[-5:]
    return "".join(f"\n  {line}" for line in (*lines, f"({log})"))
