"""Every error that JIVE raises on purpose: the class carries the decision, the message says what to do."""

from collections.abc import Sequence
from typing import Any, ClassVar


class JiveError(Exception):
    """Something went wrong inside JIVE.

    Attributes:
        code: the word for it in JSON answers.
        status: the HTTP status that tells it.
        retryable: whether the same call may succeed later, unchanged.
        details: facts for the caller, never secrets.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, **details: Any) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        self.details = details


class SettingsError(JiveError):
    """The settings are incomplete or wrong."""

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
    """The database's schema is not the one that this version of JIVE expects."""

    code = "schema_mismatch"
    status = 503


class MigrationFailed(JiveError):
    """A migration failed; the database is as it was before."""

    code = "migration_failed"


class InvalidValue(JiveError, ValueError):
    """A value is not one that its field takes; nothing was written."""

    code = "invalid_value"
    status = 400


class NotFound(JiveError):
    """There is nothing by that name."""

    code = "not_found"
    status = 404


class MethodNotAllowed(JiveError):
    """This address does not take that method."""

    code = "method_not_allowed"
    status = 405


class ProjectExists(JiveError):
    """A project with this repository URL exists already; nothing was written."""

    code = "project_exists"
    status = 409


class MalformedDelivery(JiveError):
    """A delivery is not what its host sends; nothing was recorded."""

    code = "malformed_delivery"
    status = 400


class DeliveryRefused(JiveError):
    """The repository is unknown, or the signature is wrong; nothing was recorded."""

    code = "delivery_refused"
    status = 401


class BodyTooLarge(JiveError):
    """The body is larger than is taken; nothing was recorded."""

    code = "body_too_large"
    status = 413


class ScanFailed(JiveError):
    """A repository could not be read; its project is as it was before."""

    code = "scan_failed"
    retryable = True


class RepositoryRefused(ScanFailed):
    """The settings do not allow this repository; trying again changes nothing."""

    code = "repository_refused"
    status = 400
    retryable = False


class ServerUnavailable(JiveError):
    """A server that `jive up` needs could not be found or did not start."""

    code = "server_unavailable"
