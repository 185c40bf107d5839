"""The one clock of a process."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the time now, aware, in UTC."""
    return datetime.now(UTC)
