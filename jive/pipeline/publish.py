"""Publish events: Redis carries them to listeners, and Postgres records which ones it took."""

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
    """Publish events of one project in one round trip and mark them as published.

    Returns False, with nothing marked, if Redis did not take them; a sweep then publishes them. A listener may
    therefore receive an event twice, with the same id.
    """
    if not events:
        return True
    try:
        publish_project_events(events)
    except RedisUnavailable as exc:
        logger.warning("%d events of project %s are stored and not published yet: %s", len(events), project_id, exc)
        return False
    published = peewee.SQL("id = ANY(%s)", [[event.id for event in events]])  # one parameter; in_ has one per id
    Event.update(published_at=peewee.fn.now()).where(Event.project == project_id, published).execute()
    return True
