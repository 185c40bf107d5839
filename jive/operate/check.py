"""`jive check`: check everything that JIVE needs, and say how to fix what is wrong."""

import queue
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jive import settings
from jive.db import connection, database
from jive.db import ping as ping_postgres
from jive.drift import drift
from jive.errors import (
    InvalidValue,
    JiveError,
    RedisUnavailable,
    ScanFailed,
    SchemaMismatch,
    ServerUnavailable,
    SettingsError,
)
from jive.jobs import heartbeat
from jive.models import MODELS, Project, WebhookEvent
from jive.pubsub import publish_event, subscribe_to_channel
from jive.redis_client import reaching_redis, server_version
from jive.schema import require_current, status


@dataclass(frozen=True)
class Line:
    """One line of the report; `remedy` says how to fix a problem, and is None if there is none."""

    name: str
    text: str
    remedy: str | None = None


def run() -> Iterator[Line]:
    """Check the settings, the stores, the worker, the schema, the secrets, the scans and the deliveries, in this order.

    A check that needs a store is skipped if the store cannot be reached.

    Raises:
        NotRunning: nothing is set and no `jive up` runs here, so there is nothing to check.
    """
    try:
        config = settings.current()
    except SettingsError as exc:
        for problem in exc.problems:
            yield Line("settings", problem, "set it in the environment or in .env; docs/settings.md explains each")
        return
    yield Line("settings", "complete")

    postgres = _try("postgres", lambda: _postgres(config), f"check DATABASE_URL: {config.database_place}")
    yield postgres
    redis = _try(
        "redis",
        lambda: f"{server_version()} at {config.redis_place}",
        f"check REDIS_URL: {config.redis_place}",
    )
    yield redis
    if redis.remedy is None:
        yield _try("pub/sub", _pubsub, "let the Redis user PUBLISH and SUBSCRIBE")
        yield _try("worker", _worker, "start one: `jive worker`, or `jive up`, which runs one")
    if postgres.remedy is None:
        migrations = _try("migrations", _migrations, "")
        yield migrations
        if migrations.remedy is None:
            yield _try("drift", _drift, "undo the change by hand, or write the missing migration")
            yield _try(
                "secrets",
                _secrets,
                "add the lost key to JIVE_SECRET_KEYS, or `jive project rotate-secret` for each",
            )
            yield _try("scans", _scans, "fix the cause (`jive project list` shows each), then `jive scan PROJECT`")
            yield _try("deliveries", _deliveries, "fix the cause, then `jive deliveries retry --all`")


def _try(name: str, check: Callable[[], str], remedy: str) -> Line:
    try:
        return Line(name, check())
    except SchemaMismatch as exc:
        text, _, advice = str(exc).partition(". ")
        return Line(name, text, advice or remedy)
    except JiveError as exc:
        return Line(name, str(exc), remedy)


def _postgres(config: settings.Settings) -> str:
    ping_postgres()
    with connection() as db:
        version = db.execute_sql("SHOW server_version").fetchone()[0]
    return f"{version.split()[0]} at {config.database_place}"


def _pubsub() -> str:
    received: queue.SimpleQueue[Any] = queue.SimpleQueue()
    message = str(uuid.uuid4())
    with subscribe_to_channel(f"jive:check:{message}", received.put) as subscription:
        publish_event(subscription.channel, message)
        try:
            received.get(timeout=settings.current().redis_timeout_s)
        except queue.Empty:
            raise RedisUnavailable("a published message was not received") from None
    return "a published message was received"


def _worker() -> str:
    with reaching_redis():
        count = heartbeat.count()
    if not count:
        raise ServerUnavailable("none has a heartbeat: deliveries are recorded, but not scanned")
    return f"{count} alive"


def _migrations() -> str:
    with connection() as db:
        require_current(db)
        return f"{len(status(db).applied)} applied, none pending"


def _drift() -> str:
    if found := drift(database, MODELS):
        raise SchemaMismatch("; ".join(found))
    return "the schema is what the models describe"


def _secrets() -> str:
    with connection():
        unreadable = []
        sql = "SELECT name, webhook_secret, previous_webhook_secret FROM projects ORDER BY name"
        for name, *tokens in database.execute_sql(sql):
            try:
                for token in tokens:
                    Project.webhook_secret.python_value(token)
            except InvalidValue:
                unreadable.append(name)
    if unreadable:
        raise InvalidValue(f"no key in JIVE_SECRET_KEYS decrypts the secrets of {', '.join(unreadable[:5])}")
    return "every webhook secret can be decrypted"


def _scans() -> str:
    with connection():
        count = Project.select().count()
        failed = Project.select(Project.name, Project.scan_error).where(Project.scan_error.is_null(False))
        if first := failed.order_by(Project.name).first():
            text = f"{failed.count()} of {count} projects could not be scanned; {first.name}: {first.scan_error}"
            raise ScanFailed(text)
    return f"{count} project{'' if count == 1 else 's'}, none failed"


def _deliveries() -> str:
    with connection():
        pending = WebhookEvent.select().where(WebhookEvent.is_pending()).count()
        failed = WebhookEvent.select().where(WebhookEvent.has_failed()).order_by(WebhookEvent.received_at.desc())
        if newest := failed.first():
            raise ScanFailed(f"{failed.count()} failed; the newest: {newest.error_message}")
    return f"{pending} pending, none failed"
