"""Events: their names, their envelope, and the channels that carry them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from jive.clock import utcnow
from jive.errors import InvalidValue


class EventName(StrEnum):
    """The kinds of events."""

    AGENT_STATUS_CHANGED = "agent_status_changed"
    ARTIFACT_UPDATED = "artifact_updated"
    CONFLICT_DETECTED = "conflict_detected"


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """An event of a project, as listeners receive it.

    Attributes:
        payload: a JSON object; its keys depend on the event.
        id: counts from 1 in each project; None if the event is not stored in the outbox.
    """

    event: EventName
    project_id: UUID
    payload: Mapping[str, Any]
    timestamp: datetime = field(default_factory=utcnow)
    id: int | None = None

    def numbered(self, id: int) -> "Envelope":
        """Return the same event with its id."""
        return replace(self, id=id)

    def to_dict(self) -> dict[str, Any]:
        """Return the envelope: `event`, `projectId`, `timestamp` (ISO 8601, UTC, with Z), `payload`, `id`."""
        return {
            "event": self.event.value,
            "projectId": str(self.project_id),
            "timestamp": self.timestamp.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "payload": dict(self.payload),
            "id": self.id,
        }

    @classmethod
    def from_dict(cls, data: Any) -> "Envelope":
        """Return the envelope that `to_dict` made `data` from.

        Raises:
            InvalidValue: `data` is not an envelope, or one of an unknown event.
        """
        try:
            return cls(
                event=EventName(data["event"]),
                project_id=UUID(data["projectId"]),
                payload=dict(data["payload"]),
                timestamp=datetime.fromisoformat(data["timestamp"]),
                id=None if data.get("id") is None else int(data["id"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise InvalidValue(f"This is not an event: {json.dumps(data)[:200]}") from exc


def artifact_updated(
    project_id: UUID,
    *,
    path: str,
    type: str,
    version: str | None,
    change: Literal["created", "updated", "deleted"],
) -> Envelope:
    """Return the event of a changed document; its payload has these four keys."""
    payload = {"path": path, "type": str(type), "version": version, "change": change}
    return Envelope(event=EventName.ARTIFACT_UPDATED, project_id=project_id, payload=payload)


def channel(project_id: UUID) -> str:
    """Return the Redis channel that carries the events of a project."""
    return f"project:{project_id}"
