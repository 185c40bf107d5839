"""Bitbucket: deliveries of webhooks of Bitbucket Cloud and of Bitbucket Data Center (once called Server)."""

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

# Cloud's header first: many proxies write an X-Request-Id of their own.
_ID_HEADERS = ("X-Request-UUID", "X-Request-Id")

_CLOUD = "bitbucket.org"
_FULL_NAME = re.compile(r"[^/\s]+/[^/\s]+")
_WEB_PAGE = re.compile(r"(?P<server>.+)/(?:projects|users)/[^/]+/repos/[^/]+")


def _repository(event_type: str, payload: dict[str, Any]) -> Any:
    """Return the repository, which Data Center puts elsewhere for pull requests and for its own changes."""
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
    """Yield the addresses to clone from, the web page, and the https address that follows from it.

    That address is no clone link where the server gives links for ssh only.
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

    Data Center's `diagnostics:ping` names no repository; nor does a push from Server 5 with URLs, which gave
    only a project's key and a slug.

    Raises:
        MalformedDelivery: it lacks its id, its event or its repository, or is not JSON.
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
    """Say whether `X-Hub-Signature` is right: HMAC-SHA256 here, unlike GitHub's header of that name."""
    return base.is_sha256_signature(secret, headers.get("x-hub-signature"), body)
