"""Pushes as GitHub sends them, about 7 KB of signed JSON, and sending them from 16 kept-alive connections."""

import gc
import hashlib
import hmac
import json
import secrets
import selectors
import socket
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.load import CONNECTIONS, TIMEOUT_S
from jive.models import Project

OWNER, NAME = "lending", "library"
API = f"https://api.github.com/repos/{OWNER}/{NAME}"
# The names of further fields of a repository, each of which holds an address of GitHub's API.
API_WORDS = (
    "forks keys collaborators teams hooks issue_events events assignees branches tags blobs git_tags git_refs trees "
    "statuses languages stargazers contributors subscribers subscription commits git_commits comments issue_comment "
    "contents compare merges archive downloads issues pulls milestones notifications labels releases deployments"
)
COUNTS = "size stargazers_count watchers_count forks_count open_issues_count forks open_issues watchers"
FLAGS = "private fork has_issues has_projects has_downloads has_wiki has_pages archived disabled is_template"
PERSON_WORDS = "followers following gists starred subscriptions organizations repos events received_events"


def payload(clone_url: str) -> bytes:
    """Return the body of a push of two commits to `main`; each call returns another one."""
    ids = [secrets.token_hex(20) for _ in range(3)]
    commits = [_commit(commit_id) for commit_id in ids[1:]]
    body = {
        "ref": "refs/heads/main",
        "before": ids[0],
        "after": ids[-1],
        "repository": _repository(clone_url),
        "pusher": {"name": OWNER, "email": f"{OWNER}@example.com"},
        "sender": _person(),
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"https://github.com/{OWNER}/{NAME}/compare/{ids[0][:12]}...{ids[-1][:12]}",
        "commits": commits,
        "head_commit": commits[-1],
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _commit(commit_id: str) -> dict[str, Any]:
    author = {"name": "A Librarian", "email": f"{OWNER}@example.com", "username": OWNER}
    return {
        "id": commit_id,
        "tree_id": secrets.token_hex(20),
        "distinct": True,
        "message": "Lend a book for three weeks\n\nMembers who return late are told the day before.",
        "timestamp": "2026-01-02T03:04:05+01:00",
        "url": f"https://github.com/{OWNER}/{NAME}/commit/{commit_id}",
        "author": author,
        "committer": author,
        "added": [],
        "removed": [],
        "modified": ["docs/prd.md", "docs/stories/1.1.borrow.md"],
    }


def _repository(clone_url: str) -> dict[str, Any]:
    return {
        "id": 186853002,
        "node_id": "MDEwOlJlcG9zaXRvcnkxODY4NTMwMDI=",
        "name": NAME,
        "full_name": f"{OWNER}/{NAME}",
        "owner": _person(),
        "html_url": clone_url.removesuffix(".git"),
        "description": "Members borrow books and return them",
        "url": API,
        **{f"{word}_url": f"{API}/{word.replace('_', '/')}{{/sha}}" for word in API_WORDS.split()},
        "clone_url": clone_url,
        "language": None,
        "license": None,
        "visibility": "public",
        "default_branch": "main",
        "master_branch": "main",
        **dict.fromkeys(COUNTS.split(), 0),
        **dict.fromkeys(FLAGS.split(), False),
    }


def _person() -> dict[str, Any]:
    address = f"https://api.github.com/users/{OWNER}"
    return {
        "login": OWNER,
        "id": 21031067,
        "node_id": "MDQ6VXNlcjIxMDMxMDY3",
        "avatar_url": "https://avatars1.githubusercontent.com/u/21031067?v=4",
        "url": address,
        "html_url": f"https://github.com/{OWNER}",
        **{f"{word}_url": f"{address}/{word}" for word in PERSON_WORDS.split()},
        "type": "User",
        "site_admin": False,
    }


def request(project: Project) -> bytes:
    """Return a complete HTTP request that delivers a signed push to the project, with a new delivery id."""
    body = payload(str(project.repo_url))
    signature = hmac.new(str(project.webhook_secret).encode(), body, hashlib.sha256).hexdigest()
    head = (
        "POST /api/webhooks/github HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nX-GitHub-Event: push\r\n"
        f"User-Agent: GitHub-Hookshot/044aadd\r\nX-GitHub-Delivery: {uuid.uuid4()}\r\n"
        f"X-GitHub-Hook-ID: 292430182\r\nX-Hub-Signature-256: sha256={signature}\r\n"
        "X-GitHub-Hook-Installation-Target-Type: repository\r\nX-GitHub-Hook-Installation-Target-ID: 186853002\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True)
class Posted:
    """The results of requests: seconds for all together, seconds for each, and how many got each status."""

    took_s: float
    each_s: tuple[float, ...]
    statuses: Counter[int]

    @property
    def p50_s(self) -> float:
        """The median."""
        return statistics.median(self.each_s)

    @property
    def p99_s(self) -> float:
        """The seconds that 99 of 100 requests did not exceed."""
        return sorted(self.each_s)[int(len(self.each_s) * 0.99)]


def post(port: int, requests: Sequence[bytes]) -> Posted:
    """Send the requests from 16 connections, each of which sends its next one once it has a response.

    Raises:
        OSError: the server closed a connection, or sent nothing for too long.
    """
    waiting, each_s, statuses = iter(requests), [], Counter[int]()
    with selectors.DefaultSelector() as selector:
        links = [socket.create_connection(("127.0.0.1", port), TIMEOUT_S) for _ in requests[:CONNECTIONS]]
        sent_at: dict[socket.socket, float] = {}
        gc.collect()
        gc.disable()
        started_at = time.perf_counter()
        for link, first in zip(links, waiting, strict=False):
            selector.register(link, selectors.EVENT_READ, link)
            sent_at[link] = time.perf_counter()
            link.sendall(first)
        while sent_at:
            for ready, _ in selector.select(TIMEOUT_S):
                link = ready.data
                answer = link.recv(65536)
                while not answer.endswith(b"}"):  # the end of the JSON, and so of the response
                    answer += link.recv(65536) or _fail_closed()
                each_s.append(time.perf_counter() - sent_at.pop(link))
                statuses[int(answer[9:12])] += 1
                if (following := next(waiting, None)) is not None:
                    sent_at[link] = time.perf_counter()
                    link.sendall(following)
        took_s = time.perf_counter() - started_at
        gc.enable()
        for link in links:
            link.close()
    return Posted(took_s, tuple(each_s), statuses)


def _fail_closed() -> bytes:
    raise ConnectionResetError("the server closed the connection")
