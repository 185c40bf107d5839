"""Every minute: do again what was recorded and not settled, tell what was written and not told, and tidy up."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import peewee

from jive import settings
from jive.db import connection
from jive.models import Event, Project, WebhookEvent
from jive.pipeline import mirrors
from jive.pipeline.publish import publish

JOB_GRACE_S = 5  # what has arrived has so long for its own job
PUBLISH_GRACE_S = 2  # the process that wrote an event has so long to tell it
PUBLISH_BATCH = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What a sweep did: scans enqueued, events told, old events dropped."""

    scans: int
    events: int
    dropped: int


def sweep(enqueue: Callable[[Project], None]) -> Swept:
    """Look through the tables for what was left undone; safe to repeat and to run at once in many workers.

    Args:
        enqueue: has a project scanned soon; an error of it ends the sweep, and the next one comes.

    Raises:
        DatabaseUnavailable: nothing was done.
    """
    config = settings.current()
    with connection():
        projects = _projects_to_scan(config)
        for project in projects:
            enqueue(project)
        swept = Swept(len(projects), _publish_untold(), _drop_old(config))
        _forget_removed_projects()
    if swept.scans or swept.events:
        logger.info("swept: %d scans enqueued, %d events told", swept.scans, swept.events)
    return swept


def _ago(seconds: float) -> peewee.Expression:
    return peewee.fn.now() - timedelta(seconds=seconds)


def _projects_to_scan(config: settings.Settings) -> list[Project]:
    # What has just arrived has its own job; only what waits for longer was missed.
    waiting = WebhookEvent.select(WebhookEvent.project).where(
        WebhookEvent.unsettled(), WebhookEvent.received_at < _ago(min(JOB_GRACE_S, config.sweep_interval_s / 2))
    )
    # A scan that begins moves updated_at, however it ends. What a folder was read into has no head to be fetched.
    is_due = (Project.head.is_null(False) | Project.reading.is_null()) & (
        Project.updated_at < _ago(config.rescan_interval_s)
    )
    fields = (Project.id, Project.repo_url, Project.branch)
    return list(Project.select(*fields).where(Project.id.in_(waiting) | is_due))


def _publish_untold() -> int:
    """Tell what was written and not told, oldest first; return how much Redis took."""
    told = 0
    is_untold = Event.published_at.is_null() & (Event.timestamp < _ago(PUBLISH_GRACE_S))
    behind: Any = Event.select(Event.project).where(is_untold).distinct().tuples()
    for (project_id,) in behind:
        rows = Event.select().where(is_untold, Event.project == project_id).order_by(Event.id).limit(PUBLISH_BATCH)
        events = [row.envelope() for row in rows]
        if not publish(project_id, events):
            break
        told += len(events)
    return told


def _forget_removed_projects() -> None:
    here = mirrors.kept()  # first, so that a project which is added now is not among them
    known: Any = Project.select(Project.id).where(Project.id.in_(here)).tuples()
    mirrors.forget(here - {project_id for (project_id,) in known})


def _drop_old(config: settings.Settings) -> int:
    is_old = (Event.timestamp < _ago(config.event_days * 86_400)) & Event.published_at.is_null(False)
    return int(Event.delete().where(is_old).execute())
