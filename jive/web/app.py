"""The Bottle application: its routes, request ids, and errors as JSON.

A route holds a connection to Postgres only while it needs one, and never while it reads a body.
"""

import functools
import logging
import random
import re
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import bottle
import orjson

from jive.clock import utcnow
from jive.errors import InvalidValue, JiveError, MethodNotAllowed, NotFound, StoreUnavailable
from jive.web import health, webhooks

PAGE = files("jive.web").joinpath("page.html").read_text("utf-8")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

logger = logging.getLogger(__name__)


def create_app() -> bottle.Bottle:
    """Return the application; it opens no connection before the first request."""
    app = bottle.Bottle()
    app.default_error_handler = _answer_bottle_error
    app.install(_answer_errors)
    app.get("/", callback=_page)
    app.get("/api/health", callback=_health)
    app.get("/api/health/live", callback=_live)
    app.post(webhooks.ROUTE, callback=_deliver)
    return app


def _page() -> str:
    bottle.response.content_type = "text/html; charset=utf-8"
    return PAGE


def _health() -> bytes:
    status, body = health.check()
    return _json(status, body)


def _live() -> bytes:
    return _json(200, {"status": "ok"})


def _deliver(host: str) -> bytes:
    status, body = webhooks.deliver(host)
    return _json(status, body)


def _request_id() -> str:
    """Return the id of the current request: the one in its header, if that is safe to log, or a new one."""
    environ = bottle.request.environ
    known: str | None = environ.get("jive.request_id")
    if known is None:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        # It need not be unpredictable, and random is quicker than secrets.
        known = given if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
        environ["jive.request_id"] = known
    return known


def _json(status: int, body: dict[str, Any]) -> bytes:
    """Set the status and headers of the answer to the current request; return its body."""
    response = bottle.response
    response.status = status
    response.content_type = "application/json"
    response.set_header("Cache-Control", "no-store")
    response.set_header("X-Request-ID", _request_id())
    return orjson.dumps(body)


def _error(exc: JiveError, status: int | None = None) -> bytes:
    return _json(
        status or exc.status,
        {
            "error": {
                "code": exc.code,
                "message": str(exc),
                "details": exc.details,
                "timestamp": utcnow().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "requestId": _request_id(),
            }
        },
    )


def _answer_errors(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Answer a request with the error that its route raises; this is the one catch-all of the web process."""

    @functools.wraps(callback)
    def answer(*args: Any, **kwargs: Any) -> Any:
        started_at = time.monotonic()
        try:
            result = callback(*args, **kwargs)
        except bottle.HTTPResponse:
            raise
        except StoreUnavailable as exc:  # its message may name the host, user and database of the store
            logger.warning("could not serve %s: %s [%s]", bottle.request.path, exc, _request_id())
            result = _error(type(exc)())
        except JiveError as exc:
            logger.info("refused %s: %s [%s]", bottle.request.path, exc, _request_id())
            result = _error(exc)
        except Exception:
            logger.exception("failed at %s [%s]", bottle.request.path, _request_id())
            result = _error(JiveError())
        took_ms = (time.monotonic() - started_at) * 1000
        logger.debug("answered %s in %.1f ms [%s]", bottle.request.path, took_ms, _request_id())
        return result

    return answer


def _answer_bottle_error(error: bottle.HTTPError) -> bytes:
    """Answer a request that Bottle refuses, such as one for an unknown address, in the same form."""
    if error.status_code == 404:
        body = _error(NotFound(f"There is no page or API at {bottle.request.path}"))
    elif error.status_code == 405:
        body = _error(MethodNotAllowed(f"{bottle.request.method} is not allowed at {bottle.request.path}"))
    elif error.status_code < 500:
        body = _error(InvalidValue(str(error.body)), error.status_code)
    else:
        logger.error("failed at %s [%s]: %s", bottle.request.path, _request_id(), error.exception)
        body = _error(JiveError())
    return body
