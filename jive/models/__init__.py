"""The models, one module per table; `MODELS` is their register, which `drift` compares the database with.

A project has many artifacts, webhook events, audit logs and events; deleting a project deletes them.
"""

from jive.models.artifact import Artifact
from jive.models.base import BaseModel
from jive.models.event import Event
from jive.models.mcp_audit_log import MCPAuditLog
from jive.models.project import Project
from jive.models.webhook_event import WebhookEvent

MODELS: tuple[type[BaseModel], ...] = (Project, Artifact, WebhookEvent, MCPAuditLog, Event)

__all__ = ["MODELS", "Artifact", "Event", "MCPAuditLog", "Project", "WebhookEvent"]
