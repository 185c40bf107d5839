"""Scans of a remote: the artifacts become those of its head, and a failure is recorded where people see it."""

import pytest

from jive.catalog import projects
from jive.db import database
from jive.documents.document import READER_VERSION
from jive.errors import DatabaseUnavailable, NotFound, RepositoryRefused, ScanFailed
from jive.models import Artifact, Project, WebhookEvent
from jive.models.enums import DeliveryState, ProjectSource
from jive.operate import check
from jive.operate.seed import seed
from jive.pipeline.scan import MAX_RESTARTS, ScanResult, scan_project
from tests.conftest import using
from tests.factories import make_delivery, make_project
from tests.flow.stack import Repository
from tests.pipeline.changes import scan

pytestmark = pytest.mark.usefixtures("db")


def project_of(repository: Repository, **fields: object) -> Project:
    return make_project(repo_url=repository.path.as_uri(), **fields)


def changed(result: ScanResult) -> tuple[int, int, int]:
    return result.changes["created"], result.changes["updated"], result.changes["deleted"]


def contents(project: Project) -> dict[str, str | None]:
    return {row.path: row.content for row in Artifact.select().where(Artifact.project == project)}


def test_a_scan_makes_the_artifacts_equal_the_head(repository: Repository) -> None:
    project = project_of(repository)
    head = repository.commit(prd="# PRD\n", notes="# Notes\n")
    result = scan_project(project.id)
    assert (changed(result), result.published) == ((2, 0, 0), True)
    assert (contents(project), Project.get().head) == (repository.files, head)
    assert changed(scan_project(project.id)) == (0, 0, 0)
    repository.commit(prd="# Another PRD\n", notes=None, later="# Later\n")
    assert changed(scan_project(project.id)) == (1, 1, 1)
    assert contents(project) == repository.files


def test_a_scan_reads_only_the_documents_that_changed(repository: Repository) -> None:
    project = project_of(repository)
    repository.commit(a="# A\n", b="# B\n")
    scan_project(project.id)
    repository.commit(b="# Other\n")
    read: list[tuple[int, int]] = []
    scan_project(project.id, lambda *counts: read.append(counts))
    assert read == [(1, 1)]


