"""List deliveries."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jive.db import connection
from jive.models import Project, WebhookEvent
from jive.models.enums import DeliveryState, WebhookSource


@dataclass(frozen=True)
class DeliveryRecord:
    """A delivery, as stored.

    Attributes:
        id: the id that the Git host gave it.
        project: the name of its project.
        host: the kind of Git host that sent it.
        event_type: the host's name for the event.
        retry_count: how many attempts have failed.
        error: why the last attempt failed; None if none has, or if it was retried or settled since.
    """

    id: str
    project: str
    host: WebhookSource
    event_type: str
    state: DeliveryState
    retry_count: int
    error: str | None
    received_at: datetime


def newest(project_id: uuid.UUID | None, *, failed: bool, limit: int) -> list[DeliveryRecord]:
    """Return the newest deliveries, newest first.

    Args:
        project_id: only those of this project; those of all projects if None.
        failed: only failed ones.
        limit: the most to return.
    """
    query = WebhookEvent.select(
        WebhookEvent.id,
        Project.name,
        WebhookEvent.source,
        WebhookEvent.event_type,
        WebhookEvent.state,
        WebhookEvent.retry_count,
        WebhookEvent.error_message,
        WebhookEvent.received_at,
    ).join(Project)
    if project_id is not None:
        query = query.where(WebhookEvent.project == project_id)
    if failed:
        query = query.where(WebhookEvent.has_failed())
    with connection():
        rows: Any = query.order_by(WebhookEvent.received_at.desc()).limit(limit).tuples()
        return [DeliveryRecord(*row) for row in rows]
