"""Repositories on this machine, which projects of the pipeline's tests are scanned from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jive.db import database
from tests.conftest import using
from tests.flow.stack import Repository


@pytest.fixture
def repository(tmp_path: Path, local_repositories: None) -> Repository:
    """An empty repository that the settings allow to be fetched."""
    return Repository(tmp_path / "repository")


@pytest.fixture
def local_repositories(db: None, tmp_path: Path) -> Iterator[None]:
    """Allow repositories on this machine, and keep their mirrors in a folder of the test's own."""
    with using(JIVE_GIT_ALLOW_LOCAL="true", JIVE_DATA_DIR=str(tmp_path / "data")):
        database.connect(reuse_if_open=True)
        yield
        database.close()
    database.connect(reuse_if_open=True)
