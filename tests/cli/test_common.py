"""What commands share: projects by word or folder, commands that can be run as printed, and the level of the log."""

import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jive.cli.common import configure_log, error_text, find_project, with_own_command
from jive.errors import JiveError, NotFound
from jive.processes import own_command
from tests.conftest import using
from tests.factories import make_project


@pytest.mark.usefixtures("db")
def test_a_folder_finds_the_project_that_it_was_cloned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(repo_url="https://github.com/acme/reading")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    origin = ["remote", "add", "origin", "git@github.com:acme/reading.git"]
    subprocess.run(["git", "-C", str(tmp_path), *origin], check=True)
    assert find_project(str(tmp_path)).id == project.id
    monkeypatch.chdir(tmp_path)
    assert find_project(".").id == project.id
    assert find_project(project.name).id == project.id


@pytest.mark.usefixtures("db")
def test_a_folder_without_a_project_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=tmp_path.as_uri()):
        find_project(str(tmp_path))


def test_commands_in_a_text_are_printed_as_they_can_be_run_here() -> None:
    assert with_own_command("Run `jive up` or `git push`.") == f"Run `{own_command()} up` or `git push`."
    assert error_text(JiveError("Run `jive up`.")) == f"jive: Run `{own_command()} up`."


@pytest.fixture
def root_level() -> Iterator[None]:
    """Put the log back as it was."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("root_level")
@pytest.mark.parametrize(
    ("level", "is_server", "configured"),
    [("INFO", True, "INFO"), ("INFO", False, "WARNING"), ("DEBUG", False, "DEBUG"), ("ERROR", True, "ERROR")],
)
def test_commands_that_end_by_themselves_log_no_info(level: str, is_server: bool, configured: str) -> None:
    with using(JIVE_LOG_LEVEL=level):
        configure_log(is_server=is_server)
    assert logging.getLevelName(logging.getLogger().level) == configured


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("word", ["library", "git.example.com:team/library", "https://x.example/y.git"])
def test_a_name_or_url_of_no_project_is_an_unknown_project(word: str) -> None:
    with pytest.raises(NotFound, match=r"^There is no project "):
        find_project(word)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("path", ["/nowhere/library", "./library", "../library", "~/library", "work/library"])
def test_a_path_that_does_not_exist_is_a_missing_folder(path: str) -> None:
    with pytest.raises(NotFound, match=f"^There is no folder {path}$"):
        find_project(path)


@pytest.mark.usefixtures("db")
def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "prd.md").touch()
    with pytest.raises(NotFound, match=r"prd\.md is not a folder$"):
        find_project(str(tmp_path / "prd.md"))


@pytest.mark.usefixtures("db")
def test_a_project_may_be_named_like_a_path() -> None:
    project = make_project(name="team/library")
    assert find_project("team/library").id == project.id
