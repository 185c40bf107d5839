"""Fetching the head of a branch over each protocol, within the limits for size and time."""

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from jive.errors import ScanFailed
from jive.repositories import fetching, storage
from jive.repositories.mirror import Mirror, Policy
from tests.repositories.mirrors import LOCAL, LOCALHOST, contents, head_after, with_limits
from tests.repositories.programs import fail_over_ssh, hang_over_ssh, wrap_git
from tests.repositories.remotes import Gateway, Remote, stalling_https


def test_without_a_branch_the_remotes_head_is_fetched(remote: Remote, mirror: Mirror) -> None:
    first = remote.commit({"a": b"1"})
    other = remote.commit({"a": b"2"}, "trunk")
    assert mirror.fetch(None) == first
    remote.git("branch", "-m", "main", "old")
    remote.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    assert mirror.fetch(None) == other


@pytest.mark.parametrize("branch", [None, "main"])
def test_an_empty_repository_has_no_head(remote: Remote, mirror: Mirror, branch: str | None) -> None:
    assert mirror.fetch(branch) is None
    commit = remote.commit({"a.md": b"1"})
    assert mirror.fetch(branch) == commit
    remote.git("update-ref", "-d", "refs/heads/main")
    assert mirror.fetch(branch) is None


def test_a_missing_branch_is_an_error_that_lists_the_others(remote: Remote, mirror: Mirror) -> None:
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


def test_a_shallow_repository_can_be_mirrored(tmp_path: Path, remote: Remote) -> None:
    remote.commit({"a.md": b"1"})
    commit = remote.commit({"a.md": b"2"})
    remote.git("clone", "--quiet", "--bare", "--depth=1", remote.url, str(tmp_path / "shallow.git"))
    assert Mirror(tmp_path / "m.git", str(tmp_path / "shallow.git"), LOCAL).fetch(None) == commit


def test_a_repository_with_sha256_can_be_mirrored(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "long.git", "--object-format=sha256")
    commit = remote.commit({"a.md": b"1"})
    mirror = Mirror(tmp_path / "m.git", remote.url, LOCAL)
    assert mirror.fetch(None) == commit
    assert contents(mirror, commit) == {"a.md": b"1"}


def test_a_mirror_that_past_fetches_made_too_large_is_tidied(tmp_path: Path, remote: Remote) -> None:
    mirror = with_limits(remote, max_total_bytes=400_000)
    for _ in range(8):
        commit = head_after(remote, mirror, {"a": os.urandom(100_000)})
        assert storage.size_of_packs(tmp_path / "limited.git") <= 400_000
    assert len(contents(mirror, commit)) == 1


def test_a_repository_that_grows_above_the_limit_is_refused_and_leaves_no_mirror(
    tmp_path: Path, remote: Remote
) -> None:
    mirror = with_limits(remote, max_total_bytes=400_000)
    for number in range(3):
        head_after(remote, mirror, {f"{number}": os.urandom(100_000)})
    remote.commit({"3": os.urandom(100_000)})
    with pytest.raises(ScanFailed, match=r"remote\.git is larger than the 400,000 bytes that the settings allow$"):
        mirror.fetch(None)
    assert not (tmp_path / "limited.git").exists()
    smaller = head_after(remote, mirror, {f"{number}": None for number in range(3)})
    assert len(contents(mirror, smaller)) == 1


