"""A mirror: a bare repository on this machine that holds the head of one branch of a remote repository."""

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from jive.errors import ScanFailed
from jive.repositories import storage, streams
from jive.repositories.access import Policy
from jive.repositories.failures import has_outside_cause
from jive.repositories.fetching import Origin
from jive.repositories.git import Git, GitFailed

__all__ = ["Mirror", "Policy"]

MAX_LISTED_FOLDERS = 100  # git compares each entry with each of them; above this, listing the whole tree is faster

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Mirror:
    """A mirror in `folder` of the remote repository at `url`, created by the first fetch.

    Hold `locked` around calls that belong together. Each call has the time limit of the policy. A call that finds the
    mirror damaged recreates it and continues. If the remote, the network or this machine is to blame, the call fails
    and the mirror is as it was.
    """

    def __init__(self, folder: Path, url: str, policy: Policy) -> None:
        self._folder = folder.absolute()
        self._policy = policy
        self._git = Git(self._folder)
        self._origin = Origin(self._folder, url, policy)
        self._head: str | None = None
        self._listed_commit: str | None = None
        self._listed: dict[str, set[str]] = {}  # the paths in each listed folder of that commit

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold an exclusive lock on the mirror, against other threads and processes.

        Raises:
            ScanFailed: the lock was held elsewhere until the time limit.
        """
        with storage.locked(self._folder, self._deadline()):
            yield

    def _deadline(self) -> float:
        return time.monotonic() + self._policy.timeout_s

    def fetch(self, branch: str | None) -> str | None:
        """Fetch the head of `branch`, or of the remote's default branch if that is None; return its commit id.

        Returns None if the remote can be reached and has no commits. Safe to repeat, also after a force push.

        Raises:
            RepositoryRefused: the policy does not allow this URL, or git does not allow this name for a branch.
            ScanFailed: it cannot be fetched; the message says why, in one line.
        """
        self._head = self._origin.fetch(branch, self._deadline())
        return self._head

    def files(self, commit: str) -> dict[str, str]:
        """Return the blob id of every regular file in the commit, by path.

        Symbolic links, submodules and paths that are not UTF-8 are left out.

        Raises:
            ScanFailed: there are more than `max_files` entries, or the commit cannot be read or fetched.
        """
        return self._with_repair(commit, lambda deadline: self._files(commit, deadline))

    def _files(self, commit: str, deadline: float) -> dict[str, str]:
        arguments = ("ls-tree", "-r", "-z", "--full-tree", commit)
        with self._git.stream(*arguments, deadline=deadline) as stream:
            return streams.files(stream, self._policy.max_files)

    def _with_repair(self, commit: str, read: Callable[[float], T]) -> T:
        """Call `read` with the deadline; if git fails, recreate the mirror and call it a second time."""
        if not streams.OBJECT_ID.fullmatch(commit):
            raise ScanFailed(f"{commit[:100]!r} is not the id of a commit")
        deadline = self._deadline()
        self._head = commit
        try:
            return read(deadline)
        except GitFailed as exc:
            if has_outside_cause(exc):
                raise
            logger.warning("recreating %s: %s", self._folder, exc)
        self._origin.recreate(commit, deadline)
        return read(deadline)

    def changes(self, old: str, new: str) -> tuple[dict[str, str], set[str]] | None:
        """Return the blob ids of files that are new or changed in `new` by path, and the paths of those that are gone.

        Only regular files count: one that became a link is gone. Returns None if the commits cannot be compared,
        because `old` is no longer in the mirror or more than `max_files` entries differ. The cost grows with the number
        of differences, not with the size of the tree.

        Raises:
            ScanFailed: the time limit was reached, or git was killed.
        """
        if not (streams.OBJECT_ID.fullmatch(old) and streams.OBJECT_ID.fullmatch(new)):
            return None
        arguments = ("diff-tree", "-r", "-z", "--no-renames", old, new)
        try:
            with self._git.stream(*arguments, deadline=self._deadline()) as stream:
                return streams.changes(stream, self._policy.max_files)
        except streams.TooMany:
            return None
        except GitFailed as exc:
            if has_outside_cause(exc):
                raise
            return None

    def blobs(self, blob_ids: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield id and content of each blob, in the given order; the content is None if larger than `max_file_bytes`.

        Blobs that are not in the mirror are fetched first, in one request. The time limit includes what the caller does
        between two blobs.

        Raises:
            ScanFailed: they are larger than `max_total_bytes` together, cannot be read or fetched, or the time limit
                was reached.
        """
        ids, done = list(blob_ids), 0
        deadline, budget = self._deadline(), self._policy.max_total_bytes
        for repair in (self._origin.fetch_blobs, self._recreate, _give_up):
            with contextlib.suppress(streams.MissingBlob):
                for blob_id, size, data in self._contents(ids[done:], deadline):
                    budget -= 0 if data is None else size
                    if budget < 0:
                        limit = self._policy.max_total_bytes
                        raise ScanFailed(f"The files are larger than {limit:,} bytes together")
                    done += 1
                    yield blob_id, data
            if done == len(ids):
                return
            repair(ids[done:], deadline)

    def _contents(self, blob_ids: Sequence[str], deadline: float) -> Iterator[tuple[str, int, bytes | None]]:
        if not blob_ids:
            return
        if not all(map(streams.OBJECT_ID.fullmatch, blob_ids)):
            raise ScanFailed("The id of a blob is not valid")
        stdin = "".join(f"{blob_id}\n" for blob_id in blob_ids).encode()
        try:
            with self._git.stream("cat-file", "--batch", "--buffer", deadline=deadline, stdin=stdin) as stream:
                yield from streams.contents(stream, blob_ids, self._policy.max_file_bytes)
        except GitFailed as exc:
            if has_outside_cause(exc):
                raise
            raise streams.MissingBlob from exc  # the mirror is damaged

    def _recreate(self, blob_ids: Sequence[str], deadline: float) -> None:
        logger.warning("recreating %s: a blob that was fetched is missing", self._folder)
        self._origin.recreate(self._head, deadline)
        self._origin.fetch_blobs(blob_ids, deadline)

    def exists(self, commit: str, paths: Collection[str]) -> set[str]:
        """Return those of the paths that are in the commit's tree, be it as a file, a folder or a link.

        Cheap to call for one path at a time, since each folder is listed once. Fetches no blobs.

        Raises:
            ScanFailed: the commit cannot be read or fetched, or the time limit was reached.
        """
        if commit != self._listed_commit:
            self._listed_commit, self._listed = commit, {}
        folders = {path: path.rpartition("/")[0] for path in paths if streams.is_inside(path)}
        unlisted = set(folders.values()) - self._listed.keys()
        if unlisted:
            self._with_repair(commit, lambda deadline: self._list(commit, sorted(unlisted), deadline))
        return {path for path, folder in folders.items() if path in self._listed[folder]}

    def _list(self, commit: str, folders: Sequence[str], deadline: float) -> None:
        arguments = ["ls-tree", "-t", "-z", "--name-only", "--full-tree", commit]
        if len(folders) <= MAX_LISTED_FOLDERS:
            arguments += ["--", *(f"{folder or '.'}/" for folder in folders)]
        else:
            arguments.insert(1, "-r")
        listed: dict[str, set[str]] = {folder: set() for folder in folders}
        with self._git.stream(*arguments, deadline=deadline) as stream:
            for record in streams.records(stream):
                path = record.decode(errors="replace")
                listed.get(path.rpartition("/")[0], set()).add(path)
        self._listed |= listed

    def tidy(self) -> None:
        """Delete the objects that the last fetched head does not reach; `fetch` does so when there are many packs.

        Raises:
            ScanFailed: the time limit was reached, or git was killed.
        """
        self._origin.tidy(self._deadline())


def _give_up(blob_ids: Sequence[str], deadline: float) -> None:
    raise ScanFailed(f"The content of blob {blob_ids[0]} cannot be read or fetched")
