"""Applying a scan: one transaction under the project's lock, one event for each change, none without a change."""

import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import peewee
import pytest

from jive.db import connection, database
from jive.documents.document import READER_VERSION
from jive.errors import NotFound
from jive.events import Envelope
from jive.models import Artifact, Event, Project, WebhookEvent
from jive.models.enums import DeliveryState, ProjectSource
from jive.pipeline.apply import ScanStart, apply, begin, rules_hash
from tests.factories import make_artifact, make_delivery, make_project
from tests.pipeline.changes import changes, documents, scan
from tests.waiting import DEADLINE_S, until

pytestmark = pytest.mark.usefixtures("db")

GATE = 4711  # an advisory lock that holds up whoever writes an artifact


def test_each_change_has_one_event_in_the_order_of_paths() -> None:
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


def test_artifacts_of_other_projects_are_unchanged() -> None:
    other = make_artifact(make_project(), path="docs/a.md")
    scan(make_project())
    assert Artifact.get() == other


def test_a_document_that_outgrows_the_limit_is_updated_without_content() -> None:
    project = make_project()
    scan(project, a=b"# A\n")
    assert [event.payload["change"] for event in scan(project, a=b"x" * 3_000_000)] == ["updated"]
    assert Artifact.get().content is None


def test_a_scan_changes_nothing_if_another_was_applied_since_it_began() -> None:
    project = make_project()
    early, late = begin(project.id), begin(project.id)
    assert apply(late, changes(head="b" * 40, a=b"# New\n")) is not None
    assert apply(early, changes(head="a" * 40, a=b"# Old\n")) is None
    assert (Artifact.get().name, Project.get().head) == ("New", "b" * 40)
    assert Event.select().count() == 1


def test_of_two_scans_that_apply_at_the_same_time_only_one_counts() -> None:
    project = make_project()
    starts = [begin(project.id), begin(project.id)]
    database.execute_sql(
        f"CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql "
        f"AS 'BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NEW; END';"
        f"CREATE TRIGGER wait_at_gate BEFORE INSERT OR UPDATE ON artifacts "
        f"FOR EACH ROW EXECUTE FUNCTION wait_at_gate()"
    )
    database.execute_sql("SELECT pg_advisory_lock(%s)", (GATE,))
    pids: queue.SimpleQueue[int] = queue.SimpleQueue()

    def apply_text(start: ScanStart, text: bytes) -> list[Envelope] | None:
        with connection() as held:
            pids.put(held.execute_sql("SELECT pg_backend_pid()").fetchone()[0])
            return apply(start, changes(a=text))

    def begin_to_apply(threads: ThreadPoolExecutor, start: ScanStart, text: bytes) -> Future[list[Envelope] | None]:
        """Apply in another thread, and return when its statement waits for a lock."""
        result = threads.submit(apply_text, start, text)
        pid = pids.get(timeout=DEADLINE_S)
        until(_is_blocked(pid))
        return result

    try:
        with ThreadPoolExecutor(2) as threads:
            try:
                first = begin_to_apply(threads, starts[0], b"# First\n")  # waits at the gate, and holds the project
                second = begin_to_apply(threads, starts[1], b"# Second\n")  # waits for the project
            finally:
                database.execute_sql("SELECT pg_advisory_unlock(%s)", (GATE,))
            assert first.result(DEADLINE_S) is not None
            assert second.result(DEADLINE_S) is None
    finally:
        database.execute_sql("DROP FUNCTION wait_at_gate CASCADE")
    assert [row.name for row in Artifact.select()] == ["First"]
    assert Event.select().count() == Project.get().last_event_id == 1


def _is_blocked(pid: int) -> Callable[[], object]:
    """Return a question: does the backend with this process id wait for a lock that another one holds?"""
    return lambda: database.execute_sql("SELECT cardinality(pg_blocking_pids(%s))", (pid,)).fetchone()[0]


def test_deliveries_can_be_recorded_while_a_scan_is_applied() -> None:
    project = make_project()

    def record() -> WebhookEvent:
        with connection() as held:
            held.execute_sql("SET lock_timeout = '5s'")
            try:
                return make_delivery(project)
            finally:
                held.execute_sql("RESET lock_timeout")

    with database.atomic(), ThreadPoolExecutor(1) as thread:
        assert apply(begin(project.id), changes(a=b"# A\n"))  # not committed: the lock is still held
        assert thread.submit(record).result(DEADLINE_S).state is DeliveryState.RECEIVED


