"""Deliveries that arrive together are recorded by one function, whose plan Postgres keeps."""

from typing import Any

UP = """
CREATE FUNCTION record_deliveries(
    ids text[], sources text[], project_ids uuid[], event_types text[], payload_hashes text[], settled boolean[],
    as_of timestamptz[]                                         -- null: whatever became of the project since
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
END $$;
"""

DOWN = "DROP FUNCTION record_deliveries;"


def migrate(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Create the function."""
    migrator.sql(UP)


def rollback(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Drop it."""
    migrator.sql(DOWN)
