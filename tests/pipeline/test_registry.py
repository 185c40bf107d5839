"""The registry: what kind of project a URL becomes, at which Git host, and which webhook secrets it accepts."""

import uuid
from pathlib import Path

import pytest

from jive import keys
from jive.db import database
from jive.errors import InvalidValue, NotFound, ProjectExists
from jive.jobs.tasks import enqueue_scan
from jive.models import Artifact, Event, Project, WebhookEvent
from jive.models.enums import ProjectSource, WebhookSource
from jive.operate.seed import REPO_URL, seed
from jive.pipeline import mirrors, registry
from jive.pipeline.scan import scan_project
from tests.conftest import using
from tests.factories import make_artifact, make_delivery, make_event, make_project
from tests.flow.stack import Repository

pytestmark = pytest.mark.usefixtures("db")

GITHUB, GITLAB, BITBUCKET = WebhookSource


def test_a_new_project_is_remote_and_named_after_its_repository() -> None:
    added = registry.add("https://github.com/acme/Lending-Library.git")
    project = Project.get()
    assert (project.id, project.name, project.slug) == (added.id, "Lending-Library", "lending-library")
    assert (project.source, project.host, project.branch) == (ProjectSource.REMOTE, GITHUB, None)
    assert project.webhook_secret == added.webhook_secret != ""


def test_what_is_given_is_stored() -> None:
    registry.add("https://github.com/acme/library", name="Books", branch="trunk", secret="of the host")
    project = Project.get()
    assert (project.name, project.branch, project.webhook_secret) == ("Books", "trunk", "of the host")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://github.com/acme/gitlab", GITHUB),
        ("https://gitlab.com/acme/github-actions", GITLAB),
        ("https://gitlab.com/github.com/bitbucket.org", GITLAB),
        ("https://bitbucket.org/acme/library", BITBUCKET),
        ("https://www.gitlab.com/acme/library", GITLAB),
        ("https://GitLab.COM/acme/library", GITLAB),
        ("https://gitlab.com:8443/acme/library", GITLAB),
        ("ssh://git@gitlab.com/acme/library", GITLAB),
        ("ssh://git@gitlab.com:2222/acme/library", GITLAB),
        ("git@gitlab.com:acme/github.git", GITLAB),
        ("git@www.github.com:acme/library.git", GITHUB),
        ("git@BitBucket.org:acme/library.git", BITBUCKET),
        ("https://gitlab.example.com/acme/library", GITLAB),
        ("git@github.example.com:acme/library", GITHUB),
        ("https://git.listed.example/acme/library", BITBUCKET),
    ],
)
def test_the_domain_says_the_kind_of_host(url: str, host: WebhookSource) -> None:
    with using(JIVE_GIT_HOSTS="github.com,git.listed.example=Bitbucket"):
        database.connect(reuse_if_open=True)
        assert registry.add(url).host is host
        database.close()
    database.connect(reuse_if_open=True)


@pytest.mark.parametrize("url", ["https://www.github.com/acme/library", "git@www.github.com:acme/library.git"])
def test_a_known_domain_is_stored_without_www(url: str) -> None:
    added = registry.add(url)
    assert added.repo_url == url.replace("www.", "")
    with pytest.raises(ProjectExists):
        registry.add("https://github.com/acme/library")


@pytest.mark.parametrize("url", ["https://git.example.com/acme/library", "git@mygitlab.com:acme/library"])
def test_a_domain_that_says_nothing_needs_a_host(url: str) -> None:
    with pytest.raises(InvalidValue, match=r"^What kind of Git host is .+\? .+ --host github or --host gitlab or"):
        registry.add(url)
    assert Project.select().count() == 0
    assert registry.add(url, host="gitlab").host is GITLAB


def test_a_given_host_comes_before_the_domain() -> None:
    assert registry.add("https://github.example.com/acme/library", host="gitlab").host is GITLAB


def test_a_repository_on_this_machine_has_no_host(tmp_path: Path) -> None:
    assert registry.add(tmp_path.as_uri()).host is None


@pytest.mark.parametrize(
    ("url", "host", "setting"),
    [
        ("https://github.com/acme/library", None, None),
        ("git@bitbucket.org:acme/library", None, None),
        (
            "https://git.example.com/acme/library",
            "gitlab",
            "JIVE_GIT_HOSTS=github.com,gitlab.com,bitbucket.org,git.example.com=gitlab",
        ),
        (
            "https://gitlab.example.com/acme/library",
            None,
            "JIVE_GIT_HOSTS=github.com,gitlab.com,bitbucket.org,gitlab.example.com=gitlab",
        ),
        ("file:///srv/library", None, "JIVE_GIT_ALLOW_LOCAL=true"),
    ],
)
def test_a_project_whose_fetches_are_forbidden_names_the_setting(
    url: str, host: str | None, setting: str | None
) -> None:
    problem = registry.why_not_fetched(registry.add(url, host=host))
    if setting is None or problem is None:
        assert problem == setting
        return
    assert f"Set {setting}" in problem
    name, _, value = setting.partition("=")
    with using(**{name: value}):
        database.connect(reuse_if_open=True)
        assert registry.why_not_fetched(Project.get()) is None
        database.close()
    database.connect(reuse_if_open=True)


