"""What all Git hosts share: the protocol that each satisfies, and how its deliveries are read and verified."""

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

# Postgres keeps neither U+0000 nor half of a surrogate pair, and no control character belongs in a line of the log.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Delivery:
    """What a delivery says. Every text in it can be kept in Postgres and written to a log.

    Attributes:
        id: the host's own id of it, the same when the host sends it again.
        event_type: the host's word for what happened.
        repo_urls: every URL under which the payload names the repository (https, ssh, scp form, web), in no
            particular order, without duplicates, never empty.
        branches: the branches that it created or moved, as the host writes them (nobody checked that git would
            take them); empty for tags, deletions, pings and every other event.
        default_branch: None where the payload does not say it.
    """

    id: str
    event_type: str
    repo_urls: tuple[str, ...]
    branches: tuple[str, ...]
    default_branch: str | None


class Host(Protocol):
    """A Git host; a module satisfies it. Names in `headers` are in lower case."""

    source: str  # its value of WebhookSource
    domains: frozenset[str]  # of the public service, in lower case
    token_user: str  # the user name that goes with an access token over https
    clone_suffix: str  # what a clone URL must end with; empty where it need not

    def read(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Say what a delivery says; nothing is verified by that.

        Raises:
            MalformedDelivery: it lacks its id, its event or its repository, or is not JSON. Nothing else is
                raised, whatever it holds.
        """

    def is_signed(self, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Say whether the sender knew `secret`, comparing in constant time; `now` bounds the age of a signature
        that tells its time.

        Never raises, whatever the headers hold. An empty secret signs nothing.
        """


def text(value: Any, max_chars: int = MAX_TEXT_CHARS) -> str | None:
    """Return `value` if it is text that can be kept, else None."""
    if not isinstance(value, str) or len(value) > max_chars or not value.strip() or _UNSAFE.search(value):
        return None
    return value


def header(headers: Mapping[str, str], *names: str) -> str:
    """Return the value of the first of `names` that is there.

    Raises:
        MalformedDelivery: none is, or the value is empty, too long, or holds control characters.
    """
    name = next((name for name in names if name.lower() in headers), None)
    if name is None:
        raise MalformedDelivery(f"The header {' or '.join(names)} is missing")
    value = text(headers[name.lower()], MAX_WORD_CHARS)
    if value is None:
        raise MalformedDelivery(
            f"The header {name} is empty, longer than {MAX_WORD_CHARS} characters, or holds control characters"
        )
    return value


_TO_QUOTED_PRINTABLE = bytes.maketrans(b"%+", b"= ")


def form_field(body: bytes, name: str) -> bytes:
    """Return the only field of a form-encoded body, decoded.

    Raises:
        MalformedDelivery: the body does not hold the field `name` and nothing else.
    """
    found, _, value = body.partition(b"=")
    if found != name.encode() or b"&" in value:
        raise MalformedDelivery(f"The body is a form, but not one with the single field {name}")
    # With = for % this is quoted-printable, which is decoded in C. The urllib way takes 1.6 GB for 25 MB of %22,
    # and anyone may send those: nothing is verified yet.
    return binascii.a2b_qp(value.replace(b"=", b"=3D").translate(_TO_QUOTED_PRINTABLE))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:  # it is stricter: half of a surrogate pair is no reason to lose a push
        return _decoder.decode(body.decode())


def json_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object; where a key stands twice, the last one counts.

    Raises:
        MalformedDelivery: `body` is not one in UTF-8.
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
    """Return what lies under `keys` in nested objects, or None where one of them is no object or lacks its key."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: Any) -> list[Any]:
    """Return `value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def moved_branch(change: Any) -> str | None:
    """Return the branch that a change (`ref`, `after`) created or moved; None for a tag or a deletion.

    Only `after` in zeros is a deletion: a scan too many costs little, a push that went unseen costs an hour.
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


MAX_URLS = 20  # of one repository; a stranger could send thousands, each of which would be looked for


def delivery(
    *, id: str, event_type: str, repo_urls: Iterable[Any], branches: Iterable[Any] = (), default_branch: Any = None
) -> Delivery:
    """Make a delivery of values as the payload has them: what is no text that can be kept is left out.

    Raises:
        MalformedDelivery: no URL of a repository is left.
    """
    urls = _texts(repo_urls)[:MAX_URLS]
    if not urls:
        raise MalformedDelivery(f"The payload of this {event_type} event names no repository with a URL")
    return Delivery(id, event_type, urls, _texts(branches), text(default_branch))


def to_bytes(value: str) -> bytes:
    """Return the bytes of a secret or of a header's value, whatever it holds."""
    return value.encode("utf-8", "surrogatepass")


def is_sha256_signature(secret: str, signature: str | None, body: bytes) -> bool:
    """Say whether `signature` is `sha256=` and the HMAC of `body` in hex; never of an empty secret."""
    if not secret or signature is None:
        return False
    expected = b"sha256=" + hmac.digest(to_bytes(secret), body, "sha256").hex().encode()
    return hmac.compare_digest(expected, to_bytes(signature))
