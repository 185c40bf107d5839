"""GitLab: deliveries of project, group and system hooks, verified by a signing token or by the older secret token."""

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
# GitLab accepts any user name: https://docs.gitlab.com/user/profile/personal_access_tokens/
token_user = "oauth2"  # noqa: S105  # not a password
clone_suffix = ".git"  # GitLab redirects clone URLs without it

_TOLERANCE_S = 300

# The signature covers the first, which is equal to the second and stays the same on retries. Older versions of GitLab
# send only the others: the third is new for each request; the last is repeated if a receiver triggers more hooks.
# https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/gitlab/web_hooks/recursion_detection/uuid.rb
_ID_HEADERS = ("webhook-id", "Idempotency-Key", "X-Gitlab-Webhook-UUID", "X-Gitlab-Event-UUID")

_URL_KEYS = ("git_http_url", "git_ssh_url", "http_url", "ssh_url", "web_url", "url", "homepage")

_SECONDS = re.compile(r"[0-9]{1,12}")


def _event_type(hook: str, payload: dict[str, Any]) -> str:
    """Return the payload's name for the event (`push`), or else one made from the header (`Push Hook`).

    The header of a system hook is always `System Hook`; the payload of a hook with a custom template may lack the name.
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

    GitLab sends one `push` for each branch that a push moves, by default none if there are more than three; to system
    hooks it also sends one `repository_update`.

    Raises:
        MalformedDelivery: the id, the event or the repository is missing, or the payload is not JSON.
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
    """Return the key in a signing token, which is base64 with or without the prefix `whsec_`; else an empty key.

    A secret that is not base64 is not used as a key: GitLab creates no such tokens.
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
    """Return whether a signature in `webhook-signature` is valid and its time within 5 minutes of `now`.

    Without that header, return whether `X-Gitlab-Token` is the secret. With it the token does not count, so that a
    forged signature cannot fall back on a token.
    """
    if not secret:
        return False
    if "webhook-signature" in headers:
        return _is_signature(secret, headers, body, now)
    token = base.to_bytes(headers.get("x-gitlab-token", ""))
    return hmac.compare_digest(base.to_bytes(secret), token)
