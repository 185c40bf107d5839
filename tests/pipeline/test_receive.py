"""Receiving: each delivery gets its own answer, even if others fail at the same time."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import peewee
import pytest

from jive import keys
from jive.db import database
from jive.errors import DatabaseUnavailable, DeliveryRefused, MalformedDelivery
from jive.models import Project, WebhookEvent
from jive.pipeline import registry
from jive.pipeline.apply import begin
from jive.pipeline.receive import Receipt, Receiver
from tests.conftest import using
from tests.factories import make_project
from tests.hosts.payloads import GITHUB, GITHUB_REPOSITORY
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("db")

TIMEOUT_S = 10


class Post:
    """A receiver, and pushes to it; `enqueued` holds the projects whose scans it enqueued."""

    def __init__(self) -> None:
        self.enqueued: list[uuid.UUID] = []
        self.receiver = Receiver(self.enqueue)

    def enqueue(self, project: Project) -> None:
        self.enqueued.append(project.id)

    def push(
        self,
        project: Project,
        *,
        id: str | None = None,
        secret: str | None = None,
        branch: str = "trunk",
        ssh_url: str | None = None,
    ) -> Receipt:
        event, payload = GITHUB.push(branch)
        urls = {
            "html_url": project.repo_url,
            "clone_url": f"{project.repo_url}.git",
            "ssh_url": ssh_url,
            "git_url": None,
        }
        payload["repository"] = GITHUB_REPOSITORY | urls
        signed_by = secret or str(project.webhook_secret)
        message = GITHUB.say(event, payload, id=id or str(uuid.uuid4()), secret=signed_by)
        return self.receiver.receive("github", message.headers, message.body)


@pytest.fixture
def post() -> Post:
    return Post()


class Crowd(Post):
    """Pushes of which the first is held up, so that those after it are received together."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        super().__init__()
        self._threads = threads
        self._first = make_project()

    def together(self, *pushes: Callable[[], Receipt]) -> list[Future[Receipt]]:
        released, take = threading.Event(), self.receiver._take_together._run

        def held(arrivals: Any) -> Any:
            assert released.wait(TIMEOUT_S)
            return take(arrivals)

        self.receiver._take_together._run = held
        first = self._threads.submit(self.push, self._first)
        until(lambda: self.receiver._take_together._is_running)
        until(lambda: not self.receiver._take_together._gathered)
        futures = []
        for number, push in enumerate(pushes, start=1):  # one after the other, so that their order is known
            futures.append(self._threads.submit(push))
            self._until_gathered(number)
        released.set()
        assert first.result(TIMEOUT_S).status == "recorded"
        return futures

    def _until_gathered(self, count: int) -> None:
        until(lambda: len(self.receiver._take_together._gathered) == count)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ThreadPoolExecutor(10) as threads:
        yield Crowd(threads)
        for done in [threads.submit(database.close) for _ in range(10)]:
            done.result()


def recorded(project: Project) -> list[str]:
    rows = WebhookEvent.select(WebhookEvent.id).where(WebhookEvent.project == project)
    return sorted(row.id for row in rows)


def test_deliveries_that_arrive_together_each_get_their_own_answer(crowd: Crowd) -> None:
    one, other = make_project(), make_project()
    first, second, unsigned, off_branch, third = crowd.together(
        lambda: crowd.push(one, id="1"),
        lambda: crowd.push(other, id="2"),
        lambda: crowd.push(one, id="3", secret="unknown"),
        lambda: crowd.push(one, id="4", branch="elsewhere"),
        lambda: crowd.push(one, id="5"),
    )
    assert first.result() == Receipt("1", "recorded", scan=True)
    assert second.result() == Receipt("2", "recorded", scan=True)
    assert off_branch.result() == Receipt("4", "recorded", scan=False)
    assert third.result() == Receipt("5", "recorded", scan=True)
    with pytest.raises(DeliveryRefused):
        unsigned.result()
    assert (recorded(one), recorded(other)) == (["1", "4", "5"], ["2"])
    assert WebhookEvent.get_by_id("4").processed
    assert not WebhookEvent.get_by_id("5").processed
    assert {one.id, other.id} <= set(crowd.enqueued)


def test_of_two_deliveries_with_the_same_id_the_first_is_recorded(crowd: Crowd) -> None:
    one, other = make_project(), make_project()
    first, second, other_projects = crowd.together(
        lambda: crowd.push(one, id="1"), lambda: crowd.push(one, id="1"), lambda: crowd.push(other, id="1")
    )
    assert (first.result().status, second.result().status) == ("recorded", "duplicate")
    with pytest.raises(MalformedDelivery, match="used by another"):
        other_projects.result()
    assert (recorded(one), recorded(other)) == (["1"], [])


