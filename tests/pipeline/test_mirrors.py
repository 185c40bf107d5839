"""Mirrors: one for each project, within the limits of the settings, locked while in use, deleted with its project."""

import uuid
from pathlib import Path

import pytest

from jive import settings
from jive.db import database
from jive.errors import RepositoryRefused, ScanFailed
from jive.pipeline import mirrors
from jive.repositories.access import Policy
from jive.repositories.mirror import Mirror
from tests.conftest import using
from tests.factories import make_project
from tests.flow.stack import Repository

pytestmark = pytest.mark.usefixtures("db")


def test_a_mirror_holds_the_head_of_its_project(repository: Repository) -> None:
    project = make_project(repo_url=repository.path.as_uri())
    head = repository.commit(prd="# PRD\n")
    with mirrors.mirror_of(project) as mirror:
        assert mirror.fetch(None) == head
        assert mirror.files(head).keys() == {"docs/prd.md"}
    assert mirrors.project_ids() == {project.id}


@pytest.mark.parametrize(
    ("variables", "error", "said"),
    [
        ({"JIVE_MAX_REPOSITORY_FILES": "1"}, ScanFailed, "1"),
        ({"JIVE_GIT_ALLOW_LOCAL": "false"}, RepositoryRefused, "not allowed"),
    ],
)
def test_a_mirror_obeys_the_settings(
    repository: Repository, variables: dict[str, str], error: type[ScanFailed], said: str
) -> None:
    project = make_project(repo_url=repository.path.as_uri())
    head = repository.commit(a="# A\n", b="# B\n")
    with using(**variables), pytest.raises(error, match=said), mirrors.mirror_of(project) as mirror:
        mirror.fetch(None)
        mirror.files(head)
    database.connect(reuse_if_open=True)


def test_a_mirror_that_another_scan_holds_is_not_waited_for_without_end(repository: Repository) -> None:
    project = make_project(repo_url=repository.path.as_uri())
    with using(JIVE_GIT_TIMEOUT_S="1"), mirrors.mirror_of(project):
        with pytest.raises(ScanFailed), mirrors.mirror_of(project):
            pass
        with mirrors.mirror_of(make_project()):  # other projects are not held up
            database.close()
    database.connect(reuse_if_open=True)


def test_only_names_that_jive_gives_count_as_mirrors(repository: Repository) -> None:
    folder = settings.current().data_dir / "repositories"
    project_id = uuid.uuid4()
    for name in (f"{project_id}.git", f"{project_id}.git.lock", "library.git", "notes"):
        (folder / name).mkdir(parents=True)
    assert mirrors.project_ids() == {project_id}


def test_there_are_no_mirrors_before_the_first_scan(tmp_path: Path) -> None:
    with using(JIVE_DATA_DIR=str(tmp_path / "none")):
        assert mirrors.project_ids() == set()
        mirrors.delete([uuid.uuid4()])
    database.connect(reuse_if_open=True)


def test_deleting_leaves_other_mirrors_and_one_that_is_in_use(repository: Repository) -> None:
    repository.commit(prd="# PRD\n")
    kept, deleted, used = make_project(), make_project(), make_project()
    for project in (kept, deleted, used):
        project.repo_url = repository.path.as_uri()
        with mirrors.mirror_of(project) as mirror:
            mirror.fetch(None)
    with mirrors.mirror_of(used):
        mirrors.delete([deleted.id, used.id])
        assert mirrors.project_ids() == {kept.id, used.id}
    mirrors.delete([used.id])
    assert mirrors.project_ids() == {kept.id}


@pytest.mark.parametrize(("listed", "kind"), [("git.example.com", "bitbucket"), ("git.example.com=gitlab", "gitlab")])
def test_the_kind_of_a_projects_host_counts_where_the_settings_do_not_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: str, kind: str
) -> None:
    policies: list[Policy] = []

    class Recorded(Mirror):
        def __init__(self, folder: Path, url: str, policy: Policy) -> None:
            policies.append(policy)
            super().__init__(folder, url, policy)

    monkeypatch.setattr(mirrors, "Mirror", Recorded)
    project = make_project(repo_url="https://git.example.com/acme/library", host="BITBUCKET")
    with using(JIVE_GIT_HOSTS=listed, JIVE_DATA_DIR=str(tmp_path)), mirrors.mirror_of(project):
        assert policies[0].hosts == {"git.example.com": kind}
