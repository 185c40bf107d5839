"""A delivery that a Git host made, kept whatever became of it."""

import uuid

import peewee

from jive.clock import utcnow
from jive.db import BaseModel
from jive.models.enums import WebhookSource
from jive.models.fields import EnumField, TimestampField
from jive.models.project import Project


class WebhookEvent(BaseModel):
    """A delivery, known by the id that its host gave it.

    `payload_hash` is the SHA-256 of the raw body, in hex. `processed` is true once a scan has settled it.
    """

    id = peewee.TextField(primary_key=True)
    source = EnumField(WebhookSource, "source")
    project = peewee.ForeignKeyField(Project, backref="webhook_events", on_delete="CASCADE", index=False)
    project_id: uuid.UUID
    event_type = peewee.TextField()
    payload_hash = peewee.TextField()
    processed = peewee.BooleanField(default=False, constraints=[peewee.Default("false")])
    processed_at = TimestampField(null=True)
    retry_count = peewee.IntegerField(default=0, constraints=[peewee.Default("0")])
    error_message = peewee.TextField(null=True)
    received_at = TimestampField(default=utcnow, constraints=[peewee.Default("now()")])

    class Meta:
        table_name = "webhook_events"
        indexes = (
            (("id", "source"), True),
            (("project", "processed"), False),
            (("payload_hash",), False),
        )
