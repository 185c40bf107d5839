"""Whether this process can do its work, answered within 2 s whatever the stores do."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jive
from jive import redis_client, schema
from jive.clock import utcnow
from jive.db import connection, first_line
from jive.errors import SchemaMismatch

DEADLINE_S = 1.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """What a probe found: `error` is None when all is well. `took_ms` is how long it took to find out."""

    error: str | None
    took_ms: float
    reached: bool = True


class Probe:
    """Runs a check in a thread of its own, so that a store that hangs holds up nobody.

    Callers that come while a check runs share its finding.
    """

    def __init__(self, name: str, check: Callable[[], None]) -> None:
        self.name = name
        self._check = check
        self._changed = threading.Condition()
        self._asked = 0  # the number of the newest check that somebody waits for
        self._answered = 0  # the number of the newest check that has ended
        self._finding = Finding(None, 0.0)
        self._thread: threading.Thread | None = None

    def ask(self) -> int:
        """Have the check run, unless it is running; return the number that `answer` takes."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"probe {self.name}", daemon=True)
                self._thread.start()
            if self._asked == self._answered:
                self._asked += 1
                self._changed.notify_all()
            return self._asked

    def answer(self, number: int, deadline_s: float = DEADLINE_S) -> Finding:
        """Return what the check with this `number`, or a later one, found; or that none ended in time."""
        with self._changed:
            if self._changed.wait_for(lambda: self._answered >= number, deadline_s):
                return self._finding
        return Finding("no answer", deadline_s * 1000, reached=False)

    def _log(self, exc: Exception) -> None:
        if self._finding.reached:
            logger.warning("%s is away: %s", self.name, first_line(exc))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked > self._answered)
            started_at = time.monotonic()
            error, reached = None, True
            try:
                self._check()
            except SchemaMismatch as exc:
                error = str(exc)
            except Exception as exc:  # noqa: BLE001  # whatever it is, the store is not well
                error, reached = "cannot be reached", False  # the reason names hosts and users: it is for the log
                self._log(exc)
            with self._changed:
                self._finding = Finding(error, (time.monotonic() - started_at) * 1000, reached)
                self._answered += 1
                self._changed.notify_all()


def _check_database() -> None:
    with connection() as db:
        schema.require_current(db)


_database = Probe("postgres", _check_database)
_redis = Probe("redis", redis_client.ping)


def report() -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body of `GET /api/health`.

    200 while deliveries can be taken: Postgres answers and its schema is right. `status` is `ok`, `degraded`
    when only Redis is away, or `down`. `database` and `redis` say whether each answers; `problems` says in
    words what is wrong.
    """
    started_at = time.monotonic()
    asked_database, asked_redis = _database.ask(), _redis.ask()
    database = _database.answer(asked_database)
    redis = _redis.answer(asked_redis, DEADLINE_S - (time.monotonic() - started_at))
    state = "down" if database.error else "degraded" if redis.error else "ok"
    return 503 if database.error else 200, {
        "status": state,
        "version": jive.__version__,
        "timestamp": utcnow().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "database": database.reached,
        "redis": redis.error is None,
        "schema": database.error is None,
        "problems": [
            f"{probe.name}: {finding.error}"
            for probe, finding in ((_database, database), (_redis, redis))
            if finding.error
        ],
        "took_ms": {"database": round(database.took_ms, 2), "redis": round(redis.took_ms, 2)},
    }
