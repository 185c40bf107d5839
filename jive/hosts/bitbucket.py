"""Bitbucket: deliveries of webhooks of Bitbucket Cloud and of Bitbucket Data Center (formerly Server)."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from jive.hosts import base
from jive.hosts.base import Delivery

source = "BITBUCKET"
domains = frozenset({"bitbucket.org"})
# https://support.atlassian.com/bitbucket-cloud/docs/using-access-tokens/
token_user = "x-token-auth"  # noqa: S105  # not a password
clone_suffix = ""

# Cloud's header first: many proxies add an X-Request-Id.
_ID_HEADERS = ("X-Request-UUID", "X-Request-Id")

_CLOUD = "bitbucket.org"
_FULL_NAME = re.compile(r"[^/\s]+/[^/\s]+")
_WEB_PAGE = re.compile(r"(?P<server>.+)/(?:projects|users)/[^/]+/repos/[^/]+")


def _repository(event_type: str, payload: dict[str, Any]) -> Any:
    """Return the payload's repository; Data Center has it elsewhere for pull requests and changed repositories."""
    if isinstance(payload.get("repository"), dict):
        return payload["repository"]
    if event_type == "repo:modified":
        return payload.get("new")
    return base.dig(payload, "pullRequest", "toRef", "repository")


def _cloud_urls(repository: Any) -> Iterator[Any]:
    yield base.dig(repository, "links", "html", "href")
    full_name = base.dig(repository, "full_name")
    if isinstance(full_name, str) and _FULL_NAME.fullmatch(full_name):
        yield f"https://{_CLOUD}/{full_name}"
        yield f"https://{_CLOUD}/{full_name}.git"
        yield f"git@{_CLOUD}:{full_name}.git"


def _data_center_urls(repository: Any) -> Iterator[Any]:
    """Yield the clone URLs, the web page, and the https clone URL made from the page.

    A server that allows only ssh lists no https clone URL, though projects may be registered by it.
    """
    for link in base.items(base.dig(repository, "links", "clone")):
        yield base.dig(link, "href")
    key, slug = base.dig(repository, "project", "key"), base.dig(repository, "slug")
    for link in base.items(base.dig(repository, "links", "self")):
        page = (base.text(base.dig(link, "href")) or "").removesuffix("/browse")
        yield page
        found = _WEB_PAGE.fullmatch(page)
        if found and isinstance(key, str) and isinstance(slug, str):
            yield f"{found['server']}/scm/{key.lower()}/{slug}.git"


def _branches(event_type: str, payload: dict[str, Any]) -> Iterator[Any]:
    if event_type == "repo:push":
        for change in base.items(base.dig(payload, "push", "changes")):
            if base.dig(change, "new", "type") == "branch":  # `new` is null for a deletion
                yield base.dig(change, "new", "name")
    if event_type == "repo:refs_changed":
        for change in base.items(payload.get("changes")):
            if base.dig(change, "ref", "type") == "BRANCH" and base.dig(change, "type") != "DELETE":
                yield base.dig(change, "ref", "displayId")


def read(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Read a delivery.

    The `diagnostics:ping` of Data Center names no repository, and a push from Server 5 names it without a URL; both are
    malformed here.

    Raises:
        MalformedDelivery: the id, the event or the repository is missing, or the payload is not JSON.
    """
    delivery_id = base.header(headers, *_ID_HEADERS)
    event_type = base.header(headers, "X-Event-Key")
    payload = base.json_object(body)
    repository = _repository(event_type, payload)
    return base.delivery(
        id=delivery_id,
        event_type=event_type,
        repo_urls=[*_cloud_urls(repository), *_data_center_urls(repository)],
        branches=_branches(event_type, payload),
        default_branch=base.dig(repository, "mainbranch", "name"),
    )


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Return whether `X-Hub-Signature` is valid: HMAC-SHA256, unlike GitHub's header of that name."""
    return base.is_sha256_signature(secret, headers.get("x-hub-signature"), body)
