"""The errors that JIVE raises: the class decides the HTTP status and whether to retry.

The docstring of a class is its default message. Users and clients of the API see the messages.
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class JiveError(Exception):
    """An internal error occurred.

    Attributes:
        code: identifies the error in JSON.
        status: the HTTP status.
        retryable: whether the same call may succeed later.
        details: facts for the caller, without secrets.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, **details: Any) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        self.details = details


class SettingsError(JiveError):
    """Settings are missing or invalid."""

    code = "settings"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(["The settings have problems:", *(f"  {line}" for line in problems)]))
        self.problems = tuple(problems)


class NotRunning(JiveError):
    """JIVE is not running here: make up"""

    code = "not_running"

    def __init__(self) -> None:
        super().__init__(
            "JIVE is not running here: make up\n"
            "  (or set DATABASE_URL, REDIS_URL and JIVE_SECRET_KEYS; docs/settings.md says what they mean)"
        )


class StoreUnavailable(JiveError):
    """A store cannot be reached."""

    code = "store_unavailable"
    status = 503
    retryable = True


class DatabaseUnavailable(StoreUnavailable):
    """Postgres cannot be reached."""

    code = "database_unavailable"


class RedisUnavailable(StoreUnavailable):
    """Redis cannot be reached."""

    code = "redis_unavailable"


class SchemaMismatch(JiveError):
    """The schema of the database is not the one that this version of JIVE expects."""

    code = "schema_mismatch"
    status = 503


class MigrationFailed(JiveError):
    """A migration failed; the database is unchanged."""

    code = "migration_failed"


class InvalidValue(JiveError, ValueError):
    """A value is not allowed; nothing was changed."""

    code = "invalid_value"
    status = 400


class NotFound(JiveError):
    """The requested object does not exist."""

    code = "not_found"
    status = 404


class MethodNotAllowed(JiveError):
    """The method is not allowed at this address."""

    code = "method_not_allowed"
    status = 405


class ProjectExists(JiveError):
    """A project with this repository exists already; nothing was changed."""

    code = "project_exists"
    status = 409


class MalformedDelivery(JiveError):
    """The request is not a delivery of this Git host; nothing was recorded."""

    code = "malformed_delivery"
    status = 400


class DeliveryRefused(JiveError):
    """The repository is unknown, or the signature is wrong; nothing was recorded."""

    code = "delivery_refused"
    status = 401


class BodyTooLarge(JiveError):
    """The body is too large; nothing was recorded."""

    code = "body_too_large"
    status = 413


class ScanFailed(JiveError):
    """The repository could not be read; its project is unchanged."""

    code = "scan_failed"
    retryable = True


class RepositoryRefused(ScanFailed):
    """The settings do not allow this repository."""

    code = "repository_refused"
    status = 400
    retryable = False


class ServerUnavailable(JiveError):
    """A server is missing, did not start, or cannot be used."""

    code = "server_unavailable"
