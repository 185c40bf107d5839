"""What commands share."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jive.models import Project


def configure_log(*, serving: bool = False) -> None:
    """Log as the settings say; a command that is done in a moment says with its output what INFO would."""
    from jive import log, settings

    level = settings.current().log_level
    log.configure(level if serving or level != "INFO" else "WARNING")


def find_project(word: str) -> "Project":
    """Return the project that a person means: by its id, repository URL, name, or the folder of a checkout."""
    from jive.db import connection
    from jive.models import Project
    from jive.scanner.folder import repository_url

    with connection():
        return Project.find(repository_url(Path(word)) if Path(word).is_dir() else word)
