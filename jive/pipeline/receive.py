"""A delivery arrives: find its project, verify it, record it, and have the project scanned."""

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

MAX_REMEMBERED = 256  # repositories, each as its host names it
ASK_AGAIN_S = 1.0  # for so long it is taken for granted that a job which was enqueued is not lost
LARGE_BODY_BYTES = 1024 * 1024

# A body must be parsed before it is known whose secret verifies it. What a stranger's 25 MB cost then (seconds and
# hundreds of megabytes) they cost one at a time.
_ONE_LARGE_BODY = threading.Lock()

logger = logging.getLogger(__name__)

Enqueue = Callable[[Project], None]


@dataclass(frozen=True)
class Receipt:
    """What became of a delivery.

    Attributes:
        id: the host's id of it.
        status: `recorded`, or `duplicate` when it was recorded before and has not failed since.
        scan: whether it has its project scanned.
    """

    id: str
    status: Literal["recorded", "duplicate"]
    scan: bool


@dataclass(slots=True)
class _Arrival:
    """A delivery on its way; `project` is whose secret signed it, once that is known."""

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
    """Takes deliveries, in as many threads as you like.

    Those that come at the same time share their statements and their commit: alone, each costs several times as
    much. A project that was looked up is remembered, and the statement that records a delivery checks that the
    project is still as it was.
    """

    def __init__(self, enqueue: Enqueue) -> None:
        """Make one; `enqueue` has a project scanned soon."""
        self._enqueue = enqueue
        self._remembered: dict[tuple[str, ...], Project] = {}
        self._asked: dict[uuid.UUID, tuple[datetime, float]] = {}  # by project: as of when, and at what time
        self._take_together: Batcher[_Arrival, Receipt | None] = Batcher(self._take)

    def receive(self, host_name: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Record a delivery of the host `host_name` (a key of HOSTS) and enqueue the scan that it asks for.

        The row is committed before anything is enqueued. When that fails the delivery counts as taken all the
        same: a sweep finds it.

        Args:
            host_name: which host's rules apply.
            headers: by lower-case name.
            body: the raw bytes, of which the signature speaks.

        Raises:
            MalformedDelivery: it is not what this host sends.
            DeliveryRefused: the repository is unknown or the signature is wrong; one does not learn which.
            DatabaseUnavailable: there is no connection to Postgres.
            peewee.OperationalError, peewee.InterfaceError: Postgres went away meanwhile.
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
        elif arrival.project and self._is_asked_for(arrival.project):
            return receipt
        if receipt.scan and arrival.project:
            self._ask_for_scan(arrival.project)
        return receipt

    def _take(self, arrivals: Sequence[_Arrival]) -> list[Receipt | DeliveryRefused | None]:
        """Take several at once; None stands where nothing was written, for `_take_alone` to find out why."""
        try:
            with connection():
                self._look_up([arrival for arrival in arrivals if arrival.project is None])
                receipts = _record([(each, each.project) for each in arrivals if each.project], as_remembered=True)
        except Exception as exc:
            if isinstance(exc, DatabaseUnavailable) or _lost_connection(exc):
                raise
            # One of them, or a lock that it waits for, must not cost the others their answer.
            logger.warning("%d deliveries are taken one by one: %s", len(arrivals), first_line(exc))
            return [None] * len(arrivals)
        # Of two with one id the first takes the receipt, and the other one is looked at alone.
        return [receipts.pop(each.delivery.id, None) if each.project else DeliveryRefused() for each in arrivals]

    def _take_alone(self, arrival: _Arrival) -> Receipt:
        """Take a delivery that was recorded before, or whose project is not as it was remembered."""
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
        """Find out whose secrets signed them; one that belongs to nobody keeps no project."""
        projects = _find({url for arrival in arrivals for url in arrival.delivery.repo_urls})
        for arrival in arrivals:
            urls = arrival.delivery.repo_urls
            arrival.verify({projects[url].id: projects[url] for url in urls if url in projects}.values())
            if arrival.project:  # a stranger's delivery fills no memory
                if len(self._remembered) >= MAX_REMEMBERED:
                    self._remembered.clear()
                    self._asked.clear()
                self._remembered[urls] = arrival.project

    def _is_asked_for(self, project: Project) -> bool:
        """Return whether a scan that has not begun yet will see what was recorded with `project` as it is here.

        A scan that begins moves `updated_at`. While a delivery is recorded as of the time at which another one's
        scan was enqueued, that scan is still to come.
        """
        as_of, asked_at = self._asked.get(project.id, (None, 0.0))
        return as_of == project.updated_at and time.monotonic() - asked_at < ASK_AGAIN_S

    def _ask_for_scan(self, project: Project) -> None:
        asked_at = time.monotonic()
        try:
            self._enqueue(project)
        except Exception as exc:  # noqa: BLE001  # the row is committed, and that is what was promised
            logger.warning("recorded a push to %s, to be scanned by a sweep: %s", project.repo_url, exc)
        else:
            self._asked[project.id] = (project.updated_at, asked_at)


def _lost_connection(exc: Exception) -> bool:
    """Return whether Postgres went away, where it would else have said what is wrong."""
    is_of_connection = isinstance(exc, peewee.OperationalError | peewee.InterfaceError)
    return is_of_connection and getattr(exc.__context__, "pgcode", None) is None


_FIND = """
SELECT url, id, repo_url, branch, webhook_secret, previous_webhook_secret, updated_at
FROM unnest(%s::text[]) AS url JOIN projects ON repo_key(repo_url) = repo_key(url)
"""


def _find(urls: Collection[str]) -> dict[str, Project]:
    """Return the projects whose repositories have these URLs, however they are written, by URL."""
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
    """Return the secret in `token`, or None, with which nothing is signed, where the key for it is lost."""
    try:
        secret: str | None = Project.webhook_secret.python_value(token)
    except InvalidValue as exc:  # a stranger need not know what is wrong here
        logger.error("a secret of %s counts for nothing: %s", repo_url, exc)
        return None
    return secret


# A function of the schema: Postgres would take longer to plan the INSERT in it than to run it.
_RECORD = "SELECT record_deliveries(%s, %s, %s::uuid[], %s, %s, %s, %s)"


def _record(verified: Sequence[_Verified], *, as_remembered: bool) -> dict[str, Receipt]:
    """Insert deliveries, or revive those that failed; return the receipts of these, by id.

    With `as_remembered`, one whose project was changed since it was looked up is not written.
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
    except peewee.IntegrityError:  # a project was removed a moment ago
        return {}


def _duplicate(arrival: _Arrival, project: Project) -> Receipt:
    """Return the receipt of a delivery that was recorded before.

    Raises:
        MalformedDelivery: that was another project's, or another host's.
        DeliveryRefused: it is not there, for its project was removed a moment ago.
    """
    known = WebhookEvent.get_or_none(WebhookEvent.id == arrival.delivery.id)
    if known is None:
        raise DeliveryRefused
    if (known.project_id, known.source) != (project.id, arrival.host.source):
        raise MalformedDelivery("The delivery's id was used by another one")
    return Receipt(known.id, "duplicate", scan=False)
