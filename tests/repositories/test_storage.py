"""A mirror that was damaged, left behind by a killed process, or is wanted by two at once, still gives the head."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jive.errors import ScanFailed
from jive.repositories.mirror import Mirror, Policy
from tests.repositories.mirrors import FAR, NEAR, contents, head_after, with_limits
from tests.repositories.remotes import Content, Remote


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
from jive.repositories.mirror import Mirror, Policy
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