def test_a_scan_settles_the_deliveries_that_were_received_before_it_began() -> None:
    project = make_project()
    before = make_delivery(project, received_at=peewee.fn.now())
    failed = make_delivery(project, received_at=peewee.fn.now(), state=DeliveryState.FAILED, error_message="no")
    start = begin(project.id)
    after = make_delivery(project, received_at=peewee.fn.clock_timestamp())
    apply(start, changes())
    states = [WebhookEvent.get_by_id(each.id).state for each in (before, failed, after)]
    assert states == [DeliveryState.SETTLED, DeliveryState.SETTLED, DeliveryState.RECEIVED]


def test_a_scan_of_a_folder_settles_no_delivery() -> None:
    project = make_project()
    delivery = make_delivery(project)
    assert apply(begin(project.id), changes(ProjectSource.FOLDER, a=b"# A\n"))
    assert WebhookEvent.get_by_id(delivery.id).state is DeliveryState.RECEIVED


@pytest.mark.parametrize(
    ("before", "scanned", "after"),
    [
        (ProjectSource.FOLDER, ProjectSource.REMOTE, ProjectSource.REMOTE),
        (ProjectSource.FOLDER, ProjectSource.FOLDER, ProjectSource.FOLDER),
        (ProjectSource.REMOTE, ProjectSource.REMOTE, ProjectSource.REMOTE),
        (ProjectSource.REMOTE, ProjectSource.FOLDER, ProjectSource.REMOTE),
        (ProjectSource.SAMPLE, ProjectSource.FOLDER, ProjectSource.FOLDER),
        (ProjectSource.SAMPLE, ProjectSource.SAMPLE, ProjectSource.SAMPLE),
    ],
)
def test_a_projects_source_follows_what_was_scanned(
    before: ProjectSource, scanned: ProjectSource, after: ProjectSource
) -> None:
    project = make_project(source=before)
    assert apply(begin(project.id), changes(scanned)) is not None
    assert Project.get().source is after


def test_a_folder_that_stands_in_for_a_remote_makes_the_next_scan_read_everything() -> None:
    project = make_project()
    apply(begin(project.id), changes(head="1" * 40, a=b"# A\n"))
    assert Project.get().rules_hash == rules_hash({})
    apply(begin(project.id), changes(ProjectSource.FOLDER, a=b"# A\n"))
    assert (Project.get().head, Project.get().rules_hash) == (None, None)


def test_the_rules_hash_follows_the_config_and_the_reader_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rules_hash({})
    assert rules_hash({"prdFile": "x"}) != before
    monkeypatch.setattr("jive.pipeline.apply.READER_VERSION", READER_VERSION + 1)
    assert rules_hash({}) != before


def test_a_scan_that_fails_half_way_changes_nothing() -> None:
    project = make_project()
    scan(project, a=b"# A\n", b=b"# B\n")
    delivery = make_delivery(project, received_at=peewee.fn.now())
    before = _everything()
    database.execute_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''full''; END';"
        "CREATE TRIGGER refuse AFTER DELETE ON artifacts FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    try:
        with pytest.raises(peewee.InternalError, match="full"):
            scan(project, a=b"# Another A\n")
    finally:
        database.execute_sql("DROP FUNCTION refuse CASCADE")
    assert _everything() == before
    assert WebhookEvent.get_by_id(delivery.id).state is DeliveryState.RECEIVED


def _everything() -> list[object]:
    """Return all that a scan may change, except for the number that it takes when it begins."""
    projects = Project.select(Project.config, Project.head, Project.scan_applied, Project.last_event_id)
    return [*projects.dicts(), *Artifact.select().order_by(Artifact.path).dicts(), *Event.select().dicts()]


def test_a_scan_that_read_only_changes_leaves_the_other_documents() -> None:
    project = make_project()
    scan(project, a=b"# A\n", b=b"# B\n", c=b"# C\n")
    read = changes(c=b"# Other\n")
    events = apply(begin(project.id), type(read)(read.source, None, {}, documents(c=b"# Other\n"), gone={"docs/a.md"}))
    assert events and [event.payload["change"] for event in events] == ["deleted", "updated"]
    assert [row.name for row in Artifact.select().order_by(Artifact.path)] == ["B", "Other"]


def test_a_project_that_was_removed_gets_nothing() -> None:
    project = make_project()
    start = begin(project.id)
    project.delete_instance()
    assert apply(start, changes(a=b"# A\n")) is None
    with pytest.raises(NotFound):
        begin(project.id)
