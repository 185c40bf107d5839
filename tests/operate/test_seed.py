"""The sample project: added once, and never in the place of a project of the same URL."""

import pytest

from jive.errors import ProjectExists
from jive.models import Artifact, Project
from jive.models.enums import ArtifactType, ProjectSource
from jive.operate.seed import REPO_URL, seed
from jive.pipeline import registry

pytestmark = pytest.mark.usefixtures("db")


def test_seeding_twice_changes_nothing_the_second_time() -> None:
    project, changes = seed()
    assert (project.source, changes) == (ProjectSource.SAMPLE, 5)
    assert seed() == (project, 0)
    assert Project.select().count() == 1
    types = {artifact.type for artifact in Artifact.select()}
    assert types == {ArtifactType.PRD, ArtifactType.ARCHITECTURE, ArtifactType.STORY, ArtifactType.QA}


def test_a_project_with_the_samples_url_is_left_alone() -> None:
    own = registry.add(REPO_URL, name="own", branch="main")
    with pytest.raises(ProjectExists, match="own has the sample's URL"):
        seed()
    assert (Project.get().id, Project.get().name, Artifact.select().count()) == (own.id, "own", 0)
