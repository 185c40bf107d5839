"""Receiving: each delivery gets its own answer, whatever comes beside it and whatever becomes of its project."""

import threading
import time
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

pytestmark = pytest.mark.usefixtures("db")

TIMEOUT_S = 10


class Post:
    """A receiver with pushes to give it; `enqueued` are the projects that it had scanned."""

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
    """A post whose first push is held up, so that those after it gather and go together."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        super().__init__()
        self._threads = threads
        self._first = make_project()

    def together(self, *pushes: Callable[[], Receipt]) -> list[Future[Receipt]]:
        let_go, take = threading.Event(), self.receiver._take_together._run

        def held(arrivals: Any) -> Any:
            assert let_go.wait(TIMEOUT_S)
            return take(arrivals)

        self.receiver._take_together._run = held
        first = self._threads.submit(self.push, self._first)
        _until(lambda: self.receiver._take_together._is_running)
        _until(lambda: not self.receiver._take_together._gathered)
        futures = []
        for number, push in enumerate(pushes, start=1):  # one after the other, so that their order is known
            futures.append(self._threads.submit(push))
            self._until_gathered(number)
        let_go.set()
        assert first.result(TIMEOUT_S).status == "recorded"
        return futures

    def _until_gathered(self, count: int) -> None:
        _until(lambda: len(self.receiver._take_together._gathered) == count)


def _until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.001)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ThreadPoolExecutor(10) as threads:
        yield Crowd(threads)
        for done in [threads.submit(database.close) for _ in range(10)]:
            done.result()


def kept(project: Project) -> list[str]:
    rows = WebhookEvent.select(WebhookEvent.id).where(WebhookEvent.project == project)
    return sorted(row.id for row in rows)


def test_of_those_that_come_together_each_gets_its_own_answer(crowd: Crowd) -> None:
    one, other = make_project(), make_project()
    first, second, unsigned, off_branch, third = crowd.together(
        lambda: crowd.push(one, id="1"),
        lambda: crowd.push(other, id="2"),
        lambda: crowd.push(one, id="3", secret="a stranger's"),
        lambda: crowd.push(one, id="4", branch="elsewhere"),
        lambda: crowd.push(one, id="5"),
    )
    assert first.result() == Receipt("1", "recorded", scan=True)
    assert second.result() == Receipt("2", "recorded", scan=True)
    assert off_branch.result() == Receipt("4", "recorded", scan=False)
    assert third.result() == Receipt("5", "recorded", scan=True)
    with pytest.raises(DeliveryRefused):
        unsigned.result()
    assert (kept(one), kept(other)) == (["1", "4", "5"], ["2"])
    assert WebhookEvent.get_by_id("4").processed
    assert not WebhookEvent.get_by_id("5").processed
    assert {one.id, other.id} <= set(crowd.enqueued)


def test_of_two_with_one_id_the_first_counts(crowd: Crowd) -> None:
    one, other = make_project(), make_project()
    first, again, foreign = crowd.together(
        lambda: crowd.push(one, id="1"), lambda: crowd.push(one, id="1"), lambda: crowd.push(other, id="1")
    )
    assert (first.result().status, again.result().status) == ("recorded", "duplicate")
    with pytest.raises(MalformedDelivery, match="used by another"):
        foreign.result()
    assert (kept(one), kept(other)) == (["1"], [])


def test_a_secret_that_cannot_be_read_stops_only_its_own_project(
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


def test_postgres_away_is_told_to_everyone_who_waits(crowd: Crowd) -> None:
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
    assert kept(project) == []


def test_a_secret_counts_as_it_is_now(post: Post) -> None:
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


def test_a_branch_counts_as_it_is_now(post: Post) -> None:
    project = make_project()
    assert post.push(project).scan
    Project.update(branch="release").where(Project.id == project.id).execute()
    assert not post.push(project).scan
    assert post.push(project, branch="release").scan


def test_a_project_that_was_removed_takes_nothing_and_its_successor_does(post: Post) -> None:
    project = make_project()
    post.push(project)
    project.delete_instance()
    with pytest.raises(DeliveryRefused):
        post.push(project)
    successor = make_project(repo_url=project.repo_url)
    assert post.push(project, id="1").status == "recorded"
    assert kept(successor) == ["1"]


def test_a_secret_that_is_no_token_stops_only_its_own_project(crowd: Crowd) -> None:
    broken, project = make_project(), make_project()
    database.execute_sql("UPDATE projects SET webhook_secret = 'größe' WHERE id = %s", (str(broken.id),))
    refused, taken = crowd.together(lambda: crowd.push(broken), lambda: crowd.push(project))
    assert taken.result().status == "recorded"
    with pytest.raises(DeliveryRefused):
        refused.result()


def test_a_project_that_is_locked_holds_up_nobody_else_and_itself_not_for_ever(crowd: Crowd) -> None:
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


def test_what_comes_after_a_scan_began_is_scanned_again_by_whatever_url_it_comes(post: Post) -> None:
    project = make_project()
    post.push(project)
    begin(project.id)
    assert post.push(project, ssh_url=project.repo_url.replace("https://github.com/", "git@github.com:")).scan
    assert post.enqueued == [project.id, project.id]


def test_one_scan_is_enqueued_until_it_begins(post: Post) -> None:
    project = make_project()
    for _ in range(3):
        assert post.push(project).scan
    assert post.enqueued == [project.id]
    begin(project.id)
    for _ in range(3):
        post.push(project)
    assert post.enqueued[1:], "a scan that has begun may not see what came after"
    assert set(post.enqueued) == {project.id}


def test_a_delivery_that_saw_no_scan_begin_is_older_than_what_the_scan_settles(post: Post) -> None:
    project = make_project()
    post.push(project, id="1")
    beginning = begin(project.id)
    assert WebhookEvent.get_by_id("1").received_at <= beginning.began_at
    assert Project.get_by_id(project.id).updated_at <= beginning.began_at


def test_what_could_not_be_enqueued_is_kept_and_the_next_push_tries_again(post: Post) -> None:
    project, enqueue = make_project(), post.enqueue

    def fail(project: Project) -> None:
        raise ConnectionError("Redis is away")

    post.receiver._enqueue = fail
    assert post.push(project, id="1").scan
    post.receiver._enqueue = enqueue
    assert post.push(project, id="2").scan
    assert (post.enqueued, kept(project)) == ([project.id], ["1", "2"])
