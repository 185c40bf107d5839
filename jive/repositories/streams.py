"""What git says of trees and blobs, read from its streams as it comes."""

import logging
import re
from collections.abc import Iterator, Sequence
from typing import IO

from jive.errors import ScanFailed

CHUNK_BYTES = 1 << 17
MAX_PATH_CHARACTERS = 600  # what an index of Postgres takes, whatever the characters
MAX_RECORD_BYTES = 1 << 20  # git takes paths of any length
REGULAR = (b"100644", b"100755", b"100664")  # the last one is of git before 2005, and still in old repositories
OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

_OUTSIDE = re.compile(r"(^|/)(\.\.?)?(/|$)|[\0\ud800-\udfff]")

logger = logging.getLogger(__name__)


class Lacking(Exception):
    """A blob is not there, or cannot be read."""


class TooMany(ScanFailed):
    """The repository has more files than the settings allow."""


def records(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what the NUL bytes of `stream` part, to its end.

    Raises:
        ScanFailed: there is none for a whole mebibyte.
    """
    rest = b""
    while chunk := stream.read(CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
        if len(rest) > MAX_RECORD_BYTES:
            raise ScanFailed("The repository holds a path that is longer than any system takes")


def files(stream: IO[bytes], most: int) -> dict[str, str]:
    """Return path and blob id of each regular file that `git ls-tree -r -z` lists.

    Raises:
        TooMany: there are more than `most` entries.
    """
    found = {}
    for number, record in enumerate(records(stream), start=1):
        if number > most:
            raise TooMany(f"The repository has more than the {most:,} files that the settings allow")
        head, _, name = record.partition(b"\t")
        if head.startswith(REGULAR) and (path := path_of(name)) is not None:
            found[path] = head[12:].decode()
    return found


def path_of(name: bytes) -> str | None:
    """Return a path as text; None, with a warning, for one that is no UTF-8 or could lead out of a tree."""
    try:
        path = name.decode()
    except UnicodeDecodeError:
        logger.warning("left out %r: its name is no UTF-8", name)
        return None
    if not is_inside(path):
        logger.warning("left out %r: this is no path", path[:MAX_PATH_CHARACTERS])
        return None
    return path


def is_inside(path: str) -> bool:
    """Return whether this may be a path in a tree: no empty, `.` or `..` part, no slash at either end, not endless."""
    return len(path) <= MAX_PATH_CHARACTERS and not _OUTSIDE.search(path)


def changes(stream: IO[bytes], most: int) -> tuple[dict[str, str], set[str]]:
    """Return path and blob id of each regular file that is new or changed, and the paths of those that are gone.

    `stream` is of `git diff-tree -r -z --no-renames`. A file that only became executable did not change.

    Raises:
        TooMany: there are more than `most` differences.
    """
    changed: dict[str, str] = {}
    gone: set[str] = set()
    fields = records(stream)
    for number, (head, name) in enumerate(zip(fields, fields, strict=False), start=1):
        if number > most:
            raise TooMany(f"More than the {most:,} files that the settings allow changed")
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
    """Yield id, size and bytes of each blob that `git cat-file --batch` gives; None for bytes when there are too many.

    Raises:
        Lacking: the next one is not there.
    """
    for blob_id in blob_ids:
        words = stream.readline().split()
        if len(words) != 3:  # "<id> missing", or nothing after a damaged object
            raise Lacking
        if words[1] != b"blob":
            raise ScanFailed(f"The repository says that {blob_id} is a file, but it is a {words[1].decode()}")
        size = int(words[2])
        if size > max_file_bytes:
            _skip(stream, size + 1)
            yield blob_id, size, None
            continue
        data = stream.read(size + 1)
        if len(data) <= size:
            raise Lacking
        yield blob_id, size, data[:-1]


def _skip(stream: IO[bytes], size: int) -> None:
    while size > 0:
        chunk = stream.read(min(size, CHUNK_BYTES))
        if not chunk:
            raise Lacking
        size -= len(chunk)
