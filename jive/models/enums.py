"""The closed sets of values of the schema; each column that holds one has a CHECK."""

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
    """Where a delivery stands; `docs/architecture.md` draws how it changes."""

    RECEIVED = "received"  # no scan has tried it
    WAITING = "waiting"  # an attempt failed, and will be retried
    SETTLED = "settled"  # a scan has answered it, or it asks for no scan
    FAILED = "failed"  # every attempt failed


class ArtifactType(StrEnum):
    """What kind of document an artifact is."""

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
    """How an agent's tool call ended."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    UNAUTHORIZED = "UNAUTHORIZED"
    RATE_LIMITED = "RATE_LIMITED"
