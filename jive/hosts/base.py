"""What the modules of the Git hosts satisfy (`Host`), return (`Delivery`) and share (functions to read and verify)."""

import binascii
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, Protocol

import orjson

from jive.errors import MalformedDelivery

MAX_WORD_CHARS = 255
MAX_TEXT_CHARS = 2048

# Postgres cannot store U+0000 or half of a surrogate pair, and a control character can forge a line of the log.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Delivery:
    """What a delivery says. All texts can be stored in Postgres and written to a log.

    Attributes:
        id: the host's id of the delivery, which stays the same when the host sends it again.
        event_type: the host's name for the event.
        repo_urls: all URLs by which the payload names the repository (https, ssh, scp form, web page), without
            duplicates and in no particular order; never empty.
        branches: the branches that the event created or moved, as the host writes them; nobody has checked that git
            allows such names. Empty for tags, deletions, pings and all other events.
        default_branch: the repository's default branch, or None if the payload does not say.
    """

    id: str
    event_type: str
    repo_urls: tuple[str, ...]
    branches: tuple[str, ...]
    default_branch: str | None


class Host(Protocol):
    """A Git host. A module in this package satisfies it with four constants and two functions.

    Attributes:
        source: the value of `WebhookSource` for this host; the key in `HOSTS` is the same word in lower case, and so is
            the last part of the webhook's address (`/api/webhooks/github`).
        domains: the domains of the public service, in lower case. JIVE may fetch from them unless `JIVE_GIT_HOSTS` is
            set. Empty for a host that only runs on its users' machines.
        token_user: the user name that the host expects with an access token over https.
        clone_suffix: what the path of a clone URL must end with, such as `.git`, on a host that otherwise redirects;
            empty for a host that accepts clone URLs without it.
    """

    source: str
    domains: frozenset[str]
    token_user: str
    clone_suffix: str

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return what a delivery says. It is not verified yet: anybody may have sent it.

        The names in `headers` are in lower case; `body` is as it was received.

        Raises:
            MalformedDelivery: the id, the event or the repository is missing, or the body is not JSON. No other error
                is raised, for any input.
        """

    def is_signed(self, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Return whether the sender of a delivery knows `secret`.

        `now` is the current time, for hosts that sign the time: a signature that is too old does not count. Compares in
        constant time, returns False for an empty secret, and never raises, for any input.
        """


def text(value: Any, max_chars: int = MAX_TEXT_CHARS) -> str | None:
    """Return `value` if it is a non-blank text that can be stored and logged, else None."""
    if not isinstance(value, str) or len(value) > max_chars or not value.strip() or _UNSAFE.search(value):
        return None
    return value


def header(headers: Mapping[str, str], *names: str) -> str:
    """Return the value of the first header in `names` that is present.

    Raises:
        MalformedDelivery: none is present, or the value is blank, too long, or contains control characters.
    """
    name = next((name for name in names if name.lower() in headers), None)
    if name is None:
        raise MalformedDelivery(f"The header {' or '.join(names)} is missing")
    value = text(headers[name.lower()], MAX_WORD_CHARS)
    if value is None:
        raise MalformedDelivery(
            f"The header {name} is empty, longer than {MAX_WORD_CHARS} characters, or contains control characters"
        )
    return value


_TO_QUOTED_PRINTABLE = bytes.maketrans(b"%+", b"= ")


def form_field(body: bytes, name: str) -> bytes:
    """Return the value of `name`, the only field of a form-encoded body.

    Raises:
        MalformedDelivery: the body has another field, or not this one.
    """
    found, _, value = body.partition(b"=")
    if found != name.encode() or b"&" in value:
        raise MalformedDelivery(f"The body is a form, but not one with the single field {name}")
    # With = for % this is quoted-printable, which is decoded in C. urllib takes 1.6 GB of memory for 25 MB of %22, and
    # anybody can send those, since nothing is verified yet.
    return binascii.a2b_qp(value.replace(b"=", b"=3D").translate(_TO_QUOTED_PRINTABLE))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # orjson also rejects half of a surrogate pair, which is no reason to lose a push
        return _decoder.decode(body.decode())


def json_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; of a key that occurs twice, the last value counts.

    Raises:
        MalformedDelivery: `body` is not a JSON object in UTF-8.
    """
    if not body:
        raise MalformedDelivery("The body is empty")
    try:
        value = _loads(body)
    except UnicodeDecodeError as exc:
        raise MalformedDelivery(f"The body is not UTF-8: {exc.reason} at byte {exc.start}") from exc
    except ValueError as exc:
        raise MalformedDelivery(f"The body is not JSON: {exc}") from exc
    except RecursionError as exc:
        raise MalformedDelivery("The body is nested too deeply") from exc
    if not isinstance(value, dict):
        raise MalformedDelivery("The body is JSON, but not an object")
    return value


def dig(value: Any, *keys: str) -> Any:
    """Return the value at `keys` in nested objects, or None if a key is missing or its parent is not an object."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: Any) -> list[Any]:
    """Return `value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def moved_branch(change: Any) -> str | None:
    """Return the branch that a change (`ref`, `after`) created or moved, or None for a tag or a deletion.

    Only an `after` of zeros is a deletion. If in doubt, the branch moved: a needless scan costs little, while a missed
    push is found an hour later.
    """
    ref, after = dig(change, "ref"), dig(change, "after")
    if not isinstance(ref, str) or not ref.startswith("refs/heads/"):
        return None
    if isinstance(after, str) and after and not after.strip("0"):
        return None
    return ref.removeprefix("refs/heads/")


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    kept = (text(value) for value in values)
    return tuple(dict.fromkeys(value for value in kept if value is not None))


MAX_URLS = 20  # a stranger could send thousands, and each is looked up in the database


def delivery(
    *, id: str, event_type: str, repo_urls: Iterable[Any], branches: Iterable[Any] = (), default_branch: Any = None
) -> Delivery:
    """Return a delivery from the payload's values, without those that are not texts or cannot be stored.

    Raises:
        MalformedDelivery: no URL of the repository is left.
    """
    urls = _texts(repo_urls)[:MAX_URLS]
    if not urls:
        raise MalformedDelivery(f"The payload of this {event_type} event names no repository with a URL")
    return Delivery(id, event_type, urls, _texts(branches), text(default_branch))


def to_bytes(value: str) -> bytes:
    """Encode a secret or the value of a header as UTF-8; lone surrogates are encoded as well."""
    return value.encode("utf-8", "surrogatepass")


def is_sha256_signature(secret: str, signature: str | None, body: bytes) -> bool:
    """Return whether `signature` is `sha256=` and the HMAC of `body` in hex; False for an empty secret."""
    if not secret or signature is None:
        return False
    expected = b"sha256=" + hmac.digest(to_bytes(secret), body, "sha256").hex().encode()
    return hmac.compare_digest(expected, to_bytes(signature))
