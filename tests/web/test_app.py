"""The application over WSGI: routes, request ids, errors as JSON, and no connection that is not given back."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import bottle
import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from jive import settings
from jive.db import connection, database
from jive.errors import DatabaseUnavailable, InvalidValue
from tests.conftest import using
from tests.web.conftest import Client


def test_the_page_shows_the_health_and_refreshes_it(client: Client) -> None:
    status, headers, body = client.call("/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"setInterval" in body
    assert b"/api/health" in body


def test_liveness_touches_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "connect", lambda *_: pytest.fail("it touched the database"))
    status, _, body = client.call("/api/health/live")
    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_a_request_keeps_the_id_that_it_came_with(client: Client) -> None:
    _, headers, _ = client.call("/api/health/live", x_request_id="abc-123")
    assert headers["x-request-id"] == "abc-123"


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "<script>"])
def test_a_request_without_a_good_id_gets_one(client: Client, given: str) -> None:
    first = client.call("/api/health/live", x_request_id=given)[1]["x-request-id"]
    second = client.call("/api/health/live", x_request_id=given)[1]["x-request-id"]
    assert first != second
    assert len(first) == 32


@pytest.mark.parametrize(("path", "method", "status", "code"), [
    ("/nothing/here", "GET", 404, "not_found"),
    ("/api/health", "DELETE", 405, "method_not_allowed"),
    ("/na\udcefve", "GET", 404, "not_found"),
])  # fmt: skip
def test_an_unknown_address_or_method_is_an_error_as_json(
    client: Client, path: str, method: str, status: int, code: str
) -> None:
    path = path.encode("utf-8", "surrogateescape").decode("latin-1")
    got, headers, body = client.call(path, method, x_request_id="abc")
    error = json.loads(body)["error"]
    assert (got, headers["content-type"], error["code"], error["requestId"]) == (
        status,
        "application/json",
        code,
        "abc",
    )
    assert error.keys() == {"code", "message", "details", "timestamp", "requestId"}


def test_an_error_of_a_route_is_an_error_as_json(app: bottle.Bottle, client: Client) -> None:
    def refuse() -> None:
        raise InvalidValue("the colour is wrong", field="colour")

    app.get("/refuse", callback=refuse)
    status, _, body = client.call("/refuse")
    error = json.loads(body)["error"]
    assert (status, error["code"], error["message"]) == (400, "invalid_value", "the colour is wrong")
    assert error["details"] == {"field": "colour"}


def test_an_unexpected_error_is_logged_and_not_shown(
    app: bottle.Bottle, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("hush")

    app.get("/fail", callback=fail)
    status, _, body = client.call("/fail", x_request_id="abc")
    assert (status, json.loads(body)["error"]["code"]) == (500, "internal_error")
    assert b"hush" not in body
    assert "failed at /fail [abc]" in caplog.text


@pytest.fixture
def one_connection() -> Iterator[None]:
    """A pool of one: a connection that is not given back stops the next request."""
    usual, database._max_connections = database._max_connections, 1
    database.close_all()
    yield
    database._max_connections = usual


def raise_error() -> None:
    raise RuntimeError("after using the database")


def leave_transaction_open() -> None:
    database.execute_sql("BEGIN")


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("end", [lambda: None, raise_error, leave_transaction_open, bottle.abort])
def test_a_connection_is_given_back_however_a_request_ends(app: bottle.Bottle, client: Client, end: Any) -> None:
    def use() -> str:
        with connection():
            database.execute_sql("SELECT 1")
            end()
        return "done"

    app.get("/use", callback=use)
    for _ in range(3):
        client.call("/use")
        assert database.is_closed()
    with connection():
        assert database.connection().get_transaction_status() == TRANSACTION_STATUS_IDLE


def test_requests_in_many_threads_share_the_pool(app: bottle.Bottle, client: Client) -> None:
    def use() -> str:
        with connection():
            return str(database.execute_sql("SELECT 1").fetchone()[0])

    app.get("/use", callback=use)
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(client.call("/use")[2])) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert bodies == [b"1"] * 40


def delivery() -> dict[str, Any]:
    """Return the arguments of a well-formed delivery; it need not be signed to reach the database."""
    body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": "https://github.com/a/b"}}).encode()
    return {"method": "POST", "body": body, "x_github_event": "push", "x_github_delivery": "1"}


def own_server(**changes: str) -> str:
    """Return the URL of the tests' own database with other parts."""
    return urlsplit(settings.current().database_url)._replace(**changes).geturl()


def as_the_user() -> str:
    """Return the URL of the tests' own database for a user that the server does not know."""
    parts = urlsplit(settings.current().database_url)
    return own_server(netloc=f"the_user:hush@{parts.netloc.rpartition('@')[2]}")


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (lambda: "postgresql://the_user:hush@127.0.0.1:1/the_database", ["127.0.0.1", "port 1"]),
        (lambda: "postgresql://the_user:hush@the-host.invalid:5432/the_database", ["the-host", "5432"]),
        (
            lambda: "postgresql://the_user:hush@/the_database?host=/nowhere/the_folder",
            ["/nowhere", "the_folder", "s.PG"],
        ),
        (as_the_user, ["authentication", ".s.PG"]),
        (lambda: own_server(path="/the_database"), ["does not exist"]),
    ],
    ids=["port", "host", "socket", "user", "database"],
)
def test_no_answer_without_postgres_says_where_it_is_or_who_asked(
    client: Client, caplog: pytest.LogCaptureFixture, url: Callable[[], str], names: list[str]
) -> None:
    redis_names = ["the-redis", "6399"]
    with using(DATABASE_URL=url(), REDIS_URL="redis://:hush@the-redis.invalid:6399/7"):
        answers = [
            client.call("/api/webhooks/github", **delivery()),
            client.call("/api/health"),
            client.call("/"),
        ]
    assert [status for status, _, _ in answers] == [503, 503, 200]
    assert json.loads(answers[0][2])["error"]["message"] == "Postgres cannot be reached."
    assert json.loads(answers[1][2])["problems"] == ["postgres: cannot be reached", "redis: cannot be reached"]
    said = "".join(f"{headers} {body.decode()}" for _, headers, body in answers)
    for name in ("the_user", "the_database", "hush", *names, *redis_names):
        assert name not in said
    assert "cannot be reached: " in caplog.text  # the reason is logged
    assert "hush" not in caplog.text


def test_a_statement_that_postgres_cannot_run_says_nothing_of_it_either(app: bottle.Bottle, client: Client) -> None:
    def use() -> None:
        raise DatabaseUnavailable('FATAL: the database "the_database" at /nowhere is shutting down', host="the-host")

    app.get("/use", callback=use)
    status, _, body = client.call("/use")
    error = json.loads(body)["error"]
    assert (status, error["code"], error["message"], error["details"]) == (
        503,
        "database_unavailable",
        "Postgres cannot be reached.",
        {},
    )
