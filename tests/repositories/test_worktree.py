"""A checked-out repository, read from its folder."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from jive.repositories.worktree import files, read, repository_url


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"# {path}\n")


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def paths(folder: Path) -> list[str]:
    return sorted(path for path in files(folder, {".claude"}) if path.endswith(".md"))


def test_files_are_listed_but_those_in_skipped_folders(tmp_path: Path) -> None:
    write(tmp_path, "docs/b.md", "docs/a b.md", "docs/日本.md", "README.md", ".claude/docs/c.md")
    assert paths(tmp_path) == ["README.md", "docs/a b.md", "docs/b.md", "docs/日本.md"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "outside/docs/secret.md")
    inside = tmp_path / "inside"
    write(inside, "docs/a.md")
    (inside / "docs/link.md").symlink_to(tmp_path / "docs/a.md")
    (inside / "docs/folder").symlink_to(tmp_path / "outside")
    assert paths(inside) == ["docs/a.md"]
    git(inside, "init")
    assert paths(inside) == ["docs/a.md"]


def test_a_checkout_gives_tracked_and_new_files_but_no_ignored_ones(tmp_path: Path) -> None:
    write(tmp_path, "docs/tracked.md", "docs/new.md", "docs/ignored.md", "docs/gone.md")
    (tmp_path / ".gitignore").write_text("docs/ignored.md\n")
    git(tmp_path, "init")
    git(tmp_path, "add", "docs/tracked.md", "docs/gone.md")
    (tmp_path / "docs/gone.md").unlink()
    assert paths(tmp_path) == ["docs/new.md", "docs/tracked.md"]


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_file_has_the_blob_id_that_git_gives_it(tmp_path: Path, size: int) -> None:
    write(tmp_path, "docs/a.md")
    (tmp_path / "docs/a.md").write_bytes(b"x" * size)
    data, blob_id = read(tmp_path / "docs/a.md", 2_000_000)
    assert blob_id == git(tmp_path, "hash-object", "docs/a.md")
    assert (data is None) == (size == 3_000_000)
    assert len(blob_id) == hashlib.sha1(usedforsecurity=False).digest_size * 2


def test_a_folders_own_configuration_runs_nothing(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md")
    git(tmp_path, "init")
    git(tmp_path, "config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    assert paths(tmp_path) == ["docs/a.md"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://me:hush@github.com/example/jive.git", "https://github.com/example/jive.git"),
        ("git@github.com:example/jive.git", "git@github.com:example/jive.git"),
        ("ssh://git:hush@github.com/example/jive.git", "ssh://git@github.com/example/jive.git"),
        (None, None),
    ],
)
def test_a_checkout_is_known_by_the_url_it_came_from(tmp_path: Path, origin: str | None, expected: str | None) -> None:
    git(tmp_path, "init")
    if origin:
        git(tmp_path, "remote", "add", "origin", origin)
    assert repository_url(tmp_path) == (expected or tmp_path.as_uri())
