"""A delivery that a Git host made, kept whatever became of it."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

import peewee

from jive.clock import utcnow
from jive.db import BaseModel
from jive.models.enums import WebhookSource
from jive.models.fields import EnumField, TimestampField
from jive.models.project import Project

MAX_ATTEMPTS = 3


class WebhookEvent(BaseModel):
    """A delivery, known by the id that its host gave it.

    `payload_hash` is the SHA-256 of the raw body, in hex. `processed` is true once a scan has settled it.
    One that failed `MAX_ATTEMPTS` times rests, with its error, until it is retried by hand or delivered again.
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

    @classmethod
    def unsettled(cls) -> Any:
        """Return the condition that a delivery waits for a scan: not settled, and not resting with its error."""
        return peewee.SQL("NOT processed") & (cls.retry_count < MAX_ATTEMPTS)

    @classmethod
    def resting(cls) -> Any:
        """Return the condition that a delivery failed too often and rests with its error."""
        return peewee.SQL("NOT processed") & (cls.retry_count >= MAX_ATTEMPTS)

    @classmethod
    def settle(cls, project_id: uuid.UUID, until: datetime) -> int:
        """Mark every delivery of the project that was received until then as settled; return how many."""
        query = cls.update(processed=True, processed_at=peewee.fn.now(), error_message=None)
        return int(query.where(cls.of(project_id, until)).execute())

    @classmethod
    def count_failure(cls, project_id: uuid.UUID, until: datetime, reason: str, *, final: bool) -> int:
        """Count a failed attempt on every delivery that waited for it; return how many. A final one is the last."""
        attempts = MAX_ATTEMPTS if final else cls.retry_count + 1
        query = cls.update(retry_count=attempts, error_message=reason)
        return int(query.where(cls.of(project_id, until) & cls.unsettled()).execute())

    @classmethod
    def of(cls, project_id: uuid.UUID, until: datetime) -> Any:
        """Return the condition that a delivery is the project's, not settled, and received until then."""
        return (cls.project == project_id) & peewee.SQL("NOT processed") & (cls.received_at <= until)

    @classmethod
    def revive(cls, ids: Collection[str] | None = None) -> list[uuid.UUID]:
        """Let resting deliveries (those with these ids, or all) wait for a scan again; return their projects."""
        query = cls.update(retry_count=0, error_message=None).where(cls.resting())
        if ids is not None:
            query = query.where(cls.id.in_(list(ids)))
        return sorted({project_id for (project_id,) in query.returning(cls.project).tuples().execute()})


# What a sweep looks for, whatever else has piled up.
WebhookEvent.add_index(
    WebhookEvent.index(WebhookEvent.received_at, name="webhook_events_unsettled").where(peewee.SQL("NOT processed"))
)
