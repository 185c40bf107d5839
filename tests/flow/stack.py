"""A whole JIVE for a test module: stores, web server and worker as processes that it may kill, and pushes to it."""

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
    """A git repository on this machine; `files` holds the text of each file at the head, by path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, str] = {}
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *words]
        return subprocess.run(command, cwd=self.path, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, **changes: str | None) -> str:
        """Commit documents in docs/ by the stem of their names, None to delete one; return the new head."""
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
class RemoteProject:
    """A remote project, and its repository."""

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
    """Postgres, Redis, web server and worker, each of which can be stopped and started."""

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

    def restart(self) -> None:
        """Stop the web server and the worker, and start them with `variables` as they are now."""
        self.web.end()
        self.worker.end()
        self.start_web()
        self.start_worker()

    def remote_project(self) -> RemoteProject:
        """Add a project with a new repository, by SQL: the command for it is slower and has tests of its own."""
        repository = Repository(self.home / "work" / uuid.uuid4().hex)
        secret = keys.make_webhook_secret()
        token = Fernet(self.variables["JIVE_SECRET_KEYS"]).encrypt(secret.encode()).decode()
        sql = "INSERT INTO projects (name, repo_url, webhook_secret) VALUES (%s, %s, %s) RETURNING id::text"
        [(project_id,)] = self.query(sql, repository.path.name, repository.path.as_uri(), token)
        return RemoteProject(project_id, secret, repository)

    @contextlib.contextmanager
    def watching(self, project: RemoteProject) -> Iterator[Running]:
        """Run `jive watch` from the project's first event on."""
        with running("watch", project.id, "--since", "0", cwd=None, **self.variables) as watcher:
            watcher.line("Listening")
            yield watcher

    def push(self, project: RemoteProject, body: bytes | None = None, delivery: str | None = None) -> tuple[int, Any]:
        """Send a signed push delivery; return the status and the body of the response."""
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

    def pending(self, project: RemoteProject) -> int:
        sql = "SELECT count(*) FROM webhook_events WHERE project_id = %s AND state IN ('received', 'waiting')"
        return int(self.query(sql, project.id)[0][0])

    def artifacts(self, project: RemoteProject) -> dict[str, str]:
        return dict(self.query("SELECT path, content FROM artifacts WHERE project_id = %s", project.id))

    def settles(self, project: RemoteProject) -> None:
        """Wait until every delivery is settled, and check that the artifacts are the files of the repository."""
        unsettled = "SELECT count(*) FROM webhook_events WHERE project_id = %s AND state <> 'settled'"
        self.until(lambda: self.query(unsettled, project.id) == [(0,)])
        assert self.artifacts(project) == project.repository.files

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "".join(self.worker.said)
            time.sleep(0.02)

    def receives_all(self, project: RemoteProject, watcher: Running) -> None:
        """Check that `jive watch` prints every event of the project once and in order."""
        [(last,)] = self.query("SELECT last_event_id FROM projects WHERE id = %s", project.id)
        received: list[int] = []
        while not received or received[-1] < last:
            received.append(json.loads(watcher.line('"event"'))["id"])
        assert received == list(range(1, last + 1))


@contextlib.contextmanager
def stack() -> Iterator[Stack]:
    """Run a whole JIVE in a temporary folder for the block."""
    with server_home() as home, contextlib.ExitStack() as parts:
        yield Stack(home, parts)
