"""Runs git on a bare repository: with a time limit, and with nothing of its surroundings but what it needs."""

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

# No secret of JIVE's own, no GIT_DIR, no GIT_TRACE: git sees these variables and those that `_environment` adds.
KEPT_VARIABLES = frozenset(
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
    ("core.bigFileThreshold", "8m"),  # larger ones are streamed, however much they are packed
    # A redirect would carry the token, and git itself, to a host that nobody allowed.
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "100"),
    ("http.lowSpeedTime", "60"),
)

SSH_OPTIONS = "-oBatchMode=yes -oStrictHostKeyChecking=accept-new -oConnectTimeout=20 -oServerAliveInterval=15"

READ_BYTES = 1 << 17
TOLD_BYTES = 16_384
LINE_CHARACTERS = 300
UNSEEN = re.compile(r"[^\x20-\x7e\xa1-\u2027\u2030-\ufffc]+")
UNTELLING = ("warning:", "fatal: Could not read from remote", "Please make sure you have", "and the repository exists")


@dataclass(frozen=True)
class Access:
    """How far one call of git may reach: no protocol at all, unless it says so.

    Attributes:
        config: names and values for git, which may hold a token; they travel in the environment alone.
        secrets: what must not be seen in anything that git says.
        max_file_bytes: the largest file that git may write, where the system can limit that.
    """

    protocol: str = "none"
    config: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    max_file_bytes: int | None = None


LOCAL = Access()


class GitFailed(ScanFailed):
    """Git ended with an error.

    Attributes:
        told: the end of what git wrote to standard error, without secrets.
        timed_out: it was stopped because its time was over.
        too_large: it wanted to write a larger file than it may.
    """

    def __init__(self, command: str, told: str, *, timed_out: bool = False, too_large: bool = False) -> None:
        why = "took too long" if timed_out else "wrote too much" if too_large else f"failed: {telling_line(told)}"
        super().__init__(f"git {command} {why}")
        self.told = told
        self.timed_out = timed_out
        self.too_large = too_large


def telling_line(told: str) -> str:
    """Return the line that says what was wrong, in plain characters: a `fatal:` or `error:` one, else the last."""
    lines = [" ".join(UNSEEN.sub(" ", line).split())[:LINE_CHARACTERS] for line in told.splitlines()]
    telling = [line for line in lines if line and not line.startswith(UNTELLING)]
    for mark in ("fatal: ", "ERROR: ", "error: "):
        for line in telling:
            if line.startswith(mark):
                return line.removeprefix(mark)
    return telling[-1] if telling else "no reason given"


@dataclass(frozen=True)
class Git:
    """Git, for the bare repository in `folder`."""

    folder: Path

    def run(self, *words: str, deadline: float, access: Access = LOCAL, given: bytes = b"") -> bytes:
        """Return what git answers; else as `reading`."""
        with self.reading(*words, deadline=deadline, access=access, given=given) as answer:
            return answer.read()

    @contextlib.contextmanager
    def reading(self, *words: str, deadline: float, access: Access = LOCAL, given: bytes = b"") -> Iterator[IO[bytes]]:
        """Run git, with `given` on its standard input, while the block reads its answer to the end.

        A block that raises ends git too, with all that it started. `deadline` is a time of `time.monotonic`.

        Raises:
            GitFailed: git ended with an error, or was still busy at the deadline.
        """
        with contextlib.ExitStack() as files:
            told = files.enter_context(tempfile.TemporaryFile())
            process = self._start(words, access, files.enter_context(_holding(given)), told)
            with process, _ending(process, deadline) as ended:
                try:
                    yield cast("IO[bytes]", process.stdout)
                except Exception as exc:
                    if ended.is_set():  # the block could not make sense of half an answer
                        raise GitFailed(words[0], "", timed_out=True) from exc
                    raise
                process.wait()
            if process.returncode:
                raise _failure(words[0], process.returncode, told, access, timed_out=ended.is_set())

    def _start(
        self, words: Sequence[str], access: Access, given: IO[bytes] | int, told: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        try:
            process = subprocess.Popen(  # nothing but our own words and checked values
                ["git", *words],  # the git on PATH
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=told,
                cwd="/",
                env=self._environment(access),
                start_new_session=True,  # no terminal to ask on, and one group to stop
                bufsize=READ_BYTES,
            )
        except OSError as exc:
            raise ScanFailed(f"git cannot be run: {exc.strerror}") from exc
        if access.max_file_bytes is not None:
            _limit(process.pid, access.max_file_bytes)
        return process

    def _environment(self, access: Access) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in KEPT_VARIABLES}
        config = (*CONFIG, *access.config)
        numbered = {f"GIT_CONFIG_KEY_{number}": name for number, (name, _) in enumerate(config)}
        numbered |= {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(config)}
        return (
            kept
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


@contextlib.contextmanager
def _holding(given: bytes) -> Iterator[IO[bytes] | int]:
    """Give the bytes as a file: a pipe would have to be fed while the answer is read."""
    if not given:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(given)
        file.seek(0)
        yield file


def _limit(pid: int, max_file_bytes: int) -> None:
    """Limit what the process and all that it starts may write into one file; Linux alone can do that from outside."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (max_file_bytes, max_file_bytes))


@contextlib.contextmanager
def _ending(process: "subprocess.Popen[bytes]", deadline: float) -> Iterator[threading.Event]:
    """End the process and its group when the block raises, or at the deadline, which sets the event."""
    ended = threading.Event()

    def end() -> None:
        if process.returncode is None:
            ended.set()
            _kill(process)

    watch = threading.Timer(max(0.0, deadline - time.monotonic()), end)
    watch.daemon = True
    watch.start()
    try:
        yield ended
    except BaseException:
        _kill(process)
        raise
    finally:
        watch.cancel()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _failure(command: str, status: int, told: IO[bytes], access: Access, *, timed_out: bool) -> GitFailed:
    told.seek(max(0, told.seek(0, os.SEEK_END) - TOLD_BYTES))
    text = told.read().decode(errors="replace")
    for secret in filter(None, access.secrets):
        text = text.replace(secret, "***")
    too_large = status == -signal.SIGXFSZ or f"signal {signal.SIGXFSZ:d}" in text or "File too large" in text
    return GitFailed(command, text, timed_out=timed_out, too_large=too_large)
