"""Parse git's listings of trees, differences and blobs while git writes them."""

import logging
import re
from collections.abc import Iterator, Sequence
from typing import IO

from jive.errors import ScanFailed

CHUNK_BYTES = 1 << 17
MAX_PATH_CHARACTERS = 600  # fits into an index of Postgres, even if each takes 4 bytes
MAX_RECORD_BYTES = 1 << 20  # git itself has no limit for paths
REGULAR = (b"100644", b"100755", b"100664")  # git wrote the last one until 2005
OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

_OUTSIDE = re.compile(r"(^|/)(\.\.?)?(/|$)|[\0\ud800-\udfff]")

logger = logging.getLogger(__name__)


class MissingBlob(Exception):
    """A blob is not in the mirror."""


class TooMany(ScanFailed):
    """The repository has more files than the settings allow."""


def records(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the NUL-terminated records of `stream`.

    Raises:
        ScanFailed: a record is longer than 1 MiB.
    """
    rest = b""
    while chunk := stream.read(CHUNK_BYTES):
        *complete, rest = (rest + chunk).split(b"\0")
        yield from complete
        if len(rest) > MAX_RECORD_BYTES:
            raise ScanFailed("The repository contains a path that is longer than any system allows")


def files(stream: IO[bytes], max_files: int) -> dict[str, str]:
    """Return the blob id of each regular file in the output of `git ls-tree -r -z`, by path.

    Raises:
        TooMany: there are more than `max_files` entries.
    """
    found = {}
    for number, record in enumerate(records(stream), start=1):
        if number > max_files:
            raise TooMany(f"The repository has more than the {max_files:,} files that the settings allow")
        head, _, name = record.partition(b"\t")
        if head.startswith(REGULAR) and (path := path_of(name)) is not None:
            found[path] = head[12:].decode()
    return found


def path_of(name: bytes) -> str | None:
    """Decode a path; return None, and log a warning, if it is not UTF-8 or does not stay inside the tree."""
    try:
        path = name.decode()
    except UnicodeDecodeError:
        logger.warning("skipped %r: its name is not UTF-8", name)
        return None
    if not is_inside(path):
        logger.warning("skipped %r: its path is not valid or too long", path[:MAX_PATH_CHARACTERS])
        return None
    return path


def is_inside(path: str) -> bool:
    """Return whether this can be a path in a tree.

    It has at most 600 characters, no empty, `.` or `..` part, and no slash at either end.
    """
    return len(path) <= MAX_PATH_CHARACTERS and not _OUTSIDE.search(path)


def changes(stream: IO[bytes], max_files: int) -> tuple[dict[str, str], set[str]]:
    """Return the blob ids of new and changed regular files by path, and the paths of those that are gone.

    `stream` is the output of `git diff-tree -r -z --no-renames`. A file of which only the mode changed is left out.

    Raises:
        TooMany: there are more than `max_files` differences.
    """
    changed: dict[str, str] = {}
    gone: set[str] = set()
    fields = records(stream)
    for number, (head, name) in enumerate(zip(fields, fields, strict=False), start=1):
        if number > max_files:
            raise TooMany(f"More than the {max_files:,} files that the settings allow changed")
        before, after, old, new, _ = head.removeprefix(b":").split(b" ")
        was, now = before in REGULAR, after in REGULAR
        if not (was or now) or (was and now and old == new):
            continue
        path = path_of(name)
        if path is not None and now:
            changed[path] = new.decode()
        elif path is not None:
            gone.add(path)
    return changed, gone


def contents(
    stream: IO[bytes], blob_ids: Sequence[str], max_file_bytes: int
) -> Iterator[tuple[str, int, bytes | None]]:
    """Yield id, size and content of each blob in the output of `git cat-file --batch`.

    The content is None if it is larger than `max_file_bytes`. Ends early where the output ends, which it does when git
    fails.

    Raises:
        MissingBlob: git does not have the next blob.
        ScanFailed: the object with this id is not a blob.
    """
    for blob_id in blob_ids:
        line = stream.readline()
        if not line.endswith(b"\n"):
            return
        header = line.split()
        if len(header) != 3:  # "<id> missing"
            raise MissingBlob
        if header[1] != b"blob":
            raise ScanFailed(f"{blob_id} is the id of a {header[1].decode()}, not of a file")
        size = int(header[2])
        if size > max_file_bytes:
            if not _skip(stream, size + 1):
                return
            yield blob_id, size, None
            continue
        data = stream.read(size + 1)
        if len(data) <= size:
            return
        yield blob_id, size, data[:-1]


def _skip(stream: IO[bytes], size: int) -> bool:
    """Read `size` bytes and drop them; return whether the stream held as many."""
    while size > 0:
        chunk = stream.read(min(size, CHUNK_BYTES))
        if not chunk:
            return False
        size -= len(chunk)
    return True
