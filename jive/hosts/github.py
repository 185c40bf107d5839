"""GitHub: deliveries of repository, organization and app webhooks, from github.com and from Enterprise Server."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jive.hosts import base
from jive.hosts.base import Delivery

source = "GITHUB"
domains = frozenset({"github.com"})
token_user = "x-access-token"  # noqa: S105  # not a password
clone_suffix = ""

# `url` is left out: in most events it is the API's address of the repository.
_URL_KEYS = ("html_url", "clone_url", "ssh_url", "git_url", "svn_url")


def _payload(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_form = media_type == "application/x-www-form-urlencoded"
    return base.json_object(base.form_field(body, "payload") if is_form else body)


def read(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Read a delivery, sent as JSON or as a form.

    A branch made on the website comes as `create` and as `push`; only `push` tells of branches here.

    Raises:
        MalformedDelivery: it lacks its id, its event or its repository, or is not JSON.
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
    """Say whether `X-Hub-Signature-256` is right; GitHub's older SHA-1 header never counts, and tells no time."""
    return base.is_sha256_signature(secret, headers.get("x-hub-signature-256"), body)
