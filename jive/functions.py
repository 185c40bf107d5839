"""The functions in Postgres that the schema is made of, beside its tables; migrations bring the same."""

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
