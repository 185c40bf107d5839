"""`jive demo`: show the whole path of a push, on a repository that is made for it and deleted afterwards."""

import contextlib
import hashlib
import hmac
import json
import queue
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from jive import processes, settings
from jive.errors import JiveError, ServerUnavailable
from jive.events import Envelope
from jive.live import listen
from jive.models import Project
from jive.operate import up
from jive.pipeline import registry

PATIENCE_S = 30
FIRST_COMMIT = {
    "docs/prd.md": "---\nversion: '1.0'\n---\n# Lending library PRD\n\nMembers borrow books and return them.\n",
    "docs/architecture.md": "# Architecture\n\n**Version:** 1.0\n\nOne service, one database. See [the PRD](prd.md).\n",
    "docs/stories/1.1.borrow.md": "# Story 1.1: Borrow a book\n\n## Status\n\nDraft\n\n## Tasks\n\n- [ ] Lend it.\n",
    "docs/qa/gates/1.1-borrow.yml": "story: '1.1'\nstory_title: Borrow a book\ngate: CONCERNS\n",
}
SECOND_COMMIT = {"docs/stories/1.1.borrow.md": FIRST_COMMIT["docs/stories/1.1.borrow.md"].replace("Draft", "Done")}


def run() -> None:
    """Push to a new repository, deliver the push as GitHub would, and print each step as it happens.

    If no JIVE answers, one is started first and stopped at the end. The project and its repository are deleted
    even if a step fails.

    Raises:
        ServerUnavailable: JIVE did not start, refused the delivery, or published no event.
    """
    began_at = time.monotonic()
    with contextlib.ExitStack() as stack:
        _ensure_running(stack)
        repository = stack.enter_context(_repository())
        project = registry.add(repository.as_uri(), name="demo")
        stack.callback(registry.remove, project.id)
        if problem := registry.why_not_fetched(project):
            raise ServerUnavailable(problem)
        _print_step("add", f"project {project.name} ({project.id}) at {project.repo_url}")
        events = stack.enter_context(_listening(project))
        _commit(repository, "The first documents", FIRST_COMMIT)
        _push(project, repository, events, len(FIRST_COMMIT))
        _commit(repository, "The story is done", SECOND_COMMIT)
        delivery, body = _push(project, repository, events, 1)
        answer, took_ms = _deliver(project, delivery, body)
        _print_step("again", f"the same delivery → {answer['status']} ({took_ms:.0f} ms)")
    click.echo(f"\nDone in {time.monotonic() - began_at:.1f} s. The project and its repository were deleted.")


def _print_step(step: str, text: str) -> None:
    click.echo(f"  {click.style(f'{step:<8}', bold=True)} {text}")


def _ensure_running(stack: contextlib.ExitStack) -> None:
    """Start a JIVE if none answers; it is stopped with `stack`.

    Raises:
        ServerUnavailable: it did not start, or the one that answers uses stores that this folder does not know.
    """
    port = settings.port()
    if not up.is_healthy(port):
        _print_step("start", "no JIVE answers here, so one is started for the demo")
        command = [*processes.launcher("TERM"), *up.JIVE, "up"]
        log = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jive-"))) / "up.log"
        with log.open("wb") as output:
            part = processes.start("jive up", command, up.STOP, output)
        stack.callback(part.stop)
        processes.wait_until(lambda: up.is_ready(port), part, log)
    try:
        settings.current()
    except JiveError as exc:
        raise ServerUnavailable(
            f"A JIVE answers on port {port}, but this folder does not know its stores. {exc}"
        ) from exc


@contextlib.contextmanager
def _repository() -> Iterator[Path]:
    folder = settings.current().data_dir.resolve() / "demo" / uuid.uuid4().hex[:8] / "library"
    folder.mkdir(parents=True)
    try:
        _git(folder, "init", "--quiet", "--initial-branch=main")
        yield folder
    finally:
        shutil.rmtree(folder.parent)


def _git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=JIVE demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _commit(repository: Path, message: str, files: dict[str, str]) -> None:
    for path, text in files.items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(text)
    _git(repository, "add", "--all")
    _git(repository, "commit", "--quiet", "--message", message)
    _print_step("commit", f"{_git(repository, 'rev-parse', '--short', 'HEAD')} {message}")


@contextlib.contextmanager
def _listening(project: Project) -> Iterator["queue.SimpleQueue[Envelope]"]:
    events: queue.SimpleQueue[Envelope] = queue.SimpleQueue()
    stopping, ready = threading.Event(), threading.Event()

    def collect() -> None:
        for event in listen(project, 0, stopping, ready.set):
            events.put(event)

    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    ready.wait(PATIENCE_S)
    try:
        yield events
    finally:
        stopping.set()
        thread.join(PATIENCE_S)


def _push(
    project: Project, repository: Path, events: "queue.SimpleQueue[Envelope]", expected: int
) -> tuple[str, bytes]:
    """Deliver the push of the new head as GitHub would, and print the events that it causes.

    Returns the delivery's id and body, with which it can be delivered again.
    """
    head = _git(repository, "rev-parse", "HEAD")
    payload = {
        "ref": "refs/heads/main",
        "after": head,
        "head_commit": {"id": head},
        "repository": {"full_name": "demo/library", "clone_url": project.repo_url, "default_branch": "main"},
    }
    delivery, body = str(uuid.uuid4()), json.dumps(payload).encode()
    began_at = time.monotonic()
    answer, took_ms = _deliver(project, delivery, body)
    _print_step("push", f"delivery {delivery[:8]} → 202 {answer['status']} ({took_ms:.0f} ms)")
    for _ in range(expected):
        try:
            event = events.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise ServerUnavailable("No event arrived. Is a worker running? See `jive check`.") from None
        since_push_ms = (time.monotonic() - began_at) * 1000
        facts = event.payload
        _print_step(
            "event", f"{event.id} {facts['change']:<8} {facts['type']:<13} {facts['path']} (+{since_push_ms:.0f} ms)"
        )
    return delivery, body


def _deliver(project: Project, delivery: str, body: bytes) -> tuple[dict[str, Any], float]:
    signature = hmac.new(project.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.current().port}/api/webhooks/github",
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={signature}",
        },
    )
    began_at = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer), (time.monotonic() - began_at) * 1000
    except urllib.error.HTTPError as exc:
        raise ServerUnavailable(f"JIVE refused the delivery: {exc.code} {exc.read().decode()}") from exc
