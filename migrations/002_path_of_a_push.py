"""What the path of a push needs: events as rows, scans in order, secrets that rotate, statuses of documents."""

from typing import Any

UP = r"""
-- A repository however its URL is written: https, ssh or scp form, with or without user, port and .git.
CREATE FUNCTION repo_key(url text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(CASE
        WHEN url ~ '^(file://|/)' THEN regexp_replace(url, '^file://', '')
        WHEN url ~ '^[A-Za-z+]+://' THEN lower(regexp_replace(url, '^[A-Za-z+]+://([^@/]*@)?([^/:]+)(:\d+)?/*', '\2/'))
        ELSE lower(regexp_replace(url, '^([^@/:]*@)?([^/:]+):/*', '\2/'))
    END, '(/|\.git)+$', '')
$$;
CREATE UNIQUE INDEX projects_repo_key ON projects (repo_key(repo_url));

ALTER TABLE projects
    ADD branch                  text,                           -- the tracked branch; null is the remote's HEAD
    ADD previous_webhook_secret text,                           -- a Fernet token; valid while a secret is rotated
    ADD head                    text,                           -- the commit that the artifacts stand for
    ADD reading                 text,                           -- the rules by which they were read
    ADD scans_begun             bigint NOT NULL DEFAULT 0,
    ADD scan_applied            bigint NOT NULL DEFAULT 0,
    ADD last_event_id           bigint NOT NULL DEFAULT 0;

ALTER TABLE artifacts
    ADD status      varchar(32) CHECK (status IN (
                    'Backlog', 'Draft', 'Approved', 'InProgress', 'Review', 'Done', 'Blocked', 'Deferred', 'Cancelled',
                    'PASS', 'CONCERNS', 'FAIL', 'WAIVED')),
    ADD status_text text,                                       -- as the document has it
    ADD blob_id     text;                                       -- git's name of the content

CREATE INDEX webhook_events_unsettled ON webhook_events (received_at) WHERE NOT processed;

CREATE TABLE events (
    project_id   uuid        NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id           bigint      NOT NULL,                          -- counts per project, in the order of commits
    event        varchar(32) NOT NULL CHECK (event IN (
                     'agent_status_changed', 'artifact_updated', 'conflict_detected')),
    payload      jsonb       NOT NULL,
    timestamp    timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX events_unpublished ON events (timestamp) WHERE published_at IS NULL;
CREATE INDEX events_timestamp ON events (timestamp);
"""

DOWN = """
DROP TABLE events;
DROP INDEX webhook_events_unsettled;
ALTER TABLE artifacts DROP status, DROP status_text, DROP blob_id;
DROP INDEX projects_repo_key;
DROP FUNCTION repo_key;
ALTER TABLE projects
    DROP branch, DROP previous_webhook_secret, DROP head, DROP reading, DROP scans_begun, DROP scan_applied,
    DROP last_event_id;
"""


def migrate(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Add the columns and the table of events."""
    migrator.sql(UP)


def rollback(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Drop them, with what they hold."""
    migrator.sql(DOWN)
