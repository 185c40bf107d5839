"""A mirror holds a branch's head, whatever happened to the repository or to the mirror itself."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jive.errors import RepositoryRefused, ScanFailed
from jive.scanner import bare, origin
from jive.scanner.checkout import Mirror, Policy
from tests.scanner.remotes import EXECUTABLE, LINK, SUBMODULE, Content, Remote

NEAR = Policy(allow_local=True)
FAR = Policy(hosts=frozenset({"localhost"}), allow_private=True)
ODD: dict[str | bytes, Content] = {
    "docs/a\nb.md": b"1",
    'docs/"quoted".md': b"2",
    "docs/需求 文档.md": b"3",
    "docs/:(top)x.md": b"4",
    "-x": b"5",
}


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote.git")


@pytest.fixture
def mirror(tmp_path: Path, remote: Remote) -> Mirror:
    return Mirror(tmp_path / "mirror.git", remote.url, NEAR)


def with_limits(remote: Remote, **limits: float) -> Mirror:
    return Mirror(remote.folder.parent / "limited.git", remote.url, Policy(allow_local=True, **limits))  # type: ignore[arg-type]


def contents(mirror: Mirror, commit: str) -> dict[str, bytes | None]:
    files = mirror.files(commit)
    found = dict(mirror.blobs(files.values()))
    return {path: found[blob_id] for path, blob_id in files.items()}


def head(mirror: Mirror, branch: str | None = None) -> str:
    commit = mirror.fetch(branch)
    assert commit
    return commit


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


def test_only_regular_files_are_listed(remote: Remote, mirror: Mirror) -> None:
    commit = remote.commit(
        {
            "plain.md": b"1",
            "run": (EXECUTABLE, b"2"),
            "docs/link.md": (LINK, b"../plain.md"),
            "docs/out": (LINK, b"/etc"),
            "module": (SUBMODULE, b""),
        }
    )
    assert mirror.fetch(None) == commit
    assert list(mirror.files(commit)) == ["plain.md", "run"]
    assert mirror.exists(commit, ["plain.md", "docs/link.md", "docs/out/passwd", "docs", "module"]) == {
        *("plain.md", "docs/link.md", "docs", "module")
    }


def test_paths_may_be_odd(remote: Remote, mirror: Mirror) -> None:
    odd = {str(path) for path in ODD}
    commit = remote.commit(ODD)
    assert mirror.fetch(None) == commit
    assert contents(mirror, commit) == ODD
    assert mirror.exists(commit, {*odd, "docs/a", "docs/a\nb.md missing", "docs/\0", "docs/\ud800"}) == odd
    removed = remote.commit(dict.fromkeys(ODD))
    assert mirror.fetch(None) == removed
    assert mirror.changes(commit, removed) == ({}, odd)


def test_a_path_that_is_no_utf_8_is_left_out_and_warned_of(
    remote: Remote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    old = head_after(remote, mirror, {"good.md": b"1"})
    new = head_after(remote, mirror, {b"docs/gr\xf6\xdfe.md": b"2"})
    with caplog.at_level(logging.WARNING):
        assert list(mirror.files(new)) == ["good.md"]
        assert mirror.changes(old, new) == ({}, set())
    assert r"docs/gr\xf6\xdfe.md" in caplog.text


def head_after(remote: Remote, mirror: Mirror, files: Mapping[str | bytes, Content]) -> str:
    commit = remote.commit(files)
    assert mirror.fetch(None) == commit
    return commit


def test_changes_are_those_of_regular_files(remote: Remote, mirror: Mirror) -> None:
    old = head_after(
        remote,
        mirror,
        {
            "same": b"0",
            "changed": b"0",
            "removed": b"0",
            "moved": b"moved",
            "run": b"0",
            "linked": b"0",
            "link": (LINK, b"same"),
            "module": (SUBMODULE, b""),
            "folder": b"0",
            "file/in": b"0",
        },
    )
    remote.commit({"folder": None, "file/in": None})
    new = head_after(
        remote,
        mirror,
        {
            "changed": b"1",
            "removed": None,
            "moved": None,
            "new place": b"moved",
            "run": (EXECUTABLE, b"0"),
            "linked": (LINK, b"same"),
            "link": b"a file now",
            "module": None,
            "folder/in": b"1",
            "file": b"1",
        },
    )
    changed, gone = mirror.changes(old, new) or ({}, set())
    assert [data for _, data in mirror.blobs(changed.values())] == [b"1", b"1", b"1", b"a file now", b"moved"]
    assert list(changed) == ["changed", "file", "folder/in", "link", "new place"]
    assert gone == {"removed", "moved", "linked", "folder", "file/in"}
    assert mirror.changes(new, new) == ({}, set())


def test_changes_since_what_is_not_there_are_unknown(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {"a.md": b"1"})
    for old in ("0" * 40, "-O/tmp/x", "", "HEAD"):
        assert mirror.changes(old, commit) is None


def test_more_changes_than_files_are_allowed_are_unknown(remote: Remote) -> None:
    mirror = with_limits(remote, max_files=3)
    old = head_after(remote, mirror, {"a": b"1"})
    new = head_after(remote, mirror, {**{f"{number}": b"1" for number in range(3)}, "a": None})
    assert mirror.changes(old, new) is None
    assert len(mirror.files(new)) == 3


def test_contents_come_in_the_order_asked(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {f"{number}.md": b"%d" % number for number in range(20)})
    ids = list(mirror.files(commit).values())
    asked = [*reversed(ids), ids[0]]
    assert [blob_id for blob_id, _ in mirror.blobs(asked)] == asked
    assert list(mirror.blobs([])) == []


def test_a_large_file_has_no_content_and_the_next_one_has(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {"a": b"1", "b": os.urandom(3_000_000), "c": b"x" * 2_000_000, "d": b"2"})
    found = contents(mirror, commit)
    assert found == {"a": b"1", "b": None, "c": b"x" * 2_000_000, "d": b"2"}


def test_reading_may_stop_at_any_place(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {f"{number}": os.urandom(200_000) for number in range(10)})
    reading = iter(mirror.blobs(mirror.files(commit).values()))
    next(reading)
    del reading  # a git that was left alone would warn here, as an error
    assert len(contents(mirror, commit)) == 10


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"max_files": 4}, "more than the 4 files"),
        ({"max_total_bytes": 400_000}, "larger than the 400,000 bytes"),
    ],
)
def test_a_repository_over_a_limit_is_told(remote: Remote, limits: dict[str, float], told: str) -> None:
    remote.commit({f"{number}": os.urandom(100_000) for number in range(5)})
    mirror = with_limits(remote, **limits)
    with pytest.raises(ScanFailed, match=told):
        mirror.files(head(mirror))
    assert bare.size_of_packs(remote.folder.parent / "limited.git") < 600_000


def test_reading_more_than_allowed_is_told(remote: Remote) -> None:
    remote.commit({f"{number}": b"%d" % number * 100_000 for number in range(5)})  # small when packed
    mirror = with_limits(remote, max_total_bytes=400_000)
    with pytest.raises(ScanFailed, match="more than 400,000 bytes together"):
        contents(mirror, head(mirror))


def test_what_past_fetches_left_does_not_count(remote: Remote) -> None:
    mirror = with_limits(remote, max_total_bytes=400_000)
    for _ in range(8):
        commit = remote.commit({"a": os.urandom(100_000)})
        assert mirror.fetch(None) == commit
    assert len(contents(mirror, commit)) == 1


def test_blobs_stay_with_the_host_until_they_are_asked_for(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    remote.allow_filters()
    commit = head_after(remote, mirror, {"docs/a.md": b"1", "docs/b.md": b"2", "film.mp4": os.urandom(1_000_000)})
    assert bare.size_of_packs(tmp_path / "mirror.git") < 10_000
    files = mirror.files(commit)
    assert mirror.exists(commit, list(files)) == set(files)
    assert bare.size_of_packs(tmp_path / "mirror.git") < 10_000
    asked = [files["docs/b.md"], files["docs/a.md"]]
    assert list(mirror.blobs(asked)) == [(asked[0], b"2"), (asked[1], b"1")]
    assert bare.size_of_packs(tmp_path / "mirror.git") < 10_000


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
    assert bare.size_of_packs(tmp_path / "mirror.git") < 10_000
    assert mirror.changes(first, commit) is None
    remote.folder.rename(tmp_path / "away")  # all is here
    assert contents(mirror, commit) == {"a": b"1", "big": b"small"}
    (tmp_path / "away").rename(remote.folder)
    after = head_after(remote, mirror, {"a": b"2"})
    assert contents(mirror, after) == {"a": b"2", "big": b"small"}


def test_many_fetches_do_not_leave_many_packs(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origin, "MAX_PACKS", 3)
    old = head_after(remote, mirror, {"b": b"1"})
    for number in range(8):
        new = head_after(remote, mirror, {"a": b"%d" % number})
        changed, gone = mirror.changes(old, new) or ({}, {"unknown"})
        assert (list(changed), gone) == (["a"], set())
        assert bare.number_of_packs(tmp_path / "mirror.git") <= 5
        old = new


def test_tidying_nothing_is_no_error(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    mirror.tidy()
    mirror.fetch(None)
    mirror.tidy()
    commit = remote.commit({"a": b"1"})
    assert mirror.fetch(None) == commit


def test_many_folders_are_asked_for_at_once(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {f"d{number}/{name}": b"1" for number in range(150) for name in "ab"})
    asked = [f"d{number}/{name}" for number in range(200) for name in "ac"]
    assert mirror.exists(commit, asked) == {f"d{number}/a" for number in range(150)}
    assert mirror.exists(commit, ["d1", "d1/b", "d1/b/c", "../d1", "/d1", "d1/", ""]) == {"d1", "d1/b"}


def empty(*places: Path) -> None:
    for place in places:
        place.chmod(0o600)
        place.write_bytes(b"")


def halve(*places: Path) -> None:
    for place in places:
        place.chmod(0o600)
        os.truncate(place, place.stat().st_size // 2)


def remove(*places: Path) -> None:
    for place in places:
        shutil.rmtree(place) if place.is_dir() else place.unlink()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no objects": lambda folder: remove(folder / "objects"),
    "no packs": lambda folder: remove(*folder.glob("objects/pack/*")),
    "half a pack": lambda folder: halve(*folder.glob("objects/pack/*.pack")),
    "an empty index": lambda folder: empty(*folder.glob("objects/pack/*.idx")),
    "an empty ref": lambda folder: empty(folder / "refs/jive/head"),
    "a ref to nothing": lambda folder: (folder / "refs/jive/head").write_text("1" * 40),
    "an empty config": lambda folder: empty(folder / "config"),
    "a broken config": lambda folder: (folder / "config").write_text("[core"),
    "a broken shallow": lambda folder: (folder / "shallow").write_text("nonsense\n"),
    "an empty HEAD": lambda folder: empty(folder / "HEAD"),
    "no HEAD": lambda folder: remove(folder / "HEAD"),
    "no folder": remove,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    ("when", "filters"), [("before the fetch", False), ("after the fetch", True), ("before the contents", True)]
)
def test_a_damaged_mirror_is_made_anew(
    tmp_path: Path, remote: Remote, mirror: Mirror, damage: str, filters: bool, when: str
) -> None:
    if filters:
        remote.allow_filters()
    content: dict[str | bytes, Content] = {f"docs/{number}.md": os.urandom(2_000) for number in range(20)}
    old = head_after(remote, mirror, content)
    contents(mirror, old)
    content["docs/1.md"] = b"changed"
    new = remote.commit({"docs/1.md": b"changed"})
    if when == "before the fetch":
        DAMAGES[damage](tmp_path / "mirror.git")
    assert mirror.fetch(None) == new
    if when == "after the fetch":
        DAMAGES[damage](tmp_path / "mirror.git")
    files = mirror.files(new)
    if when == "before the contents":
        DAMAGES[damage](tmp_path / "mirror.git")
    found = dict(mirror.blobs(files.values()))
    assert {path: found[blob_id] for path, blob_id in files.items()} == content
    assert mirror.exists(new, ["docs/1.md", "docs/x.md"]) == {"docs/1.md"}
    assert mirror.fetch("main") == new


def test_a_file_in_the_mirrors_place_makes_way(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    commit = remote.commit({"a.md": b"1"})
    (tmp_path / "mirror.git").write_bytes(b"")
    assert mirror.fetch(None) == commit


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, remote: Remote) -> None:
    remote.commit({"a.md": b"1"})
    (tmp_path / "file").write_bytes(b"")
    mirror = Mirror(tmp_path / "file/mirror.git", remote.url, NEAR)
    with pytest.raises(ScanFailed), mirror.locked():
        pass
    with pytest.raises(ScanFailed):
        mirror.fetch(None)


def test_locks_of_killed_processes_do_not_block(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    old = head_after(remote, mirror, {"a.md": b"1"})
    left = ("shallow.lock", "config.lock", "packed-refs.lock", "HEAD.lock", "refs/jive/head.lock", "index.lock")
    for name in (*left, "objects/pack/tmp_pack_x", "objects/pack/tmp_idx_x"):
        (tmp_path / "mirror.git" / name).touch()
    new = head_after(remote, mirror, {"a.md": b"2"})
    assert contents(mirror, new) == {"a.md": b"2"}
    assert old != new
    assert not [place for place in (tmp_path / "mirror.git").rglob("*") if place.name.startswith("tmp_")]


@contextmanager
def ssh(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Iterator[Path]:
    """Answer ssh with `script`, which has the command for the host in $command; then hang.

    Yields a pipe with a line when it hangs, and an end when it is dead.
    """
    said = folder / "said"
    os.mkfifo(said)
    place = folder / "ssh"
    lines = ("#!/bin/sh", f"echo $$ > {folder}/pid", "for command; do :; done", script)
    place.write_text("\n".join((*lines, f"exec 3> {said}", "echo >&3", "exec sleep 600\n")))
    place.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(place))
    try:
        yield said
    finally:
        with suppress(ProcessLookupError):
            os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


def test_a_host_that_does_not_answer_ends_with_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy(hosts=FAR.hosts, allow_private=True, timeout_s=1.5)
    with ssh(monkeypatch, tmp_path, "") as said:
        until_dead = threading.Thread(target=said.read_text, daemon=True)
        until_dead.start()
        with pytest.raises(ScanFailed, match=r"took longer than the 1\.5 s"):
            Mirror(tmp_path / "m.git", "ssh://git@localhost/a/b", policy).fetch(None)
        until_dead.join(30)
        assert not until_dead.is_alive()


FETCH = """
import sys
from pathlib import Path
from jive.scanner.checkout import Mirror, Policy
folder, url = sys.argv[1:]
policy = Policy(hosts=frozenset({"localhost"}), allow_private=True, allow_local=True)
mirror = Mirror(Path(folder), url, policy)
with mirror.locked():
    commit = mirror.fetch(None)
    print(commit, len(list(mirror.blobs(mirror.files(commit).values()))))
