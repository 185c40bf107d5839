"""The application over WSGI: routes, request ids, errors as JSON, a connection per request."""

import contextlib
import io
import json
import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import bottle
import psycopg2
import pytest

from jive import settings
from jive.db import connection, database
from jive.errors import InvalidValue
from jive.web import app as web


class Client:
    """Calls a WSGI application in this process."""

    def __init__(self, app: bottle.Bottle) -> None:
        self.app = app

    def call(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO()}
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        setup_testing_defaults(environ)
        answered: dict[str, Any] = {}

        def start_response(status: str, response_headers: list[tuple[str, str]], exc_info: object = None) -> None:
            answered.update(status=int(status.split()[0]), headers={k.lower(): v for k, v in response_headers})

        body = b"".join(self.app(environ, start_response))
        return answered["status"], answered["headers"], body


@pytest.fixture
def app() -> bottle.Bottle:
    return web.create_app()


@pytest.fixture
def client(app: bottle.Bottle) -> Client:
    return Client(app)


def test_the_page_is_for_a_person_and_refreshes_itself(client: Client) -> None:
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
def test_what_is_not_there_is_told_as_json(client: Client, path: str, method: str, status: int, code: str) -> None:
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


def test_an_error_of_jive_is_told_as_json(app: bottle.Bottle, client: Client) -> None:
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
    observer = psycopg2.connect(settings.current().database_url)  # a connection of the pool would see itself as active
    with contextlib.closing(observer), observer.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
            "AND datname = current_database()"  # the other processes of the suite may share the server
        )
        assert cursor.fetchone() == (0,)


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
