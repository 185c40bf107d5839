"""The tasks: one function for each job, which calls the pipeline."""

import logging
import uuid

from huey.exceptions import CancelExecution

from jive.errors import JiveError, NotFound
from jive.jobs.queue import job, queue
from jive.jobs.turns import turns
from jive.models import Project
from jive.models.webhook_event import MAX_ATTEMPTS
from jive.pipeline.scan import scan_project

QUEUED_MS = 10_000  # if a job is lost, its mark prevents others for this time

logger = logging.getLogger(__name__)


def _queued_key(project_id: object) -> str:
    return f"jive:queued:{project_id}"


def enqueue_scan(project: Project, *, force: bool = False) -> None:
    """Enqueue a scan of the project, unless one is queued already that has not begun.

    Args:
        force: enqueue it in any case, because the queued one may be lost.

    Raises:
        redis.RedisError: Redis refused it, or did not answer in time.
    """
    if queue().redis.set(_queued_key(project.id), 1, nx=not force, px=QUEUED_MS):
        scan = queue().jobs["artifact-scan"]
        scan(projectId=str(project.id), repoUrl=project.repo_url, branch=project.branch)


@job("artifact-scan", retries=MAX_ATTEMPTS - 1)
def artifact_scan(projectId: str, repoUrl: str, branch: str | None) -> None:  # noqa: N803  # the names in the queue; see docs/architecture.md
    """Scan the project. If a thread of this process is scanning it, that thread scans it once more afterwards.

    Raises:
        CancelExecution: the scan failed; Huey retries it, unless another attempt would fail too.
    """
    project_id = uuid.UUID(projectId)
    queue().redis.delete(_queued_key(project_id))  # this scan may not see what is pushed from now on
    try:
        turns.run(project_id, lambda: scan_project(project_id))
    except NotFound:
        logger.info("project %s does not exist any more", project_id)
    except JiveError as exc:
        logger.warning("scan of %s failed: %s", repoUrl, exc)
        raise CancelExecution(retry=None if exc.retryable else False) from exc
