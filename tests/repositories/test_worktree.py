"""A checked-out repository, or another folder: its URL, its files, and links that lead out of it."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from jive.errors import ScanFailed
from jive.repositories.worktree import files, read, repository_url


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"# {path}\n")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def paths(folder: Path) -> list[str]:
    return sorted(path for path in files(folder, {".claude"}) if path.endswith(".md"))


def test_files_in_skipped_folders_are_not_listed(tmp_path: Path) -> None:
    write(tmp_path, "docs/b.md", "docs/a b.md", "docs/日本.md", "README.md", ".claude/docs/c.md")
    assert paths(tmp_path) == ["README.md", "docs/a b.md", "docs/b.md", "docs/日本.md"]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder that nothing may be read from."""
    write(tmp_path / "outside", "docs/a.md", "docs/b.md")
    return tmp_path / "outside/docs"


@pytest.fixture(params=["a folder", "a checkout"])
def inside(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write(tmp_path / "inside", "docs/a.md")
    if request.param == "a checkout":
        git(tmp_path / "inside", "init")
    return tmp_path / "inside"


def test_a_link_to_a_file_is_not_listed(inside: Path, outside: Path) -> None:
    (inside / "docs/link.md").symlink_to(outside / "b.md")
    (inside / "docs/near.md").symlink_to("a.md")
    assert paths(inside) == ["docs/a.md"]


def test_files_below_a_link_to_a_folder_are_not_listed(inside: Path, outside: Path) -> None:
    (inside / "linked").symlink_to(outside)
    (inside / "docs/near").symlink_to(inside / "docs")
    assert paths(inside) == ["docs/a.md"]


def test_a_tracked_file_is_not_listed_once_it_is_a_link(tmp_path: Path, outside: Path) -> None:
    write(tmp_path / "inside", "docs/a.md", "docs/b.md")
    git(tmp_path / "inside", "init")
    git(tmp_path / "inside", "add", ".")
    (tmp_path / "inside/docs/b.md").unlink()
    (tmp_path / "inside/docs/b.md").symlink_to(outside / "b.md")
    assert paths(tmp_path / "inside") == ["docs/a.md"]


@pytest.mark.parametrize("replaced", ["docs", "docs/deep"])
def test_tracked_files_are_not_listed_once_a_folder_above_them_is_a_link(
    tmp_path: Path, outside: Path, replaced: str
) -> None:
    inside = tmp_path / "inside"
    write(inside, "README.md", f"{replaced}/a.md")
    git(inside, "init")
    git(inside, "add", ".")
    (inside / replaced).rename(tmp_path / "moved")
    (inside / replaced).symlink_to(outside)
    assert (inside / replaced / "a.md").is_file()
    assert paths(inside) == ["README.md"]


def test_the_folder_itself_may_be_reached_through_a_link(tmp_path: Path, inside: Path) -> None:
    (tmp_path / "link").symlink_to(inside)
    assert paths(tmp_path / "link") == ["docs/a.md"]


def test_a_checkout_on_a_machine_without_git_is_an_error(
    tmp_path: Path, inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if (inside / ".git").exists():
        with pytest.raises(ScanFailed, match="git is not installed on this machine"):
            repository_url(inside)
        with pytest.raises(ScanFailed, match="git is not installed on this machine"):
            paths(inside)
    else:
        assert (repository_url(inside), paths(inside)) == (inside.as_uri(), ["docs/a.md"])


def test_a_checkout_has_tracked_and_new_files_but_no_ignored_ones(tmp_path: Path) -> None:
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


def test_the_configuration_of_a_checkout_runs_nothing(tmp_path: Path) -> None:
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
def test_the_url_of_a_checkout_has_no_credentials(tmp_path: Path, origin: str | None, expected: str | None) -> None:
    git(tmp_path, "init")
    if origin:
        git(tmp_path, "remote", "add", "origin", origin)
    assert repository_url(tmp_path) == (expected or tmp_path.as_uri())


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScanFailed, match=r"docs/gone\.md cannot be read: No such file or directory"):
        read(tmp_path / "docs/gone.md", 2_000_000)
