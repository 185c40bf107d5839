"""`jive seed` and `jive check` on a sample project."""

import pytest

from jive.models import Artifact, Project
from jive.models.enums import ProjectSource
from jive.operate.seed import REPO_URL
from tests.factories import make_artifact, make_project
from tests.flow.processes import run

pytestmark = pytest.mark.usefixtures("db")


def test_seeding_twice_adds_the_sample_once() -> None:
    assert "5 changes" in run("seed")[1]
    assert "0 changes" in run("seed")[1]
    assert (Project.get().source, Artifact.select().count()) == (ProjectSource.SAMPLE, 5)


@pytest.mark.parametrize("source", [ProjectSource.REMOTE, ProjectSource.FOLDER])
def test_seeding_leaves_another_project_with_the_samples_url_alone(source: ProjectSource) -> None:
    project = make_project(name="Ours", repo_url=f"{REPO_URL}.git", source=source)
    artifact = make_artifact(project)
    status, output, errors = run("seed")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert f"Ours has the sample's URL, {REPO_URL}" in errors
    found = Project.get()
    assert (found.source, found.name, found.webhook_secret) == (source, "Ours", "test-secret")
    assert Artifact.get() == artifact
