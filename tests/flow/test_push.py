"""The path of a push, from the Git host's request to the listener, through commands, HTTP and the stores only."""

import http.client
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator

import pytest

from tests.flow.processes import run, running
from tests.flow.stack import RemoteProject, Stack, stack


@pytest.fixture(scope="module")
def jive() -> Iterator[Stack]:
    with stack() as running_stack:
        yield running_stack


@pytest.fixture
def project(jive: Stack) -> RemoteProject:
    made = jive.remote_project()
    made.repository.commit(prd="# PRD\n", architecture="# Architecture\n")
    return made


def test_a_push_becomes_artifacts_and_events(jive: Stack, project: RemoteProject) -> None:
    with jive.watching(project) as watcher:
        status, answer = jive.push(project)
        assert (status, answer["status"], answer["scan"]) == (202, "recorded", True)
        jive.settles(project)
        first = json.loads(watcher.line('"event"'))
        assert first["payload"] == {
            "path": "docs/architecture.md",
            "type": "ARCHITECTURE",
            "version": None,
            "change": "created",
        }
        assert (first["id"], first["projectId"]) == (1, project.id)
        watcher.line('"event"')
        project.repository.commit(prd="# Another PRD\n", architecture=None)
        jive.push(project)
        jive.settles(project)
        changes = [json.loads(watcher.line('"event"'))["payload"] for _ in range(2)]
    assert [(change["path"], change["change"]) for change in changes] == [
        ("docs/architecture.md", "deleted"),
        ("docs/prd.md", "updated"),
    ]


def test_a_redelivery_of_a_settled_delivery_is_a_duplicate(jive: Stack, project: RemoteProject) -> None:
    delivery = str(uuid.uuid4())
    assert jive.push(project, delivery=delivery)[1]["status"] == "recorded"
    jive.settles(project)
    status, answer = jive.push(project, delivery=delivery)
    assert (status, answer) == (202, {"status": "duplicate", "id": delivery, "scan": False})


def test_a_redelivery_of_a_failed_delivery_is_retried(jive: Stack, project: RemoteProject) -> None:
    moved = project.repository.path.with_name(uuid.uuid4().hex)
    project.repository.path.rename(moved)
    delivery = str(uuid.uuid4())
    jive.push(project, delivery=delivery)
    failed = "SELECT 1 FROM webhook_events WHERE id = %s AND state = 'failed' AND retry_count = 3"
    jive.until(lambda: bool(jive.query(failed, delivery)))
    moved.rename(project.repository.path)
    assert jive.push(project, delivery=delivery)[1]["status"] == "recorded"
    jive.settles(project)


def test_a_delivery_id_of_another_project_is_refused(jive: Stack, project: RemoteProject) -> None:
    other, delivery = jive.remote_project(), str(uuid.uuid4())
    other.repository.commit(prd="# PRD\n")
    assert jive.push(other, delivery=delivery)[0] == 202
    assert jive.push(project, delivery=delivery)[0] == 400


@pytest.mark.parametrize(
    ("fields", "branch"),
    [
        ({}, "another-branch"),
        ({"ref": "refs/tags/v1"}, "main"),
        ({"after": "0" * 40, "deleted": True, "head_commit": None}, "main"),
    ],
)
def test_a_delivery_that_asks_for_no_scan_is_settled_at_once(
    jive: Stack, project: RemoteProject, fields: dict[str, object], branch: str
) -> None:
    status, answer = jive.push(project, project.payload(branch, **fields))
    assert (status, answer["status"], answer["scan"]) == (202, "recorded", False)
    assert jive.query("SELECT state FROM webhook_events WHERE id = %s", answer["id"]) == [("settled",)]
    assert jive.artifacts(project) == {}


def test_an_unknown_repository_and_a_bad_signature_get_the_same_answer(jive: Stack, project: RemoteProject) -> None:
    unsigned = RemoteProject(project.id, "whsec_wrong", project.repository)
    unknown = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": "https://github.com/no/body"}}).encode()
    answers = [jive.push(unsigned), jive.push(project, unknown)]
    assert [status for status, _ in answers] == [401, 401]
    messages = {answer["error"]["message"] for _, answer in answers}
    assert len(messages) == 1
    assert jive.query("SELECT 1 FROM webhook_events WHERE project_id = %s", project.id) == []


@pytest.fixture(scope="module")
def idle(jive: Stack) -> RemoteProject:
    """A project that no test pushes to."""
    return jive.remote_project()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"repository": 1}', b"\xff\xfe", b"[" * 100_000])
def test_a_malformed_body_is_refused_with_400(jive: Stack, idle: RemoteProject, body: bytes) -> None:
    status, answer = jive.push(idle, body)
    assert (status, answer["error"]["code"]) == (400, "malformed_delivery")


@pytest.mark.parametrize("times", [1, 2])
def test_both_secrets_are_accepted_until_a_rotation_is_finished(
    jive: Stack, project: RemoteProject, times: int
) -> None:
    for _ in range(times):
        output = jive.jive("project", "rotate-secret", project.id)
        new = next(line.split()[1] for line in output.splitlines() if "Secret" in line)
    old, rotated = project, RemoteProject(project.id, new, project.repository)
    assert (jive.push(old)[0], jive.push(rotated)[0]) == (202, 202)
    jive.jive("project", "rotate-secret", project.id, "--finish")
    assert (jive.push(old)[0], jive.push(rotated)[0]) == (401, 202)


