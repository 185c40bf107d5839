"""A mirror gives the head of a branch, its files, their contents and what changed."""

import os
from pathlib import Path

import pytest

from jive.errors import RepositoryRefused, ScanFailed
from jive.repositories import storage
from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import contents, head, head_after, with_limits
from tests.repositories.remotes import EXECUTABLE, SUBMODULE, Remote


def test_the_head_of_a_branch_is_fetched_with_its_files(remote: Remote, mirror: Mirror) -> None:
    remote.commit({"docs/prd.md": b"old"})
    commit = remote.commit({"docs/prd.md": b"new", "empty.md": b""})
    assert mirror.fetch("main") == commit
    assert contents(mirror, commit) == {"docs/prd.md": b"new", "empty.md": b""}


def test_a_force_push_gives_the_new_head(remote: Remote, mirror: Mirror) -> None:
    old = remote.commit({"a.md": b"1", "b.md": b"1"})
    assert mirror.fetch("main") == old
    new = remote.commit({"a.md": b"2"}, orphan=True)
    assert mirror.fetch("main") == new
    changed, gone = mirror.changes(old, new) or ({}, set())
    assert (list(changed), gone) == (["a.md"], {"b.md"})
    remote.git("update-ref", "refs/heads/main", old)
    assert mirror.fetch("main") == old


