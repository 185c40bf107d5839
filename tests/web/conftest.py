"""The application, and a client that calls it in this process."""

import io
from typing import Any
from wsgiref.util import setup_testing_defaults

import bottle
import pytest

from jive.web.app import create_app


class Client:
    """Calls a WSGI application in this process."""

    def __init__(self, app: bottle.Bottle) -> None:
        self.app = app

    def call(
        self, path: str, method: str = "GET", body: bytes = b"", length: int | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Return the status, headers and body of the answer; `length` is the Content-Length if it is not the body's."""
        environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body)}
        environ["CONTENT_LENGTH"] = str(len(body) if length is None else length)
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        setup_testing_defaults(environ)
        answered: dict[str, Any] = {}

        def start_response(status: str, response_headers: list[tuple[str, str]], exc_info: object = None) -> None:
            answered.update(status=int(status.split()[0]), headers={k.lower(): v for k, v in response_headers})

        answer = b"".join(self.app(environ, start_response))
        return answered["status"], answered["headers"], answer


@pytest.fixture
def app() -> bottle.Bottle:
    return create_app()


@pytest.fixture
def client(app: bottle.Bottle) -> Client:
    return Client(app)
