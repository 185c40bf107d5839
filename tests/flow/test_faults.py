"""Faults on the path of a push, with real processes: JIVE recovers by itself, and nothing is lost."""

import json
import os
import signal
import threading
from collections.abc import Iterator

import psutil
import pytest
import redis

from tests.flow.stack import Stack, stack


@pytest.fixture(scope="module")
def jive() -> Iterator[Stack]:
    with stack() as running:
        yield running


def stories(count: int) -> dict[str, str | None]:
    return {f"docs/stories/{n}.story.md": f"# Story {n}\n\n{'word ' * 200}\n" for n in range(count)}


def test_a_worker_that_is_killed_during_a_scan_loses_nothing(jive: Stack) -> None:
    project = jive.remote_project()
    project.repository.commit_files(stories(1500))
    with jive.watching(project) as watcher:
        assert jive.push(project)[0] == 202
        begun = "SELECT scans_begun > scan_applied FROM projects WHERE id = %s"
        jive.until(lambda: jive.query(begun, project.id) == [(True,)])
        jive.worker.end(signal.SIGKILL)
        assert jive.artifacts(project) in ({}, project.repository.files)
        jive.start_worker()
        jive.settles(project)
        jive.receives_all(project, watcher)


def test_a_redis_that_is_flushed_with_jobs_queued_loses_nothing(jive: Stack) -> None:
    project = jive.remote_project()
    jive.worker.end(signal.SIGKILL)
    with jive.watching(project) as watcher:
        for n in range(5):
            project.repository.commit(prd=f"# PRD {n}\n")
            assert jive.push(project)[0] == 202
        redis.Redis.from_url(jive.redis_url).flushall()
        jive.start_worker()
        jive.settles(project)
        jive.receives_all(project, watcher)


def test_a_redis_of_4_mb_that_evicts_the_queue_loses_nothing(jive: Stack) -> None:
    project = jive.remote_project()
    client = redis.Redis.from_url(jive.redis_url)
    jive.worker.end(signal.SIGKILL)
    with jive.watching(project) as watcher:
        project.repository.commit(prd="# PRD\n")
        assert jive.push(project)[0] == 202
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", "4mb")
        n = 0
        while client.exists("huey.redis.jive"):
            client.set(f"filler:{n}", "x" * 10_000)
            n += 1
        jive.start_worker()
        jive.settles(project)
        jive.receives_all(project, watcher)
    client.config_set("maxmemory", "0")
    client.flushall()


def test_a_hundred_deliveries_without_redis_are_scanned_once_it_is_back(jive: Stack) -> None:
    project = jive.remote_project()
    project.repository.commit(prd="# PRD\n")
    assert jive.push(project)[0] == 202
    with jive.watching(project) as watcher:
        jive.settles(project)
        jive.redis.stop()
        for n in range(100):
            if n % 20 == 0:
                project.repository.commit(prd=f"# PRD {n}\n")
            assert jive.push(project)[0] == 202
        assert jive.pending(project) == 100
        jive.start_redis()
        jive.settles(project)
        jive.receives_all(project, watcher)


def test_a_restart_of_postgres_under_load_loses_no_accepted_delivery(jive: Stack) -> None:
    project = jive.remote_project()
    accepted: list[str] = []
    stopping = threading.Event()

    def load() -> None:
        n = 0
        while not stopping.is_set():
            n += 1
            delivery = f"{threading.get_ident()}-{n}"
            status, _ = jive.push(project, delivery=delivery)
            assert status in (202, 503)
            if status == 202:
                accepted.append(delivery)

    project.repository.commit(prd="# PRD 1\n")
    with jive.watching(project) as watcher:
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        jive.until(lambda: len(accepted) > 50)
        jive.postgres.stop()
        jive.start_postgres()
        project.repository.commit(prd="# PRD 2\n")
        count = len(accepted)
        jive.until(lambda: len(accepted) > count + 50)
        stopping.set()
        for thread in threads:
            thread.join(60)
        assert jive.push(project)[0] == 202
        jive.settles(project)
        jive.receives_all(project, watcher)
    recorded = {row[0] for row in jive.query("SELECT id FROM webhook_events WHERE project_id = %s", project.id)}
    assert set(accepted) <= recorded


def test_a_web_process_that_is_killed_between_commit_and_enqueue_loses_nothing(jive: Stack) -> None:
    project = jive.remote_project()
    project.repository.commit(prd="# PRD\n")
    os.kill(jive.redis.process.pid, signal.SIGSTOP)  # the row is committed, and enqueuing waits
    try:
        pushing = threading.Thread(target=lambda: push_without_an_answer(jive, project))
        pushing.start()
        jive.until(lambda: jive.pending(project) == 1)
        everyone = [psutil.Process(jive.web.process.pid)]
        everyone += everyone[0].children(recursive=True)
        for process in everyone:
            process.kill()
        pushing.join(60)
    finally:
        os.kill(jive.redis.process.pid, signal.SIGCONT)
    jive.web.wait()
    with jive.watching(project) as watcher:
        jive.settles(project)
        jive.receives_all(project, watcher)
    jive.start_web()


def push_without_an_answer(jive: Stack, project: object) -> None:
    try:
        jive.push(project)  # type: ignore[arg-type]
    except OSError:
        return


def test_deliveries_of_an_unreachable_remote_fail_and_can_be_retried(jive: Stack) -> None:
    project = jive.remote_project()
    project.repository.commit(prd="# PRD\n")
    moved = project.repository.path.with_name("moved")
    project.repository.path.rename(moved)
    assert jive.push(project)[0] == 202
    attempts = "SELECT state, retry_count, error_message IS NOT NULL FROM webhook_events WHERE project_id = %s"
    jive.until(lambda: jive.query(attempts, project.id) == [("failed", 3, True)])
    assert "failed" in jive.jive("project", "list")
    moved.rename(project.repository.path)
    jive.jive("deliveries", "retry", "--all")
    jive.settles(project)


def test_a_branch_that_is_force_pushed_renamed_or_emptied_is_followed(jive: Stack) -> None:
    project = jive.remote_project()
    repository = project.repository
    with jive.watching(project) as watcher:
        repository.commit(prd="# PRD\n", architecture="# Architecture\n")
        repository.commit(notes="# Notes\n")
        assert jive.push(project)[0] == 202
        jive.settles(project)

        repository.git("reset", "--hard", "--quiet", "HEAD~1")
        del repository.files["docs/notes.md"]
        repository.commit(prd="# Another PRD\n")
        assert jive.push(project)[0] == 202
        jive.settles(project)

        repository.git("branch", "--move", "main", "trunk")
        repository.commit(later="# Later\n")
        body = project.payload(
            "trunk", repository=json.loads(project.payload())["repository"] | {"default_branch": "trunk"}
        )
        assert jive.push(project, body)[0] == 202
        jive.settles(project)

        for ref in repository.git("for-each-ref", "--format=%(refname)").split():
            repository.git("update-ref", "-d", ref)
        repository.files.clear()
        assert jive.push(project)[0] == 202
        jive.settles(project)
        jive.receives_all(project, watcher)


def test_a_thousand_pushes_to_one_project_cost_a_few_scans(jive: Stack) -> None:
    project = jive.remote_project()
    project.repository.commit(prd="# PRD\n")
    statuses: list[int] = []

    def push_many() -> None:
        for _ in range(125):
            statuses.append(jive.push(project)[0])

    threads = [threading.Thread(target=push_many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert statuses == [202] * 1000
    jive.settles(project)
    [(scans,)] = jive.query("SELECT scans_begun FROM projects WHERE id = %s", project.id)
    assert scans <= 10