def test_missing_blobs_are_fetched_in_one_request(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.allow_filters()
    old = head_after(remote, mirror, {f"{number}": b"%d" % number for number in range(50)})
    list(mirror.blobs(mirror.files(old).values()))
    new = head_after(remote, mirror, {f"{number}": b"new %d" % number for number in range(9)})
    wrap_git(tmp_path / "bin", monkeypatch, f'echo "$1" >> {tmp_path}/ran\nexec "$REAL" "$@"')
    changed, _ = mirror.changes(old, new) or ({}, set())
    assert [data for _, data in mirror.blobs(changed.values())] == [b"new %d" % number for number in range(9)]
    ran = (tmp_path / "ran").read_text().split()
    assert [command for command in ran if command in ("cat-file", "diff-tree", "fetch")] == [
        *("diff-tree", "cat-file", "cat-file", "fetch", "cat-file")
    ]


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


def test_only_one_commit_is_fetched(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    for number in range(5):
        remote.commit({"a.md": b"%d" % number})
        mirror.fetch(None)
    command = ["git", "rev-list", "--count", "refs/jive/head"]
    assert subprocess.check_output(command, cwd=tmp_path / "mirror.git") == b"1\n"
    assert len((tmp_path / "mirror.git/shallow").read_text().split()) == 1


def test_a_repository_of_another_user_can_be_read(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = remote.commit({"a.md": b"1"})
    wrap_git(tmp_path / "bin", monkeypatch, 'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec "$REAL" "$@"')
    assert mirror.fetch(None) == commit


def test_a_suffix_that_the_host_requires_is_added_to_the_url(tmp_path: Path, served: tuple[type[Gateway], str]) -> None:
    head = Remote(tmp_path / "served/org/repo.git").commit({"a.md": b"x"})
    assert Mirror(tmp_path / "m.git", f"{served[1]}/org/repo", LOCALHOST).fetch(None) == head


def test_a_redirect_is_never_followed(tmp_path: Path, served: tuple[type[Gateway], str]) -> None:
    gateway, base = served
    Remote(tmp_path / "served/org/repo.git").commit({"a.md": b"x"})
    policy = Policy(hosts=LOCALHOST.hosts, allow_private=True, tokens={"localhost": "x"})
    with pytest.raises(ScanFailed, match="has moved; use its new URL"):
        Mirror(tmp_path / "m.git", f"{base}/moved/org/repo.git", policy).fetch(None)
    assert {path for path, _ in gateway.requests} == {"/moved/org/repo.git/info/refs"}


def test_an_unknown_repository_is_an_error_of_one_line(tmp_path: Path, served: tuple[type[Gateway], str]) -> None:
    with pytest.raises(ScanFailed, match=r"org/none\.git cannot be fetched: .*not found") as failure:
        Mirror(tmp_path / "m.git", f"{served[1]}/org/none.git", LOCALHOST).fetch(None)
    assert "\n" not in str(failure.value)


def test_ssh_never_prompts_and_accepts_new_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = fail_over_ssh(tmp_path / "bin", monkeypatch, "git@localhost: Permission denied (publickey).")
    with pytest.raises(ScanFailed, match=r"only be read with an ssh key .*Permission denied \(publickey\)"):
        Mirror(tmp_path / "m.git", "git@localhost:org/repo.git", LOCALHOST).fetch(None)
    arguments = record.read_text()
    assert "-oBatchMode=yes -oStrictHostKeyChecking=accept-new" in arguments
    assert "git@localhost git-upload-pack 'org/repo.git'" in arguments


@pytest.mark.parametrize("trickles", [False, True], ids=["nothing", "a trickle"])
def test_a_host_that_sends_almost_nothing_is_given_up_long_before_the_deadline(
    tmp_path: Path, certificate: Path, trickles: bool
) -> None:
    policy = Policy(hosts={"localhost": None}, allow_private=True, timeout_s=25, stall_timeout_s=1)
    with stalling_https(certificate, trickles=trickles) as port:
        began = time.monotonic()
        with pytest.raises(ScanFailed, match="the host sent almost nothing for 1 s"):
            Mirror(tmp_path / "m.git", f"https://localhost:{port}/a/b.git", policy).fetch(None)
        assert time.monotonic() - began < 15


def test_a_fetch_ends_at_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy(hosts={"localhost": None}, allow_private=True, timeout_s=1.5)
    with hang_over_ssh(tmp_path, monkeypatch, "") as pipe:
        until_ended = threading.Thread(target=pipe.read_text, daemon=True)
        until_ended.start()
        with pytest.raises(ScanFailed, match=r"took longer than the 1\.5 s"):
            Mirror(tmp_path / "m.git", "ssh://git@localhost/a/b", policy).fetch(None)
        until_ended.join(30)
        assert not until_ended.is_alive()
