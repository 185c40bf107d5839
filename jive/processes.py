"""Start processes that end with this one, and wait until they are ready."""

import contextlib
import functools
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
NOBODY = 65534

# What another user needs to enter root's folders, best first. Containers often lack CAP_DAC_READ_SEARCH.
# access(2) asks for the rights of the real user and ignores capabilities, unless the security bit is set; setting it
# needs CAP_SETPCAP. Without that bit, a program that calls access(2) must lie where everybody may enter.
_FIXUP = "--securebits=+no_setuid_fixup"
_PRIVILEGES = tuple(
    (*bits, f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}")
    for bits in ((_FIXUP,), ())
    for capability in ("dac_read_search", "dac_override")
)
_CAN_USE = "import os, sys; os.listdir(sys.argv[1]); sys.exit(not os.access(sys.argv[2], os.R_OK | os.X_OK))"


def own_command() -> str:
    """Return how to call `jive` in this terminal and folder: by name if it is on PATH, else by its path."""
    script = Path(sys.executable).with_name("jive")
    if not script.exists():
        return "jive" if shutil.which("jive") else f"{sys.executable} -m jive"
    if shutil.which("jive") == str(script):
        return "jive"
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)


def launcher(stop_signal: str) -> list[str]:
    """Return the arguments to put before a command so that the kernel sends it `stop_signal` when its parent dies.

    Where the kernel or setpriv cannot do that (macOS, BusyBox), there are none, and a parent that is killed leaves the
    command running.
    """
    setpriv = _setpriv()
    return [setpriv, "--pdeathsig", stop_signal, "--"] if setpriv else []


@functools.cache
def _setpriv() -> str | None:
    found = shutil.which("setpriv")
    if found is None or _fails([found, "--pdeathsig", "TERM", "--", "true"]):
        return None
    return found


def _fails(command: list[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode != 0


def launcher_as_nobody(stop_signal: str, program: Path, folder: Path) -> list[str]:
    """Return the words of `launcher` for a root who wants `program` to run as the user nobody, and to use `folder`.

    The program gets one capability, with which it can enter folders that only root may enter; the mode of no folder is
    changed.

    Raises:
        ServerUnavailable: setpriv is missing, or this root lacks the rights; nothing was started.
    """
    setpriv = _setpriv()
    if setpriv is None:
        raise ServerUnavailable(
            f"{program.name} does not run as root, and setpriv (util-linux) was not found. Start JIVE as another user."
        )
    for privileges in _PRIVILEGES:
        user = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        words = [setpriv, "--pdeathsig", stop_signal, *user, *privileges, "--"]
        if not _fails([*words, sys.executable, "-I", "-S", "-c", _CAN_USE, str(folder), str(program)]):
            return words
    raise ServerUnavailable(
        f"{program.name} does not run as root, and as the user nobody it cannot use {program} and {folder.resolve()}: "
        "root lacks CAP_SETUID, CAP_SETPCAP or CAP_DAC_OVERRIDE here. Start JIVE as another user, or set DATABASE_URL."
    )


@dataclass
class Part:
    """A running process of `jive up`, the leader of its own process group."""

    name: str
    process: "subprocess.Popen[bytes]"
    stop_signal: signal.Signals

    def stop(self) -> None:
        """End the process, and kill what is left of its group. Takes at most `STOP_S`; safe to repeat."""
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
    """Start a process in a group of its own, so that Ctrl-C in the terminal does not reach it.

    It reads nothing, and writes to `output`, or where this process writes.
    """
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    return Part(name, process, stop_signal)


def wait_until(ready: Callable[[], bool], part: Part, log: Path | None = None) -> None:
    """Return once `ready()` is true.

    Raises:
        ServerUnavailable: the process ended, or was not ready within `START_S`; it is stopped. The message quotes the
            last lines of `log`.
    """
    deadline = time.monotonic() + START_S
    pause = threading.Event()
    while not ready():
        ended = part.process.poll() is not None
        if ended or time.monotonic() > deadline:
            part.stop()
            why = f"exited with {part.process.returncode}" if ended else f"was not ready in {START_S} s"
            raise ServerUnavailable(f"{part.name} {why}.{_last_lines(log) if log else ''}")
        pause.wait(0.02)


def _last_lines(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()[-5:]
    return "".join(f"\n  {line}" for line in (*lines, f"({log})"))
