"""Find a project, and list all of them with counts and errors."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import peewee

from jive.db import connection
from jive.errors import NotFound
from jive.models import Artifact, Project, WebhookEvent
from jive.models.enums import ProjectSource, WebhookSource


@dataclass(frozen=True)
class ProjectRecord:
    """A project, without its secrets.

    Attributes:
        source: where its documents come from.
        host: the kind of its Git host; None if that is not known.
    """

    id: uuid.UUID
    name: str
    slug: str
    repo_url: str
    source: ProjectSource
    host: WebhookSource | None


_RECORD = (Project.id, Project.name, Project.slug, Project.repo_url, Project.source, Project.host)


def find(word: str) -> ProjectRecord:
    """Return the project whose id, slug, repository URL or name is `word`.

    A project with the slug `word` is preferred to one with that name.

    Raises:
        NotFound: no project matches, or more than one does and none by its slug.
    """
    try:
        matches = Project.id == uuid.UUID(word)
    except ValueError:
        matches = (Project.slug == word) | Project.has_url(word) | (Project.name == word)
    with connection():
        rows: Any = Project.select(*_RECORD).where(matches).order_by((Project.slug == word).desc()).limit(2).tuples()
        found = [ProjectRecord(*row) for row in rows]
    if not found:
        raise NotFound(f"There is no project {word}")
    if len(found) > 1 and found[0].slug != word:
        raise NotFound(f"More than one project is called {word}; use the id, slug or repository URL")
    return found[0]


@dataclass(frozen=True)
class ProjectSummary:
    """A project, with counts and errors.

    Attributes:
        record: which project it is.
        branch: the tracked branch; None is the remote's HEAD.
        scanned_at: when a scan was last applied; None if none was.
        artifacts: how many documents it has.
        pending: how many deliveries need a scan.
        failed: how many deliveries have failed.
        delivery_error: the error of the newest failed delivery; None if none has failed.
        scan_error: why the last scan failed; None if it did not.
    """

    record: ProjectRecord
    branch: str | None
    scanned_at: datetime | None
    artifacts: int
    pending: int
    failed: int
    delivery_error: str | None
    scan_error: str | None


def summaries() -> list[ProjectSummary]:
    """Return all projects, by name."""
    count = peewee.fn.count(peewee.SQL("*"))
    artifacts = Artifact.select(count).where(Artifact.project == Project.id)
    deliveries = WebhookEvent.select(count).where(WebhookEvent.project == Project.id)
    delivery_error = (
        WebhookEvent.select(WebhookEvent.error_message)
        .where(WebhookEvent.project == Project.id, WebhookEvent.has_failed())
        .order_by(WebhookEvent.received_at.desc())
        .limit(1)
    )
    with connection():
        rows: Any = Project.select(
            *_RECORD,
            Project.branch,
            peewee.Case(None, [(Project.scan_applied > 0, Project.last_seen)]),
            artifacts,
            deliveries.where(WebhookEvent.is_pending()),
            deliveries.where(WebhookEvent.has_failed()),
            delivery_error,
            Project.scan_error,
        ).order_by(Project.name, Project.slug)
        width = len(_RECORD)
        return [ProjectSummary(ProjectRecord(*row[:width]), *row[width:]) for row in rows.tuples()]
