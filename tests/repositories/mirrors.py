"""Mirrors for tests, and what they hold."""

from collections.abc import Mapping
from pathlib import Path

from jive.repositories.mirror import Mirror, Policy
from tests.repositories.remotes import Content, Remote

LOCAL = Policy(allow_local=True)
LOCALHOST = Policy(hosts={"localhost": None}, allow_private=True)


def with_limits(remote: Remote, **limits: float) -> Mirror:
    return Mirror(remote.folder.parent / "limited.git", remote.url, Policy(allow_local=True, **limits))  # type: ignore[arg-type]


def contents(mirror: Mirror, commit: str) -> dict[str, bytes | None]:
    files = mirror.files(commit)
    found = dict(mirror.blobs(files.values()))
    return {path: found[blob_id] for path, blob_id in files.items()}


def head(mirror: Mirror, branch: str | None = None) -> str:
    commit = mirror.fetch(branch)
    assert commit
    return commit


def head_after(remote: Remote, mirror: Mirror, files: Mapping[str | bytes, Content]) -> str:
    commit = remote.commit(files)
    assert mirror.fetch(None) == commit
    return commit


def packs(folder: Path) -> set[str]:
    """Return the names of the files that hold the objects of the mirror in `folder`."""
    return {place.name for place in folder.glob("objects/pack/pack-*")}
