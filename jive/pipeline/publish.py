"""Publish events over Redis, and record in Postgres which ones it took."""

import logging
import uuid
from collections.abc import Sequence

import peewee

from jive.errors import RedisUnavailable
from jive.events import Envelope
from jive.models import Event
from jive.pubsub import publish_project_events

logger = logging.getLogger(__name__)


def publish(project_id: uuid.UUID, events: Sequence[Envelope]) -> bool:
    """Publish the events of one project in one round trip, and mark them as published.

    Returns False, with nothing marked, if Redis cannot be reached; a sweep publishes them later. A listener may
    receive an event twice, with the same id: a process can end between publishing and marking.
    """
    if not events:
        return True
    try:
        publish_project_events(events)
    except RedisUnavailable as exc:
        logger.warning("%d events of project %s were stored but not published: %s", len(events), project_id, exc)
        return False
    published = peewee.SQL("id = ANY(%s)", [[event.id for event in events]])  # one parameter; in_ has one per id
    Event.update(published_at=peewee.fn.now()).where(Event.project == project_id, published).execute()
    return True
