"""The tasks: a scan is queued once until it begins, and its errors decide whether Huey retries it."""

import pytest
import redis
from huey.exceptions import CancelExecution

from jive.jobs.queue import queue
from jive.jobs.tasks import QUEUED_MS, artifact_scan, enqueue_scan
from jive.models import Project
from tests.conftest import using
from tests.factories import make_project

pytestmark = pytest.mark.usefixtures("db")


def run(project: Project) -> None:
    artifact_scan(projectId=str(project.id), repoUrl=project.repo_url, branch=None)


def test_a_scan_that_is_queued_is_not_queued_again_unless_forced(own_queue: redis.Redis) -> None:
    project, other = make_project(), make_project()
    for _ in range(3):
        enqueue_scan(project)
    assert queue().waiting() == 1
    enqueue_scan(other)
    assert queue().waiting() == 2
    enqueue_scan(project, force=True)
    assert queue().waiting() == 3


def test_once_a_scan_begins_another_one_is_queued(own_queue: redis.Redis) -> None:
    project = make_project(repo_url="https://git.example.com/a/b")
    enqueue_scan(project)
    with pytest.raises(CancelExecution):
        run(project)
    enqueue_scan(project)
    assert queue().waiting() == 2


def test_a_job_that_was_lost_prevents_others_for_a_limited_time(own_queue: redis.Redis) -> None:
    project = make_project()
    enqueue_scan(project)
    [mark] = own_queue.keys("jive:queued:*")
    assert 0 < own_queue.pttl(mark) <= QUEUED_MS
    own_queue.delete("huey.redis.jive", mark)
    enqueue_scan(project)
    assert queue().waiting() == 1


def test_a_queued_job_says_which_project_to_scan(own_queue: redis.Redis) -> None:
    project = make_project(branch="trunk")
    enqueue_scan(project)
    task = queue().huey.dequeue()
    assert task.name == "artifact-scan"
    assert task.kwargs == {"projectId": str(project.id), "repoUrl": project.repo_url, "branch": "trunk"}
    assert (task.retries, task.retry_delay) == (2, 2.0)


def test_a_scan_that_the_settings_refuse_is_not_retried(own_queue: redis.Redis) -> None:
    with pytest.raises(CancelExecution) as caught:
        run(make_project(repo_url="https://git.example.com/a/b"))
    assert caught.value.retry is False


def test_a_scan_that_may_succeed_later_is_retried(own_queue: redis.Redis, tmp_path: pytest.TempPathFactory) -> None:
    project = make_project(repo_url=f"file://{tmp_path}/gone")
    with using(JIVE_GIT_ALLOW_LOCAL="true", JIVE_DATA_DIR=str(tmp_path)), pytest.raises(CancelExecution) as caught:
        run(project)
    assert caught.value.retry is None


def test_a_scan_of_a_project_that_was_removed_ends_quietly(own_queue: redis.Redis) -> None:
    project = make_project()
    project.delete_instance()
    run(project)
