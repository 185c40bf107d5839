"""Helpers that several commands use: log, project by word, messages."""

from pathlib import Path
from typing import TYPE_CHECKING

from jive.errors import JiveError, NotFound

if TYPE_CHECKING:
    from jive.catalog.projects import ProjectRecord


def configure_log(*, is_server: bool = False) -> None:
    """Log at the level in the settings; a command that ends by itself shows no INFO, as its output says the same."""
    from jive import log, settings

    level = settings.current().log_level
    log.configure(level if is_server or level != "INFO" else "WARNING")


def find_project(word: str) -> "ProjectRecord":
    """Return the project with this id, slug, repository URL or name, or that of the checkout in the folder `word`.

    Raises:
        NotFound: there is none, or more than one; a word that looks like a path is reported as a missing folder.
    """
    from jive.catalog import projects
    from jive.repositories.worktree import repository_url

    if Path(word).is_dir():
        return projects.find(repository_url(Path(word)))
    try:
        return projects.find(word)
    except NotFound:
        if _looks_like_path(word):
            raise NotFound(f"{word} is not a folder" if Path(word).exists() else f"There is no folder {word}") from None
        raise


def _looks_like_path(word: str) -> bool:
    """Return whether `word` is rather a path than the name or URL of a project."""
    return Path(word).exists() or word.startswith((".", "/", "~")) or ("/" in word and ":" not in word)


def with_own_command(text: str) -> str:
    """Return `text` with each command in backquotes, such as `jive migrate`, as it can be run in this terminal."""
    from jive.processes import own_command

    return text.replace("`jive ", f"`{own_command()} ")


def error_text(exc: JiveError) -> str:
    """Return the error as it is printed for people."""
    return with_own_command(f"jive: {exc}")
