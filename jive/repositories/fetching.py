"""The repository that a mirror is of: what is fetched from it, and what becomes of git's answers."""

import contextlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from jive.errors import ScanFailed
from jive.repositories import storage
from jive.repositories.access import Policy, access_to, clone_suffix, parsed, refspec_source
from jive.repositories.failures import explained, is_remotes_fault, says_moved, says_no_branch
from jive.repositories.git import Git, GitFailed
from jive.repositories.url import RepoUrl

HEAD_REF = "refs/jive/head"
MAX_NAMED_BRANCHES = 10
MAX_PACKS = 100  # each fetch brings one or two

# Else the host takes the blobs of each commit that the mirror has for known, and sends none of them.
_TELLING_NOTHING = ("fetch.negotiationAlgorithm", "noop")
_FETCH = ("fetch", "--quiet", "--no-tags", "--recurse-submodules=no", "--filter=blob:none")
_FETCHED = re.compile(r"[0-9a-f]{40,64}")

logger = logging.getLogger(__name__)


class Origin:
    """The repository at `url`, as the mirror in `folder` fetches it.

    Each call raises:
        RepositoryRefused: the policy does not allow it.
        ScanFailed: it cannot be fetched; the message says why, in one line.
    """

    def __init__(self, folder: Path, url: str, policy: Policy) -> None:
        self._folder = folder
        self._git = Git(folder)
        self._written_url = url
        self._policy = policy
        self._ending = ""

    def fetch(self, branch: str | None, deadline: float) -> str | None:
        """Fetch a branch's head, else the remote's HEAD; return its commit id, None when there is no branch at all."""
        source = refspec_source(branch)
        with self._explaining():
            # Before the fetch: what it will be compared with is still what the ref reaches.
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
        """Say which branches the repository has instead of `branch`, if it has any."""
        access = access_to(self._url(), self._policy)
        answer = self._git.run("ls-remote", "--quiet", "--heads", "origin", deadline=deadline, access=access)
        names = [line.partition("refs/heads/")[2] for line in answer.decode(errors="replace").splitlines()]
        if names:
            lacking = f"no branch {branch}" if branch else "a HEAD that names no branch"
            listed = ", ".join(names[:MAX_NAMED_BRANCHES]) + (", ..." if len(names) > MAX_NAMED_BRANCHES else "")
            raise ScanFailed(f"{self._written_url} has {lacking}; its branches are {listed}")

    def tidy(self, deadline: float) -> None:
        """Drop what the last fetched head does not reach."""
        with self._explaining():
            storage.sweep(self._folder)
            try:
                storage.tidy(self._folder, HEAD_REF, deadline)
            except GitFailed as exc:
                storage.discard(self._folder)  # it is empty, damaged or too large; the next fetch makes it anew
                if exc.timed_out:
                    raise

    def fetch_anew(self, commit: str | None, deadline: float) -> None:
        """Throw the mirror away, and fetch `commit` into a new one."""
        with self._explaining():
            storage.discard(self._folder)
            if commit is not None:
                self._fetch_head(commit, deadline)

    def fetch_blobs(self, blob_ids: Iterable[str], deadline: float) -> None:
        """Fetch those of the blobs that the mirror lacks, in one request; a damaged mirror may lack them after it."""
        with self._explaining():
            try:
                self._fetch_lacking(blob_ids, deadline)
            except GitFailed as exc:
                if is_remotes_fault(exc):
                    raise

    def _fetch_lacking(self, blob_ids: Iterable[str], deadline: float) -> None:
        storage.make(self._folder, deadline)
        asked = "".join(f"{blob_id}\n" for blob_id in blob_ids).encode()
        answer = self._git.run("cat-file", "--batch-check", deadline=deadline, given=asked)
        lacking = {line.removesuffix(b" missing") for line in answer.splitlines() if line.endswith(b" missing")}
        if lacking:
            wanted = b"\n".join(lacking) + b"\n"
            self._fetch(("--no-write-fetch-head", "origin", "--stdin"), deadline, wanted, (_TELLING_NOTHING,))

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except GitFailed as exc:
            raise explained(exc, parsed(self._written_url), self._policy) from exc
        except OSError as exc:
            raise ScanFailed(f"The mirror of {self._written_url} cannot be kept: {exc.strerror}") from exc

    def _fetch_head(self, source: str, deadline: float) -> str:
        words = ("--depth=1", "origin", f"+{source}:{HEAD_REF}")
        try:
            self._fetch(words, deadline)
        except GitFailed as exc:
            if is_remotes_fault(exc):
                raise
            logger.warning("made the mirror of %s anew: %s", self._written_url, exc)
            storage.discard(self._folder)
            storage.make(self._folder, deadline, "sha256" if "server sha256" in exc.told else "sha1")
            self._fetch(words, deadline)
        return self._fetched()

    def _fetched(self) -> str:
        """Return the commit that the last fetch brought; git writes it to this file, and tells it nowhere else."""
        found = _FETCHED.match((self._folder / "FETCH_HEAD").read_text(errors="replace"))
        if found is None:
            raise ScanFailed(f"{self._written_url} cannot be fetched: git does not say what it fetched")
        storage.forget_shallow(self._folder, found[0])
        return found[0]

    def _fetch(
        self, words: tuple[str, ...], deadline: float, given: bytes = b"", config: tuple[tuple[str, str], ...] = ()
    ) -> None:
        access = access_to(self._url(), self._policy)
        access = replace(access, config=access.config + config)
        storage.make(self._folder, deadline)
        storage.sweep(self._folder)
        try:
            self._git.run(*_FETCH, *words, deadline=deadline, access=access, given=given)
        except GitFailed as exc:
            storage.sweep(self._folder)  # half a pack may be large
            suffix = clone_suffix(self._url().host, self._policy)
            if not says_moved(exc) or self._url().url.endswith(suffix):
                raise
            self._ending = suffix
            self._fetch(words, deadline, given, config)
        self._keep_small(deadline)

    def _url(self) -> RepoUrl:
        url = parsed(self._written_url)
        return replace(url, url=url.url + self._ending)

    def _keep_small(self, deadline: float) -> None:
        most = self._policy.max_total_bytes
        if storage.size_of_packs(self._folder) > most:
            self.tidy(deadline)
        if storage.size_of_packs(self._folder) > most:
            storage.discard(self._folder)
            raise ScanFailed(f"{self._written_url} is larger than the {most:,} bytes that the settings allow")
