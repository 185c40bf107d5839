"""The documents of a checked-out repository, read from its folder."""

import hashlib
import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from jive.errors import ScanFailed
from jive.scanner.bmad_config import is_config, read_places
from jive.scanner.classify import TOOL_FOLDERS, is_document
from jive.scanner.document import MAX_CONTENT_BYTES, Document, read_document

GIT_TIMEOUT_S = 60
# A folder that somebody else made may have a configuration that names programs to run.
HARMLESS = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")

Progress = Callable[[int, int], None]  # documents read, documents to read

logger = logging.getLogger(__name__)


def repository_url(folder: Path) -> str:
    """Return the URL that `folder` was cloned from, without user and password; else `folder` itself as a file URL."""
    origin = _git(folder, "config", "--get", "remote.origin.url") if (folder / ".git").exists() else None
    if origin and (url := origin.strip()):
        scheme, mark, rest = url.partition("://")
        user, at, place = rest.rpartition("@")
        if mark and scheme in ("http", "https"):
            return f"https://{place}"
        return f"{scheme}{mark}{user.partition(':')[0]}{at}{place}" if mark else url
    return folder.resolve().as_uri()


def read_folder(folder: Path, progress: Progress) -> tuple[dict[str, Any], list[tuple[Document, str]]]:
    """Return what the folder's configuration says, and its documents with git's names of their contents, by path.

    Links are not followed. In a git checkout the files are the tracked ones and the new ones that are not ignored, as
    they lie there.

    Raises:
        ScanFailed: a file cannot be read.
    """
    files = {path for path in _paths(folder) if _is_plain(folder / path)}
    places, warnings = read_places({path: _read(folder / path)[0] or b"" for path in filter(is_config, files)})
    wanted = sorted(path for path in files if is_document(path, places))
    documents = []
    for path in wanted:
        data, blob_id = _read(folder / path)
        documents.append((read_document(path, data, places, files.__contains__), blob_id))
        progress(len(documents), len(wanted))
    for warning in warnings:
        logger.warning("%s: %s", folder, warning)
    return dict(places.config), documents


def _is_plain(place: Path) -> bool:
    return place.is_file() and not place.is_symlink()


def _read(place: Path) -> tuple[bytes | None, str]:
    """Return a file's bytes (None when there are more than are kept) and the id that git gives them as a blob."""
    try:
        with place.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
            data = file.read(MAX_CONTENT_BYTES + 1)
            digest.update(data)
            while more := file.read(MAX_CONTENT_BYTES):
                digest.update(more)
    except OSError as exc:
        raise ScanFailed(f"{place} cannot be read: {exc.strerror}") from exc
    return data if len(data) <= MAX_CONTENT_BYTES else None, digest.hexdigest()


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
            ["git", *HARMLESS, "-C", str(folder), *words],  # the user's own git
            capture_output=True,
            check=True,
            timeout=GIT_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(done.stdout)
