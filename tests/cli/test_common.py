"""What the commands share: finding the project that a person means."""

from pathlib import Path

import pytest

from jive.cli.common import find_project
from jive.errors import NotFound
from tests.factories import make_project

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("word", ["library", "git.example.com:team/library", "https://x.example/y.git"])
def test_a_name_or_url_of_no_project_is_an_unknown_project(word: str) -> None:
    with pytest.raises(NotFound, match=r"^There is no project "):
        find_project(word)


@pytest.mark.parametrize("path", ["/nowhere/library", "./library", "../library", "~/library", "work/library"])
def test_a_path_that_does_not_exist_is_a_missing_folder(path: str) -> None:
    with pytest.raises(NotFound, match=f"^There is no folder {path}$"):
        find_project(path)


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "prd.md").touch()
    with pytest.raises(NotFound, match=r"prd\.md is not a folder$"):
        find_project(str(tmp_path / "prd.md"))


def test_a_project_may_be_named_like_a_path() -> None:
    project = make_project(name="team/library")
    assert find_project("team/library").id == project.id
