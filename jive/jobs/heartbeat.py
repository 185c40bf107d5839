"""The heartbeat of a worker: a key in Redis that expires unless its worker renews it."""

import json
import logging
import os
import socket

import redis

from jive import settings
from jive.clock import utcnow
from jive.jobs.queue import queue

logger = logging.getLogger(__name__)


def beat() -> None:
    """Renew this process's heartbeat, which expires after three missed intervals.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    config = settings.current()
    waiting = queue().waiting()
    facts = {"at": utcnow().isoformat(), "threads": config.worker_threads, "waiting": waiting}
    queue().redis.set(_key(os.getpid()), json.dumps(facts), px=int(config.heartbeat_s * 3000))
    logger.info("worker alive: %d threads, %d jobs queued", config.worker_threads, waiting)


def _key(pid: int) -> str:
    return f"jive:worker:{socket.gethostname()}:{pid}"


def remove() -> None:
    """Delete this process's heartbeat; without Redis it expires by itself."""
    try:
        queue().redis.delete(_key(os.getpid()))
    except redis.RedisError:
        logger.debug("the heartbeat could not be deleted and will expire")


def is_beating(pid: int) -> bool:
    """Return whether the worker with this process id, on this machine, has a heartbeat; False without Redis."""
    try:
        return bool(queue().redis.exists(_key(pid)))
    except redis.RedisError:
        return False


def any_on_this_machine() -> bool:
    """Return whether any worker on this machine has a heartbeat.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    return any(queue().redis.scan_iter(f"jive:worker:{socket.gethostname()}:*", count=1000))


def count() -> int:
    """Return how many workers, on all machines, have a heartbeat.

    Raises:
        redis.RedisError: Redis cannot be reached.
    """
    return sum(1 for _ in queue().redis.scan_iter("jive:worker:*", count=1000))
