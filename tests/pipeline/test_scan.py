"""Applying a scan: one transaction, one event a change, and nothing where nothing changed."""

from collections.abc import Collection
from pathlib import Path

import peewee
import pytest

from jive.catalog import projects
from jive.db import database
from jive.documents.document import Document, read_document
from jive.errors import DatabaseUnavailable, InvalidValue, RepositoryRefused, ScanFailed
from jive.events import Envelope
from jive.models import Artifact, Event, Project, WebhookEvent
from jive.models.enums import ProjectSource
from jive.operate import check
from jive.pipeline.apply import DocumentChanges, apply, begin, rules_hash
from jive.pipeline.folder import scan_folder
from jive.pipeline.scan import scan_project
from tests.conftest import using
from tests.factories import make_artifact, make_delivery, make_project

pytestmark = pytest.mark.usefixtures("db")


def read(**texts: bytes) -> list[tuple[Document, str]]:
    return [(read_document(f"docs/{stem}.md", data), data.hex()) for stem, data in sorted(texts.items())]


def remote_changes(
    head: str | None, documents: list[tuple[Document, str]], present: Collection[str]
) -> DocumentChanges:
    return DocumentChanges(ProjectSource.REMOTE, head, {}, documents, present=present)


def scan(project: Project, **texts: bytes) -> list[Envelope]:
    documents = read(**texts)
    changes = remote_changes(None, documents, [document.path for document, _ in documents])
    events = apply(begin(project.id), changes)
    assert events is not None
    return events


def test_changes_are_told_in_the_order_of_paths_and_only_once() -> None:
    project = make_project()
    first = {"a": b"# A\n", "b": b"# B\n"}
    assert [event.payload["change"] for event in scan(project, **first)] == ["created", "created"]
    assert scan(project, **first) == []
    events = scan(project, b=b"# Other\n", c=b"# C\n")
    assert [(event.id, event.payload["path"], event.payload["change"]) for event in events] == [
        (3, "docs/a.md", "deleted"),
        (4, "docs/b.md", "updated"),
        (5, "docs/c.md", "created"),
    ]
    assert [row.name for row in Artifact.select().order_by(Artifact.path)] == ["Other", "C"]
    assert [row.id for row in Event.select().order_by(Event.id)] == [1, 2, 3, 4, 5]


def test_another_projects_artifacts_are_left_alone() -> None:
    other = make_artifact(make_project(), path="docs/a.md")
    scan(make_project())
    assert Artifact.get() == other


def test_content_that_is_no_longer_kept_is_a_change() -> None:
    project = make_project()
    scan(project, a=b"# A\n")
    assert [event.payload["change"] for event in scan(project, a=b"x" * 3_000_000)] == ["updated"]
    assert Artifact.get().content is None


def test_a_scan_that_began_before_the_last_one_that_counted_changes_nothing() -> None:
    project = make_project()
    early, late = begin(project.id), begin(project.id)
    assert apply(late, remote_changes("b" * 40, read(a=b"# New\n"), ["docs/a.md"])) is not None
    assert apply(early, remote_changes("a" * 40, read(a=b"# Old\n"), ["docs/a.md"])) is None
    assert (Artifact.get().name, Project.get().head) == ("New", "b" * 40)
    assert Event.select().count() == 1


def test_a_scan_settles_what_had_arrived_when_it_began_and_nothing_later() -> None:
    project = make_project()
    before = make_delivery(project, received_at=peewee.fn.now())
    start = begin(project.id)
    after = make_delivery(project, received_at=peewee.fn.clock_timestamp())
    apply(start, remote_changes(None, [], ()))
    assert WebhookEvent.get_by_id(before.id).processed
    assert not WebhookEvent.get_by_id(after.id).processed


