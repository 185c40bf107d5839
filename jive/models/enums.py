"""The enums of the schema; each column that holds one has a CHECK."""

from enum import StrEnum


class ProjectSource(StrEnum):
    """Where a project's documents come from; `docs/architecture.md` draws how it changes."""

    REMOTE = "remote"  # a repository that JIVE fetches
    FOLDER = "folder"  # a folder that was read with `jive scan FOLDER`
    SAMPLE = "sample"  # `jive seed`; never fetched


class WebhookSource(StrEnum):
    """A kind of Git host."""

    GITHUB = "GITHUB"
    GITLAB = "GITLAB"
    BITBUCKET = "BITBUCKET"


class DeliveryState(StrEnum):
    """The state of a delivery; `docs/architecture.md` draws how it changes."""

    RECEIVED = "received"  # no scan has tried it
    WAITING = "waiting"  # an attempt failed, or it is to be retried
    SETTLED = "settled"  # a scan that began after it was received was applied, or it needs no scan
    FAILED = "failed"  # after three attempts, or one that the settings refuse


class ArtifactType(StrEnum):
    """The type of a document."""

    PRD = "PRD"
    ARCHITECTURE = "ARCHITECTURE"
    STORY = "STORY"
    QA = "QA"
    OTHER = "OTHER"


class ArtifactStatus(StrEnum):
    """The state of a story, or the decision of a QA gate."""

    BACKLOG = "Backlog"
    DRAFT = "Draft"
    APPROVED = "Approved"
    IN_PROGRESS = "InProgress"
    REVIEW = "Review"
    DONE = "Done"
    BLOCKED = "Blocked"
    DEFERRED = "Deferred"
    CANCELLED = "Cancelled"
    PASS = "PASS"  # noqa: S105  # not a password
    CONCERNS = "CONCERNS"
    FAIL = "FAIL"
    WAIVED = "WAIVED"


class MCPResult(StrEnum):
    """The outcome of an agent's tool call."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    UNAUTHORIZED = "UNAUTHORIZED"
    RATE_LIMITED = "RATE_LIMITED"
