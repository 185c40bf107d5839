"""The queue: a worker runs only jobs that somebody with the key has enqueued."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import redis
from huey import RedisHuey
from huey.serializer import Serializer, SignedSerializer

from jive import keys
from jive.db import connection, database
from jive.jobs.queue import queue
from jive.jobs.tasks import enqueue_scan
from jive.models import Project
from tests.conftest import using
from tests.factories import make_project
from tests.flow.processes import running

QUEUE, SCHEDULE = "huey.redis.jive", "huey.schedule.jive"  # Huey's own names

pytestmark = pytest.mark.usefixtures("db")


class Bomb:
    """An object that creates a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def enqueue_with(serializer: Serializer, project: Project, own_queue: redis.Redis) -> None:
    """Enqueue a scan as another installation does, which has another key or none."""
    huey = RedisHuey("jive", results=False, serializer=serializer, connection_pool=own_queue.connection_pool)

    def scan(projectId: str, repoUrl: str, branch: str | None) -> None:  # noqa: N803
        raise AssertionError("only a worker runs it")

    huey.task(name="artifact-scan")(scan)(projectId=str(project.id), repoUrl=project.repo_url, branch=None)


@pytest.fixture
def unscanned() -> Project:
    return make_project(repo_url="https://git.example.com/somebody/elses")


@pytest.fixture
def scanned() -> Project:
    """A project whose scan fails at once, for the settings do not allow its host."""
    return make_project(repo_url="https://git.example.com/our/own")


def test_a_job_that_was_not_signed_with_the_key_is_never_unpickled_or_run_and_the_next_one_is(
    own_queue: redis.Redis, tmp_path: Path, unscanned: Project, scanned: Project
) -> None:
    marker = tmp_path / "unpickled"
    pickled = pickle.dumps(Bomb(marker))
    stranger = SignedSerializer(secret="guess", salt="jive")
    jobs = [pickled, pickled + b":" + b"0" * 40, stranger.serialize(Bomb(marker)), b"", b"\x80"]
    for job in jobs:
        own_queue.lpush(QUEUE, job)
        own_queue.zadd(SCHEDULE, {job: 0})
    for serializer in (Serializer(), stranger):
        enqueue_with(serializer, unscanned, own_queue)
    enqueue_scan(scanned)
    assert own_queue.llen(QUEUE) == len(jobs) + 3
    with running("worker", JIVE_WORKER_THREADS="1") as worker:
        worker.line(f"scan of {scanned.repo_url} failed")
        assert own_queue.llen(QUEUE) == 0
        assert worker.end() == 0
    assert not marker.exists()
    assert unscanned.repo_url not in "".join(worker.said)
    assert Project.get_by_id(unscanned.id).scans_begun == 0
    assert Project.get_by_id(scanned.id).scans_begun == 1
    pickle.loads(pickled)  # it would have shown
    assert marker.exists()


def test_a_job_that_was_signed_with_another_key_of_the_installation_is_not_run(own_queue: redis.Redis) -> None:
    project = make_project()
    enqueue_scan(project)
    database.close()
    with using(JIVE_SECRET_KEYS=keys.make()), connection():
        queue.cache_clear()
        with pytest.raises(ValueError, match="Signature"):
            queue().huey.dequeue()
    database.connect()


def test_the_queue_counts_the_jobs_that_wait(own_queue: redis.Redis) -> None:
    assert queue().waiting() == 0
    for _ in range(2):
        enqueue_scan(make_project())
    assert queue().waiting() == own_queue.llen(QUEUE) == 2
