"""An event of a project: a row of the outbox, written together with the change that it reports."""

import uuid

import peewee

from jive.clock import utcnow
from jive.events import Envelope, EventName
from jive.models.base import BaseModel
from jive.models.fields import EnumField, JsonbField, TimestampField
from jive.models.project import Project

MAX_PAYLOAD_BYTES = 65_536


class Event(BaseModel):
    """An event, identified by its project and its id.

    Attributes:
        id: counts from 1 in each project, in the order of commits, without gaps.
        payload: a JSON object; its keys depend on `event`.
        published_at: when Redis took the event; None while it is unpublished.
    """

    project = peewee.ForeignKeyField(Project, backref="events", on_delete="CASCADE", index=False)
    project_id: uuid.UUID
    id = peewee.BigIntegerField()
    event = EnumField(EventName, "event")
    payload = JsonbField(MAX_PAYLOAD_BYTES)
    timestamp = TimestampField(default=utcnow, constraints=[peewee.Default("now()")])
    published_at = TimestampField(null=True)

    class Meta:
        table_name = "events"
        primary_key = peewee.CompositeKey("project", "id")

    def envelope(self) -> Envelope:
        """Return the event as it is published."""
        return Envelope(
            event=EventName(self.event),
            project_id=self.project_id,
            payload=self.payload,
            timestamp=self.timestamp,
            id=self.id,
        )


Event.add_index(Event.index(Event.timestamp, name="events_unpublished").where(Event.published_at.is_null()))
Event.add_index(Event.timestamp)
