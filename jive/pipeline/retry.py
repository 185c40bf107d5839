"""Retry failed deliveries."""

import logging
from collections.abc import Callable, Collection

import redis

from jive.db import connection
from jive.models import Project, WebhookEvent
from jive.models.project import PLAIN

logger = logging.getLogger(__name__)


def retry(ids: Collection[str] | None, enqueue: Callable[[Project], None]) -> int:
    """Make failed deliveries wait for a scan again, and enqueue the scans.

    Deliveries that have not failed are left alone. If Redis cannot be reached, the next sweep enqueues the scans.

    Args:
        ids: which deliveries; all failed ones if None.
        enqueue: enqueues a scan of a project.

    Returns:
        How many projects will be scanned.
    """
    with connection():
        project_ids = WebhookEvent.retry(ids)
        try:
            for project in Project.select(*PLAIN).where(Project.id.in_(project_ids)):
                enqueue(project)
        except redis.RedisError as exc:
            logger.warning("the scans were left to the next sweep: %s", exc)
        return len(project_ids)
