"""A whole JIVE of the test's own: stores, web and worker as processes that a test may kill, and a Git host's part."""

import contextlib
import hashlib
import hmac
import http.client
import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from cryptography.fernet import Fernet

from jive import keys
from jive.operate import servers
from tests.conftest import FAST, server_home
from tests.flow.processes import PATIENCE_S, Running, free_port, run, running, serving


class Repository:
    """A git repository on this machine, and what it holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, str] = {}
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *words]
        return subprocess.run(command, cwd=self.path, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, **changes: str | None) -> str:
        """Commit documents by the stem of their names (None removes one) and return the new head."""
        return self.commit_files({f"docs/{stem}.md": text for stem, text in changes.items()})

    def commit_files(self, changes: dict[str, str | None]) -> str:
        for path, text in changes.items():
            place = self.path / path
            if text is None:
                place.unlink()
                del self.files[path]
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
                self.files[path] = text
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")


@dataclass
class Watched:
    """A registered project with its repository."""

    id: str
    secret: str
    repository: Repository

    def payload(self, branch: str = "main", **fields: Any) -> bytes:
        body = {
            "ref": f"refs/heads/{branch}",
            "after": "1" * 40,
            "head_commit": {"id": "1" * 40},
            "repository": {"clone_url": self.repository.path.as_uri(), "default_branch": "main"},
        }
        return json.dumps(body | fields).encode()


class Stack:
    """Postgres, Redis, web and worker, each of which can be stopped and started."""

    def __init__(self, home: Path, parts: contextlib.ExitStack) -> None:
        self.home = home
        self.port = free_port()
        self._parts = parts
        self.start_postgres()
        self.start_redis()
        self.variables = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "JIVE_SECRET_KEYS": keys.make(),
            "JIVE_DATA_DIR": str(home),
            "JIVE_GIT_ALLOW_LOCAL": "true",
            "JIVE_WEB_PROCESSES": "2",
            "JIVE_SWEEP_INTERVAL_S": "1",
            "JIVE_RETRY_DELAY_S": "0.2",
            "JIVE_REDIS_TIMEOUT_S": "1",
        }
        parts.callback(self.stop_stores)
        self.jive("migrate")
        self.start_web()
        self.start_worker()

    def start_postgres(self) -> None:
        self.postgres, self.database_url = servers.start_postgres(self.home, "jive_test", FAST)

    def start_redis(self, *options: str) -> None:
        self.redis, self.redis_url = servers.start_redis(self.home, options)

    def stop_stores(self) -> None:
        self.redis.stop()
        self.postgres.stop()

    def start_web(self) -> None:
        self.web = self._parts.enter_context(serving(self.port, **self.variables))

    def start_worker(self) -> None:
        self.worker = self._parts.enter_context(running("worker", cwd=None, **self.variables))
        self.worker.line("worker started")

    def jive(self, *words: str) -> str:
        status, output, errors = run(*words, cwd=None, **self.variables)
        assert status == 0, output + errors
        return output

    def watched(self) -> Watched:
        """Register a new repository, by plain SQL: the command for it has tests of its own, and takes its time."""
        repository = Repository(self.home / "work" / uuid.uuid4().hex)
        secret = keys.make_webhook_secret()
        token = Fernet(self.variables["JIVE_SECRET_KEYS"]).encrypt(secret.encode()).decode()
        sql = "INSERT INTO projects (name, repo_url, webhook_secret) VALUES (%s, %s, %s) RETURNING id::text"
        [(project_id,)] = self.query(sql, repository.path.name, repository.path.as_uri(), token)
        return Watched(project_id, secret, repository)

    @contextlib.contextmanager
    def watching(self, project: Watched) -> Iterator[Running]:
        """Listen to a project from its first event on, as another process."""
        with running("watch", project.id, "--since", "0", cwd=None, **self.variables) as watcher:
            watcher.line("Listening")
            yield watcher

    def push(self, project: Watched, body: bytes | None = None, delivery: str | None = None) -> tuple[int, Any]:
        """Deliver a signed push; return the status and the answer."""
        body = project.payload() if body is None else body
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.new(project.secret.encode(), body, hashlib.sha256).hexdigest(),
        }
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            link.request("POST", "/api/webhooks/github", body, headers)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        link = psycopg2.connect(self.database_url)
        link.autocommit = True
        try:
            with link.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            link.close()

    def unsettled(self, project: Watched) -> int:
        sql = "SELECT count(*) FROM webhook_events WHERE project_id = %s AND NOT processed"
        return int(self.query(sql, project.id)[0][0])

    def artifacts(self, project: Watched) -> dict[str, str]:
        return dict(self.query("SELECT path, content FROM artifacts WHERE project_id = %s", project.id))

    def settles(self, project: Watched) -> None:
        """Wait until every delivery is settled, and see that exactly the right artifacts stand."""
        self.until(lambda: self.unsettled(project) == 0)
        assert self.artifacts(project) == project.repository.files

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "".join(self.worker.said)
            time.sleep(0.02)

    def heard_all(self, project: Watched, watcher: Running) -> None:
        """See that the listener has had every event of the project once and in order."""
        [(last,)] = self.query("SELECT last_event_id FROM projects WHERE id = %s", project.id)
        told: list[int] = []
        while not told or told[-1] < last:
            told.append(json.loads(watcher.line('"event"'))["id"])
        assert told == list(range(1, last + 1))


@contextlib.contextmanager
def stack() -> Iterator[Stack]:
    """Start a whole JIVE in a folder of its own, and leave nothing of it behind."""
    with server_home() as home, contextlib.ExitStack() as parts:
        yield Stack(home, parts)
