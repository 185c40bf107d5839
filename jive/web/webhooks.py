"""`POST /api/webhooks/{host}`: take a delivery."""

from typing import Any

import bottle
import peewee

from jive.db import first_line
from jive.errors import BodyTooLarge, DatabaseUnavailable, MalformedDelivery
from jive.hosts import HOSTS
from jive.jobs.tasks import enqueue_scan
from jive.pipeline.receive import Receiver

MAX_BODY_BYTES = 25 * 1024 * 1024
CHUNK_BYTES = 64 * 1024

_receiver = Receiver(enqueue_scan)


def deliver(host: str) -> tuple[int, dict[str, Any]]:
    """Take the delivery in the current request; return the status and the body of the answer.

    Raises:
        BodyTooLarge: the body is larger than `MAX_BODY_BYTES`; no more than that was read.
        MalformedDelivery, DeliveryRefused, DatabaseUnavailable: nothing was recorded.
    """
    body = _body()
    try:  # InternalError: Postgres is read-only
        receipt = _receiver.receive(host, _headers(), body)
    except (peewee.OperationalError, peewee.InterfaceError, peewee.InternalError) as exc:
        raise DatabaseUnavailable(f"Postgres could not store it: {first_line(exc)}") from exc
    return 202, {"status": receipt.status, "id": receipt.id, "scan": receipt.scan}


def _headers() -> dict[str, str]:
    """Return the headers by lower-case name, not decoded: Bottle would decode them, and some it cannot."""
    environ = bottle.request.environ
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    return headers | {"content-type": environ.get("CONTENT_TYPE", "")}


def _body() -> bytes:
    declared = bottle.request.content_length
    if declared > MAX_BODY_BYTES:
        raise BodyTooLarge(f"A delivery may have at most {MAX_BODY_BYTES:,} bytes")
    source = bottle.request.environ["wsgi.input"]
    chunks, size = [], 0
    while size != declared and (chunk := source.read(CHUNK_BYTES)):
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge(f"A delivery may have at most {MAX_BODY_BYTES:,} bytes")
        chunks.append(chunk)
    if declared >= 0 and size < declared:
        raise MalformedDelivery(f"The body ended after {size:,} of {declared:,} bytes")
    return b"".join(chunks)


ROUTE = f"/api/webhooks/<host:re:{'|'.join(HOSTS)}>"
