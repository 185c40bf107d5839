"""Rows for tests: each call makes one that differs from every other."""

import itertools
from typing import Any

from jive.models import Artifact, Event, MCPAuditLog, Project, WebhookEvent
from jive.models.enums import ArtifactType, MCPResult, WebhookSource

_numbers = itertools.count(1)


def make_project(**fields: Any) -> Project:
    number = next(_numbers)
    made = {
        "name": f"Project {number}",
        "repo_url": f"https://github.com/example/project-{number}",
        "webhook_secret": "test-secret",
        "config": {"prdFile": "docs/prd.md", "architectureFile": "docs/architecture.md"},
    }
    return Project.create(**made | fields)


def make_artifact(project: Project, **fields: Any) -> Artifact:
    number = next(_numbers)
    made = {"path": f"docs/{number}.md", "name": f"Document {number}", "type": ArtifactType.OTHER}
    return Artifact.create(project=project, **made | fields)


def make_delivery(project: Project, **fields: Any) -> WebhookEvent:
    number = next(_numbers)
    made = {
        "id": f"delivery-{number}",
        "source": WebhookSource.GITHUB,
        "event_type": "push",
        "payload_hash": "0" * 64,
    }
    return WebhookEvent.create(project=project, **made | fields)


def make_event(project: Project, **fields: Any) -> Event:
    made = {"id": next(_numbers), "event": "artifact_updated", "payload": {"path": "docs/a.md"}}
    return Event.create(project=project, **made | fields)


def make_audit_log(project: Project, **fields: Any) -> MCPAuditLog:
    made = {
        "actor_type": "service_account",
        "actor_id": "agent-7",
        "actor_name": "Build agent",
        "tool": "get_artifact",
        "scope": "project:read",
        "args_hash": "a" * 64,
        "result": MCPResult.SUCCESS,
        "ip_address": "203.0.113.9",
        "user_agent": "agent/1.0",
    }
    return MCPAuditLog.create(project=project, **made | fields)
