"""What a failed git command means: whether a new mirror would help, and what a person can do about it."""

import re
import signal

from jive.errors import ScanFailed
from jive.repositories.access import Policy
from jive.repositories.git import GitFailed, error_line
from jive.repositories.url import RepoUrl

# What git, ssh, curl and the Git hosts print, in the C locale. `remote: ` starts the lines of the host.
_NO_ACCESS = re.compile(
    r"could not read (username|password)|authentication failed|permission denied \(|permission to .* denied"
    r"|access denied|returned error: 40[13]|host key verification failed|invalid (username|credentials)",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(
    r"(repository|project)\b.*\bnot (found|be found|exist)|does not appear to be a git repository|returned error: 404",
    re.IGNORECASE,
)
_MOVED = re.compile(r"returned error: 30[1278]", re.IGNORECASE)
_NO_BRANCH = re.compile(r"couldn't find remote ref", re.IGNORECASE)
_STALLED = re.compile(r"operation too slow|transfer speed was less than", re.IGNORECASE)

# Git starts ssh itself or through sh, and each shell words it differently.
_NO_SSH = re.compile(
    r"cannot (run|exec|spawn) \S*ssh\b.*: no such file|command not found: \S*ssh\b"
    r"|(^|[\s/])ssh: (command not found|not found|inaccessible or not found|no such file)",
    re.IGNORECASE | re.MULTILINE,
)
_DISK_FULL = re.compile(
    r"^(?!remote: ).*(no space left on device|disk quota exceeded|read-only file system)", re.IGNORECASE | re.MULTILINE
)
_NO_RESOURCES = re.compile(
    r"(unable to|cannot|can't|could not) (fork|create (async|thread))|resource temporarily unavailable"
    r"|too many open files|died of signal (1|2|9|15)\b|^killed$",
    re.IGNORECASE | re.MULTILINE,
)
_UNREACHABLE = re.compile(
    r"unable to (access 'https?:|connect|look up)|could not resolve|connection (refused|timed out|reset|closed)|^ssh: "
    r"|returned error: \d|transport .* not allowed|\brpc failed|could not read from remote|hung up upon initial contact"
    r"|body are still expected|remote-curl: |\bcurl \d|http/2 stream",
    re.IGNORECASE | re.MULTILINE,
)
_OUTSIDE_CAUSES = (
    *(_NO_ACCESS, _NOT_THERE, _MOVED, _NO_BRANCH, _STALLED, _NO_SSH, _DISK_FULL, _NO_RESOURCES, _UNREACHABLE),
)

# Git prints these when the connection breaks, but some of them also after a fatal error on this side.
_DISCONNECTED = re.compile(
    r"fatal: (the remote end hung up|early EOF|expected ('|flush)|protocol error|error reading section"
    r"|git upload-pack: |.*unexpected disconnect)",
    re.IGNORECASE,
)
_INDEX_PACK = ("fatal: index-pack failed", "fatal: fetch-pack: invalid index-pack output")  # says nothing of the cause

# The out-of-memory killer, an administrator and a shutdown send these; a damaged pack can cause SIGBUS and SIGSEGV.
_KILLS = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM})


def says_no_branch(failure: GitFailed) -> bool:
    """Return whether the remote does not have the ref that was asked for."""
    return bool(_NO_BRANCH.search(failure.stderr))


def says_moved(failure: GitFailed) -> bool:
    """Return whether the host answered with a redirect, which is never followed."""
    return bool(_MOVED.search(failure.stderr))


def has_outside_cause(failure: GitFailed) -> bool:
    """Return whether git failed because of the remote, the network or this machine, and not of the mirror.

    A mirror is recreated only if this is False.
    """
    return (
        failure.timed_out
        or failure.too_large
        or failure.signal in _KILLS
        or any(pattern.search(failure.stderr) for pattern in _OUTSIDE_CAUSES)
        or _was_disconnected(failure)
    )


def _was_disconnected(failure: GitFailed) -> bool:
    fatal = [line for line in failure.stderr.splitlines() if line.startswith("fatal: ")]
    causes = [line for line in fatal if not line.startswith(_INDEX_PACK)]
    return failure.signal is None and bool(causes) and all(map(_DISCONNECTED.match, causes))


def explain(failure: GitFailed, url: RepoUrl, policy: Policy) -> ScanFailed:
    """Return the error that says in one line why `url` could not be fetched, and what helps if that is known."""
    return ScanFailed(f"{url.url} cannot be fetched: {_reason(failure, url, policy)}")


def _reason(failure: GitFailed, url: RepoUrl, policy: Policy) -> str:
    stderr, line = failure.stderr, error_line(failure.stderr)
    if failure.timed_out:
        return f"it took longer than the {policy.timeout_s:g} s that the settings allow"
    if failure.too_large:
        return f"it is larger than the {policy.max_total_bytes:,} bytes that the settings allow"
    if url.scheme == "ssh" and _NO_SSH.search(stderr):
        return "this machine has no ssh client; install openssh-client, or use the repository's https URL"
    if _STALLED.search(stderr):
        return f"the host sent almost nothing for {policy.stall_timeout_s:g} s"
    if says_moved(failure):
        return "the host says that it has moved; use its new URL"
    if _NO_ACCESS.search(stderr):
        key = "a token" if url.scheme == "https" else "an ssh key"
        return f"it does not exist, or can only be read with {key} that has access to it ({line})"
    if _DISK_FULL.search(stderr):
        return f"the disk of this machine is full or cannot be written ({line})"
    if failure.signal in _KILLS:
        return f"git was ended by signal {failure.signal}; this machine may be short of memory"
    if _NO_RESOURCES.search(stderr):
        return f"this machine is short of memory, processes or open files ({line})"
    return line
