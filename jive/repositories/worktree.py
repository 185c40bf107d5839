"""A checked-out repository, or another folder, on this machine: its remote URL, its files and their bytes."""

import hashlib
import os
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from jive.errors import ScanFailed
from jive.repositories.git import not_installed

GIT_TIMEOUT_S = 60
CHUNK_BYTES = 1 << 20

# The configuration of a checkout by somebody else may name programs to run.
SAFE_CONFIG = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


def repository_url(folder: Path) -> str:
    """Return the URL of the checkout's remote `origin`, or the folder's file URL if there is no such remote.

    Credentials are left out: the user name and password of an http URL, the password of others.

    Raises:
        ScanFailed: the folder is a checkout and git is not installed.
    """
    origin = _git(folder, "config", "--get", "remote.origin.url") if (folder / ".git").exists() else None
    if origin and (url := origin.strip()):
        scheme, mark, rest = url.partition("://")
        user, at, place = rest.rpartition("@")
        if mark and scheme in ("http", "https"):
            return f"https://{place}"
        return f"{scheme}{mark}{user.partition(':')[0]}{at}{place}" if mark else url
    return folder.resolve().as_uri()


def files(folder: Path, skipped_folders: Collection[str]) -> set[str]:
    """Return the paths, relative and with `/`, of the regular files in `folder`; symbolic links are not followed.

    In a git checkout these are the tracked files and the new ones that git does not ignore. Elsewhere they are all
    files outside of folders with a name in `skipped_folders`.

    Raises:
        ScanFailed: the folder is a checkout and git is not installed.
    """
    listed = (
        _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if (folder / ".git").exists()
        else None
    )
    paths = _walk(folder, skipped_folders) if listed is None else filter(None, listed.split("\0"))
    return {path for path in paths if _is_regular(folder, path)}


def _walk(folder: Path, skipped_folders: Collection[str]) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in skipped_folders]
        base = PurePosixPath(Path(parent).relative_to(folder).as_posix())
        yield from ((base / name).as_posix() for name in names)


def _is_regular(folder: Path, path: str) -> bool:
    """Return whether a path is a file that can be reached from `folder` without following a link."""
    place = folder / path
    parents = PurePosixPath(path).parents[:-1]  # without `folder` itself, which may be a link
    return place.is_file() and not place.is_symlink() and not any((folder / parent).is_symlink() for parent in parents)


def read(place: Path, max_bytes: int) -> tuple[bytes | None, str]:
    """Return the bytes of a file and the id that git gives to a blob of them (SHA-1, in hex).

    Instead of the bytes, None is returned if there are more than `max_bytes`.

    Raises:
        ScanFailed: the file cannot be read.
    """
    try:
        with place.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
            data = file.read(max_bytes + 1)
            digest.update(data)
            while more := file.read(CHUNK_BYTES):
                digest.update(more)
    except OSError as exc:
        raise ScanFailed(f"{place} cannot be read: {exc.strerror}") from exc
    return data if len(data) <= max_bytes else None, digest.hexdigest()


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the standard output of git, or None if it fails.

    Raises:
        ScanFailed: git is not installed.
    """
    try:
        done = subprocess.run(
            ["git", *SAFE_CONFIG, "-C", str(folder), *arguments],
            capture_output=True,
            check=True,
            timeout=GIT_TIMEOUT_S,
        )
    except FileNotFoundError as exc:
        raise not_installed() from exc
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(done.stdout)
