"""`jive project`: what a user types, what it prints, and what is stored afterwards."""

import re
from pathlib import Path

import pytest

from jive.models import Project
from jive.models.enums import ProjectSource, WebhookSource
from jive.operate.seed import REPO_URL
from tests.factories import make_project
from tests.flow.processes import run

pytestmark = pytest.mark.usefixtures("db")


def webhooks(output: str) -> list[str]:
    return re.findall(r"/api/webhooks/(\w+)", output)


def secret_in(output: str) -> str:
    return output.partition("Secret")[2].split()[0]


def test_adding_prints_the_webhook_of_the_host_that_the_domain_names() -> None:
    status, output, errors = run("project", "add", "https://gitlab.com/acme/github-actions")
    assert (status, errors, webhooks(output)) == (0, "", ["gitlab"])
    assert secret_in(output) == Project.get().webhook_secret


def test_adding_at_an_unknown_domain_asks_for_the_host_in_one_line_and_writes_nothing() -> None:
    status, output, errors = run("project", "add", "https://git.example.com/acme/library")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("jive: What kind of Git host is git.example.com?")
    assert "--host github or --host gitlab or --host bitbucket" in errors
    assert Project.select().count() == 0


def test_adding_with_a_host_warns_at_once_if_the_settings_forbid_the_fetches() -> None:
    words = ("project", "add", "https://git.example.com/acme/library", "--host", "gitlab")
    status, output, errors = run(*words)
    assert (status, webhooks(output), Project.get().host) == (0, ["gitlab"], WebhookSource.GITLAB)
    [line] = errors.splitlines()
    assert line.startswith("warning: JIVE does not fetch from git.example.com")
    assert "JIVE_GIT_HOSTS=github.com,gitlab.com,bitbucket.org,git.example.com=gitlab" in line


def test_adding_where_the_settings_name_the_host_needs_no_option() -> None:
    hosts = "git.example.com=gitlab"
    status, output, errors = run("project", "add", "git@git.example.com:acme/library", JIVE_GIT_HOSTS=hosts)
    assert (status, errors, webhooks(output)) == (0, "", ["gitlab"])


def test_adding_a_repository_on_this_machine_prints_every_address(tmp_path: Path) -> None:
    status, output, errors = run("project", "add", tmp_path.as_uri(), JIVE_GIT_ALLOW_LOCAL="true")
    assert (status, errors, webhooks(output)) == (0, "", ["github", "gitlab", "bitbucket"])


def test_adding_takes_a_secret_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of-the-host\n")
    words = ("project", "add", "https://gitlab.com/acme/library", "--secret-file", str(tmp_path / "secret"))
    assert secret_in(run(*words)[1]) == Project.get().webhook_secret == "of-the-host"


def test_a_scanned_folder_is_added_as_a_remote_project_with_the_same_id(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/prd.md").write_text("# PRD\n")
    assert run("scan", str(tmp_path))[0] == 0
    folder = Project.get()
    assert folder.source is ProjectSource.FOLDER
    status, output, _ = run("project", "add", tmp_path.as_uri(), JIVE_GIT_ALLOW_LOCAL="true")
    remote = Project.get()
    assert (status, remote.id, remote.name, remote.source) == (0, folder.id, folder.name, ProjectSource.REMOTE)
    assert (remote.artifacts.count(), secret_in(output)) == (1, remote.webhook_secret)
    status, _, errors = run("project", "add", tmp_path.as_uri(), JIVE_GIT_ALLOW_LOCAL="true")
    assert (status, errors.count("\n"), "exists already" in errors) == (1, 1, True)


def test_the_sample_is_neither_added_nor_scanned_and_the_check_of_scans_stays_green() -> None:
    assert run("seed")[0] == 0
    status, _, errors = run("project", "add", REPO_URL)
    assert (status, errors.count("\n"), "exists already" in errors) == (1, 1, True)
    assert run("scan", "jive-sample") == (
        1,
        "",
        "jive: JIVE sample is the sample project, which has no repository to scan\n",
    )
    assert "ok    scans" in run("check")[1]


def test_rotating_twice_prints_the_same_secret_and_finishing_needs_no_other_command() -> None:
    project = make_project(name="Library")
    first, second = (run("project", "rotate-secret", "library")[1] for _ in range(2))
    assert secret_in(first) == secret_in(second) == Project.get().webhook_secret
    assert (Project.get().previous_webhook_secret, "earlier" in second) == ("test-secret", True)
    status, output, _ = run("project", "rotate-secret", str(project.id), "--finish")
    assert (status, output) == (0, "Only the new secret of Library is accepted now.\n")
    assert Project.get().previous_webhook_secret is None


def test_removing_asks_first() -> None:
    make_project(name="Library")
    assert run("project", "remove", "library")[0] == 1  # nobody answers
    assert Project.select().count() == 1
    assert run("project", "remove", "library", "--yes")[:2] == (0, "Deleted Library.\n")
    assert Project.select().count() == 0