def test_a_folder_settles_no_delivery_and_fails_none(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("# A\n")
    project = scan_folder(tmp_path).project
    delivery = make_delivery(project)
    (tmp_path / "docs/a.md").write_text("# B\n")
    assert scan_folder(tmp_path).changes["updated"] == 1
    kept = WebhookEvent.get_by_id(delivery.id)
    assert (kept.processed, kept.retry_count) == (False, 0)


def test_a_repository_that_postgres_cannot_keep_rests_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(repo_url=tmp_path.as_uri())
    delivery = make_delivery(project)

    def fail(*_: object) -> None:
        raise peewee.DataError("no such thing can be kept")

    monkeypatch.setattr("jive.pipeline.scan._read_remote", lambda *_: remote_changes(None, [], ()))
    monkeypatch.setattr("jive.pipeline.scan.apply", fail)
    with pytest.raises(peewee.DataError):
        scan_project(project.id)
    kept = WebhookEvent.get_by_id(delivery.id)
    assert (kept.retry_count, kept.error_message) == (1, "DataError: no such thing can be kept")


def test_a_failure_counts_on_what_waited_and_rests_after_three(tmp_path: Path) -> None:
    project = make_project(repo_url=(tmp_path / "gone").as_uri())
    delivery = make_delivery(project)
    with using(JIVE_GIT_ALLOW_LOCAL="true", JIVE_DATA_DIR=str(tmp_path)):
        for attempt in (1, 2, 3):
            database.connect(reuse_if_open=True)
            with pytest.raises(ScanFailed):
                scan_project(project.id)
            assert WebhookEvent.get_by_id(delivery.id).retry_count == attempt
        database.close()
    database.connect()
    assert WebhookEvent.select().where(WebhookEvent.has_failed()).count() == 1
    assert WebhookEvent.select().where(WebhookEvent.is_pending()).count() == 0


def test_what_the_settings_refuse_rests_at_once() -> None:
    project = make_project(repo_url="https://git.example.com/a/b")
    make_delivery(project)
    with pytest.raises(RepositoryRefused):
        scan_project(project.id)
    assert WebhookEvent.select().where(WebhookEvent.has_failed()).count() == 1


def test_a_project_says_why_its_last_scan_failed_until_one_works() -> None:
    project = make_project(repo_url="https://git.example.com/a/b")
    with pytest.raises(RepositoryRefused):
        scan_project(project.id)
    [summary] = projects.summaries()
    assert "git.example.com" in str(summary.scan_error)
    [line] = [line for line in check.run() if line.name == "scans"]
    assert line.remedy and str(summary.scan_error) in line.text
    scan(project, a=b"# A\n")
    assert projects.summaries()[0].scan_error is None


def test_unchanged_documents_are_read_again_when_the_rules_change(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rules_hash({}) != rules_hash({"prdFile": "x"})
    before = rules_hash({})
    monkeypatch.setattr("jive.pipeline.apply.READER_VERSION", 1_000_000)
    assert rules_hash({}) != before


def everything() -> list[object]:
    """All that a scan may change, but for the number that it takes when it begins."""
    projects = Project.select(Project.config, Project.head, Project.scan_applied, Project.last_event_id)
    return [*projects.dicts(), *Artifact.select().dicts(), *Event.select().dicts()]


def test_a_scan_that_fails_half_way_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("# A\n")
    scan_folder(tmp_path)
    before = everything()
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
    assert everything() == before


def test_a_scan_without_a_database_is_a_typed_error(tmp_path: Path) -> None:
    database.close()
    with using(DATABASE_URL="postgresql://127.0.0.1:1/jive"), pytest.raises(DatabaseUnavailable):
        scan_folder(tmp_path)
    database.connect()


def test_a_type_that_no_enum_knows_is_refused() -> None:
    with pytest.raises(InvalidValue):
        make_artifact(make_project(), type="EPIC")


def test_a_folder_stands_in_for_a_remote_project_until_its_next_scan(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "prd.md").write_text("# PRD\n")
    made = scan_folder(tmp_path).project
    assert Project.get_by_id(made.id).source is ProjectSource.FOLDER
    assert Project.get_by_id(made.id).rules_hash
    Project.update(source="remote", head="1" * 40).where(Project.id == made.id).execute()
    for _ in range(2):
        scan_folder(tmp_path)
        kept = Project.get_by_id(made.id)
        assert (kept.source, kept.head, kept.rules_hash) == (ProjectSource.REMOTE, None, None)
