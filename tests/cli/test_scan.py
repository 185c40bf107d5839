"""The command `jive scan`: what it stores and prints, once, twice and six times at once."""

import subprocess
from pathlib import Path

import pytest

from jive.models import Artifact, Project
from tests.flow.processes import JIVE, run

pytestmark = pytest.mark.usefixtures("db")


def test_a_second_scan_of_a_folder_changes_nothing(repository: Path) -> None:
    status, output, errors = run("scan", str(repository))
    assert (status, errors) == (0, "")
    assert "5 created" in output
    before = list(Artifact.select().order_by(Artifact.path).dicts())
    status, output, _ = run("scan", str(repository))
    assert (status, "nothing changed" in output) == (0, True)
    assert list(Artifact.select().order_by(Artifact.path).dicts()) == before
    assert Project.select().count() == 1


def test_a_scan_without_redis_stores_the_documents_and_says_so(repository: Path) -> None:
    status, output, errors = run("scan", str(repository), REDIS_URL="redis://127.0.0.1:1")
    assert (status, "5 created" in output, "a worker publishes" in errors) == (0, True, True)
    assert Artifact.select().count() == 5


def test_six_scans_at_once_add_one_project_and_each_document_once(repository: Path) -> None:
    scans = [
        subprocess.Popen([*JIVE, "scan", str(repository)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(6)
    ]
    assert [(scan.communicate(timeout=60), scan.returncode)[1] for scan in scans] == [0] * 6
    assert Project.select().count() == 1
    assert Artifact.select().count() == 5


def test_scanning_a_missing_folder_is_one_clear_line() -> None:
    assert run("scan", "/nowhere/library") == (1, "", "jive: There is no folder /nowhere/library\n")
