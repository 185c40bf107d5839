"""The jobs: one thin function each, calling one function of the pipeline."""

import logging
import uuid

from huey.exceptions import CancelExecution

from jive.errors import JiveError, NotFound
from jive.jobs.queue import job, queue
from jive.jobs.turns import turns
from jive.models import Project
from jive.models.webhook_event import MAX_ATTEMPTS
from jive.pipeline.scan import scan_project

QUEUED_MS = 10_000  # a mark that was lost with its job holds up others for so long

logger = logging.getLogger(__name__)


def _queued_key(project_id: object) -> str:
    return f"jive:queued:{project_id}"


def enqueue_scan(project: Project, *, force: bool = False) -> None:
    """Enqueue a scan of the project, unless one waits already that will see what this one would.

    With `force` it is enqueued in any case: the one that waits may be lost.

    Raises:
        redis.RedisError: Redis did not take it, in bounded time.
    """
    if queue().redis.set(_queued_key(project.id), 1, nx=not force, px=QUEUED_MS):
        scan = queue().jobs["artifact-scan"]
        scan(projectId=str(project.id), repoUrl=project.repo_url, branch=project.branch)


@job("artifact-scan", retries=MAX_ATTEMPTS - 1)
def artifact_scan(projectId: str, repoUrl: str, branch: str | None) -> None:  # noqa: N803  # the story's names
    """Scan the project, or leave it to the thread that is at it: that one looks again when it is done."""
    project_id = uuid.UUID(projectId)
    queue().redis.delete(_queued_key(project_id))  # whoever comes from now on may have something that we do not see
    try:
        turns.run(project_id, lambda: scan_project(project_id))
    except NotFound:
        logger.info("project %s is gone", project_id)
    except JiveError as exc:
        logger.warning("scan of %s failed: %s", repoUrl, exc)
        raise CancelExecution(retry=None if exc.retryable else False) from exc
