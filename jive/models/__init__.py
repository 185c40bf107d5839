"""What JIVE keeps: one module a model, and MODELS, the register that migrations are compared with.

A project has many artifacts, webhook events, audit logs and events; all of them go when the project goes.
"""

from jive.models.artifact import Artifact
from jive.models.base import BaseModel
from jive.models.event import Event
from jive.models.mcp_audit_log import MCPAuditLog
from jive.models.project import Project
from jive.models.webhook_event import WebhookEvent

MODELS: tuple[type[BaseModel], ...] = (Project, Artifact, WebhookEvent, MCPAuditLog, Event)

__all__ = ["MODELS", "Artifact", "Event", "MCPAuditLog", "Project", "WebhookEvent"]
