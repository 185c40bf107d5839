"""The first schema: projects, their artifacts, their hosts' deliveries and their agents' tool calls."""

from typing import Any

UP = """
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE TABLE projects (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    name           text        NOT NULL,
    repo_url       text        NOT NULL,
    webhook_secret text        NOT NULL,                -- a Fernet token, never the secret itself
    config         jsonb       NOT NULL DEFAULT '{}' CHECK (octet_length(config::text) <= 131072),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    last_seen      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX projects_repo_url ON projects (repo_url);

CREATE TABLE artifacts (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id   uuid        NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    path         text        NOT NULL,
    name         text        NOT NULL,
    type         varchar(32) NOT NULL CHECK (type IN ('PRD', 'ARCHITECTURE', 'STORY', 'QA', 'OTHER')),
    version      text,
    created_by   text,
    created_at   timestamptz,                           -- what the document says of itself
    updated_at   timestamptz NOT NULL DEFAULT now(),
    dependencies jsonb       NOT NULL DEFAULT '[]',     -- [{"path": str, "version": str or null}, ...]
    content      text
);
CREATE UNIQUE INDEX artifacts_project_id_path ON artifacts (project_id, path);
CREATE INDEX artifacts_project_id_type ON artifacts (project_id, type);
CREATE INDEX artifacts_project_id_updated_at ON artifacts (project_id, updated_at);

CREATE TABLE webhook_events (
    id            text        PRIMARY KEY,              -- the host's own delivery id
    source        varchar(32) NOT NULL CHECK (source IN ('GITHUB', 'GITLAB', 'BITBUCKET')),
    project_id    uuid        NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    event_type    text        NOT NULL,
    payload_hash  text        NOT NULL,
    processed     boolean     NOT NULL DEFAULT false,
    processed_at  timestamptz,
    retry_count   integer     NOT NULL DEFAULT 0,
    error_message text,
    received_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX webhook_events_id_source ON webhook_events (id, source);
CREATE INDEX webhook_events_project_id_processed ON webhook_events (project_id, processed);
CREATE INDEX webhook_events_payload_hash ON webhook_events (payload_hash);

CREATE TABLE mcp_audit_logs (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    project_id    uuid        NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    actor_type    text        NOT NULL CHECK (actor_type IN ('user', 'service_account')),
    actor_id      text        NOT NULL,
    actor_name    text        NOT NULL,
    tool          text        NOT NULL,
    scope         text        NOT NULL,
    args_hash     text        NOT NULL,                 -- SHA-256: the arguments themselves are not kept
    result        varchar(32) NOT NULL CHECK (result IN ('SUCCESS', 'FAILURE', 'UNAUTHORIZED', 'RATE_LIMITED')),
    error_message text,
    timestamp     timestamptz NOT NULL DEFAULT now(),
    ip_address    text        NOT NULL,
    user_agent    text        NOT NULL
);
CREATE INDEX mcp_audit_logs_project_id_timestamp ON mcp_audit_logs (project_id, timestamp);
CREATE INDEX mcp_audit_logs_actor_id_timestamp ON mcp_audit_logs (actor_id, timestamp);
CREATE INDEX mcp_audit_logs_tool_timestamp ON mcp_audit_logs (tool, timestamp);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON artifacts FOR EACH ROW EXECUTE FUNCTION set_updated_at();
"""

DOWN = """
DROP TABLE mcp_audit_logs, webhook_events, artifacts, projects;
DROP FUNCTION set_updated_at();
"""


def migrate(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Create the first four tables."""
    migrator.sql(UP)


def rollback(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Drop them, with everything in them."""
    migrator.sql(DOWN)
