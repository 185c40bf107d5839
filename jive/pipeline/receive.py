"""A delivery arrives: find its project, verify it, record it, and have the project scanned."""

import functools
import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import peewee

from jive.clock import utcnow
from jive.db import database
from jive.errors import DeliveryRefused, InvalidValue, MalformedDelivery
from jive.hosts import HOSTS
from jive.hosts.base import Delivery, Host
from jive.models import Project, WebhookEvent

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


def receive(host_name: str, headers: Mapping[str, str], body: bytes, *, enqueue: Enqueue) -> Receipt:
    """Record a delivery of the host `host_name` (a key of HOSTS) and enqueue the scan that it asks for.

    The row is committed before anything is enqueued. When `enqueue` fails the delivery counts as taken all
    the same: a sweep finds it.

    Args:
        host_name: which host's rules apply.
        headers: by lower-case name.
        body: the raw bytes, of which the signature speaks.
        enqueue: has a project scanned soon.

    Raises:
        MalformedDelivery: it is not what this host sends.
        DeliveryRefused: the repository is unknown or the signature is wrong; one does not learn which.
    """
    host = HOSTS[host_name]
    delivery = host.read(headers, body)
    project = _verified_project(host, delivery, headers, body)
    scan = _concerns_tracked_branch(project, delivery)
    if not _record(host, delivery, project, body, settled=not scan):
        return Receipt(delivery.id, "duplicate", scan=False)
    if scan:
        try:
            enqueue(project)
        except Exception as exc:  # noqa: BLE001  # the row is committed, and that is what was promised
            logger.warning("recorded %s, to be scanned by a sweep: %s", delivery.id, exc)
    return Receipt(delivery.id, "recorded", scan)


@functools.cache
def _select_by_urls(count: int) -> str:
    fields = (Project.id, Project.repo_url, Project.branch, Project.webhook_secret, Project.previous_webhook_secret)
    sql, _ = Project.select(*fields).where(Project.has_url(*[""] * count)).sql()
    return str(sql)


def _verified_project(host: Host, delivery: Delivery, headers: Mapping[str, str], body: bytes) -> Project:
    now = utcnow()
    urls = delivery.repo_urls
    try:
        projects: Any = Project.raw(_select_by_urls(len(urls)), *urls)
        for project in projects:
            for secret in (project.webhook_secret, project.previous_webhook_secret):
                if secret and host.is_signed(secret, headers, body, now):
                    return cast("Project", project)
    except InvalidValue as exc:  # a stranger need not know what is wrong here
        logger.error("refused %s, for its project's secret cannot be read: %s", delivery.id, exc)
    raise DeliveryRefused


def _concerns_tracked_branch(project: Project, delivery: Delivery) -> bool:
    tracked = project.branch or delivery.default_branch
    return bool(delivery.branches) and (tracked is None or tracked in delivery.branches)


# By hand, and the statement above built once for each number of URLs: peewee took half of a delivery's time for them.
_RECORD = """
INSERT INTO webhook_events (id, source, project_id, event_type, payload_hash, processed, processed_at)
VALUES (%(id)s, %(source)s, %(project)s, %(event_type)s, %(hash)s, %(settled)s, CASE WHEN %(settled)s THEN now() END)
ON CONFLICT (id) DO UPDATE SET retry_count = 0, error_message = NULL
    WHERE NOT webhook_events.processed AND webhook_events.error_message IS NOT NULL
    AND webhook_events.project_id = EXCLUDED.project_id AND webhook_events.source = EXCLUDED.source
RETURNING id
"""


def _record(host: Host, delivery: Delivery, project: Project, body: bytes, *, settled: bool) -> bool:
    """Insert the delivery, or revive it if it failed; return False if there was nothing to do."""
    row = {
        "id": delivery.id,
        "source": host.source,
        "project": str(project.id),
        "event_type": delivery.event_type,
        "hash": hashlib.sha256(body).hexdigest(),
        "settled": settled,
    }
    try:
        if database.execute_sql(_RECORD, row).fetchone():
            return True
    except peewee.IntegrityError as exc:  # the project was removed a moment ago
        raise DeliveryRefused from exc
    known = WebhookEvent.get_by_id(delivery.id)
    if (known.project_id, known.source) != (project.id, host.source):
        raise MalformedDelivery("The delivery's id was used by another one")
    return False
