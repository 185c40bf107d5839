"""Why the last scan of a project failed, where no delivery waited for it to be told."""

from typing import Any

UP = "ALTER TABLE projects ADD scan_error text;"
DOWN = "ALTER TABLE projects DROP scan_error;"


def migrate(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Add the column."""
    migrator.sql(UP)


def rollback(migrator: Any, database: Any, *, fake: bool = False) -> None:
    """Drop it."""
    migrator.sql(DOWN)
