"""The closed sets of values that the schema knows."""

from enum import StrEnum


class ArtifactType(StrEnum):
    """What kind of document an artifact is."""

    PRD = "PRD"
    ARCHITECTURE = "ARCHITECTURE"
    STORY = "STORY"
    QA = "QA"
    OTHER = "OTHER"


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
