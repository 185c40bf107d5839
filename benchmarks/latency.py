"""Rows of a whole JIVE, web server and worker: the time from a push to its event, and the scans of many pushes."""

import contextlib
import queue
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator

from benchmarks.documents import document
from benchmarks.measure import Comparison
from benchmarks.processes import free_port, serving, without
from benchmarks.pushes import post, request
from benchmarks.repositories import Repository, local_repositories, path_of, project_of, repository
from benchmarks.stores import Stores
from benchmarks.table import Row, duration, ratio_row
from jive import processes
from jive.db import connection
from jive.events import Envelope
from jive.jobs.heartbeat import is_beating
from jive.models import Project, WebhookEvent
from jive.pubsub import subscribe_to_project

DOCUMENTS = 100
PUSHES, CROWD = 30, 1000
PATIENCE_S = 60.0
PAUSE_S = 0.05


@contextlib.contextmanager
def _jive(stores: Stores) -> Iterator[int]:
    """Run the web server and a worker; yield the port."""
    port = free_port()
    env, jive = without(frozenset(), PORT=str(port)), [sys.executable, "-m", "jive"]
    log = stores.home / "jive.log"
    url = f"http://127.0.0.1:{port}/api/health/live"
    with serving("jive web", [*jive, "web"], url, log, env), log.open("ab") as output:
        worker = processes.start("jive worker", [*processes.launcher("TERM"), *jive, "worker"], signal.SIGTERM, output)
        try:
            processes.wait_until(lambda: is_beating(worker.process.pid), worker, log)
            yield port
        finally:
            worker.stop()


@contextlib.contextmanager
def _project(stores: Stores) -> Iterator[tuple[int, Repository, Project]]:
    """Run JIVE with a remote project that was scanned."""
    with local_repositories(stores) as folder:
        made = repository(folder / uuid.uuid4().hex, DOCUMENTS)
        with _jive(stores) as port, project_of(made) as project:
            post(port, [request(project)])
            _settle(project)
            yield port, made, project


def _settle(project: Project) -> None:
    """Wait until every delivery is settled.

    Raises:
        ValueError: one is not settled after a minute.
    """
    deadline = time.monotonic() + PATIENCE_S
    waiting = WebhookEvent.select().where(WebhookEvent.project == project, ~WebhookEvent.processed)
    while True:
        with connection():
            if not waiting.exists():
                return
        if time.monotonic() > deadline:
            raise ValueError("A delivery was not settled in a minute")
        time.sleep(PAUSE_S)


def push_to_event(stores: Stores) -> Iterator[Row]:
    """Measure from the first byte of a push to the event at a subscriber, compared with git fetching that commit."""
    heard: queue.SimpleQueue[float] = queue.SimpleQueue()

    def hear(event: Envelope) -> None:
        heard.put(time.perf_counter())

    received_s, fetch_s = [], []
    with _project(stores) as (port, made, project), subscribe_to_project(project.id, hear):
        mirror = stores.home / "plain.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", "--depth=1", made.path.as_uri(), str(mirror)], check=True)
        for number in range(PUSHES):
            made.commit({path_of(number): document(DOCUMENTS + number)})
            ready = [request(project)]
            sent_at = time.perf_counter()
            post(port, ready)
            received_s.append(heard.get(timeout=PATIENCE_S) - sent_at)
            _settle(project)
            began_at = time.perf_counter()
            subprocess.run(["git", "fetch", "--quiet", "--depth=1", "origin", "main"], cwd=mirror, check=True)
            fetch_s.append(time.perf_counter() - began_at)
            time.sleep(PAUSE_S)
    measured = Comparison(tuple(received_s), tuple(fetch_s))
    yield ratio_row("push to event, beside its git fetch", measured, None)
    slow = sorted(received_s)[int(PUSHES * 0.9)]
    yield Row("  half of them published in", duration(statistics.median(received_s)), target="< 150 ms")
    yield Row("  9 of 10 in", duration(slow))


def crowd(stores: Stores) -> Iterator[Row]:
    """Count the scans that a thousand pushes to one project cost."""
    with _project(stores) as (port, made, project):
        made.commit({path_of(0): document(DOCUMENTS)})
        ready = [request(project) for _ in range(CROWD)]
        before = _scans(project)
        began_at = time.perf_counter()
        statuses = post(port, ready).statuses
        _settle(project)
        took_s = time.perf_counter() - began_at
        scans = _scans(project) - before
    if set(statuses) != {202}:
        raise ValueError(f"Not every delivery was answered 202: {dict(statuses)}")
    yield Row(f"scans for {CROWD:,} pushes at once", str(scans), target="≤ 10")
    yield Row("  all of them settled in", duration(took_s))


def _scans(project: Project) -> int:
    with connection():
        return int(Project.get_by_id(project.id).scans_begun)
