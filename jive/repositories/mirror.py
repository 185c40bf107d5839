"""A repository as its host has it now: commits of one branch, in a bare mirror that nothing is checked out of."""

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from jive.errors import ScanFailed
from jive.repositories import storage, streams
from jive.repositories.access import Policy
from jive.repositories.fetching import Origin
from jive.repositories.git import Git, GitFailed

__all__ = ["Mirror", "Policy"]

MAX_FOLDERS_ASKED = 100  # git compares each entry with each of them; listing all is quicker than many

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Mirror:
    """A bare repository in `folder`, made when it is first used, that holds what was fetched of `url`.

    Callers hold `locked` around the calls that belong together; each may take the policy's time. A mirror that is
    damaged is thrown away and made anew by the call that finds out, which then goes on.
    """

    def __init__(self, folder: Path, url: str, policy: Policy) -> None:
        self._folder = folder.absolute()
        self._policy = policy
        self._git = Git(self._folder)
        self._origin = Origin(self._folder, url, policy)
        self._head: str | None = None
        self._listed_commit: str | None = None
        self._listed: dict[str, set[str]] = {}  # the paths in each folder of that commit that was asked for

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the mirror to this thread alone.

        Raises:
            ScanFailed: another one, here or in another process, did not let go of it in time.
        """
        with storage.locked(self._folder, self._deadline()):
            yield

    def _deadline(self) -> float:
        return time.monotonic() + self._policy.timeout_s

    def fetch(self, branch: str | None) -> str | None:
        """Fetch the head of `branch`, or of the one that the host calls its default; return its commit id.

        None means that the repository can be reached and has no commits. Safe to repeat: whatever happened to the
        branch meanwhile, this is its head.

        Raises:
            RepositoryRefused: the policy does not allow this URL, or no branch can have this name.
            ScanFailed: it cannot be fetched; the message says why, in one line.
        """
        self._head = self._origin.fetch(branch, self._deadline())
        return self._head

    def files(self, commit: str) -> dict[str, str]:
        """Return path and blob id of every regular file; links, submodules and paths that are no UTF-8 are left out.

        Raises:
            ScanFailed: there are more than the policy's `max_files` entries, or they cannot be had.
        """
        return self._mending(commit, lambda deadline: self._files(commit, deadline))

    def _files(self, commit: str, deadline: float) -> dict[str, str]:
        words = ("ls-tree", "-r", "-z", "--full-tree", commit)
        with self._git.reading(*words, deadline=deadline) as stream:
            return streams.files(stream, self._policy.max_files)

    def _mending(self, commit: str, read: Callable[[float], T]) -> T:
        """Return what `read` does until its deadline; when git cannot, once more from a new mirror."""
        if not streams.OBJECT_ID.fullmatch(commit):
            raise ScanFailed(f"{commit[:100]!r} is no commit's id")
        deadline = self._deadline()
        self._head = commit
        try:
            return read(deadline)
        except GitFailed as exc:
            if exc.timed_out:
                raise
            logger.warning("made %s anew: %s", self._folder, exc)
        self._origin.fetch_anew(commit, deadline)
        return read(deadline)

    def changes(self, old: str, new: str) -> tuple[dict[str, str], set[str]] | None:
        """Return path and blob id of the regular files that are new or changed in `new`, and the paths that are gone.

        A file that is a link now is gone. None when the two cannot be compared, because `old` is not in the mirror
        any more or more than `max_files` differ. The cost follows the change.

        Raises:
            ScanFailed: the time is over.
        """
        if not (streams.OBJECT_ID.fullmatch(old) and streams.OBJECT_ID.fullmatch(new)):
            return None
        words = ("diff-tree", "-r", "-z", "--no-renames", old, new)
        try:
            with self._git.reading(*words, deadline=self._deadline()) as stream:
                return streams.changes(stream, self._policy.max_files)
        except streams.TooMany:
            return None
        except GitFailed as exc:
            if exc.timed_out:
                raise
            return None

    def blobs(self, blob_ids: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield id and content of each blob, in the order asked; None for one of more than `max_file_bytes`.

        The time that the caller takes between two of them counts too. Those that the mirror lacks are fetched first,
        in one request.

        Raises:
            ScanFailed: they are more than `max_total_bytes` together, cannot be had, or the time is over.
        """
        ids, done = list(blob_ids), 0
        deadline, budget = self._deadline(), self._policy.max_total_bytes
        for mend in (self._origin.fetch_blobs, self._refetch, _give_up):
            try:
                for blob_id, size, data in self._contents(ids[done:], deadline):
                    budget -= 0 if data is None else size
                    if budget < 0:
                        raise ScanFailed(f"The files are more than {self._policy.max_total_bytes:,} bytes together")
                    done += 1
                    yield blob_id, data
                return
            except streams.Lacking:
                mend(ids[done:], deadline)

    def _contents(self, blob_ids: Sequence[str], deadline: float) -> Iterator[tuple[str, int, bytes | None]]:
        if not blob_ids:
            return
        asked = "".join(f"{blob_id}\n" for blob_id in blob_ids).encode()
        if not all(map(streams.OBJECT_ID.fullmatch, blob_ids)):
            raise ScanFailed("A blob's id is no id")
        with self._git.reading("cat-file", "--batch", "--buffer", deadline=deadline, given=asked) as stream:
            yield from streams.contents(stream, blob_ids, self._policy.max_file_bytes)

    def _refetch(self, blob_ids: Sequence[str], deadline: float) -> None:
        logger.warning("made %s anew: a blob that was fetched is not there", self._folder)
        self._origin.fetch_anew(self._head, deadline)
        self._origin.fetch_blobs(blob_ids, deadline)

    def exists(self, commit: str, paths: Collection[str]) -> set[str]:
        """Return which of these paths are in the commit's tree, as whatever: a file, a folder, a link.

        Cheap to call for one path after the other: a folder is listed once. No blob is fetched.

        Raises:
            ScanFailed: the commit cannot be had, or the time is over.
        """
        if commit != self._listed_commit:
            self._listed_commit, self._listed = commit, {}
        asked = {path: path.rpartition("/")[0] for path in paths if streams.is_inside(path)}
        unlisted = set(asked.values()) - self._listed.keys()
        if unlisted:
            self._mending(commit, lambda deadline: self._list(commit, sorted(unlisted), deadline))
        return {path for path, folder in asked.items() if path in self._listed[folder]}

    def _list(self, commit: str, folders: Sequence[str], deadline: float) -> None:
        words = ["ls-tree", "-t", "-z", "--name-only", "--full-tree", commit]
        few = len(folders) <= MAX_FOLDERS_ASKED
        words[1:1] = [] if few else ["-r"]
        words += ["--", *(f"{folder or '.'}/" for folder in folders)] if few else []
        listed: dict[str, set[str]] = {folder: set() for folder in folders}
        with self._git.reading(*words, deadline=deadline) as stream:
            for record in streams.records(stream):
                path = record.decode(errors="replace")
                listed.get(path.rpartition("/")[0], set()).add(path)
        self._listed |= listed

    def tidy(self) -> None:
        """Drop what the last fetched head does not reach; a fetch does so by itself when it finds many packs.

        Raises:
            ScanFailed: the time is over.
        """
        self._origin.tidy(self._deadline())


def _give_up(blob_ids: Sequence[str], deadline: float) -> None:
    raise ScanFailed(f"The content of {blob_ids[0]} cannot be had")
