"""Parsing git's listings: which entries count, odd paths, limits, and output that ends early."""

import io
import logging
import os

import pytest

from jive.errors import ScanFailed
from jive.repositories import streams
from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import contents, head_after
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


def test_paths_may_hold_any_characters(remote: Remote, mirror: Mirror) -> None:
    odd = {str(path) for path in ODD}
    commit = remote.commit(ODD)
    assert mirror.fetch(None) == commit
    assert contents(mirror, commit) == ODD
    assert mirror.exists(commit, {*odd, "docs/a", "docs/a\nb.md missing", "docs/\0", "docs/\ud800"}) == odd
    removed = remote.commit(dict.fromkeys(ODD))
    assert mirror.fetch(None) == removed
    assert mirror.changes(commit, removed) == ({}, odd)


def test_a_path_that_is_not_utf_8_is_skipped_with_a_warning(
    remote: Remote, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    old = head_after(remote, mirror, {"good.md": b"1"})
    new = head_after(remote, mirror, {b"docs/gr\xf6\xdfe.md": b"2"})
    with caplog.at_level(logging.WARNING):
        assert list(mirror.files(new)) == ["good.md"]
        assert mirror.changes(old, new) == ({}, set())
    assert r"docs/gr\xf6\xdfe.md" in caplog.text


def test_only_changes_of_regular_files_count(remote: Remote, mirror: Mirror) -> None:
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


def test_a_large_file_has_no_content_and_the_next_ones_do(remote: Remote, mirror: Mirror) -> None:
    commit = head_after(remote, mirror, {"a": b"1", "b": os.urandom(3_000_000), "c": b"x" * 2_000_000, "d": b"2"})
    found = contents(mirror, commit)
    assert found == {"a": b"1", "b": None, "c": b"x" * 2_000_000, "d": b"2"}


A, B = "a" * 40, "b" * 40


def stream_of(*parts: bytes) -> io.BytesIO:
    return io.BytesIO(b"".join(parts))


@pytest.mark.parametrize(("kept", "count"), [(0, 0), (1, 0), (50, 0), (51, 1), (70, 1), (108, 1), (109, 2)])
def test_contents_end_where_the_output_ends(kept: int, count: int) -> None:
    output = b"%s blob 2\n12\n%s blob 9\n123456789\n" % (A.encode(), B.encode())
    found = list(streams.contents(stream_of(output[:kept]), [A, B], 5))
    assert found == [(A, 2, b"12"), (B, 9, None)][:count]


def test_a_missing_blob_and_another_object_are_errors() -> None:
    with pytest.raises(streams.MissingBlob):
        list(streams.contents(stream_of(A.encode(), b" missing\n"), [A], 5))
    with pytest.raises(ScanFailed, match=f"{A} is the id of a tree, not of a file"):
        list(streams.contents(stream_of(A.encode(), b" tree 2\n12\n"), [A], 5))


def test_a_record_without_an_end_is_an_error() -> None:
    longest = b"b" * streams.MAX_RECORD_BYTES
    assert list(streams.records(stream_of(b"a\0", longest, b"\0"))) == [b"a", longest]
    with pytest.raises(ScanFailed, match="longer than any system allows"):
        list(streams.records(stream_of(longest, longest)))


def test_more_entries_than_the_limit_are_an_error() -> None:
    listing = b"".join(b"100644 blob %s\t%d\0" % (A.encode(), number) for number in range(3))
    assert streams.files(stream_of(listing), 3) == {"0": A, "1": A, "2": A}
    with pytest.raises(streams.TooMany, match="more than the 2 files"):
        streams.files(stream_of(listing), 2)
    changes = b"".join(b":100644 100644 %s %s M\0%d\0" % (A.encode(), B.encode(), number) for number in range(3))
    assert streams.changes(stream_of(changes), 3) == ({"0": B, "1": B, "2": B}, set())
    with pytest.raises(streams.TooMany, match="More than the 2 files"):
        streams.changes(stream_of(changes), 2)


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\0b", "\ud800", "a" * 601]
)
def test_a_path_that_could_leave_the_tree_is_not_valid(path: str) -> None:
    assert not streams.is_inside(path)


@pytest.mark.parametrize("path", ["a", "a/b", ".a", "..a/b..", "a b", "-x", "a" * 600])
def test_an_unusual_path_inside_the_tree_is_valid(path: str) -> None:
    assert streams.is_inside(path)
