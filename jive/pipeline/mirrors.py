"""Where the copies of the projects' repositories lie on this machine, and when they go."""

import contextlib
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path

from jive import settings
from jive.errors import ScanFailed
from jive.models import Project
from jive.scanner import bare
from jive.scanner.checkout import Mirror, Policy
from jive.scanner.document import MAX_CONTENT_BYTES


@contextlib.contextmanager
def mirror_of(project: Project) -> Iterator[Mirror]:
    """Hold the project's mirror, within the limits that the settings set.

    Raises:
        ScanFailed: another scan did not let go of it in time.
    """
    config = settings.current()
    policy = Policy(
        hosts=config.git_hosts,
        allow_private=config.git_allow_private,
        allow_local=config.git_allow_local,
        tokens=config.git_tokens,
        timeout_s=config.git_timeout_s,
        max_total_bytes=config.max_repository_mb * 1024 * 1024,
        max_file_bytes=MAX_CONTENT_BYTES,
        max_files=config.max_repository_files,
    )
    mirror = Mirror(_folder_of(project.id), project.repo_url, policy)
    with mirror.locked():
        yield mirror


def kept() -> set[uuid.UUID]:
    """Return the projects of which there is anything here."""
    found = set()
    for place in _folder().glob("*.git*"):
        with contextlib.suppress(ValueError):  # nothing of ours
            found.add(uuid.UUID(place.name.partition(".")[0]))
    return found


def forget(project_ids: Collection[uuid.UUID]) -> None:
    """Throw mirrors away; one that is in use, or cannot be removed, stays for now."""
    for project_id in kept().intersection(project_ids):
        with contextlib.suppress(ScanFailed, OSError):
            bare.remove(_folder_of(project_id))


def _folder() -> Path:
    return settings.current().data_dir / "repositories"


def _folder_of(project_id: uuid.UUID) -> Path:
    return _folder() / f"{project_id}.git"
