"""The process `jive worker`: Huey's consumer, the heartbeat and the sweep."""

import functools
import logging
import signal
import threading
from collections.abc import Callable

import redis
from huey import signals
from huey.api import Task
from huey.consumer import Consumer

from jive import settings
from jive.db import connection, database
from jive.errors import JiveError
from jive.jobs import heartbeat, tasks
from jive.jobs.queue import queue
from jive.pipeline.sweep import sweep
from jive.schema import require_current

GRACE_S = 8  # how long scans may take to finish when the worker stops

logger = logging.getLogger(__name__)


def work(config: settings.Settings) -> None:
    """Run jobs until SIGTERM or SIGINT. Then running scans may finish for `GRACE_S`; others return to the queue.

    Raises:
        DatabaseUnavailable, SchemaMismatch: the database cannot be used; nothing was started.
    """
    with connection() as db:
        require_current(db)
    huey = queue().huey
    huey.signal(signals.SIGNAL_INTERRUPTED)(_requeue)
    stopping = threading.Event()
    housekeeping = [
        threading.Thread(target=_every, args=(config.heartbeat_s, heartbeat.beat, stopping), daemon=True),
        threading.Thread(target=_every, args=(config.sweep_interval_s, _sweep, stopping), daemon=True),
    ]
    for thread in housekeeping:
        thread.start()
    logger.info("worker started with %d threads", config.worker_threads)
    _Consumer(
        huey,
        workers=config.worker_threads,
        periodic=False,
        graceful_signal="TERM",
        shutdown_timeout=GRACE_S,
        max_delay=1,  # seconds between attempts to reach Redis
    ).run()
    stopping.set()
    heartbeat.remove()
    database.close_all()
    logger.info("worker stopped")


class _Consumer(Consumer):
    """Stops gracefully on SIGINT too, and does not restart on SIGHUP."""

    def _set_signal_handlers(self) -> None:
        self._signal_actions = {signal.SIGTERM: (False, True), signal.SIGINT: (False, True)}
        super()._set_signal_handlers()


def _requeue(_: str, task: Task) -> None:
    logger.warning("returned the scan of %s to the queue", task.kwargs.get("repoUrl"))
    queue().huey.enqueue(task)


def _every(interval_s: float, act: Callable[[], None], stopping: threading.Event) -> None:
    while True:
        try:
            act()
        except (JiveError, redis.RedisError, OSError) as exc:
            logger.warning("%s failed, retrying in %.0f s: %s", act.__name__.strip("_"), interval_s, exc)
        except Exception:  # the next attempt may succeed
            logger.exception("%s failed", act.__name__.strip("_"))
        if stopping.wait(interval_s):
            return


def _sweep() -> None:
    sweep(functools.partial(tasks.enqueue_scan, force=True))
