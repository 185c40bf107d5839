"""A repository to fetch from, and a mirror of it."""

from pathlib import Path

import pytest

from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import NEAR
from tests.repositories.remotes import Remote


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote.git")


@pytest.fixture
def mirror(tmp_path: Path, remote: Remote) -> Mirror:
    return Mirror(tmp_path / "mirror.git", remote.url, NEAR)
