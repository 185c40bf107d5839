"""What a mirror says of a commit: its files, what changed since another one, and their contents, within limits."""

import logging
import os

import pytest

from jive.errors import ScanFailed
from jive.repositories import storage
from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import contents, head, head_after, with_limits
from tests.repositories.remotes import EXECUTABLE, LINK, SUBMODULE, Content, Remote

ODD: dict[str | bytes, Content] = {
    "docs/a\nb.md": b"1",
    'docs/"quoted".md': b"2",
    "docs/需求 文档.md": b"3",
    "docs/:(top)x.md": b"4",
    "-x": b"5",
}


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
    assert storage.size_of_packs(remote.folder.parent / "limited.git") < 600_000


def test_reading_more_than_allowed_is_told(remote: Remote) -> None:
    remote.commit({f"{number}": b"%d" % number * 100_000 for number in range(5)})  # small when packed
    mirror = with_limits(remote, max_total_bytes=400_000)
    with pytest.raises(ScanFailed, match="more than 400,000 bytes together"):
        contents(mirror, head(mirror))


def test_many_folders_are_asked_for_at_once(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {f"d{number}/{name}": b"1" for number in range(150) for name in "ab"})
    asked = [f"d{number}/{name}" for number in range(200) for name in "ac"]
    assert mirror.exists(commit, asked) == {f"d{number}/a" for number in range(150)}
    assert mirror.exists(commit, ["d1", "d1/b", "d1/b/c", "../d1", "/d1", "d1/", ""]) == {"d1", "d1/b"}
