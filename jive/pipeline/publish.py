"""Tell the events that were written: Redis carries them, and Postgres knows which it took."""

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
    """Publish events of one project in one round trip, and mark them; return False if Redis did not take them.

    They are told again by a sweep until they are marked, so a listener may hear one twice, by the same id.
    """
    if not events:
        return True
    try:
        publish_project_events(events)
    except RedisUnavailable as exc:
        logger.warning("%d events of project %s are kept but not told yet: %s", len(events), project_id, exc)
        return False
    told = peewee.SQL("id = ANY(%s)", [[event.id for event in events]])  # one parameter, where in_ has thousands
    Event.update(published_at=peewee.fn.now()).where(Event.project == project_id, told).execute()
    return True
