"""`jive check`: every thing that must be right before JIVE can work, a line each, with a remedy for what is not."""

import queue
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jive import schema, settings
from jive.db import connection, database
from jive.db import ping as ping_postgres
from jive.errors import (
    InvalidValue,
    JiveError,
    RedisUnavailable,
    ScanFailed,
    SchemaMismatch,
    ServerUnavailable,
    SettingsError,
)
from jive.jobs.worker import workers
from jive.models import MODELS, Project, WebhookEvent
from jive.pubsub import publish_event, subscribe_to_channel
from jive.redis_client import reaching_redis, server_version


@dataclass(frozen=True)
class Line:
    """One line of the check: `remedy` is None when all is well."""

    name: str
    text: str
    remedy: str | None = None


def run() -> Iterator[Line]:
    """Check settings, Postgres, Redis, pub/sub, migrations and drift; what needs a store that is away is left out."""
    try:
        config = settings.current()
    except SettingsError as exc:
        for problem in exc.problems:
            yield Line(
                "settings",
                problem,
                "set it in the environment or in .env; .env.example explains each variable",
            )
        return
    yield Line("settings", "complete")

    postgres = _try("postgres", lambda: _postgres(config), f"see that DATABASE_URL is right: {config.database_place}")
    yield postgres
    redis = _try(
        "redis",
        lambda: f"{server_version()} at {config.redis_place}",
        f"see that REDIS_URL is right: {config.redis_place}",
    )
    yield redis
    if redis.remedy is None:
        yield _try("pub/sub", _pubsub, "see that the Redis user may PUBLISH and SUBSCRIBE")
        yield _try("worker", _worker, "start one: `jive worker`, or `jive up`, which runs one")
    if postgres.remedy is None:
        migrations = _try("migrations", _migrations, "")
        yield migrations
        if migrations.remedy is None:
            yield _try("drift", _drift, "undo the change by hand, or write the migration that it lacks")
            yield _try("secrets", _secrets, "put the lost key back, or give these projects new secrets: rotate-secret")
            yield _try("scans", _scans, "mend what it says (`jive project list` shows each), then `jive scan PROJECT`")
            yield _try("deliveries", _deliveries, "mend what it says, then `jive events retry --all`")


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
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    word = str(uuid.uuid4())
    with subscribe_to_channel(f"jive:check:{word}", heard.put) as subscription:
        publish_event(subscription.channel, word)
        try:
            heard.get(timeout=settings.current().redis_timeout_s)
        except queue.Empty:
            raise RedisUnavailable("a published message did not come back") from None
    return "a message was published and came back"


def _worker() -> str:
    with reaching_redis():
        count = workers()
    if not count:
        raise ServerUnavailable("none has shown a sign of life lately: pushes are recorded but not scanned")
    return f"{count} alive"


def _secrets() -> str:
    with connection():
        unreadable = []
        for name, token in database.execute_sql("SELECT name, webhook_secret FROM projects ORDER BY name"):
            try:
                Project.webhook_secret.python_value(token)
            except InvalidValue:
                unreadable.append(name)
    if unreadable:
        raise InvalidValue(f"no key in JIVE_SECRET_KEYS reads those of {', '.join(unreadable[:5])}")
    return "every webhook secret can be read"


def _scans() -> str:
    with connection():
        count = Project.select().count()
        failed = Project.select(Project.name, Project.scan_error).where(Project.scan_error.is_null(False))
        if first := failed.order_by(Project.name).first():
            text = f"{failed.count()} of {count} projects could not be read; {first.name}: {first.scan_error}"
            raise ScanFailed(text)
    return f"{count} project{'' if count == 1 else 's'}, none failed"


def _deliveries() -> str:
    with connection():
        waiting = WebhookEvent.select().where(WebhookEvent.unsettled()).count()
        resting = WebhookEvent.select().where(WebhookEvent.resting()).order_by(WebhookEvent.received_at.desc())
        if newest := resting.first():
            raise ScanFailed(f"{resting.count()} failed three times; the newest: {newest.error_message}")
    return f"{waiting} waiting, none failed"


def _migrations() -> str:
    with connection() as db:
        schema.require_current(db)
        return f"{len(schema.status(db).applied)} applied, none pending"


def _drift() -> str:
    if found := schema.drift(database, MODELS):
        raise SchemaMismatch("; ".join(found))
    return "the schema is the models' own"
