"""What a failed git command means: whose fault it is, and what a person can do about it."""

import re

from jive.errors import ScanFailed
from jive.repositories.access import Policy
from jive.repositories.git import GitFailed, telling_line
from jive.repositories.url import RepoUrl

# What the hosts, ssh and curl say, by way of git. What fits none of these may be a damaged mirror.
_NO_ACCESS = re.compile(
    r"could not read (username|password)|authentication failed|permission denied \(|permission to .* denied"
    r"|access denied|returned error: 40[13]|host key verification failed|invalid (username|credentials)",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(
    r"(repository|project)\b.*\bnot (found|be found|exist)|does not appear to be a git repository|returned error: 404",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(
    r"unable to (access 'https?:|connect|look up)|could not resolve|connection (refused|timed out|reset|closed)|^ssh: "
    r"|returned error: \d|transport .* not allowed",
    re.IGNORECASE | re.MULTILINE,
)
_MOVED = re.compile(r"returned error: 30[1278]", re.IGNORECASE)
_NO_BRANCH = re.compile(r"couldn't find remote ref", re.IGNORECASE)


def says_no_branch(failure: GitFailed) -> bool:
    """Return whether the remote lacks the ref that was asked for."""
    return bool(_NO_BRANCH.search(failure.told))


def says_moved(failure: GitFailed) -> bool:
    """Return whether the host answered with a redirect, which is never followed."""
    return bool(_MOVED.search(failure.told))


def is_remotes_fault(failure: GitFailed) -> bool:
    """Return whether a fetch failed for a reason that making the mirror anew cannot change."""
    patterns = (_NO_ACCESS, _NOT_THERE, _MOVED, _NO_BRANCH, _UNREACHABLE)
    return failure.timed_out or failure.too_large or any(pattern.search(failure.told) for pattern in patterns)


def explained(failure: GitFailed, url: RepoUrl, policy: Policy) -> ScanFailed:
    """Return the error that says in one line why `url` could not be fetched."""
    if failure.timed_out:
        why = f"it took longer than the {policy.timeout_s:g} s that the settings allow"
    elif failure.too_large:
        why = f"it is larger than the {policy.max_total_bytes:,} bytes that the settings allow"
    elif says_moved(failure):
        why = "the host says that it has moved; use its new URL"
    elif _NO_ACCESS.search(failure.told):
        key = "a token" if url.scheme == "https" else "an ssh key"
        why = f"there is none, or it wants {key} that may read it ({telling_line(failure.told)})"
    else:
        why = telling_line(failure.told)
    return ScanFailed(f"{url.url} cannot be fetched: {why}")