def test_a_secret_that_cannot_be_decrypted_fails_only_its_own_project(
    crowd: Crowd, caplog: pytest.LogCaptureFixture
) -> None:
    lost, project = make_project(), make_project()
    with using(JIVE_SECRET_KEYS=keys.make()):
        token = Project.webhook_secret.db_value("test-secret")
    database.connect(reuse_if_open=True)
    database.execute_sql("UPDATE projects SET webhook_secret = %s WHERE id = %s", (token, str(lost.id)))
    refused, taken = crowd.together(lambda: crowd.push(lost), lambda: crowd.push(project))
    assert taken.result().status == "recorded"
    with pytest.raises(DeliveryRefused):
        refused.result()
    assert lost.repo_url in caplog.text
    assert crowd.push(lost, secret=registry.rotate_secret(lost.id).secret).status == "recorded"


def test_each_of_several_deliveries_raises_that_postgres_is_unavailable(crowd: Crowd) -> None:
    project = make_project()

    def push() -> Receipt:
        return crowd.push(project)

    with using(DATABASE_URL="postgresql://nobody@127.0.0.1:1/jive_test"):
        with ThreadPoolExecutor(4) as threads:
            answers = [threads.submit(push) for _ in range(4)]
        for answer in answers:
            with pytest.raises(DatabaseUnavailable):
                answer.result()
    database.connect(reuse_if_open=True)
    assert recorded(project) == []


def test_a_changed_secret_counts_at_once(post: Post) -> None:
    project = make_project()
    post.push(project)
    old = str(project.webhook_secret)
    new = registry.rotate_secret(project.id).secret
    assert post.push(project, secret=old).status == "recorded"
    assert post.push(project, secret=new).status == "recorded"
    registry.finish_rotation(project.id)
    assert post.push(project, secret=new).status == "recorded"
    with pytest.raises(DeliveryRefused):
        post.push(project, secret=old)


def test_a_changed_branch_counts_at_once(post: Post) -> None:
    project = make_project()
    assert post.push(project).scan
    Project.update(branch="release").where(Project.id == project.id).execute()
    assert not post.push(project).scan
    assert post.push(project, branch="release").scan


def test_a_removed_project_records_nothing_and_a_new_one_with_its_url_does(post: Post) -> None:
    project = make_project()
    post.push(project)
    project.delete_instance()
    with pytest.raises(DeliveryRefused):
        post.push(project)
    successor = make_project(repo_url=project.repo_url)
    assert post.push(project, id="1").status == "recorded"
    assert recorded(successor) == ["1"]


def test_a_secret_that_is_not_a_token_fails_only_its_own_project(crowd: Crowd) -> None:
    broken, project = make_project(), make_project()
    database.execute_sql("UPDATE projects SET webhook_secret = 'größe' WHERE id = %s", (str(broken.id),))
    refused, taken = crowd.together(lambda: crowd.push(broken), lambda: crowd.push(project))
    assert taken.result().status == "recorded"
    with pytest.raises(DeliveryRefused):
        refused.result()


def test_a_locked_project_delays_no_other_and_its_own_deliveries_only_for_a_second(crowd: Crowd) -> None:
    removed, applied, other = make_project(), make_project(), make_project()
    with database.atomic():
        database.execute_sql("SELECT FROM projects WHERE id = %s FOR UPDATE", (str(removed.id),))
        database.execute_sql("SELECT FROM projects WHERE id = %s FOR NO KEY UPDATE", (str(applied.id),))
        refused, *taken = crowd.together(
            lambda: crowd.push(removed), lambda: crowd.push(applied), lambda: crowd.push(other)
        )
        assert [each.result(TIMEOUT_S).status for each in taken] == ["recorded", "recorded"]
        with pytest.raises(peewee.OperationalError, match="lock timeout"):
            refused.result(TIMEOUT_S)


def test_a_delivery_that_arrives_after_a_scan_began_enqueues_another_whatever_its_url(post: Post) -> None:
    project = make_project()
    post.push(project)
    begin(project.id)
    assert post.push(project, ssh_url=project.repo_url.replace("https://github.com/", "git@github.com:")).scan
    assert post.enqueued == [project.id, project.id]


def test_one_scan_is_enqueued_until_it_has_begun(post: Post) -> None:
    project = make_project()
    for _ in range(3):
        assert post.push(project).scan
    assert post.enqueued == [project.id]
    begin(project.id)
    for _ in range(3):
        post.push(project)
    assert post.enqueued[1:], "a scan that has begun may not see what was pushed after"
    assert set(post.enqueued) == {project.id}


def test_a_delivery_recorded_before_a_scan_begins_is_settled_by_it(post: Post) -> None:
    project = make_project()
    post.push(project, id="1")
    start = begin(project.id)
    assert WebhookEvent.get_by_id("1").received_at <= start.began_at
    assert Project.get_by_id(project.id).updated_at <= start.began_at


def test_a_delivery_whose_scan_cannot_be_enqueued_is_recorded_and_the_next_one_enqueues_it(post: Post) -> None:
    project, enqueue = make_project(), post.enqueue

    def fail(project: Project) -> None:
        raise ConnectionError("Redis cannot be reached")

    post.receiver._enqueue = fail
    assert post.push(project, id="1").scan
    post.receiver._enqueue = enqueue
    assert post.push(project, id="2").scan
    assert (post.enqueued, recorded(project)) == ([project.id], ["1", "2"])