def test_a_folder_project_becomes_remote_with_its_id_name_artifacts_and_secret() -> None:
    folder = make_project(source=ProjectSource.FOLDER, name="Books", repo_url="git@github.com:acme/library.git")
    artifact = make_artifact(folder)
    added = registry.add("https://github.com/acme/library", branch="trunk")
    project = Project.get()
    assert (added.id, project.id, project.name) == (folder.id, folder.id, "Books")
    assert (project.source, project.host, project.branch) == (ProjectSource.REMOTE, GITHUB, "trunk")
    assert (added.webhook_secret, project.repo_url) == ("test-secret", "https://github.com/acme/library")
    assert Artifact.get() == artifact


def test_a_folder_project_that_becomes_remote_counts_as_never_scanned() -> None:
    folder = make_project(source=ProjectSource.FOLDER, repo_url="https://github.com/acme/library")
    Project.update(scans_begun=2, scan_applied=2).where(Project.id == folder.id).execute()
    registry.add("https://github.com/acme/library")
    project = Project.get()
    assert (project.scans_begun, project.scan_applied) == (0, 0)  # the next sweep enqueues its first scan


def test_a_folder_project_takes_the_name_and_secret_that_are_given() -> None:
    make_project(source=ProjectSource.FOLDER, repo_url="https://github.com/acme/library")
    registry.add("https://github.com/acme/library", name="Books", secret="of the host")
    assert (Project.get().name, Project.get().webhook_secret) == ("Books", "of the host")


@pytest.mark.parametrize("spelling", ["https://github.com/acme/library.git", "git@GitHub.com:Acme/Library"])
def test_a_remote_project_is_not_added_twice(spelling: str) -> None:
    project = registry.add("https://github.com/acme/library", name="Books")
    with pytest.raises(ProjectExists):
        registry.add(spelling, name="Another")
    assert (Project.get(), Project.get().name) == (project, "Books")


def test_the_sample_is_not_turned_into_a_remote_project() -> None:
    seed()
    with pytest.raises(ProjectExists):
        registry.add(REPO_URL)
    assert Project.get().source is ProjectSource.SAMPLE


@pytest.mark.parametrize("url", ["", "library", "http://github.com/acme/library", "https://me:hush@github.com/a/b"])
def test_a_url_that_cannot_be_fetched_adds_nothing(url: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        registry.add(url)
    assert "hush" not in str(caught.value)
    assert Project.select().count() == 0


def test_an_empty_secret_adds_nothing() -> None:
    with pytest.raises(InvalidValue, match="The secret is empty"):
        registry.add("https://github.com/acme/library", secret="")
    assert Project.select().count() == 0


def test_a_first_scan_without_redis_is_logged_and_left_to_a_sweep(caplog: pytest.LogCaptureFixture) -> None:
    project = make_project()
    with using(REDIS_URL="redis://127.0.0.1:1"):
        from jive.jobs.queue import queue

        queue.cache_clear()
        registry.request_scan(project, enqueue_scan)
    queue.cache_clear()
    database.connect(reuse_if_open=True)
    assert f"the first scan of {project.name} was left to the next sweep" in caplog.text


def test_a_removed_project_leaves_neither_rows_nor_a_mirror(repository: Repository) -> None:
    project, other = make_project(repo_url=repository.path.as_uri()), make_project()
    make_delivery(project)
    make_event(project, id=1_000)
    repository.commit(prd="# PRD\n")
    scan_project(project.id)
    assert mirrors.project_ids() == {project.id}
    registry.remove(project.id)
    assert mirrors.project_ids() == set()
    assert [model.select().count() for model in (Artifact, WebhookEvent, Event)] == [0, 0, 0]
    assert Project.get() == other
    registry.remove(project.id)


def secrets_of(project: Project) -> tuple[str, str | None]:
    found = Project.get_by_id(project.id)
    return found.webhook_secret, found.previous_webhook_secret


def test_rotating_keeps_the_old_secret_until_it_is_finished() -> None:
    project = make_project()
    rotation = registry.rotate_secret(project.id)
    assert rotation.is_new
    assert secrets_of(project) == (rotation.secret, "test-secret")
    registry.finish_rotation(project.id)
    assert secrets_of(project) == (rotation.secret, None)


def test_rotating_twice_returns_the_same_secret_and_keeps_both() -> None:
    project = make_project()
    first, second = registry.rotate_secret(project.id), registry.rotate_secret(project.id)
    assert (second.secret, second.is_new) == (first.secret, False)
    assert secrets_of(project) == (first.secret, "test-secret")


def test_rotating_after_a_finished_rotation_makes_a_new_secret() -> None:
    project = make_project()
    first = registry.rotate_secret(project.id)
    registry.finish_rotation(project.id)
    second = registry.rotate_secret(project.id)
    assert second.is_new
    assert secrets_of(project) == (second.secret, first.secret)


def test_rotating_replaces_a_new_secret_whose_key_is_lost_and_keeps_the_old_one() -> None:
    project = make_project()
    lost = registry.rotate_secret(project.id)
    with using(JIVE_SECRET_KEYS=keys.make()):
        token = Project.webhook_secret.db_value(lost.secret)
    database.connect(reuse_if_open=True)
    database.execute_sql("UPDATE projects SET webhook_secret = %s", (token,))
    rotation = registry.rotate_secret(project.id)
    assert rotation.is_new
    assert secrets_of(project) == (rotation.secret, "test-secret")


def test_finishing_without_a_rotation_changes_nothing() -> None:
    project = make_project()
    registry.finish_rotation(project.id)
    assert secrets_of(project) == ("test-secret", None)


def test_the_secret_of_a_project_that_does_not_exist_cannot_be_rotated() -> None:
    with pytest.raises(NotFound):
        registry.rotate_secret(uuid.uuid4())
