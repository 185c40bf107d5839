"""Applying a scan: one transaction, one event a change, and nothing where nothing changed."""

from pathlib import Path

import pytest

from jive.db import database
from jive.errors import DatabaseUnavailable, InvalidValue
from jive.models import Artifact, Project
from jive.pipeline.process import apply, scan_folder
from jive.scanner.document import read_document
from tests.conftest import using
from tests.factories import make_artifact, make_project

pytestmark = pytest.mark.usefixtures("db")


def test_changes_are_told_in_the_order_of_paths_and_only_once() -> None:
    project = make_project()
    first = [read_document("docs/a.md", b"# A\n"), read_document("docs/b.md", b"# B\n")]
    assert [event.payload["change"] for event in apply(project, first)] == ["created", "created"]
    assert apply(project, first) == []
    second = [read_document("docs/b.md", b"# Other\n"), read_document("docs/c.md", b"# C\n")]
    told = [(event.payload["path"], event.payload["change"]) for event in apply(project, second)]
    assert told == [("docs/a.md", "deleted"), ("docs/b.md", "updated"), ("docs/c.md", "created")]
    assert [row.name for row in Artifact.select().order_by(Artifact.path)] == ["Other", "C"]


def test_another_projects_artifacts_are_left_alone() -> None:
    other = make_artifact(make_project(), path="docs/a.md")
    apply(make_project(), [])
    assert Artifact.get() == other


def test_content_that_is_no_longer_kept_is_a_change() -> None:
    project = make_project()
    apply(project, [read_document("docs/a.md", b"# A\n")])
    large = read_document("docs/a.md", b"x" * 3_000_000)
    assert [event.payload["change"] for event in apply(project, [large])] == ["updated"]
    assert Artifact.get().content is None
    assert apply(project, [large]) == []


def test_a_scan_that_fails_half_way_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("# A\n")
    scan_folder(tmp_path)
    before = list(Project.select().dicts()) + list(Artifact.select().dicts())
    (tmp_path / "docs/a.md").write_text("# B\n")
    database.execute_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''full''; END';"
        "CREATE TRIGGER refuse AFTER UPDATE ON artifacts FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    try:
        with pytest.raises(Exception, match="full"):
            scan_folder(tmp_path)
    finally:
        database.execute_sql("DROP FUNCTION refuse CASCADE")
    assert list(Project.select().dicts()) + list(Artifact.select().dicts()) == before


def test_a_scan_without_a_database_is_a_typed_error(tmp_path: Path) -> None:
    database.close()
    with using(DATABASE_URL="postgresql://127.0.0.1:1/jive"), pytest.raises(DatabaseUnavailable):
        scan_folder(tmp_path)
    database.connect()


def test_a_type_that_no_enum_knows_is_refused() -> None:
    with pytest.raises(InvalidValue):
        make_artifact(make_project(), type="EPIC")
