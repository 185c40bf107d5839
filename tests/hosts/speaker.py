"""A sender of deliveries: how one Git host encodes a payload and signs it."""

import base64
import hashlib
import hmac
import json
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from jive.hosts import Host

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes, as GitLab asks").decode()

Payload = dict[str, Any]
Sign = Callable[[str, Mapping[str, str], bytes], dict[str, str]]
Encode = Callable[[Payload], bytes]


@dataclass(frozen=True)
class Message:
    headers: dict[str, str]
    body: bytes


def as_json(payload: Payload) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def as_form(payload: Payload) -> bytes:
    return urllib.parse.urlencode({"payload": as_json(payload)}).encode()


@dataclass(frozen=True)
class Speaker:
    """One Git host, with one way to encode and sign its deliveries.

    `push(branch)`, `tag`, `deletion`, `other` and `nameless` are an event with its payload: `other` names the
    repository and moves no branch, `nameless` names no repository.
    """

    name: str
    host: Host
    id_header: str
    event_header: str
    signature_header: str
    sign: Sign
    push: Callable[[str], tuple[str, Payload]]
    tag: tuple[str, Payload]
    deletion: tuple[str, Payload]
    other: tuple[str, Payload]
    nameless: tuple[str, Payload]
    event_type: str
    repo_urls: frozenset[str]
    default_branch: str | None
    encode: Encode = as_json
    media_type: str = "application/json"

    def say(self, event: str, payload: Payload, *, id: str = "an-id", secret: str = SECRET) -> Message:
        return self.send(event, self.encode(payload), id=id, secret=secret)

    def send(self, event: str, body: bytes, *, id: str = "an-id", secret: str = SECRET) -> Message:
        headers = {"content-type": self.media_type, self.id_header: id, self.event_header: event}
        return Message(headers | self.sign(secret, headers, body), body)


def sha256_hex(header: str) -> Sign:
    def sign(secret: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        return {header: "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}

    return sign


def signing_token(secret: str, headers: Mapping[str, str], body: bytes, sent_at: datetime = NOW) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    message_id, timestamp = headers["webhook-id"], str(int(sent_at.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def plain_token(secret: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    return {"x-gitlab-token": secret}
