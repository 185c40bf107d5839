"""What a person does with projects: register, list, remove, look at deliveries and try them again."""

import logging
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee
import redis

from jive.db import connection
from jive.errors import InvalidValue
from jive.keys import make_webhook_secret
from jive.models import Artifact, Project, WebhookEvent
from jive.models.project import PLAIN
from jive.pipeline import mirrors
from jive.repo_url import parse

Enqueue = Callable[[Project], None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """A project as `jive project list` shows it.

    Attributes:
        id, name, repo_url, branch, last_seen: as the project has them.
        artifacts: how many documents it has.
        waiting: deliveries that no scan has settled yet.
        resting: deliveries that failed for good; `error` is the newest one's.
        scan_error: why the last scan failed; None when it did not.
    """

    id: uuid.UUID
    name: str
    repo_url: str
    branch: str | None
    last_seen: datetime
    artifacts: int
    waiting: int
    resting: int
    error: str | None
    scan_error: str | None


def add(url: str, *, name: str | None = None, branch: str | None = None, secret: str | None = None) -> Project:
    """Register the repository at `url`.

    Raises:
        InvalidValue: the URL is none that git may be given, or the secret is empty.
        ProjectExists: a project has this repository, however its URL is written.
    """
    parsed = parse(url)
    if secret is not None and not secret:
        raise InvalidValue("The secret is empty")
    with connection():
        return Project.create(
            name=name or parsed.path.rstrip("/").rpartition("/")[2].removesuffix(".git"),
            repo_url=parsed.url,
            branch=branch,
            webhook_secret=secret or make_webhook_secret(),
        )


def ask_for_scan(project: Project, enqueue: Enqueue) -> None:
    """Have a project scanned soon; where Redis is away, the first push or the hourly scan comes first."""
    try:
        enqueue(project)
    except redis.RedisError as exc:
        logger.warning("%s will be scanned at its first push: %s", project.name, exc)


def remove(project: Project) -> None:
    """Forget the project, with everything that hangs on it; sweeps take the mirrors that other machines have."""
    with connection():
        project.delete_instance()
    mirrors.forget([project.id])


def summaries() -> list[Summary]:
    """Return every project with its counts, by name."""
    count = peewee.fn.count(peewee.SQL("*"))
    artifacts = Artifact.select(count).where(Artifact.project == Project.id)
    of_project = WebhookEvent.select(count).where(WebhookEvent.project == Project.id)
    error = (
        WebhookEvent.select(WebhookEvent.error_message)
        .where(WebhookEvent.project == Project.id, WebhookEvent.resting())
        .order_by(WebhookEvent.received_at.desc())
        .limit(1)
    )
    with connection():
        rows: Any = Project.select(
            Project.id,
            Project.name,
            Project.repo_url,
            Project.branch,
            Project.last_seen,
            artifacts,
            of_project.where(WebhookEvent.unsettled()),
            of_project.where(WebhookEvent.resting()),
            error,
            Project.scan_error,
        ).order_by(Project.name)
        return [Summary(*row) for row in rows.tuples()]


def deliveries(project: Project | None, *, failed: bool, limit: int) -> list[WebhookEvent]:
    """Return the newest deliveries, newest first, each with its project."""
    with connection():
        query = WebhookEvent.select(WebhookEvent, Project.name).join(Project).order_by(WebhookEvent.received_at.desc())
        if project is not None:
            query = query.where(WebhookEvent.project == project)
        if failed:
            query = query.where(WebhookEvent.error_message.is_null(False))
        return list(query.limit(limit))


def retry(ids: Collection[str] | None, enqueue: Enqueue) -> int:
    """Revive resting deliveries (None: all) and have their projects scanned; return how many projects that are."""
    with connection():
        revived = WebhookEvent.revive(ids)
        for project in Project.select(*PLAIN).where(Project.id.in_(revived)):
            enqueue(project)
        return len(revived)
