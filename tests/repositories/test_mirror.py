"""A mirror holds a branch's head, whatever happened to the repository or to the mirror itself."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from jive.errors import RepositoryRefused, ScanFailed
from jive.repositories import fetching, storage
from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import NEAR, contents, head_after, with_limits
from tests.repositories.remotes import EXECUTABLE, SUBMODULE, Remote


def test_a_branchs_head_is_fetched_with_its_files(remote: Remote, mirror: Mirror) -> None:
    remote.commit({"docs/prd.md": b"old"})
    commit = remote.commit({"docs/prd.md": b"new", "empty.md": b""})
    assert mirror.fetch("main") == commit
    assert contents(mirror, commit) == {"docs/prd.md": b"new", "empty.md": b""}


def test_without_a_branch_the_remotes_own_choice_is_fetched(remote: Remote, mirror: Mirror) -> None:
    first = remote.commit({"a": b"1"})
    other = remote.commit({"a": b"2"}, "trunk")
    assert mirror.fetch(None) == first
    remote.git("branch", "-m", "main", "old")
    remote.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    assert mirror.fetch(None) == other


def test_only_one_commit_is_fetched(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    for number in range(5):
        remote.commit({"a.md": b"%d" % number})
        mirror.fetch(None)
    command = ["git", "rev-list", "--count", "refs/jive/head"]
    assert subprocess.check_output(command, cwd=tmp_path / "mirror.git") == b"1\n"
    assert len((tmp_path / "mirror.git/shallow").read_text().split()) == 1


def test_a_force_push_gives_the_new_head(remote: Remote, mirror: Mirror) -> None:
    old = remote.commit({"a.md": b"1", "b.md": b"1"})
    assert mirror.fetch("main") == old
    new = remote.commit({"a.md": b"2"}, after=False)
    assert mirror.fetch("main") == new
    changed, gone = mirror.changes(old, new) or ({}, set())
    assert (list(changed), gone) == (["a.md"], {"b.md"})
    remote.git("update-ref", "refs/heads/main", old)
    assert mirror.fetch("main") == old


@pytest.mark.parametrize("branch", [None, "main"])
def test_an_empty_repository_has_no_head(remote: Remote, mirror: Mirror, branch: str | None) -> None:
    assert mirror.fetch(branch) is None
    commit = remote.commit({"a.md": b"1"})
    assert mirror.fetch(branch) == commit
    remote.git("update-ref", "-d", "refs/heads/main")
    assert mirror.fetch(branch) is None


def test_a_branch_that_does_not_exist_is_told_with_those_that_do(remote: Remote, mirror: Mirror) -> None:
    for number in range(12):
        remote.commit({"a.md": b"1"}, f"b{number:02}")
    with pytest.raises(ScanFailed, match=r"no branch next; its branches are b00, b01, .*, b09, \.\.\.$"):
        mirror.fetch("next")
    with pytest.raises(ScanFailed, match="a HEAD that names no branch; its branches are b00"):
        mirror.fetch(None)


def test_a_branch_is_not_confused_with_a_tag(remote: Remote, mirror: Mirror) -> None:
    commit = remote.commit({"a.md": b"1"})
    remote.git("tag", "v1")
    with pytest.raises(ScanFailed, match="no branch v1"):
        mirror.fetch("v1")
    remote.commit({"a.md": b"2"})
    remote.git("tag", "-f", "main", commit)
    assert mirror.fetch("main") != commit


def test_a_remote_that_is_gone_is_told_and_may_come_back(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    commit = remote.commit({"a.md": b"1"})
    mirror.fetch(None)
    remote.folder.rename(tmp_path / "away")
    with pytest.raises(ScanFailed, match=r"remote\.git cannot be fetched: .*does not") as failure:
        mirror.fetch(None)
    assert "\n" not in str(failure.value)
    assert failure.value.retryable
    assert not isinstance(failure.value, RepositoryRefused)
    assert list(mirror.files(commit)) == ["a.md"]  # what was fetched is still there
    again = Remote(remote.folder).commit({"b.md": b"2"})
    assert mirror.fetch(None) == again
    assert contents(mirror, again) == {"b.md": b"2"}


def test_a_shallow_repository_can_be_mirrored(tmp_path: Path, remote: Remote) -> None:
    remote.commit({"a.md": b"1"})
    commit = remote.commit({"a.md": b"2"})
    remote.git("clone", "--quiet", "--bare", "--depth=1", remote.url, str(tmp_path / "shallow.git"))
    assert Mirror(tmp_path / "m.git", str(tmp_path / "shallow.git"), NEAR).fetch(None) == commit


def test_a_repository_with_sha256_can_be_mirrored(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "long.git", "--object-format=sha256")
    commit = remote.commit({"a.md": b"1"})
    mirror = Mirror(tmp_path / "m.git", remote.url, NEAR)
    assert mirror.fetch(None) == commit
    assert contents(mirror, commit) == {"a.md": b"1"}


def test_what_past_fetches_left_does_not_count(remote: Remote) -> None:
    mirror = with_limits(remote, max_total_bytes=400_000)
    for _ in range(8):
        commit = remote.commit({"a": os.urandom(100_000)})
        assert mirror.fetch(None) == commit
    assert len(contents(mirror, commit)) == 1


def test_blobs_stay_with_the_host_until_they_are_asked_for(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    remote.allow_filters()
    commit = head_after(remote, mirror, {"docs/a.md": b"1", "docs/b.md": b"2", "film.mp4": os.urandom(1_000_000)})
    assert storage.size_of_packs(tmp_path / "mirror.git") < 10_000
    files = mirror.files(commit)
    assert mirror.exists(commit, list(files)) == set(files)
    assert storage.size_of_packs(tmp_path / "mirror.git") < 10_000
    asked = [files["docs/b.md"], files["docs/a.md"]]
    assert list(mirror.blobs(asked)) == [(asked[0], b"2"), (asked[1], b"1")]
    assert storage.size_of_packs(tmp_path / "mirror.git") < 10_000


def test_missing_blobs_are_fetched_at_once(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.allow_filters()
    old = head_after(remote, mirror, {f"{number}": b"%d" % number for number in range(50)})
    list(mirror.blobs(mirror.files(old).values()))
    new = head_after(remote, mirror, {f"{number}": b"new %d" % number for number in range(9)})
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin/git"
    fake.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/ran\nexec {shutil.which("git")} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    changed, _ = mirror.changes(old, new) or ({}, set())
    assert [data for _, data in mirror.blobs(changed.values())] == [b"new %d" % number for number in range(9)]
    ran = (tmp_path / "ran").read_text().split()
    assert [command for command in ran if command in ("cat-file", "diff-tree", "fetch")] == [
        *("diff-tree", "cat-file", "cat-file", "fetch", "cat-file")
    ]


@pytest.mark.parametrize("filters", [False, True])
def test_tidying_drops_what_is_not_reached_and_keeps_what_is(
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
    remote.folder.rename(tmp_path / "away")  # all is here
    assert contents(mirror, commit) == {"a": b"1", "big": b"small"}
    (tmp_path / "away").rename(remote.folder)
    after = head_after(remote, mirror, {"a": b"2"})
    assert contents(mirror, after) == {"a": b"2", "big": b"small"}


def test_many_fetches_do_not_leave_many_packs(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_PACKS", 3)
    old = head_after(remote, mirror, {"b": b"1"})
    for number in range(8):
        new = head_after(remote, mirror, {"a": b"%d" % number})
        changed, gone = mirror.changes(old, new) or ({}, {"unknown"})
        assert (list(changed), gone) == (["a"], set())
        assert storage.number_of_packs(tmp_path / "mirror.git") <= 5
        old = new


def test_tidying_nothing_is_no_error(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
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


def test_the_users_own_configuration_and_environment_do_not_matter(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = remote.commit({"a.md": b"1"})
    (tmp_path / ".gitconfig").write_text('[url "https://example.com/"]\n\tinsteadOf = file:///\n[core]\n\tabbrev = 4\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {"GIT_DIR": "/x", "GIT_OBJECT_DIRECTORY": "/x", "GIT_CONFIG_COUNT": "7"}.items():
        monkeypatch.setenv(name, value)
    assert mirror.fetch(None) == commit
    assert contents(mirror, commit) == {"a.md": b"1"}


def test_a_repository_of_another_user_can_be_read(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = remote.commit({"a.md": b"1"})
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin/git"
    real = shutil.which("git")
    fake.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {real} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    assert mirror.fetch(None) == commit


def test_a_commit_that_is_none_is_told(remote: Remote, mirror: Mirror) -> None:
    remote.commit({"a.md": b"1"})
    for commit in ("--help", "HEAD", "0" * 40):
        with pytest.raises(ScanFailed):
            mirror.files(commit)
    with pytest.raises(ScanFailed):
        list(mirror.blobs(["HEAD:a.md"]))
    with pytest.raises(ScanFailed):
        list(mirror.blobs(["0" * 40]))
