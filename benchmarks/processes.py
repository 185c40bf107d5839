"""Start servers to measure from outside, and read their processes, memory and processors."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from jive.processes import Part, launcher, wait_until


def free_port() -> int:
    """Return a port that no process listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def serving(
    name: str,
    command: Sequence[str],
    url: str,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[Part]:
    """Start a server, wait until `url` answers 200, and stop it at the end of the block, or when this process dies.

    Raises:
        ServerUnavailable: it ended, or did not answer in time; the message has the end of `log`.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*launcher("TERM"), *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=env, cwd=cwd, start_new_session=True,
        )  # fmt: skip
    part = Part(name, process, signal.SIGTERM)
    try:
        wait_until(answers(url), part, log)
        yield part
    finally:
        part.stop()


def answers(url: str) -> Callable[[], bool]:
    """Return a function that says whether `url` answers 200."""

    def ask() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return ask


def parent(pid: int) -> int:
    """Return the process that started this one."""
    # The second field is a name in parentheses, which may contain spaces and parentheses.
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def family(pid: int) -> list[int]:
    """Return the ids of the process and its descendants, oldest first; an empty list without /proc."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            children.setdefault(parent(int(folder.name)), []).append(int(folder.name))
    found = [pid] if Path(f"/proc/{pid}").exists() else []
    for each in found:
        found += sorted(children.get(each, []))
    return found


@contextlib.contextmanager
def apart(servers: Sequence[int]) -> Iterator[None]:
    """Keep this process on one processor, and the servers with their children on the others, for the block.

    A server that happens to share this process's processor answers in a third of the time, which would distort the
    ratios. Does nothing if there is only one processor, or the system cannot pin processes.
    """
    if not servers or not hasattr(os, "sched_setaffinity") or len(usable := os.sched_getaffinity(0)) < 2:
        yield
        return
    ours = {min(usable)}
    _keep_on(servers, usable - ours)
    os.sched_setaffinity(0, ours)
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)
        _keep_on(servers, usable)


def _keep_on(servers: Sequence[int], processors: set[int]) -> None:
    for each in [pid for server in servers for pid in family(server)]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.sched_setaffinity(each, processors)


def rss_mb(pid: int) -> float:
    """Return a process's resident memory, in units of 2**20 bytes."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) / 1024 if match else 0.0


def command_line(pid: int) -> str:
    """Return the command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()


def without(variables: frozenset[str], **added: str) -> dict[str, str]:
    """Return this process's environment without `variables`, and with those in `added`."""
    return {name: value for name, value in os.environ.items() if name not in variables} | added
