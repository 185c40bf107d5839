"""The address of deliveries: what is recorded, what is refused, and how much of a body is read."""

import hashlib
import hmac
import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import bottle
import pytest

from jive import settings
from jive.db import connection, database
from jive.models import Project, WebhookEvent
from jive.web.webhooks import MAX_BODY_BYTES
from tests.conftest import using
from tests.factories import make_project
from tests.web.conftest import Client

pytestmark = pytest.mark.usefixtures("db")


def push(client: Client, project: Project, body: bytes | None = None, **options: Any) -> tuple[int, dict[str, Any]]:
    """Deliver a push to the project; return the status and the answer."""
    if body is None:
        repository = {"clone_url": project.repo_url, "default_branch": "main"}
        body = json.dumps({"ref": "refs/heads/main", "after": "1" * 40, "repository": repository}).encode()
    signature = hmac.new(b"test-secret", body, hashlib.sha256).hexdigest()
    headers = {
        "x_github_event": "push",
        "x_github_delivery": str(uuid.uuid4()),
        "x_hub_signature_256": f"sha256={signature}",
    }
    status, _, answer = client.call("/api/webhooks/github", "POST", body, **headers | options)
    return status, json.loads(answer)


def test_a_delivery_is_recorded_once(client: Client) -> None:
    project = make_project()
    assert push(client, project, x_github_delivery="1") == (202, {"status": "recorded", "id": "1", "scan": True})
    assert push(client, project, x_github_delivery="1") == (202, {"status": "duplicate", "id": "1", "scan": False})
    assert [row.id for row in WebhookEvent.select()] == ["1"]


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"x_hub_signature_256": "sha256=" + "0" * 64}, 401, "delivery_refused"),
        ({"x_hub_signature_256": "caf\xe9"}, 401, "delivery_refused"),
        ({"x_github_event": ""}, 400, "malformed_delivery"),
        ({"x_github_delivery": "a\x01b"}, 400, "malformed_delivery"),
        ({"body": b"{"}, 400, "malformed_delivery"),
        ({"length": 10_000}, 400, "malformed_delivery"),  # the host hung up
        ({"length": MAX_BODY_BYTES + 1}, 413, "body_too_large"),
    ],
)
def test_a_delivery_that_is_not_right_is_refused_and_not_recorded(
    client: Client, options: dict[str, Any], status: int, code: str
) -> None:
    got, answer = push(client, make_project(), **options)
    assert (got, answer["error"]["code"]) == (status, code)
    assert WebhookEvent.select().count() == 0


@pytest.mark.parametrize("host", ["gitea", "GITHUB", "", "github/more"])
def test_a_host_that_jive_does_not_know_has_no_address(client: Client, host: str) -> None:
    assert client.call(f"/api/webhooks/{host}", "POST", b"{}")[0] == 404


class Endless(io.RawIOBase):
    """A body without an end, which counts how much of it was read."""

    count = 0

    def read(self, size: int = -1) -> bytes:
        self.count += size
        return b"x" * size


def test_a_body_without_a_length_is_read_only_up_to_the_limit(app: bottle.Bottle, client: Client) -> None:
    body = Endless()

    def with_endless_body(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        del environ["CONTENT_LENGTH"]
        return app(environ | {"wsgi.input": body}, start_response)

    client.app = with_endless_body
    assert push(client, make_project())[0] == 413
    assert MAX_BODY_BYTES < body.count < MAX_BODY_BYTES + 1_000_000


def test_a_delivery_that_postgres_cannot_store_is_worth_a_retry_by_its_host(client: Client) -> None:
    project = make_project()
    read_only = "?options=-c%20default_transaction_read_only%3Don"
    url = settings.current().database_url
    with using(DATABASE_URL=url + (read_only if "?" not in url else read_only.replace("?", "&"))):
        status, answer = push(client, project)
    assert (status, answer["error"]["code"]) == (503, "database_unavailable")
    database.connect(reuse_if_open=True)
    assert WebhookEvent.select().count() == 0


def test_without_redis_a_delivery_is_recorded_all_the_same(client: Client) -> None:
    project = make_project()
    with using(REDIS_URL="redis://127.0.0.1:1"), connection():
        status, answer = push(client, project)
    database.connect(reuse_if_open=True)
    assert (status, answer["status"]) == (202, "recorded")
    assert WebhookEvent.select().count() == 1
