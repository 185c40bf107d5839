"""Run git on a bare repository: with a deadline, a clean environment and no secret in its arguments."""

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from jive.errors import ScanFailed

# Git inherits these variables and no others: none of JIVE's secrets, no GIT_DIR, no GIT_TRACE.
INHERITED_VARIABLES = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "GIT_EXEC_PATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "NIX_SSL_CERT_FILE"),
        *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_PROXY_SSL_CAINFO"),
        *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
    }
)

CONFIG = (
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("credential.helper", ""),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("transfer.bundleURI", "false"),
    ("core.bigFileThreshold", "8m"),  # larger blobs are streamed, not held in memory
    # A redirect would take the token, and git itself, to a host that the settings do not allow.
    ("http.followRedirects", "false"),
)

SSH_OPTIONS = "-oBatchMode=yes -oStrictHostKeyChecking=accept-new -oConnectTimeout=20 -oServerAliveInterval=15"

READ_BYTES = 1 << 17
MAX_STDERR_BYTES = 16_384
MAX_LINE_CHARACTERS = 300
NOT_PRINTABLE = re.compile(r"[^\x20-\x7e\xa1-\u2027\u2030-\ufffc]+")

# Lines that follow from an error which another line explains better.
CONSEQUENCES = (
    *("fatal: Could not read from remote", "Please make sure you have", "and the repository exists"),
    *("fatal: unable to fork", "fatal: early EOF", "fatal: index-pack failed", "fatal: expected '"),
    *("fatal: the remote end hung up", "fatal: fetch-pack: invalid index-pack output"),
)


@dataclass(frozen=True)
class Access:
    """What one call of git may reach; by default nothing, not even with the file protocol.

    Attributes:
        protocol: the only protocol that git may use, as in GIT_ALLOW_PROTOCOL.
        config: names and values of git's configuration. They may hold a token, and are passed in the environment,
            which other users of the machine cannot read.
        secrets: texts that are masked in everything that git prints.
        max_file_bytes: the size of the largest file that git may write; enforced on Linux only.
    """

    protocol: str = "none"
    config: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    max_file_bytes: int | None = None


LOCAL = Access()


class GitFailed(ScanFailed):
    """A git command failed.

    Attributes:
        stderr: the last 16 KiB of its standard error, with secrets masked.
        signal: the number of the signal that ended git, or None if it exited by itself.
        timed_out: whether it was killed at the deadline.
        too_large: whether it tried to write a file larger than `Access.max_file_bytes`.
    """

    def __init__(
        self,
        command: str,
        stderr: str,
        *,
        signal: int | None = None,
        timed_out: bool = False,
        too_large: bool = False,
    ) -> None:
        if timed_out:
            reason = "took too long"
        elif too_large:
            reason = "tried to write too large a file"
        elif signal is not None:
            reason = f"was ended by signal {signal}"
        else:
            reason = f"failed: {error_line(stderr)}"
        super().__init__(f"git {command} {reason}")
        self.stderr = stderr
        self.signal = signal
        self.timed_out = timed_out
        self.too_large = too_large


def error_line(stderr: str) -> str:
    """Return the line of git's standard error that explains the failure, in printable characters.

    That is the first `fatal:`, else the first `ERROR:` (of a host) or `error:`, else the last line. Lines that only
    follow from another error (`CONSEQUENCES`) count if there are no others.
    """
    lines = [" ".join(NOT_PRINTABLE.sub(" ", line).split())[:MAX_LINE_CHARACTERS] for line in stderr.splitlines()]
    lines = [line for line in lines if line and not line.startswith("warning:")]
    causes = [line for line in lines if not line.startswith(CONSEQUENCES)] or lines
    for prefix in ("fatal: ", "ERROR: ", "error: "):
        for line in causes:
            if line.startswith(prefix):
                return line.removeprefix(prefix)
    return causes[-1] if causes else "git gave no reason"


