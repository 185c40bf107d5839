"""Projects on the read side: found by any of their words, and listed with what they have and what is wrong."""

import pytest

from jive import keys
from jive.catalog import projects
from jive.db import database
from jive.errors import NotFound
from jive.models.enums import DeliveryState, ProjectSource, WebhookSource
from tests.conftest import using
from tests.factories import make_artifact, make_delivery, make_project

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize(
    "word",
    [
        "{id}",
        "reading-list",
        "Reading List",
        "https://github.com/acme/reading",
        "https://github.com/acme/reading.git",
        "git@github.com:Acme/reading",
    ],
)
def test_a_project_is_found_by_its_id_slug_name_and_url(word: str) -> None:
    project = make_project(name="Reading List", repo_url="https://github.com/acme/reading", host=WebhookSource.GITHUB)
    make_project(name="Another")
    assert projects.find(word.format(id=project.id)) == projects.ProjectRecord(
        project.id, "Reading List", "reading-list", project.repo_url, ProjectSource.REMOTE, WebhookSource.GITHUB
    )


@pytest.mark.parametrize("word", ["nobody", "", "00000000-0000-0000-0000-000000000000", "https://github.com/acme/no"])
def test_a_word_that_matches_no_project_is_not_found(word: str) -> None:
    make_project()
    with pytest.raises(NotFound, match=f"^There is no project {word}$"):
        projects.find(word)


def test_a_name_of_two_projects_finds_neither_and_a_slug_finds_its_own() -> None:
    first, second = make_project(name="Reading List"), make_project(name="Reading List")
    with pytest.raises(NotFound, match="More than one project is called Reading List"):
        projects.find("Reading List")
    assert [projects.find(slug).id for slug in ("reading-list", "reading-list-2")] == [first.id, second.id]


def test_a_slug_is_preferred_to_the_name_of_another_project() -> None:
    project = make_project(name="Library")
    make_project(name="library", slug="other")
    assert projects.find("library").id == project.id


def test_a_project_is_found_without_the_key_of_its_secrets() -> None:
    project = make_project()
    with using(JIVE_SECRET_KEYS=keys.make()):
        database.connect(reuse_if_open=True)
        assert projects.find(project.name).id == project.id
        assert [summary.record.id for summary in projects.summaries()] == [project.id]
        database.close()
    database.connect(reuse_if_open=True)


def test_projects_are_listed_by_name_with_their_counts() -> None:
    second, first = make_project(name="B", branch="trunk"), make_project(name="A")
    make_artifact(second)
    make_artifact(second)
    for state in DeliveryState:
        make_delivery(second, state=state)
    found = projects.summaries()
    assert [summary.record.id for summary in found] == [first.id, second.id]
    counts = [(each.branch, each.artifacts, each.pending, each.failed) for each in found]
    assert counts == [(None, 0, 0, 0), ("trunk", 2, 2, 1)]


def test_a_project_has_the_error_of_its_newest_failed_delivery_and_of_its_last_scan() -> None:
    project = make_project(scan_error="no such branch")
    failed = {"state": DeliveryState.FAILED}
    make_delivery(project, error_message="newest", received_at="2026-01-03T00:00:00Z", **failed)
    make_delivery(project, error_message="older", received_at="2026-01-02T00:00:00Z", **failed)
    make_delivery(project, error_message="waits", state=DeliveryState.WAITING)
    [summary] = projects.summaries()
    assert (summary.delivery_error, summary.scan_error) == ("newest", "no such branch")


def test_secrets_are_not_in_what_is_returned() -> None:
    make_project(webhook_secret="hush", previous_webhook_secret="hush")
    assert "hush" not in repr(projects.summaries())
    [(token,)] = database.execute_sql("SELECT webhook_secret FROM projects").fetchall()
    assert token not in repr(projects.summaries())
