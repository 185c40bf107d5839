"""Damaged deliveries: each is read as a Delivery that can be stored, or refused as malformed."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from jive.errors import MalformedDelivery
from jive.hosts import Delivery
from tests.hosts.speaker import NOW, SECRET, Payload, Speaker

JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    10**400,
    1e308,
    "",
    "\x00",
    "\ud800",
    "/",
    "0" * 40,
    "x" * 100_000,
    [],
    [[]],
    [None, {"href": 3}],
    {},
    {"href": [], "name": {}, "type": []},
)
KINDS = ("push", "tag", "deletion", "other")


def event_of(speaker: Speaker, kind: str) -> tuple[str, Payload]:
    return speaker.push("main") if kind == "push" else getattr(speaker, kind)


def read(speaker: Speaker, event: str, body: bytes) -> Delivery | None:
    """Read `body`; check that the result is a delivery that can be stored, or a refusal in printable text."""
    headers = speaker.send(event, b"{}").headers | {"content-type": "application/json"}
    try:
        delivery = speaker.host.read(headers, body)
    except MalformedDelivery as exc:
        assert str(exc).isprintable()
        return None
    assert delivery.repo_urls
    for text in (
        delivery.id,
        delivery.event_type,
        delivery.default_branch or "",
        *delivery.repo_urls,
        *delivery.branches,
    ):
        assert isinstance(text, str)
        assert "\x00" not in text
        text.encode()
    return delivery


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in `value`."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in steps:
        yield (*path, key)
        yield from places(inner, (*path, key))


def changed(payload: Payload, path: tuple[Any, ...], value: Any) -> Payload:
    payload = copy.deepcopy(payload)
    inner: Any = payload
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return payload


@pytest.mark.parametrize("kind", KINDS)
def test_any_wrong_value_in_any_place_is_read_or_refused(speaker: Speaker, kind: str) -> None:
    event, payload = event_of(speaker, kind)
    for path in places(payload):
        for junk in JUNK:
            read(speaker, event, json.dumps(changed(payload, path, junk)).encode())


@pytest.mark.parametrize("kind", KINDS)
def test_any_wrong_bytes_are_read_or_refused(speaker: Speaker, kind: str) -> None:
    event, payload = event_of(speaker, kind)
    chance, whole = random.Random(f"{speaker.name} {kind}"), speaker.encode(payload)
    for _ in range(400):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(body))
            body[start : start + chance.randint(0, 3)] = chance.choice(
                (b"", b"\xff", b'"', b"{", b"}", b"]", b",", b"\\ud800", b"\\u0000", b"null", b"%", b"&", b"=")
            )
        read(speaker, event, bytes(body))
        headers = speaker.send(event, b"{}").headers
        try:
            speaker.host.read(headers, bytes(body))
        except MalformedDelivery as exc:
            assert str(exc).isprintable()


def test_any_wrong_header_is_verified_and_read_without_an_unexpected_error(speaker: Speaker) -> None:
    chance, message = random.Random(speaker.name), speaker.say(*speaker.push("main"))
    alphabet = "v1,sha256= .09azAZ\x00\n\xe9世\ud800\udc00-+/"
    for _ in range(400):
        headers = dict(message.headers)
        for name in chance.sample(sorted(headers), chance.randint(1, len(headers))):
            headers[name] = "".join(chance.choices(alphabet, k=chance.randint(0, 300)))
        speaker.host.is_signed(SECRET, headers, message.body, NOW)
        speaker.host.is_signed("".join(chance.choices(alphabet, k=20)), headers, message.body, NOW)
        try:
            speaker.host.read(headers, message.body)
        except MalformedDelivery as exc:
            assert str(exc).isprintable()
