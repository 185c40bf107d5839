"""The process `jive worker`: Huey's consumer, a heartbeat, and the sweep."""

import functools
import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable

import redis
from huey import signals
from huey.api import Task
from huey.consumer import Consumer

from jive import settings
from jive.clock import utcnow
from jive.db import connection, database
from jive.errors import JiveError
from jive.jobs import tasks
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
        threading.Thread(target=_every, args=(config.heartbeat_s, _beat, stopping), daemon=True),
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
    _forget_beat()
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
    sweep(functools.partial(tasks.enqueue_scan, though_queued=True))


def _beat_key(pid: int) -> str:
    return f"jive:worker:{socket.gethostname()}:{pid}"


def _beat() -> None:
    config = settings.current()
    waiting = queue().waiting()
    beat = {"at": utcnow().isoformat(), "threads": config.worker_threads, "waiting": waiting}
    queue().redis.set(_beat_key(os.getpid()), json.dumps(beat), px=int(config.heartbeat_s * 3000))
    logger.info("worker alive: %d threads, %d jobs waiting", config.worker_threads, waiting)


def _forget_beat() -> None:
    try:
        queue().redis.delete(_beat_key(os.getpid()))
    except redis.RedisError:
        logger.debug("the heartbeat will fade by itself")


def has_beaten(pid: int) -> bool:
    """Return whether the worker with this process id on this machine has shown a sign of life lately."""
    try:
        return bool(queue().redis.exists(_beat_key(pid)))
    except redis.RedisError:
        return False


def is_alive_here() -> bool:
    """Return whether any worker on this machine has shown a sign of life lately.

    Raises:
        redis.RedisError: Redis is away.
    """
    return any(queue().redis.scan_iter(f"jive:worker:{socket.gethostname()}:*", count=1000))


def workers() -> int:
    """Return how many workers have shown a sign of life lately.

    Raises:
        redis.RedisError: Redis is away.
    """
    return sum(1 for _ in queue().redis.scan_iter("jive:worker:*", count=1000))
