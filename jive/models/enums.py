"""The closed sets of values that the schema knows."""

from enum import StrEnum


class ArtifactType(StrEnum):
    """What kind of document an artifact is."""

    PRD = "PRD"
    ARCHITECTURE = "ARCHITECTURE"
    STORY = "STORY"
    QA = "QA"
    OTHER = "OTHER"


class ArtifactStatus(StrEnum):
    """Where a story stands, or what a QA gate decided; stories first."""

    BACKLOG = "Backlog"
    DRAFT = "Draft"
    APPROVED = "Approved"
    IN_PROGRESS = "InProgress"
    REVIEW = "Review"
    DONE = "Done"
    BLOCKED = "Blocked"
    DEFERRED = "Deferred"
    CANCELLED = "Cancelled"
    PASS = "PASS"  # noqa: S105  # no password
    CONCERNS = "CONCERNS"
    FAIL = "FAIL"
    WAIVED = "WAIVED"


class WebhookSource(StrEnum):
    """The Git host that sent a delivery."""

    GITHUB = "GITHUB"
    GITLAB = "GITLAB"
    BITBUCKET = "BITBUCKET"


class MCPResult(StrEnum):
    """How an agent's tool call ended."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    UNAUTHORIZED = "UNAUTHORIZED"
    RATE_LIMITED = "RATE_LIMITED"
