"""GitHub: deliveries of repository, organization and app webhooks, from github.com and GitHub Enterprise Server."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jive.hosts import base
from jive.hosts.base import Delivery

source = "GITHUB"
domains = frozenset({"github.com"})
token_user = "x-access-token"  # noqa: S105  # not a password
clone_suffix = ""

# Not `url`: in most events that is the repository's address in the API.
_URL_KEYS = ("html_url", "clone_url", "ssh_url", "git_url", "svn_url")


def _payload(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_form = media_type == "application/x-www-form-urlencoded"
    return base.json_object(base.form_field(body, "payload") if is_form else body)


def read(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Read a delivery, sent as JSON or as a form.

    GitHub sends `create` and `push` for a branch that was created on the website; only `push` gives branches here.

    Raises:
        MalformedDelivery: the id, the event or the repository is missing, or the payload is not JSON.
    """
    delivery_id = base.header(headers, "X-GitHub-Delivery")
    event_type = base.header(headers, "X-GitHub-Event")
    payload = _payload(headers, body)
    repository = payload.get("repository")
    is_move = event_type == "push" and payload.get("deleted") is not True
    return base.delivery(
        id=delivery_id,
        event_type=event_type,
        repo_urls=[base.dig(repository, key) for key in _URL_KEYS],
        branches=[base.moved_branch(payload)] if is_move else [],
        default_branch=base.dig(repository, "default_branch"),
    )


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Return whether `X-Hub-Signature-256` is valid. The older SHA-1 header is ignored; GitHub signs no time."""
    return base.is_sha256_signature(secret, headers.get("x-hub-signature-256"), body)
