"""A delivery: one request of a Git host's webhook."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

import peewee

from jive.clock import utcnow
from jive.models.base import BaseModel
from jive.models.enums import DeliveryState, WebhookSource
from jive.models.fields import EnumField, TimestampField
from jive.models.project import Project

MAX_ATTEMPTS = 3  # keep equal to the 3 in the trigger keep_delivery_state (models/functions.py)


class WebhookEvent(BaseModel):
    """A delivery, identified by the id that its Git host gave it.

    Attributes:
        payload_hash: the SHA-256 of the raw body, in hex.
        state: whether it needs a scan; see `DeliveryState`.
        processed: whether `state` is settled. A trigger keeps the two in step, whichever is written.
        retry_count: how many attempts failed; `MAX_ATTEMPTS` as soon as another attempt cannot help.
        error_message: why the last attempt failed.
    """

    id = peewee.TextField(primary_key=True)
    source = EnumField(WebhookSource, "source")
    project = peewee.ForeignKeyField(Project, backref="webhook_events", on_delete="CASCADE", index=False)
    project_id: uuid.UUID
    event_type = peewee.TextField()
    payload_hash = peewee.TextField()
    state = EnumField(
        DeliveryState, "state", default=DeliveryState.RECEIVED, constraints=[peewee.Default("'received'")]
    )
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
        constraints = (peewee.Check("processed = (state = 'settled')", name="webhook_events_processed_is_settled"),)

    @classmethod
    def is_pending(cls) -> Any:
        """Return a condition: the delivery needs a scan, because it is received or waiting."""
        # NOT processed is what the partial index on received_at covers.
        return peewee.SQL("NOT processed") & (cls.state != DeliveryState.FAILED)

    @classmethod
    def has_failed(cls) -> Any:
        """Return a condition: the delivery has failed."""
        return peewee.SQL("NOT processed") & (cls.state == DeliveryState.FAILED)

    @classmethod
    def settle(cls, project_id: uuid.UUID, until: datetime) -> int:
        """Settle the deliveries of a project that were received by `until`, failed ones too; return how many."""
        query = cls.update(state=DeliveryState.SETTLED, error_message=None)
        return int(query.where(cls._is_unsettled(project_id, until)).execute())

    @classmethod
    def count_failure(cls, project_id: uuid.UUID, until: datetime, reason: str, *, final: bool) -> int:
        """Count a failed attempt on the pending deliveries of a project that were received by `until`.

        Args:
            reason: why the attempt failed.
            final: whether another attempt would fail too; if so, the deliveries fail at once.

        Returns how many deliveries there were.
        """
        attempts = MAX_ATTEMPTS if final else cls.retry_count + 1
        state = peewee.Case(None, [(attempts >= MAX_ATTEMPTS, DeliveryState.FAILED.value)], DeliveryState.WAITING.value)
        query = cls.update(retry_count=attempts, error_message=reason, state=state)
        return int(query.where(cls._is_unsettled(project_id, until) & cls.is_pending()).execute())

    @classmethod
    def _is_unsettled(cls, project_id: uuid.UUID, until: datetime) -> Any:
        return (cls.project == project_id) & peewee.SQL("NOT processed") & (cls.received_at <= until)

    @classmethod
    def retry(cls, ids: Collection[str] | None = None) -> list[uuid.UUID]:
        """Make failed deliveries wait for another scan: those with these ids, or all if None; return their projects."""
        query = cls.update(state=DeliveryState.WAITING, retry_count=0, error_message=None).where(cls.has_failed())
        if ids is not None:
            query = query.where(cls.id.in_(list(ids)))
        return sorted({project_id for (project_id,) in query.returning(cls.project).tuples().execute()})


# For the sweep, which looks for pending deliveries: settled ones pile up, and are not in this index.
WebhookEvent.add_index(
    WebhookEvent.index(WebhookEvent.received_at, name="webhook_events_unsettled").where(peewee.SQL("NOT processed"))
)
