"""Run the command `jive` as a process of its own, as a user does."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from jive.processes import launcher

PATIENCE_S = 60
JIVE = (sys.executable, "-m", "jive")


def run(*words: str, cwd: Path | None = None, **variables: str) -> tuple[int, str, str]:
    """Run a command to its end; return its exit status, output and errors."""
    done = subprocess.run(
        [*JIVE, *words],
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


class Running:
    """A command that runs until it is stopped, and whose lines of output can be waited for."""

    def __init__(self, words: tuple[str, ...], cwd: Path | None, variables: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [*launcher("KILL"), *words],  # nothing outlives a test run that is killed
            cwd=cwd,
            env={name: value for name, value in (os.environ | variables).items() if value},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def line(self, part: str) -> str:
        """Wait for a line that contains `part`, and return it."""
        while (line := self._lines.get(timeout=PATIENCE_S)) is not None:
            self.said.append(line)
            if part in line:
                return line
        raise AssertionError(f"it ended without saying {part!r}:\n{''.join(self.said)}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        status = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        while not self._lines.empty():
            self.said.append(self._lines.get() or "")
        return status


@contextlib.contextmanager
def running(*words: str, cwd: Path | None = None, **variables: str) -> Iterator[Running]:
    """Start `jive` with `words`; kill it at the end of the block if it still runs."""
    started = Running((*JIVE, *words), cwd, variables)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.process.pid, signal.SIGKILL)
            started.process.wait()
        if started.process.stdout:
            started._reader.join(PATIENCE_S)
            started.process.stdout.close()


@contextlib.contextmanager
def serving(port: int, **variables: str) -> Iterator[Running]:
    """Start `jive web` on `port`, and wait until it answers."""
    with running("web", cwd=None, PORT=str(port), **variables) as web:
        until = time.monotonic() + PATIENCE_S
        while not _answers(port):
            assert web.process.poll() is None and time.monotonic() < until, "".join(web.said)
        yield web


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health/live", timeout=5):
        return True
    return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
