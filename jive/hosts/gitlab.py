"""GitLab: deliveries of project, group and system hooks, with a signing token or with the older plain token."""

import base64
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from jive.hosts import base
from jive.hosts.base import Delivery

source = "GITLAB"
domains = frozenset({"gitlab.com"})
# Any user name does: https://docs.gitlab.com/user/profile/personal_access_tokens/
token_user = "oauth2"  # noqa: S105  # not a password
clone_suffix = ".git"  # GitLab redirects a clone URL without it

_TOLERANCE_S = 300

# The first is the one that is signed; it equals the second, which stays the same on retries. Older versions of GitLab
# send only the others: the third is new for each request; the last repeats where a receiver calls GitLab with it.
# https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/gitlab/web_hooks/recursion_detection/uuid.rb
_ID_HEADERS = ("webhook-id", "Idempotency-Key", "X-Gitlab-Webhook-UUID", "X-Gitlab-Event-UUID")

_URL_KEYS = ("git_http_url", "git_ssh_url", "http_url", "ssh_url", "web_url", "url", "homepage")

_SECONDS = re.compile(r"[0-9]{1,12}")


def _event_type(hook: str, payload: dict[str, Any]) -> str:
    """Return the payload's word for the event (`push`), else the header's in the same form (`Push Hook`).

    A system hook's header says only `System Hook`; a hook with a template of its own may send neither word.
    """
    for key in ("object_kind", "event_name"):
        if (word := base.text(payload.get(key), base.MAX_WORD_CHARS)) is not None:
            return word
    return hook.lower().removesuffix(" hook").replace(" ", "_")


def _branches(event_type: str, payload: dict[str, Any]) -> Iterator[str | None]:
    if event_type == "push" and payload.get("checkout_sha", "unsaid") is not None:
        yield base.moved_branch(payload)
    if event_type == "repository_update":
        yield from map(base.moved_branch, base.items(payload.get("changes")))


def read(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Read a delivery.

    A push that moves several branches comes as a `push` each (none at all, by default, if it moves more than
    three), and to a system hook as one `repository_update` too.

    Raises:
        MalformedDelivery: it lacks its id, its event or its repository, or is not JSON.
    """
    delivery_id = base.header(headers, *_ID_HEADERS)
    hook = base.header(headers, "X-Gitlab-Event")
    payload = base.json_object(body)
    event_type = _event_type(hook, payload)
    places = (payload.get("project"), payload.get("repository"))
    return base.delivery(
        id=delivery_id,
        event_type=event_type,
        repo_urls=[base.dig(place, key) for place in places for key in _URL_KEYS],
        branches=_branches(event_type, payload),
        default_branch=base.dig(payload, "project", "default_branch"),
    )


def _signing_key(secret: str) -> bytes:
    """Return the key that a signing token holds: base64, behind `whsec_` or not; empty if it is no token.

    A secret that is not base64 is never taken as a key itself: GitLab gives out no such token.
    """
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        return b""


def _is_signature(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    key, message_id = _signing_key(secret), headers.get("webhook-id", "")
    sent_at = headers.get("webhook-timestamp", "")
    if not key or not message_id or not _SECONDS.fullmatch(sent_at):
        return False
    if abs(now.timestamp() - int(sent_at)) > _TOLERANCE_S:
        return False
    signed = hmac.new(key, base.to_bytes(f"{message_id}.{sent_at}."), "sha256")
    signed.update(body)
    expected = b"v1," + base64.b64encode(signed.digest())
    found = base.to_bytes(headers["webhook-signature"]).split(b" ")
    return any(hmac.compare_digest(expected, signature) for signature in found)


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Say whether one signature in `webhook-signature` is right and at most 5 minutes old or early.

    Where there is no such header, whether `X-Gitlab-Token` is the secret; where there is, the token does not
    count, so that a forged signature cannot fall back on it.
    """
    if not secret:
        return False
    if "webhook-signature" in headers:
        return _is_signature(secret, headers, body, now)
    token = base.to_bytes(headers.get("x-gitlab-token", ""))
    return hmac.compare_digest(base.to_bytes(secret), token)
