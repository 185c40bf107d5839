"""Store what was inferred before: the source, host and slug of projects, and the state of deliveries.

Additive: processes of version 0.1.0 keep working on this schema. Triggers fill in the columns that they do not know.
"""

from typing import Any

UP = r"""
ALTER TABLE projects
    ADD slug       text,                                        -- unique; made from the name
    ADD source     varchar(32) NOT NULL DEFAULT 'remote' CHECK (source IN ('remote', 'folder', 'sample')),
    ADD host       varchar(32) CHECK (host IN ('GITHUB', 'GITLAB', 'BITBUCKET')),
    ADD rules_hash text;                                        -- was `reading`, which a later release drops

ALTER TABLE webhook_events
    ADD state varchar(32) NOT NULL DEFAULT 'settled' CHECK (state IN ('received', 'waiting', 'settled', 'failed'));

CREATE FUNCTION free_slug(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    -- Letters lose their accents. Only a database in UTF-8 can take them apart.
    plain text := CASE WHEN current_setting('server_encoding') = 'UTF8'
        THEN regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g') ELSE name END;
    base text := trim('-' FROM left(regexp_replace(lower(plain COLLATE "C"), '[^a-z0-9]+', '-', 'g'), 60));
    free text;
BEGIN
    -- Two rows that are inserted at the same time must not find the same slug free.
    PERFORM pg_advisory_xact_lock(hashtext('projects.slug'));
    base := CASE WHEN base = '' THEN 'project' ELSE base END;
    free := base;
    FOR number IN 2..1000000 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM projects WHERE slug = free);
        free := base || '-' || number;
    END LOOP;
    RETURN free;
END $$;

-- Existing rows. updated_at stays: it says when a project was changed, or a scan of it began.
ALTER TABLE projects DISABLE TRIGGER set_updated_at;
UPDATE projects SET
    rules_hash = reading,
    host = CASE substring(repo_key(repo_url) FROM '^[^/]+')
        WHEN 'github.com' THEN 'GITHUB' WHEN 'gitlab.com' THEN 'GITLAB' WHEN 'bitbucket.org' THEN 'BITBUCKET' END,
    source = CASE
        WHEN repo_key(repo_url) = 'github.com/example/jive' THEN 'sample'
        WHEN repo_url ~ '^(file://|/)' THEN 'folder'
        WHEN head IS NULL AND reading IS NOT NULL               -- it was read, and not fetched
            AND EXISTS (SELECT FROM artifacts WHERE project_id = projects.id)
            AND NOT EXISTS (SELECT FROM webhook_events WHERE project_id = projects.id) THEN 'folder'
        ELSE 'remote' END;
DO $$
DECLARE
    project record;
BEGIN
    FOR project IN SELECT id, name FROM projects ORDER BY created_at, id LOOP
        UPDATE projects SET slug = free_slug(project.name) WHERE id = project.id;
    END LOOP;
END $$;
UPDATE projects SET scan_error = NULL WHERE source = 'sample';  -- it was fetched, and will not be again
ALTER TABLE projects ENABLE TRIGGER set_updated_at;
-- Settled deliveries, of which there may be millions, have their state by the default of the new column.
UPDATE webhook_events SET state = CASE
    WHEN retry_count >= 3 THEN 'failed'
    WHEN retry_count > 0 OR error_message IS NOT NULL THEN 'waiting'
    ELSE 'received' END
    WHERE NOT processed;
ALTER TABLE webhook_events ALTER state SET DEFAULT 'received';

ALTER TABLE projects
    ALTER slug SET NOT NULL,
    ADD CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$');
CREATE UNIQUE INDEX projects_slug ON projects (slug);
ALTER TABLE webhook_events ADD CONSTRAINT webhook_events_processed_is_settled CHECK (processed = (state = 'settled'));

CREATE FUNCTION complete_project() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.slug := coalesce(NEW.slug, free_slug(NEW.name));
        -- Version 0.1.0 does not know the source. It inserts a reading only for the project of a folder.
        IF NEW.rules_hash IS NULL AND NEW.reading IS NOT NULL THEN
            NEW.source := 'folder';
            NEW.rules_hash := NEW.reading;
        END IF;
    ELSIF NEW.rules_hash IS NOT DISTINCT FROM OLD.rules_hash AND NEW.reading IS DISTINCT FROM OLD.reading THEN
        NEW.rules_hash := NEW.reading;
    END IF;
    -- Only a scan of the remote knows a new head; this one was applied by version 0.1.0.
    IF TG_OP = 'UPDATE' AND NEW.source = 'folder' AND NEW.head IS DISTINCT FROM OLD.head AND NEW.head IS NOT NULL THEN
        NEW.source := 'remote';
    END IF;
    NEW.reading := NEW.rules_hash;
    RETURN NEW;
END $$;
CREATE TRIGGER complete_project BEFORE INSERT OR UPDATE ON projects
    FOR EACH ROW EXECUTE FUNCTION complete_project();

CREATE FUNCTION keep_delivery_state() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    writes_state boolean := CASE TG_OP WHEN 'INSERT' THEN NEW.state <> 'received' AND NOT NEW.processed
        ELSE NEW.state <> OLD.state END;
BEGIN
    IF writes_state THEN
        NEW.processed := NEW.state = 'settled';
        -- Version 0.1.0 takes a delivery for failed after three attempts, and for pending before.
        NEW.retry_count := CASE
            WHEN NEW.state = 'failed' THEN greatest(NEW.retry_count, 3)
            WHEN NEW.state <> 'settled' AND NEW.retry_count >= 3 THEN 0
            ELSE NEW.retry_count
        END;
    ELSIF TG_OP = 'INSERT' OR (NEW.processed, NEW.retry_count, NEW.error_message)
        IS DISTINCT FROM (OLD.processed, OLD.retry_count, OLD.error_message) THEN
        NEW.state := CASE
            WHEN NEW.processed THEN 'settled'
            WHEN NEW.retry_count >= 3 THEN 'failed'
            WHEN NEW.retry_count > 0 OR NEW.error_message IS NOT NULL THEN 'waiting'
            WHEN TG_OP = 'UPDATE' AND OLD.state IN ('waiting', 'failed') THEN 'waiting'
            ELSE 'received'
        END;
    END IF;
    NEW.processed_at := CASE WHEN NEW.processed THEN coalesce(NEW.processed_at, now()) END;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_new_delivery_state BEFORE INSERT ON webhook_events FOR EACH ROW
    WHEN (NEW.processed OR NEW.processed_at IS NOT NULL OR NEW.state <> 'received' OR NEW.retry_count <> 0
        OR NEW.error_message IS NOT NULL)
    EXECUTE FUNCTION keep_delivery_state();
CREATE TRIGGER keep_delivery_state BEFORE UPDATE ON webhook_events
    FOR EACH ROW EXECUTE FUNCTION keep_delivery_state();
"""

DOWN = """
DROP TRIGGER keep_new_delivery_state ON webhook_events;
DROP TRIGGER keep_delivery_state ON webhook_events;
DROP TRIGGER complete_project ON projects;
DROP FUNCTION keep_delivery_state, complete_project, free_slug;
ALTER TABLE webhook_events DROP state;
ALTER TABLE projects DROP slug, DROP source, DROP host, DROP rules_hash;
"""


def migrate(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Add the columns, fill them for the existing rows, and add the triggers."""
    migrator.sql(UP)


def rollback(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Drop the triggers, functions and columns."""
    migrator.sql(DOWN)
