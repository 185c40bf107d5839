"""The audit log: one row for each tool call of an agent, allowed or not."""

import uuid

import peewee

from jive.clock import utcnow
from jive.models.base import BaseModel
from jive.models.enums import MCPResult
from jive.models.fields import EnumField, TimestampField
from jive.models.project import Project


class MCPAuditLog(BaseModel):
    """A tool call: who made it (`actor_*`), what it asked for (`tool`, `scope`), and how it ended (`result`).

    `args_hash` is the SHA-256 of the arguments, in hex; the arguments themselves are not stored.
    """

    id = peewee.UUIDField(primary_key=True, default=uuid.uuid4, constraints=[peewee.Default("gen_random_uuid()")])
    project = peewee.ForeignKeyField(Project, backref="mcp_audit_logs", on_delete="CASCADE", index=False)
    project_id: uuid.UUID
    actor_type = peewee.TextField(constraints=[peewee.Check("actor_type IN ('user', 'service_account')")])
    actor_id = peewee.TextField()
    actor_name = peewee.TextField()
    tool = peewee.TextField()
    scope = peewee.TextField()
    args_hash = peewee.TextField()
    result = EnumField(MCPResult, "result")
    error_message = peewee.TextField(null=True)
    timestamp = TimestampField(default=utcnow, constraints=[peewee.Default("now()")])
    ip_address = peewee.TextField()
    user_agent = peewee.TextField()

    class Meta:
        table_name = "mcp_audit_logs"
        indexes = (
            (("project", "timestamp"), False),
            (("actor_id", "timestamp"), False),
            (("tool", "timestamp"), False),
        )
