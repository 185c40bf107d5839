"""Fetch from a remote repository into a mirror, and recreate the mirror if it is damaged."""

import contextlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from jive.errors import ScanFailed
from jive.repositories import storage
from jive.repositories.access import Policy, access_to, clone_suffix, parse_allowed, refspec_source
from jive.repositories.failures import explain, has_outside_cause, says_moved, says_no_branch
from jive.repositories.git import Git, GitFailed
from jive.repositories.url import RepoUrl

HEAD_REF = "refs/jive/head"
MAX_LISTED_BRANCHES = 10
MAX_PACKS = 100  # each fetch adds one or two

# Otherwise git names the commits that the mirror has, and the host assumes that it has all their blobs as well.
_NO_NEGOTIATION = ("fetch.negotiationAlgorithm", "noop")
_FETCH = ("fetch", "--quiet", "--no-tags", "--recurse-submodules=no", "--filter=blob:none")
_OBJECT_ID = re.compile(r"[0-9a-f]{40,64}")

logger = logging.getLogger(__name__)


class Origin:
    """The remote repository at `url`, fetched into the mirror in `folder`.

    A mirror is recreated only if git fails for a reason that does not lie with the remote, the network or this
    machine, and is replaced only when its successor is complete.

    Each call raises:
        RepositoryRefused: the policy does not allow it.
        ScanFailed: it cannot be fetched; the message says why, in one line.
    """

    def __init__(self, folder: Path, url: str, policy: Policy) -> None:
        self._folder = folder
        self._git = Git(folder)
        self._given_url = url
        self._policy = policy
        self._suffix = ""  # what the host turned out to require at the end of the URL

    def fetch(self, branch: str | None, deadline: float) -> str | None:
        """Fetch the head of a branch, or the remote's HEAD, and return its commit id.

        Returns None if the remote has no branches at all.
        """
        source = refspec_source(branch)
        with self._explained():
            # Before the fetch, while the ref still reaches the commit that the new head will be compared with.
            if storage.number_of_packs(self._folder) > MAX_PACKS:
                self.tidy(deadline)
            try:
                return self._fetch_head(source, deadline)
            except GitFailed as exc:
                if not says_no_branch(exc):
                    raise
            self._check_empty(branch, deadline)
            return None

    def _check_empty(self, branch: str | None, deadline: float) -> None:
        """Raise an error that lists the remote's branches, if it has any."""
        access = access_to(self._url(), self._policy)
        listing = self._git.run("ls-remote", "--quiet", "--heads", "origin", deadline=deadline, access=access)
        names = [line.partition("refs/heads/")[2] for line in listing.decode(errors="replace").splitlines()]
        if names:
            missing = f"no branch {branch}" if branch else "a HEAD that names no branch"
            listed = ", ".join(names[:MAX_LISTED_BRANCHES]) + (", ..." if len(names) > MAX_LISTED_BRANCHES else "")
            raise ScanFailed(f"{self._given_url} has {missing}; its branches are {listed}")

    def tidy(self, deadline: float) -> None:
        """Delete the objects that the last fetched head does not reach.

        A mirror that is empty, damaged or too large to be repacked in time is discarded; the next fetch creates one.
        """
        with self._explained():
            storage.remove_leftovers(self._folder)
            try:
                storage.tidy(self._folder, HEAD_REF, deadline)
            except GitFailed as exc:
                if has_outside_cause(exc) and not exc.timed_out:
                    storage.remove_leftovers(self._folder)
                    raise
                storage.discard(self._folder)
                if exc.timed_out:
                    raise

    def recreate(self, commit: str | None, deadline: float) -> None:
        """Replace the mirror with a new one that holds `commit`, or nothing if that is None.

        If `commit` cannot be fetched, the mirror is as it was.
        """
        with self._explained():
            if commit is None:
                storage.discard(self._folder)
            else:
                self._fetch_replacement(commit, deadline, is_sha256=len(commit) == 64)

    def fetch_blobs(self, blob_ids: Iterable[str], deadline: float) -> None:
        """Fetch the blobs that the mirror does not have, in one request.

        A mirror that is damaged may lack some of them afterwards; that is not an error here.
        """
        with self._explained():
            try:
                self._fetch_missing(blob_ids, deadline)
            except GitFailed as exc:
                if has_outside_cause(exc):
                    raise

    def _fetch_missing(self, blob_ids: Iterable[str], deadline: float) -> None:
        storage.make(self._folder, deadline)
        ids = "".join(f"{blob_id}\n" for blob_id in blob_ids).encode()
        listing = self._git.run("cat-file", "--batch-check", deadline=deadline, stdin=ids)
        missing = {line.removesuffix(b" missing") for line in listing.splitlines() if line.endswith(b" missing")}
        if missing:
            wanted = b"\n".join(missing) + b"\n"
            self._fetch(("--no-write-fetch-head", "origin", "--stdin"), deadline, wanted, (_NO_NEGOTIATION,))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except GitFailed as exc:
            raise explain(exc, parse_allowed(self._given_url), self._policy) from exc
        except OSError as exc:
            raise ScanFailed(f"The mirror of {self._given_url} cannot be written: {exc.strerror}") from exc

    def _fetch_head(self, source: str, deadline: float) -> str:
        """Fetch a ref or commit into `HEAD_REF`, and return its commit id."""
        try:
            self._fetch(_arguments(source), deadline)
        except GitFailed as exc:
            if has_outside_cause(exc):
                raise
            logger.warning("recreating the mirror of %s: %s", self._given_url, exc)
            self._fetch_replacement(source, deadline, is_sha256="server sha256" in exc.stderr)
        return self._fetched()

    def _fetch_replacement(self, source: str, deadline: float, *, is_sha256: bool = False) -> None:
        try:
            with storage.replacement(self._folder) as folder:
                storage.make(folder, deadline, "sha256" if is_sha256 else "sha1")
                origin = Origin(folder, self._given_url, self._policy)
                origin._suffix = self._suffix
                origin._fetch(_arguments(source), deadline)
        except GitFailed as exc:
            if is_sha256 or "server sha256" not in exc.stderr:
                raise
            self._fetch_replacement(source, deadline, is_sha256=True)

    def _fetched(self) -> str:
        """Return the commit id that the last fetch wrote to FETCH_HEAD; git does not print it."""
        found = _OBJECT_ID.match((self._folder / "FETCH_HEAD").read_text(errors="replace"))
        if found is None:
            raise ScanFailed(f"{self._given_url} cannot be fetched: git wrote no commit id to FETCH_HEAD")
        storage.keep_one_shallow(self._folder, found[0])
        return found[0]

    def _fetch(
        self, arguments: tuple[str, ...], deadline: float, stdin: bytes = b"", config: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Run `git fetch`; once more with the suffix that the host may require, if it answers with a redirect."""
        access = access_to(self._url(), self._policy)
        access = replace(access, config=access.config + config)
        storage.make(self._folder, deadline)
        storage.remove_leftovers(self._folder)
        try:
            self._git.run(*_FETCH, *arguments, deadline=deadline, access=access, stdin=stdin)
        except GitFailed as exc:
            storage.remove_leftovers(self._folder)  # an unfinished pack may be large
            suffix = clone_suffix(self._url().host, self._policy)
            if not says_moved(exc) or self._url().url.endswith(suffix):
                raise
            self._suffix = suffix
            self._fetch(arguments, deadline, stdin, config)
        self._limit_size(deadline)

    def _url(self) -> RepoUrl:
        url = parse_allowed(self._given_url)
        return replace(url, url=url.url + self._suffix)

    def _limit_size(self, deadline: float) -> None:
        """Tidy a mirror that is larger than the policy allows; discard it and raise if it still is."""
        limit = self._policy.max_total_bytes
        if storage.size_of_packs(self._folder) > limit:
            self.tidy(deadline)
        if storage.size_of_packs(self._folder) > limit:
            storage.discard(self._folder)
            raise ScanFailed(f"{self._given_url} is larger than the {limit:,} bytes that the settings allow")


def _arguments(source: str) -> tuple[str, ...]:
    return "--depth=1", "origin", f"+{source}:{HEAD_REF}"
