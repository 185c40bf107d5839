"""The sweep: enqueue the scans and publish the events that were missed, and delete what is no longer needed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import peewee

from jive import settings
from jive.db import connection
from jive.models import Event, Project, WebhookEvent
from jive.models.enums import ProjectSource
from jive.pipeline import mirrors
from jive.pipeline.publish import publish

JOB_GRACE_S = 5  # a new delivery or project has a job of its own; after this time the job is taken to be lost
PUBLISH_GRACE_S = 2  # the process that wrote an event publishes it within this time
PUBLISH_BATCH = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepResult:
    """What a sweep did: how many scans it enqueued, events it published, and old events it deleted."""

    scans: int
    events: int
    deleted: int


def sweep(enqueue: Callable[[Project], None]) -> SweepResult:
    """Do what was recorded in Postgres and not done yet; safe to repeat, and to run in many workers at once.

    Args:
        enqueue: enqueues a scan of a project. An error that it raises ends this sweep; the next one does the rest.

    Raises:
        DatabaseUnavailable: nothing was done.
    """
    config = settings.current()
    with connection():
        projects = _projects_to_scan(config)
        for project in projects:
            enqueue(project)
        result = SweepResult(len(projects), _publish_unpublished(), _delete_old_events(config))
        _delete_mirrors_of_removed_projects()
    if result.scans or result.events:
        logger.info("swept: %d scans enqueued, %d events published", result.scans, result.events)
    return result


def _ago(seconds: float) -> peewee.Expression:
    return peewee.fn.now() - timedelta(seconds=seconds)


def _projects_to_scan(config: settings.Settings) -> list[Project]:
    jobs_may_be_lost_at = _ago(min(JOB_GRACE_S, config.sweep_interval_s / 2))
    pending = WebhookEvent.select(WebhookEvent.project).where(
        WebhookEvent.is_pending(), WebhookEvent.received_at < jobs_may_be_lost_at
    )
    never_scanned = (Project.scans_begun == 0) & (Project.updated_at < jobs_may_be_lost_at)
    # A scan moves updated_at when it begins, however it ends.
    is_old = Project.updated_at < _ago(config.rescan_interval_s)
    is_due = (Project.source == ProjectSource.REMOTE) & (is_old | never_scanned)
    fields = (Project.id, Project.repo_url, Project.branch)
    return list(Project.select(*fields).where(Project.id.in_(pending) | is_due))


def _publish_unpublished() -> int:
    """Publish the unpublished events of each project, oldest first; return how many Redis took."""
    published = 0
    is_unpublished = Event.published_at.is_null() & (Event.timestamp < _ago(PUBLISH_GRACE_S))
    projects: Any = Event.select(Event.project).where(is_unpublished).distinct().tuples()
    for (project_id,) in projects:
        rows = Event.select().where(is_unpublished, Event.project == project_id).order_by(Event.id).limit(PUBLISH_BATCH)
        events = [row.envelope() for row in rows]
        if not publish(project_id, events):
            break
        published += len(events)
    return published


def _delete_old_events(config: settings.Settings) -> int:
    is_old = (Event.timestamp < _ago(config.event_days * 86_400)) & Event.published_at.is_null(False)
    return int(Event.delete().where(is_old).execute())


def _delete_mirrors_of_removed_projects() -> None:
    mirrored = mirrors.project_ids()  # before the query, so that the mirror of a project added meanwhile is kept
    existing: Any = Project.select(Project.id).where(Project.id.in_(mirrored)).tuples()
    mirrors.delete(mirrored - {project_id for (project_id,) in existing})