def test_a_remote_may_be_gone_for_a_while(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    commit = remote.commit({"a.md": b"1"})
    mirror.fetch(None)
    remote.folder.rename(tmp_path / "away")
    with pytest.raises(ScanFailed, match=r"remote\.git cannot be fetched: .*does not") as failure:
        mirror.fetch(None)
    assert "\n" not in str(failure.value)
    assert failure.value.retryable
    assert not isinstance(failure.value, RepositoryRefused)
    assert list(mirror.files(commit)) == ["a.md"]  # what was fetched is still there
    new = Remote(remote.folder).commit({"b.md": b"2"})
    assert mirror.fetch(None) == new
    assert contents(mirror, new) == {"b.md": b"2"}


def test_blobs_are_fetched_when_their_content_is_read(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    remote.allow_filters()
    commit = head_after(remote, mirror, {"docs/a.md": b"1", "docs/b.md": b"2", "film.mp4": os.urandom(1_000_000)})
    assert storage.size_of_packs(tmp_path / "mirror.git") < 10_000
    files = mirror.files(commit)
    assert mirror.exists(commit, list(files)) == set(files)
    assert storage.size_of_packs(tmp_path / "mirror.git") < 10_000
    wanted = [files["docs/b.md"], files["docs/a.md"]]
    assert list(mirror.blobs(wanted)) == [(wanted[0], b"2"), (wanted[1], b"1")]
    assert storage.size_of_packs(tmp_path / "mirror.git") < 10_000


@pytest.mark.parametrize("filters", [False, True])
def test_tidying_deletes_only_what_the_head_does_not_reach(
    tmp_path: Path, remote: Remote, mirror: Mirror, filters: bool
) -> None:
    if filters:
        remote.allow_filters()
    first = head_after(remote, mirror, {"a": b"1", "big": os.urandom(500_000)})
    contents(mirror, first)
    commit = head_after(remote, mirror, {"big": b"small"})
    contents(mirror, commit)
    mirror.tidy()
    assert storage.size_of_packs(tmp_path / "mirror.git") < 10_000
    assert mirror.changes(first, commit) is None
    remote.folder.rename(tmp_path / "away")  # everything is in the mirror
    assert contents(mirror, commit) == {"a": b"1", "big": b"small"}
    (tmp_path / "away").rename(remote.folder)
    after = head_after(remote, mirror, {"a": b"2"})
    assert contents(mirror, after) == {"a": b"2", "big": b"small"}


def test_tidying_an_empty_mirror_is_no_error(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    mirror.tidy()
    mirror.fetch(None)
    mirror.tidy()
    commit = remote.commit({"a": b"1"})
    assert mirror.fetch(None) == commit


def test_nothing_of_a_repository_is_run_or_checked_out(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    hook = f"#!/bin/sh\ntouch {tmp_path}/ran\n"
    commit = head_after(
        remote,
        mirror,
        {
            ".gitattributes": b"* filter=lfs diff=x\n",
            ".gitmodules": b'[submodule "m"]\n\tpath = m\n\turl = ext::sh -c "touch ran"\n',
            ".lfsconfig": b"[lfs]\n\turl = https://example.com\n",
            "hooks/post-checkout": (EXECUTABLE, hook.encode()),
            "m": (SUBMODULE, b""),
        },
    )
    assert set(contents(mirror, commit)) == {".gitattributes", ".gitmodules", ".lfsconfig", "hooks/post-checkout"}
    hooks = tmp_path / "mirror.git/hooks"
    assert not hooks.exists()
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc"):
        (hooks / name).write_text(hook)
        (hooks / name).chmod(0o755)
    remote.commit({"a": b"1"})
    mirror.fetch(None)
    mirror.tidy()
    assert not (tmp_path / "ran").exists()


def test_an_id_of_no_commit_or_blob_is_an_error(remote: Remote, mirror: Mirror) -> None:
    remote.commit({"a.md": b"1"})
    for commit in ("--help", "HEAD", "0" * 40):
        with pytest.raises(ScanFailed):
            mirror.files(commit)
    with pytest.raises(ScanFailed):
        list(mirror.blobs(["HEAD:a.md"]))
    with pytest.raises(ScanFailed):
        list(mirror.blobs(["0" * 40]))


def test_changes_since_a_commit_that_is_not_in_the_mirror_are_none(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {"a.md": b"1"})
    for old in ("0" * 40, "-O/tmp/x", "", "HEAD"):
        assert mirror.changes(old, commit) is None


def test_more_changes_than_the_limit_are_none(remote: Remote) -> None:
    mirror = with_limits(remote, max_files=3)
    old = head_after(remote, mirror, {"a": b"1"})
    new = head_after(remote, mirror, {**{f"{number}": b"1" for number in range(3)}, "a": None})
    assert mirror.changes(old, new) is None
    assert len(mirror.files(new)) == 3


def test_contents_come_in_the_given_order(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {f"{number}.md": b"%d" % number for number in range(20)})
    ids = list(mirror.files(commit).values())
    given = [*reversed(ids), ids[0]]
    assert [blob_id for blob_id, _ in mirror.blobs(given)] == given
    assert list(mirror.blobs([])) == []


def test_a_caller_may_stop_reading_contents(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {f"{number}": os.urandom(200_000) for number in range(10)})
    reading = iter(mirror.blobs(mirror.files(commit).values()))
    next(reading)
    del reading  # a git process that still ran would be a ResourceWarning here
    assert len(contents(mirror, commit)) == 10


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"max_files": 4}, "more than the 4 files"),
        ({"max_total_bytes": 400_000}, "larger than the 400,000 bytes"),
    ],
)
def test_a_repository_above_a_limit_is_refused(remote: Remote, limits: dict[str, float], says: str) -> None:
    remote.commit({f"{number}": os.urandom(100_000) for number in range(5)})
    mirror = with_limits(remote, **limits)
    with pytest.raises(ScanFailed, match=says):
        mirror.files(head(mirror))
    assert storage.size_of_packs(remote.folder.parent / "limited.git") < 600_000


def test_reading_more_bytes_than_the_limit_is_an_error(remote: Remote) -> None:
    remote.commit({f"{number}": b"%d" % number * 100_000 for number in range(5)})  # small when packed
    mirror = with_limits(remote, max_total_bytes=400_000)
    with pytest.raises(ScanFailed, match="larger than 400,000 bytes together"):
        contents(mirror, head(mirror))


def test_paths_in_many_folders_are_found(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {f"d{number}/{name}": b"1" for number in range(150) for name in "ab"})
    paths = [f"d{number}/{name}" for number in range(200) for name in "ac"]
    assert mirror.exists(commit, paths) == {f"d{number}/a" for number in range(150)}
    assert mirror.exists(commit, ["d1", "d1/b", "d1/b/c", "../d1", "/d1", "d1/", ""]) == {"d1", "d1/b"}