@dataclass(frozen=True)
class Git:
    """Git, run on the bare repository in `folder`."""

    folder: Path

    def run(self, *arguments: str, deadline: float, access: Access = LOCAL, stdin: bytes = b"") -> bytes:
        """Run git and return its standard output; parameters and errors are those of `stream`."""
        with self.stream(*arguments, deadline=deadline, access=access, stdin=stdin) as stdout:
            return stdout.read()

    @contextlib.contextmanager
    def stream(
        self, *arguments: str, deadline: float, access: Access = LOCAL, stdin: bytes = b""
    ) -> Iterator[IO[bytes]]:
        """Run git while the block reads its standard output to the end.

        If the block raises, git and all processes that it started are killed. `deadline` is a value of
        `time.monotonic()`.

        Raises:
            GitFailed: git exited with an error, was killed, or still ran at the deadline.
            ScanFailed: git is not installed or cannot be started.
        """
        with contextlib.ExitStack() as files:
            stderr = files.enter_context(tempfile.TemporaryFile())
            process = self._start(arguments, access, files.enter_context(_as_file(stdin)), stderr)
            with process, _killed_at(deadline, process) as timed_out:
                try:
                    yield cast("IO[bytes]", process.stdout)
                except Exception as exc:
                    if timed_out.is_set():  # the block failed because the output was cut off
                        raise GitFailed(arguments[0], "", timed_out=True) from exc
                    raise
                process.wait()
            if process.returncode:
                raise _failure(arguments[0], process.returncode, stderr, access, timed_out=timed_out.is_set())

    def _start(
        self, arguments: Sequence[str], access: Access, stdin: IO[bytes] | int, stderr: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        try:
            process = subprocess.Popen(  # constants and checked values only
                ["git", *arguments],  # the git on PATH
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd="/",
                env=self._environment(access),
                start_new_session=True,  # no terminal to prompt on, and one process group to kill
                bufsize=READ_BYTES,
            )
        except FileNotFoundError as exc:
            raise not_installed() from exc
        except OSError as exc:
            raise ScanFailed(f"git cannot be started: {exc.strerror}") from exc
        if access.max_file_bytes is not None:
            _limit_file_size(process.pid, access.max_file_bytes)
        return process

    def _environment(self, access: Access) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name in INHERITED_VARIABLES}
        config = (*CONFIG, *access.config)
        numbered = {f"GIT_CONFIG_KEY_{number}": name for number, (name, _) in enumerate(config)}
        numbered |= {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(config)}
        return (
            inherited
            | numbered
            | {
                "GIT_CONFIG_COUNT": str(len(config)),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_DIR": str(self.folder),
                "GIT_DEFAULT_REF_FORMAT": "files",
                "GIT_ALLOW_PROTOCOL": access.protocol,
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_ASKPASS": "",
                "SSH_ASKPASS_REQUIRE": "never",
                "GIT_SSH_COMMAND": f"{os.environ.get('GIT_SSH_COMMAND', 'ssh')} {SSH_OPTIONS}",
                "GIT_SSH_VARIANT": "ssh",
                "GIT_NO_LAZY_FETCH": "1",
                "GIT_NO_REPLACE_OBJECTS": "1",
                "GIT_LITERAL_PATHSPECS": "1",
                "LC_ALL": "C",
            }
        )


def not_installed() -> ScanFailed:
    """Return the error for a machine without git."""
    return ScanFailed("git is not installed on this machine, or not on PATH; install git")


@contextlib.contextmanager
def _as_file(stdin: bytes) -> Iterator[IO[bytes] | int]:
    """Yield a file that holds `stdin`; a pipe would have to be written to while the output is read."""
    if not stdin:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        yield file


def _limit_file_size(pid: int, max_file_bytes: int) -> None:
    """Limit the size of each file that a process and its children write; only Linux can do so from outside."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))


@contextlib.contextmanager
def _killed_at(deadline: float, process: "subprocess.Popen[bytes]") -> Iterator[threading.Event]:
    """Kill the process group at the deadline, which sets the yielded event, or when the block raises."""
    timed_out = threading.Event()

    def expire() -> None:
        if process.returncode is None:
            timed_out.set()
            _kill(process)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), expire)
    timer.daemon = True
    timer.start()
    try:
        yield timed_out
    except BaseException:
        _kill(process)
        raise
    finally:
        timer.cancel()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _failure(command: str, status: int, stderr: IO[bytes], access: Access, *, timed_out: bool) -> GitFailed:
    stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - MAX_STDERR_BYTES))
    text = stderr.read().decode(errors="replace")
    for secret in filter(None, access.secrets):
        text = text.replace(secret, "***")
    too_large = status == -signal.SIGXFSZ or f"signal {signal.SIGXFSZ:d}" in text or "File too large" in text
    killed_by = -status if status < 0 else None
    return GitFailed(command, text, signal=killed_by, timed_out=timed_out, too_large=too_large)
