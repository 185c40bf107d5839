"""Health: whether this process can take deliveries, answered within 2 s even if the stores hang."""

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
class ProbeResult:
    """The result of a probe.

    Attributes:
        error: what is wrong; None if nothing is.
        took_ms: how long the check took.
        reached: whether the store answered.
    """

    error: str | None
    took_ms: float
    reached: bool = True


class Probe:
    """Checks a store in a thread of its own, so that a store that hangs does not block the callers.

    Callers that arrive while a check runs share its result.
    """

    def __init__(self, name: str, check: Callable[[], None]) -> None:
        self.name = name
        self._check = check
        self._changed = threading.Condition()
        self._asked = 0  # the number of the newest check that was requested
        self._answered = 0  # the number of the newest check that has finished
        self._result = ProbeResult(None, 0.0)
        self._thread: threading.Thread | None = None

    def ask(self) -> int:
        """Start a check, unless one is running; return its number, for `answer`."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"probe {self.name}", daemon=True)
                self._thread.start()
            if self._asked == self._answered:
                self._asked += 1
                self._changed.notify_all()
            return self._asked

    def answer(self, number: int, deadline_s: float = DEADLINE_S) -> ProbeResult:
        """Return the result of the check `number` or a later one; `reached` is False if none finished in time."""
        with self._changed:
            if self._changed.wait_for(lambda: self._answered >= number, deadline_s):
                return self._result
        return ProbeResult("no answer", deadline_s * 1000, reached=False)

    def _log(self, exc: Exception) -> None:
        if self._result.reached:
            logger.warning("%s cannot be reached: %s", self.name, first_line(exc))

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
            except Exception as exc:  # noqa: BLE001  # any error means that the store cannot be used
                error, reached = "cannot be reached", False  # the message may name the host and user: it is only logged
                self._log(exc)
            with self._changed:
                self._result = ProbeResult(error, (time.monotonic() - started_at) * 1000, reached)
                self._answered += 1
                self._changed.notify_all()


def _check_database() -> None:
    with connection() as db:
        schema.require_current(db)


_database = Probe("postgres", _check_database)
_redis = Probe("redis", redis_client.ping)


def check() -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body of `GET /api/health`.

    The status is 200 while deliveries can be taken: Postgres answers, and its schema is the one that the code expects.
    In the body, `status` is `ok`, `degraded` (only Redis cannot be reached) or `down`; `database` and `redis` are
    whether each store answers, and `problems` lists what is wrong, in words.
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
            f"{probe.name}: {result.error}"
            for probe, result in ((_database, database), (_redis, redis))
            if result.error
        ],
        "took_ms": {"database": round(database.took_ms, 2), "redis": round(redis.took_ms, 2)},
    }
