"""Receive a delivery: find its project, verify it, record it, and enqueue a scan."""

import contextlib
import hashlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import peewee

from jive.batcher import Batcher
from jive.clock import utcnow
from jive.db import connection, database, first_line
from jive.errors import DatabaseUnavailable, DeliveryRefused, InvalidValue, MalformedDelivery
from jive.hosts import HOSTS
from jive.hosts.base import Delivery, Host
from jive.models import Project, WebhookEvent

MAX_REMEMBERED = 256  # projects, by the URLs in their deliveries
ENQUEUE_AGAIN_S = 1.0  # after this time an enqueued job may have been lost, and another delivery enqueues one again
LARGE_BODY_BYTES = 1024 * 1024

# A body must be parsed before it is known whose secret verifies it. Parsing 25 MB takes seconds and hundreds of
# megabytes, and anyone can send them, so large bodies are parsed one at a time.
_ONE_LARGE_BODY = threading.Lock()

logger = logging.getLogger(__name__)

Enqueue = Callable[[Project], None]


@dataclass(frozen=True)
class Receipt:
    """What became of a delivery.

    Attributes:
        id: the id that the Git host gave it.
        status: `recorded`, or `duplicate` if it was recorded before and has not failed since.
        scan: whether it asks for a scan of its project.
    """

    id: str
    status: Literal["recorded", "duplicate"]
    scan: bool


@dataclass(slots=True)
class _Arrival:
    """A delivery that is being received; `project` is the one whose secret signed it, once that is known."""

    host: Host
    delivery: Delivery
    headers: Mapping[str, str]
    body: bytes
    body_hash: str
    project: Project | None = None

    def verify(self, candidates: Iterable[Project]) -> None:
        now = utcnow()
        for project in candidates:
            for secret in (project.webhook_secret, project.previous_webhook_secret):
                if secret and self.host.is_signed(secret, self.headers, self.body, now):
                    self.project = project
                    return


_Verified = tuple[_Arrival, Project]


