"""The clock of this process."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the current time in UTC, aware."""
    return datetime.now(UTC)
