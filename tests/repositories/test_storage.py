"""The folder of a mirror: damage, leftovers of killed processes, locks, replacement and removal."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jive.errors import ScanFailed
from jive.repositories import storage
from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import LOCAL, contents, head_after, with_limits
from tests.repositories.programs import hang_over_ssh
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
def test_a_damaged_mirror_is_recreated(
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


def test_a_damaged_mirror_with_sha256_is_recreated(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "long.git", "--object-format=sha256")
    mirror = Mirror(tmp_path / "mirror.git", remote.url, LOCAL)
    commit = head_after(remote, mirror, {"a.md": b"1"})
    remove(tmp_path / "mirror.git/objects")
    assert contents(mirror, commit) == {"a.md": b"1"}
    remove(tmp_path / "mirror.git/objects")
    assert mirror.fetch(None) == commit


def test_a_file_in_the_place_of_a_mirror_is_replaced(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    commit = remote.commit({"a.md": b"1"})
    (tmp_path / "mirror.git").write_bytes(b"")
    assert mirror.fetch(None) == commit
    assert {place.name for place in tmp_path.glob("mirror.git*")} == {"mirror.git"}


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path, remote: Remote) -> None:
    remote.commit({"a.md": b"1"})
    (tmp_path / "file").write_bytes(b"")
    mirror = Mirror(tmp_path / "file/mirror.git", remote.url, LOCAL)
    with pytest.raises(ScanFailed), mirror.locked():
        pass
    with pytest.raises(ScanFailed):
        mirror.fetch(None)


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    old = head_after(remote, mirror, {"a.md": b"1"})
    left = ("shallow.lock", "config.lock", "packed-refs.lock", "HEAD.lock", "refs/jive/head.lock", "index.lock")
    for name in (*left, "objects/pack/tmp_pack_x", "objects/pack/tmp_idx_x"):
        (tmp_path / "mirror.git" / name).touch()
    new = head_after(remote, mirror, {"a.md": b"2"})
    assert contents(mirror, new) == {"a.md": b"2"}
    assert old != new
    assert not [place for place in (tmp_path / "mirror.git").rglob("*") if place.name.startswith("tmp_")]


FETCH = """
import sys
from pathlib import Path
from jive.repositories.mirror import Mirror, Policy
folder, url = sys.argv[1:]
policy = Policy(hosts={"localhost": None}, allow_private=True, allow_local=True)
mirror = Mirror(Path(folder), url, policy)
with mirror.locked():
    commit = mirror.fetch(None)
    print(commit, len(list(mirror.blobs(mirror.files(commit).values()))))
"""


def start_fetch(folder: Path, url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", FETCH, str(folder), url], stdout=subprocess.PIPE)


def test_a_process_that_is_killed_during_a_fetch_does_not_stop_the_next(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = head_after(remote, mirror, {"a": b"1"})
    commit = remote.commit({"big": os.urandom(500_000)})
    url = f"ssh://git@localhost{remote.folder}"
    with hang_over_ssh(tmp_path, monkeypatch, 'sh -c "$command" | dd bs=1 count=200000') as hanging:
        process = start_fetch(tmp_path / "mirror.git", url)
        with hanging.open() as pipe:
            pipe.readline()  # half of the pack has arrived
            process.kill()
        process.communicate()
    assert [place for place in (tmp_path / "mirror.git").rglob("tmp_*") if place.is_file()]
    with mirror.locked():
        assert mirror.fetch(None) == commit
        assert set(contents(mirror, commit)) == {"a", "big"}
        assert mirror.changes(first, commit)


def test_processes_that_share_a_mirror_take_turns(tmp_path: Path, remote: Remote) -> None:
    commit = remote.commit({f"{number}": b"%d" % number for number in range(200)})
    processes = [start_fetch(tmp_path / "mirror.git", remote.url) for _ in range(3)]
    for process in processes:
        answer, _ = process.communicate(timeout=120)
        assert answer.decode() == f"{commit} 200\n"
        assert process.returncode == 0


def test_a_locked_mirror_is_an_error_at_the_deadline(remote: Remote) -> None:
    late = with_limits(remote, timeout_s=0.05)
    with with_limits(remote).locked(), pytest.raises(ScanFailed, match="did not end in time"), late.locked():
        pass
    with with_limits(remote).locked():
        pass


def test_a_removed_mirror_leaves_nothing_behind(tmp_path: Path, remote: Remote, mirror: Mirror) -> None:
    with mirror.locked():
        head_after(remote, mirror, {"a.md": b"1"})
        with pytest.raises(ScanFailed, match="did not end in time"):
            storage.remove(tmp_path / "mirror.git")
        assert (tmp_path / "mirror.git/HEAD").is_file()
    for ending in ("new", "gone", "replacement", "replacement.new"):
        (tmp_path / f"mirror.git.{ending}").mkdir()
    (tmp_path / "mirror.gits").touch()
    for _ in range(2):
        storage.remove(tmp_path / "mirror.git")
        assert sorted(place.name for place in tmp_path.iterdir()) == ["mirror.gits", "remote.git"]


def test_a_replacement_takes_the_place_of_a_folder_only_when_it_is_complete(tmp_path: Path) -> None:
    folder = tmp_path / "mirror.git"
    for was_there in (False, True):
        with pytest.raises(ZeroDivisionError), storage.replacement(folder) as new:
            new.mkdir()
            raise ZeroDivisionError
        assert folder.exists() == was_there
        with storage.replacement(folder) as new:
            storage.make(new, time.monotonic() + 60)
        assert (folder / "HEAD").is_file()
        assert list(tmp_path.iterdir()) == [folder]


def test_sizes_of_nothing_are_zero(tmp_path: Path) -> None:
    assert storage.size_of_packs(tmp_path / "mirror.git") == 0
    assert storage.number_of_packs(tmp_path / "mirror.git") == 0
