"""Scans of a folder: its documents become artifacts of the project that it was cloned from, committed or not."""

import subprocess
from pathlib import Path

import pytest

from jive.db import database
from jive.errors import DatabaseUnavailable
from jive.models import Artifact, Project, WebhookEvent
from jive.models.enums import DeliveryState, ProjectSource
from jive.operate.seed import seed
from jive.pipeline.folder import scan_folder
from jive.pipeline.scan import scan_project
from tests.conftest import using
from tests.factories import make_delivery, make_project
from tests.flow.stack import Repository

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one document, which is no git repository."""
    place = tmp_path / "Reading list"
    (place / "docs").mkdir(parents=True)
    (place / "docs/prd.md").write_text("# PRD\n")
    return place


def clone_of(url: str, folder: Path) -> Path:
    """Make the folder a checkout that was cloned from `url`."""
    for words in (("init", "--quiet"), ("remote", "add", "origin", url)):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def test_a_folder_becomes_a_folder_project_with_its_name(folder: Path) -> None:
    result = scan_folder(folder)
    project = Project.get()
    assert (project.name, project.slug, project.repo_url) == ("Reading list", "reading-list", folder.as_uri())
    assert (project.source, project.head, project.id) == (ProjectSource.FOLDER, None, result.project.id)
    assert result.changes == {"created": 1, "updated": 0, "deleted": 0}


def test_a_folder_that_did_not_change_changes_nothing(folder: Path) -> None:
    scan_folder(folder)
    before = list(Artifact.select().dicts())
    assert set(scan_folder(folder).changes.values()) == {0}
    assert list(Artifact.select().dicts()) == before


def test_changes_that_are_not_committed_are_read(folder: Path) -> None:
    clone_of("https://github.com/acme/reading", folder)
    scan_folder(folder)
    (folder / "docs/prd.md").write_text("# Another PRD\n")
    (folder / "docs/new.md").write_text("# New\n")
    assert scan_folder(folder).changes == {"created": 1, "updated": 1, "deleted": 0}
    (folder / "docs/new.md").unlink()
    assert scan_folder(folder).changes == {"created": 0, "updated": 0, "deleted": 1}


def test_a_checkout_belongs_to_the_project_that_it_was_cloned_from(folder: Path) -> None:
    project = make_project(repo_url="https://github.com/acme/reading")
    assert scan_folder(clone_of("git@github.com:acme/reading.git", folder)).project.id == project.id
    assert Project.select().count() == 1


def test_deliveries_are_neither_settled_nor_failed_by_a_folder(folder: Path) -> None:
    delivery = make_delivery(scan_folder(folder).project)
    (folder / "docs/prd.md").write_text("# Another PRD\n")
    assert scan_folder(folder).changes["updated"] == 1
    found = WebhookEvent.get_by_id(delivery.id)
    assert (found.state, found.retry_count) == (DeliveryState.RECEIVED, 0)


def test_a_remote_project_stays_remote_and_its_next_scan_replaces_the_folder(repository: Repository) -> None:
    repository.commit(prd="# PRD\n", notes="# Notes\n")
    project = make_project(repo_url=repository.path.as_uri())
    scan_project(project.id)
    (repository.path / "docs/prd.md").write_text("# Not committed\n")
    scan_folder(repository.path)
    assert Project.get().source is ProjectSource.REMOTE
    assert Artifact.get(Artifact.path == "docs/prd.md").name == "Not committed"
    assert scan_project(project.id).changes == {"created": 0, "updated": 1, "deleted": 0}
    assert Artifact.get(Artifact.path == "docs/prd.md").name == "PRD"


def test_a_checkout_of_the_samples_url_turns_the_sample_into_a_folder_project(folder: Path) -> None:
    sample, _ = seed()
    scan_folder(clone_of(sample.repo_url, folder))
    assert Project.get().source is ProjectSource.FOLDER
    assert [row.path for row in Artifact.select()] == ["docs/prd.md"]


def test_a_folder_scan_without_postgres_raises_that_it_is_unavailable(folder: Path) -> None:
    database.close()
    with using(DATABASE_URL="postgresql://127.0.0.1:1/jive"), pytest.raises(DatabaseUnavailable):
        scan_folder(folder)
    database.connect()