"""


def start_fetch(folder: Path, url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", FETCH, str(folder), url], stdout=subprocess.PIPE)


def test_a_process_killed_in_the_middle_of_a_fetch_leaves_nothing_that_stops_the_next(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = head_after(remote, mirror, {"a": b"1"})
    commit = remote.commit({"big": os.urandom(500_000)})
    url = f"ssh://git@localhost{remote.folder}"
    with ssh(monkeypatch, tmp_path, 'sh -c "$command" | dd bs=1 count=200000') as said:
        process = start_fetch(tmp_path / "mirror.git", url)
        with said.open() as pipe:
            pipe.readline()  # half of the pack has come
            process.kill()
        process.communicate()
    assert [place for place in (tmp_path / "mirror.git").rglob("tmp_*") if place.is_file()]
    with mirror.locked():
        assert mirror.fetch(None) == commit
        assert set(contents(mirror, commit)) == {"a", "big"}
        assert mirror.changes(first, commit)


def test_two_processes_at_once_wait_for_each_other(tmp_path: Path, remote: Remote) -> None:
    commit = remote.commit({f"{number}": b"%d" % number for number in range(200)})
    processes = [start_fetch(tmp_path / "mirror.git", remote.url) for _ in range(3)]
    for process in processes:
        answer, _ = process.communicate(timeout=120)
        assert answer.decode() == f"{commit} 200\n"
        assert process.returncode == 0


def test_a_mirror_that_is_in_use_is_told_when_the_time_is_over(remote: Remote) -> None:
    late = with_limits(remote, timeout_s=0.05)
    with with_limits(remote).locked(), pytest.raises(ScanFailed, match="did not end in time"), late.locked():
        pass
    with with_limits(remote).locked():
        pass


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
