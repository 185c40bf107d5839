"""Find, lock and delete the mirrors of projects' repositories on this machine."""

import contextlib
import uuid
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from jive import settings
from jive.documents.document import MAX_CONTENT_BYTES
from jive.errors import InvalidValue, ScanFailed
from jive.hosts import HOSTS
from jive.models import Project
from jive.repositories import storage
from jive.repositories.access import Policy
from jive.repositories.mirror import Mirror
from jive.repositories.url import parse


@contextlib.contextmanager
def mirror_of(project: Project) -> Iterator[Mirror]:
    """Lock the project's mirror for the block, and yield it with the limits from the settings.

    Raises:
        ScanFailed: another scan held the lock until the time limit.
    """
    config = settings.current()
    policy = Policy(
        hosts=_hosts_with(project, config.git_hosts),
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


def _hosts_with(project: Project, hosts: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """Return the domains that may be fetched from, with the kind of host that the project gives for its own."""
    kind = next((name for name, host in HOSTS.items() if host.source == project.host), None)
    with contextlib.suppress(InvalidValue):  # the fetch itself refuses such a URL
        domain = parse(project.repo_url).host
        if kind and domain in hosts and hosts[domain] is None:
            return {**hosts, domain: kind}
    return hosts


def project_ids() -> set[uuid.UUID]:
    """Return the ids of the projects that have a mirror, or remains of one, on this machine."""
    found = set()
    for place in _folder().glob("*.git*"):
        with contextlib.suppress(ValueError):  # not a folder that JIVE made
            found.add(uuid.UUID(place.name.partition(".")[0]))
    return found


def delete(ids: Collection[uuid.UUID]) -> None:
    """Delete the mirrors of these projects; one that is in use or cannot be deleted is left to the next sweep."""
    for project_id in project_ids().intersection(ids):
        with contextlib.suppress(ScanFailed, OSError):
            storage.remove(_folder_of(project_id))


def _folder() -> Path:
    return settings.current().data_dir / "repositories"


def _folder_of(project_id: uuid.UUID) -> Path:
    return _folder() / f"{project_id}.git"