def test_unchanged_documents_are_read_again_by_a_new_reader_version(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(repository)
    repository.commit(a="# A\n", b="# B\n")
    scan_project(project.id)
    read: list[tuple[int, int]] = []
    monkeypatch.setattr("jive.pipeline.apply.READER_VERSION", READER_VERSION + 1)
    result = scan_project(project.id, lambda *counts: read.append(counts))
    assert (read, changed(result)) == ([(1, 2), (2, 2)], (0, 0, 0))


def test_documents_move_with_the_configuration_of_the_repository(repository: Repository) -> None:
    project = project_of(repository)
    repository.commit_files(
        {"spec/product.md": "# Product\n", ".bmad-core/core-config.yaml": "markdownExploder: true\n"}
    )
    scan_project(project.id)
    assert contents(project) == {}
    repository.commit_files({".bmad-core/core-config.yaml": "prd:\n  prdFile: spec/product.md\n"})
    scan_project(project.id)
    assert contents(project) == {"spec/product.md": "# Product\n"}


def test_a_repository_without_commits_has_no_documents_until_it_has_one(repository: Repository) -> None:
    project = project_of(repository)
    delivery = make_delivery(project)
    assert changed(scan_project(project.id)) == (0, 0, 0)
    assert WebhookEvent.get_by_id(delivery.id).state is DeliveryState.SETTLED
    assert Project.get().scan_error is None
    repository.commit(prd="# PRD\n")
    assert changed(scan_project(project.id)) == (1, 0, 0)


def test_a_scan_of_its_remote_turns_a_folder_project_into_a_remote_one(repository: Repository) -> None:
    project = project_of(repository, source=ProjectSource.FOLDER)
    repository.commit(prd="# PRD\n")
    scan_project(project.id)
    assert Project.get().source is ProjectSource.REMOTE


def test_the_sample_is_refused_and_has_no_scan_error() -> None:
    sample, _ = seed()
    delivery = make_delivery(sample)
    with pytest.raises(RepositoryRefused, match="JIVE sample is the sample project, which has no repository to scan"):
        scan_project(sample.id)
    found = WebhookEvent.get_by_id(delivery.id)
    assert (found.state, "sample project" in str(found.error_message)) == (DeliveryState.FAILED, True)
    assert Project.get().scan_error is None
    assert Artifact.select().count() == 5


def test_a_scan_restarts_if_another_one_is_applied_meanwhile(repository: Repository) -> None:
    project = project_of(repository)
    repository.commit(prd="# PRD\n")
    reads = 0

    def apply_another_once(done: int, total: int) -> None:
        nonlocal reads
        reads += 1
        if reads == 1:
            scan(project, other=b"# Other\n")

    result = scan_project(project.id, apply_another_once)
    assert (reads, changed(result)) == (2, (1, 0, 1))
    assert contents(project) == repository.files


def test_a_scan_gives_up_after_restarting_too_often(repository: Repository) -> None:
    project = project_of(repository)
    repository.commit(prd="# PRD\n")
    reads = 0

    def apply_another(done: int, total: int) -> None:
        nonlocal reads
        reads += 1
        scan(project, other=b"# Other %d\n" % reads)

    with pytest.raises(ScanFailed, match="applied first"):
        scan_project(project.id, apply_another)
    assert reads == MAX_RESTARTS


def test_a_delivery_fails_after_three_attempts(repository: Repository) -> None:
    project = make_project(repo_url=repository.path.with_name("gone").as_uri())
    delivery = make_delivery(project)
    found = []
    for _ in range(3):
        with pytest.raises(ScanFailed):
            scan_project(project.id)
        row = WebhookEvent.get_by_id(delivery.id)
        found.append((row.state, row.retry_count))
    assert found == [(DeliveryState.WAITING, 1), (DeliveryState.WAITING, 2), (DeliveryState.FAILED, 3)]


def test_a_delivery_of_a_repository_that_the_settings_refuse_fails_at_once() -> None:
    project = make_project(repo_url="https://git.example.com/a/b")
    delivery = make_delivery(project)
    with pytest.raises(RepositoryRefused):
        scan_project(project.id)
    assert WebhookEvent.get_by_id(delivery.id).state is DeliveryState.FAILED


def test_an_error_of_postgres_counts_as_an_attempt(repository: Repository) -> None:
    project = project_of(repository)
    repository.commit(prd="# PRD\n")
    delivery = make_delivery(project)
    database.execute_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RAISE ''cannot be stored'' USING ERRCODE = ''data_exception''; END';"
        "CREATE TRIGGER refuse BEFORE INSERT ON artifacts FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    try:
        with pytest.raises(Exception, match="cannot be stored"):
            scan_project(project.id)
    finally:
        database.execute_sql("DROP FUNCTION refuse CASCADE")
    found = WebhookEvent.get_by_id(delivery.id)
    assert (found.state, found.error_message) == (DeliveryState.WAITING, "DataError: cannot be stored")


def test_the_reason_of_a_failed_scan_is_shown_until_a_scan_is_applied() -> None:
    project = make_project(repo_url="https://git.example.com/a/b")
    with pytest.raises(RepositoryRefused):
        scan_project(project.id)
    [summary] = projects.summaries()
    assert "git.example.com" in str(summary.scan_error)
    [line] = [line for line in check.run() if line.name == "scans"]
    assert line.remedy and str(summary.scan_error) in line.text
    scan(project, a=b"# A\n")
    assert projects.summaries()[0].scan_error is None


def test_a_project_that_does_not_exist_is_not_found() -> None:
    project = make_project()
    project.delete_instance()
    with pytest.raises(NotFound):
        scan_project(project.id)


def test_a_scan_without_postgres_raises_that_it_is_unavailable() -> None:
    project = make_project()
    database.close()
    with using(DATABASE_URL="postgresql://127.0.0.1:1/jive"), pytest.raises(DatabaseUnavailable):
        scan_project(project.id)
    database.connect()
