"""The functions and triggers of the schema, as SQL; the migrations must create the same.

`drift` compares the live functions with `FUNCTIONS`, and the live triggers with `TRIGGERS`.
"""

FUNCTIONS = {
    "set_updated_at": """
CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$""",
    "repo_key": r"""
CREATE OR REPLACE FUNCTION repo_key(url text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(CASE
        WHEN url ~ '^(file://|/)' THEN regexp_replace(url, '^file://', '')
        WHEN url ~ '^[A-Za-z+]+://' THEN lower(regexp_replace(url, '^[A-Za-z+]+://([^@/]*@)?([^/:]+)(:\d+)?/*', '\2/'))
        ELSE lower(regexp_replace(url, '^([^@/:]*@)?([^/:]+):/*', '\2/'))
    END, '(/|\.git)+$', '')
$$""",
    "free_slug": r"""
CREATE OR REPLACE FUNCTION free_slug(name text) RETURNS text LANGUAGE plpgsql AS $$
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
END $$""",
    "complete_project": """
CREATE OR REPLACE FUNCTION complete_project() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$""",
    "keep_delivery_state": """
CREATE OR REPLACE FUNCTION keep_delivery_state() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$""",
    "record_deliveries": """
CREATE OR REPLACE FUNCTION record_deliveries(
    ids text[], sources text[], project_ids uuid[], event_types text[], payload_hashes text[], settled boolean[],
    as_of timestamptz[]
) RETURNS SETOF text LANGUAGE plpgsql SET lock_timeout = '1s' AS $$
BEGIN
    RETURN QUERY
    INSERT INTO webhook_events (id, source, project_id, event_type, payload_hash, processed, processed_at)
    SELECT given.id, given.source, projects.id, given.event_type, given.payload_hash, given.is_settled,
        CASE WHEN given.is_settled THEN now() END
    FROM unnest(ids, sources, project_ids, event_types, payload_hashes, settled, as_of)
        AS given (id, source, project_id, event_type, payload_hash, is_settled, at)
        JOIN projects ON projects.id = given.project_id AND (projects.updated_at = given.at OR given.at IS NULL)
    ORDER BY given.id
    ON CONFLICT (id) DO UPDATE SET retry_count = 0, error_message = NULL
        WHERE NOT webhook_events.processed AND webhook_events.error_message IS NOT NULL
        AND webhook_events.project_id = EXCLUDED.project_id AND webhook_events.source = EXCLUDED.source
    RETURNING webhook_events.id;
END $$""",
}

# The definition of each trigger, by table and name.
TRIGGERS = {
    "projects": {
        "set_updated_at": "BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION set_updated_at()",
        "complete_project": "BEFORE INSERT OR UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION complete_project()",
    },
    "artifacts": {
        "set_updated_at": "BEFORE UPDATE ON artifacts FOR EACH ROW EXECUTE FUNCTION set_updated_at()",
    },
    "webhook_events": {
        # A delivery that only waits for its first scan is as it should be: a call would cost a fifth of its INSERT.
        "keep_new_delivery_state": """BEFORE INSERT ON webhook_events FOR EACH ROW
            WHEN (NEW.processed OR NEW.processed_at IS NOT NULL OR NEW.state <> 'received' OR NEW.retry_count <> 0
                OR NEW.error_message IS NOT NULL)
            EXECUTE FUNCTION keep_delivery_state()""",
        "keep_delivery_state": "BEFORE UPDATE ON webhook_events FOR EACH ROW EXECUTE FUNCTION keep_delivery_state()",
    },
}
