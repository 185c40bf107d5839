"""Retry failed deliveries."""

from collections.abc import Callable, Collection

from jive.db import connection
from jive.models import Project, WebhookEvent
from jive.models.project import PLAIN


def retry(ids: Collection[str] | None, enqueue: Callable[[Project], None]) -> int:
    """Make failed deliveries, all or those with these ids, wait for a scan again, and enqueue the scans.

    Deliveries that have not failed are left alone. Returns how many projects will be scanned.
    """
    with connection():
        project_ids = WebhookEvent.retry(ids)
        for project in Project.select(*PLAIN).where(Project.id.in_(project_ids)):
            enqueue(project)
        return len(project_ids)
