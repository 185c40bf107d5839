"""The documents of a checked-out repository, read from its folder."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from jive.errors import ScanFailed
from jive.scanner.classify import TOOL_FOLDERS, is_document
from jive.scanner.document import MAX_CONTENT_BYTES, Document, read_document

GIT_TIMEOUT_S = 60


def repository_url(folder: Path) -> str:
    """Return the URL that `folder` was cloned from, without user and password; else `folder` itself as a file URL."""
    origin = _git(folder, "config", "--get", "remote.origin.url") if (folder / ".git").exists() else None
    if origin and (url := origin.strip()):
        scheme, mark, rest = url.partition("://")
        return f"{scheme}{mark}{rest.rpartition('@')[2]}" if mark else url
    return folder.resolve().as_uri()


def read_folder(folder: Path) -> Iterator[Document]:
    """Yield the documents below `folder`, in the order of their paths; links are not followed.

    In a git checkout these are the tracked files and the new ones that are not ignored, as they lie there.

    Raises:
        ScanFailed: a file cannot be read.
    """
    for path in sorted(_paths(folder)):
        if not is_document(path):
            continue
        place = folder / path
        if place.is_symlink() or not place.is_file():
            continue
        try:
            with place.open("rb") as file:
                data = file.read(MAX_CONTENT_BYTES + 1)
        except OSError as exc:
            raise ScanFailed(f"{place} cannot be read: {exc.strerror}") from exc
        yield read_document(path, data)


def _paths(folder: Path) -> Iterator[str]:
    listed = (
        _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if (folder / ".git").exists()
        else None
    )
    if listed is not None:
        yield from (path for path in set(listed.split("\0")) if path and not _crosses_link(folder, path))
        return
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in TOOL_FOLDERS]
        base = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        yield from ((base / name).as_posix() for name in files)


def _crosses_link(folder: Path, path: str) -> bool:
    return any((folder / parent).is_symlink() for parent in PurePosixPath(path).parents)


def _git(folder: Path, *words: str) -> str | None:
    """Return what git says, or None if it is not there or refuses."""
    try:
        done = subprocess.run(  # our own words
            ["git", "-C", str(folder), *words],  # the user's own git
            capture_output=True,
            check=True,
            timeout=GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(done.stdout)