def test_deliveries_are_accepted_while_the_key_of_the_secrets_is_replaced(jive: Stack, project: RemoteProject) -> None:
    old = jive.variables["JIVE_SECRET_KEYS"]
    new = jive.jive("keygen").strip()
    for step in (f"{new},{old}", new):
        jive.variables["JIVE_SECRET_KEYS"] = step
        jive.restart()
        assert jive.push(project)[0] == 202
        if old in step:
            assert "The first key decrypts every secret" in jive.jive("rotate-keys")
    jive.settles(project)
    assert "ok    secrets" in run("check", cwd=None, **jive.variables)[1]


def test_a_delivery_scans_a_folder_project_from_its_remote(jive: Stack, project: RemoteProject) -> None:
    jive.query("UPDATE projects SET source = 'folder' WHERE id = %s", project.id)
    assert "[folder]" in jive.jive("project", "list")
    assert jive.push(project)[0] == 202
    jive.settles(project)
    assert jive.query("SELECT source FROM projects WHERE id = %s", project.id) == [("remote",)]


def test_a_delivery_for_the_sample_fails_with_the_reason(jive: Stack, project: RemoteProject) -> None:
    jive.query("UPDATE projects SET source = 'sample' WHERE id = %s", project.id)
    assert jive.push(project)[0] == 202
    jive.until(lambda: "sample project" in jive.jive("deliveries", "list", project.id, "--failed"))
    assert jive.artifacts(project) == {}


def test_a_body_over_25_mb_is_refused_before_it_is_sent_whole(jive: Stack) -> None:
    with socket.create_connection(("127.0.0.1", jive.port), timeout=30) as link:
        head = "POST /api/webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n"
        link.sendall(head.encode() + b"x" * 1000)
        assert link.recv(100).startswith(b"HTTP/1.1 413")


def test_a_body_of_24_mb_is_accepted(jive: Stack, project: RemoteProject) -> None:
    body = project.payload(commits=["x" * 24_000_000])
    assert jive.push(project, body)[0] == 202


def test_a_body_over_25_mb_without_a_length_is_refused(jive: Stack) -> None:
    link = http.client.HTTPConnection("127.0.0.1", jive.port, timeout=60)

    def chunks() -> Iterator[bytes]:
        for _ in range(400):
            yield b"x" * 100_000

    try:
        link.request("POST", "/api/webhooks/github", chunks(), {"X-GitHub-Event": "push"}, encode_chunked=True)
        status = link.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413  # closing the connection refuses it too
    finally:
        link.close()
    assert status == 413


def test_without_postgres_a_delivery_is_refused_within_5_s(jive: Stack, project: RemoteProject) -> None:
    jive.postgres.stop()
    try:
        began_at = time.monotonic()
        status, answer = jive.push(project)
        assert (status, answer["error"]["code"]) == (503, "database_unavailable")
        assert time.monotonic() - began_at < 5
    finally:
        jive.start_postgres()
    jive.until(lambda: jive.push(project)[0] == 202)


def test_watch_since_an_event_prints_the_later_ones_and_then_new_ones(jive: Stack, project: RemoteProject) -> None:
    jive.push(project)
    jive.settles(project)
    with running("watch", project.id, "--since", "1", cwd=None, **jive.variables) as watcher:
        assert json.loads(watcher.line('"event"'))["id"] == 2
        project.repository.commit(notes="# Notes\n")
        jive.push(project)
        assert json.loads(watcher.line('"event"'))["id"] == 3


def test_pushes_to_several_projects_at_once_lose_nothing(jive: Stack) -> None:
    projects = [jive.remote_project() for _ in range(4)]
    for each in projects:
        each.repository.commit(prd="# PRD\n")
    threads = [threading.Thread(target=lambda p=each: [jive.push(p) for _ in range(25)]) for each in projects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for each in projects:
        jive.settles(each)
        assert jive.query("SELECT count(*) FROM webhook_events WHERE project_id = %s", each.id) == [(25,)]


def test_projects_are_added_listed_and_removed(jive: Stack, project: RemoteProject) -> None:
    jive.push(project)
    jive.settles(project)
    assert f"{project.id}  2 documents" in jive.jive("project", "list")
    status, _, errors = run("project", "add", project.repository.path.as_uri() + ".git", cwd=None, **jive.variables)
    assert (status, "exists already" in errors) == (1, True)
    jive.jive("project", "remove", project.id, "--yes")
    assert project.id not in jive.jive("project", "list")
    assert jive.query("SELECT 1 FROM artifacts WHERE project_id = %s", project.id) == []
    assert jive.push(project)[0] == 401
    assert not list((jive.home / "repositories").glob(f"{project.id}*"))


@pytest.mark.parametrize("url", ["--upload-pack=x", "https://me:hush@github.com/a/b", "ftp://x/y", "ext::sh -c x", ""])
def test_a_url_that_git_must_not_be_given_is_refused_in_one_line(jive: Stack, url: str) -> None:
    status, _, errors = run("project", "add", "--", url, cwd=None, **jive.variables)
    assert (status, errors.count("\n")) == (1, 1)
    assert "hush" not in errors


def test_no_secret_is_logged(jive: Stack, project: RemoteProject) -> None:
    jive.push(project)
    jive.settles(project)
    said = "".join(jive.worker.said + jive.web.said)
    assert project.secret not in said
    assert jive.variables["JIVE_SECRET_KEYS"] not in said
