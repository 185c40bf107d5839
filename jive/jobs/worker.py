"""The process `jive worker`: Huey's consumer, a heartbeat, and the sweep."""

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

GRACE_S = 8  # a stopping worker finishes its scans in this time, or gives them back

logger = logging.getLogger(__name__)


def work(config: settings.Settings) -> None:
    """Run jobs until SIGTERM or SIGINT, then finish those under way, or give them back, within 10 s.

    Raises:
        DatabaseUnavailable, SchemaMismatch: there is no database to work on.
    """
    with connection() as db:
        require_current(db)
    huey = queue().huey
    huey.signal(signals.SIGNAL_INTERRUPTED)(_give_back)
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
        max_delay=1,  # seconds between two looks at a Redis that is away
    ).run()
    stopping.set()
    heartbeat.remove()
    database.close_all()
    logger.info("worker stopped")


class _Consumer(Consumer):
    """Stops gracefully on Ctrl-C too, and does not start itself anew."""

    def _set_signal_handlers(self) -> None:
        self._signal_actions = {signal.SIGTERM: (False, True), signal.SIGINT: (False, True)}
        super()._set_signal_handlers()


def _give_back(_: str, task: Task) -> None:
    logger.warning("gave back the scan of %s", task.kwargs.get("repoUrl"))
    queue().huey.enqueue(task)


def _every(interval_s: float, act: Callable[[], None], stopping: threading.Event) -> None:
    while True:
        try:
            act()
        except (JiveError, redis.RedisError, OSError) as exc:
            logger.warning("%s failed, and will be tried again in %.0f s: %s", act.__name__.strip("_"), interval_s, exc)
        except Exception:  # the next round has done nothing wrong
            logger.exception("%s failed", act.__name__.strip("_"))
        if stopping.wait(interval_s):
            return


def _sweep() -> None:
    sweep(functools.partial(tasks.enqueue_scan, force=True))