class Receiver:
    """Receives deliveries; safe to share between threads.

    Deliveries that arrive at the same time share their statements and their commit, which costs several times less
    than one transaction for each. A project that was looked up is remembered; the statement that records a delivery
    checks that the project has not changed since.
    """

    def __init__(self, enqueue: Enqueue) -> None:
        """Create a receiver; `enqueue` enqueues a scan of a project."""
        self._enqueue = enqueue
        self._remembered: dict[tuple[str, ...], Project] = {}
        self._enqueued: dict[uuid.UUID, tuple[datetime, float]] = {}  # by project: updated_at, and when enqueued
        self._take_together: Batcher[_Arrival, Receipt | None] = Batcher(self._take)

    def receive(self, host_name: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Record a delivery, and enqueue the scan that it asks for.

        Safe to repeat. The row is committed before the scan is enqueued; if that fails, the delivery is recorded
        nevertheless, and a sweep enqueues its scan.

        Args:
            host_name: the Git host that sent it, a key of `HOSTS`.
            headers: the request's headers, by lower-case name.
            body: the raw bytes, which the signature covers.

        Raises:
            MalformedDelivery: it is not what this Git host sends.
            DeliveryRefused: the repository is unknown, or the signature is wrong; the sender does not learn which.
            DatabaseUnavailable: there is no connection to Postgres.
            peewee.OperationalError, peewee.InterfaceError: the connection to Postgres was lost.
        """
        host = HOSTS[host_name]
        with _ONE_LARGE_BODY if len(body) > LARGE_BODY_BYTES else contextlib.nullcontext():
            delivery = host.read(headers, body)
        arrival = _Arrival(host, delivery, headers, body, hashlib.sha256(body).hexdigest())
        if remembered := self._remembered.get(arrival.delivery.repo_urls):
            arrival.verify([remembered])
        receipt = self._take_together(arrival)
        if receipt is None:
            receipt = self._take_alone(arrival)
        elif arrival.project and self._is_enqueued(arrival.project):
            return receipt
        if receipt.scan and arrival.project:
            self._enqueue_scan(arrival.project)
        return receipt

    def _take(self, arrivals: Sequence[_Arrival]) -> list[Receipt | DeliveryRefused | None]:
        """Record several at once; the result of one that was not written is None, and `_take_alone` finds out why."""
        try:
            with connection():
                self._look_up([arrival for arrival in arrivals if arrival.project is None])
                receipts = _record([(each, each.project) for each in arrivals if each.project], as_remembered=True)
        except Exception as exc:
            if isinstance(exc, DatabaseUnavailable) or _lost_connection(exc):
                raise
            # A fault in one of them, or a lock that it waits for, must not fail the others.
            logger.warning("%d deliveries are recorded one by one: %s", len(arrivals), first_line(exc))
            return [None] * len(arrivals)
        # Of two with the same id the first gets the receipt, and the second is received alone.
        return [receipts.pop(each.delivery.id, None) if each.project else DeliveryRefused() for each in arrivals]

    def _take_alone(self, arrival: _Arrival) -> Receipt:
        """Receive a delivery that was recorded before, or whose project has changed since it was remembered."""
        self._remembered.pop(arrival.delivery.repo_urls, None)
        arrival.project = None
        with connection():
            self._look_up([arrival])
            project = arrival.project
            if project is None:
                raise DeliveryRefused
            receipts = _record([(arrival, project)], as_remembered=False)
            return receipts.get(arrival.delivery.id) or _duplicate(arrival, project)

    def _look_up(self, arrivals: Sequence[_Arrival]) -> None:
        """Set the project of each delivery that a project's secret signed."""
        projects = _find({url for arrival in arrivals for url in arrival.delivery.repo_urls})
        for arrival in arrivals:
            urls = arrival.delivery.repo_urls
            arrival.verify({projects[url].id: projects[url] for url in urls if url in projects}.values())
            if arrival.project:  # deliveries that nobody signed must not fill the memory
                if len(self._remembered) >= MAX_REMEMBERED:
                    self._remembered.clear()
                    self._enqueued.clear()
                self._remembered[urls] = arrival.project

    def _is_enqueued(self, project: Project) -> bool:
        """Return whether a scan was enqueued, and has not begun, that will settle a delivery recorded with `project`.

        A scan moves the project's `updated_at` when it begins. If a delivery was recorded with the same `updated_at`
        as one whose scan was enqueued, that scan has not begun.
        """
        as_of, enqueued_at = self._enqueued.get(project.id, (None, 0.0))
        return as_of == project.updated_at and time.monotonic() - enqueued_at < ENQUEUE_AGAIN_S

    def _enqueue_scan(self, project: Project) -> None:
        enqueued_at = time.monotonic()
        try:
            self._enqueue(project)
        except Exception as exc:  # noqa: BLE001  # the delivery is recorded, which is all that a 202 promises
            logger.warning("recorded a delivery for %s; its scan was left to a sweep: %s", project.repo_url, exc)
        else:
            self._enqueued[project.id] = (project.updated_at, enqueued_at)


def _lost_connection(exc: Exception) -> bool:
    """Return whether the connection was lost; any other error has a code from Postgres."""
    is_of_connection = isinstance(exc, peewee.OperationalError | peewee.InterfaceError)
    return is_of_connection and getattr(exc.__context__, "pgcode", None) is None


_FIND = """
SELECT url, id, repo_url, branch, webhook_secret, previous_webhook_secret, updated_at
FROM unnest(%s::text[]) AS url JOIN projects ON repo_key(repo_url) = repo_key(url)
"""


def _find(urls: Collection[str]) -> dict[str, Project]:
    """Return the projects with these repository URLs, in any spelling, by URL as given."""
    found: dict[str, Project] = {}
    if not urls:
        return found
    for url, project_id, repo_url, branch, secret, previous, updated_at in database.execute_sql(_FIND, [list(urls)]):
        found[url] = Project(
            id=project_id,
            repo_url=repo_url,
            branch=branch,
            webhook_secret=_readable(secret, repo_url),
            previous_webhook_secret=_readable(previous, repo_url),
            updated_at=updated_at,
        )
    return found


def _readable(token: str | None, repo_url: str) -> str | None:
    """Return the secret in `token`, or None if no key decrypts it; None verifies no signature."""
    try:
        secret: str | None = Project.webhook_secret.python_value(token)
    except InvalidValue as exc:  # the sender must not learn more than that the delivery is refused
        logger.error("a webhook secret of %s cannot be used: %s", repo_url, exc)
        return None
    return secret


# A function in Postgres, which keeps the plan of its INSERT: planning takes longer than running it.
_RECORD = "SELECT record_deliveries(%s, %s, %s::uuid[], %s, %s, %s, %s)"


def _record(verified: Sequence[_Verified], *, as_remembered: bool) -> dict[str, Receipt]:
    """Insert deliveries, or make failed ones wait for a scan again; return the receipts of those, by id.

    Args:
        verified: the deliveries, each with its project.
        as_remembered: whether to leave out a delivery whose project has changed since it was looked up.
    """
    receipts, rows = {}, {}
    for arrival, project in verified:
        delivery = arrival.delivery
        if delivery.id in rows:
            continue
        tracked = project.branch or delivery.default_branch
        scan = bool(delivery.branches) and (tracked is None or tracked in delivery.branches)
        receipts[delivery.id] = Receipt(delivery.id, "recorded", scan)
        rows[delivery.id] = (
            delivery.id,
            arrival.host.source,
            str(project.id),
            delivery.event_type,
            arrival.body_hash,
            not scan,
            project.updated_at if as_remembered else None,
        )
    if not rows:
        return {}
    columns = [list(column) for column in zip(*rows.values(), strict=True)]
    try:
        return {recorded: receipts[recorded] for (recorded,) in database.execute_sql(_RECORD, columns)}
    except peewee.IntegrityError:  # a project was removed since it was looked up
        return {}


def _duplicate(arrival: _Arrival, project: Project) -> Receipt:
    """Return the receipt of a delivery that was recorded before.

    Raises:
        MalformedDelivery: the id is that of a delivery of another project or another host.
        DeliveryRefused: it is not stored, because its project was removed since.
    """
    known = WebhookEvent.get_or_none(WebhookEvent.id == arrival.delivery.id)
    if known is None:
        raise DeliveryRefused
    if (known.project_id, known.source) != (project.id, arrival.host.source):
        raise MalformedDelivery("The delivery's id was used by another delivery")
    return Receipt(known.id, "duplicate", scan=False)
