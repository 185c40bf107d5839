"""The queue: Huey on Redis, with signed messages."""

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import redis
from huey import RedisHuey
from huey.serializer import SignedSerializer

from jive import settings
from jive.redis_client import connect

_JOBS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {}


def job(name: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as the job `name`; the options are those of `huey.task`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _JOBS[name] = (function, options)
        return function

    return register


@dataclass(frozen=True)
class Queue:
    """The queue.

    Attributes:
        jobs: for each job, by name, a function that enqueues it.
    """

    huey: RedisHuey
    jobs: Mapping[str, Callable[..., Any]]

    @property
    def redis(self) -> redis.Redis:
        """The client of the queue; its answers are bytes."""
        return self.huey.storage.conn  # type: ignore[no-any-return]

    def waiting(self) -> int:
        """Return how many jobs are queued."""
        return int(self.huey.storage.queue_size())


@functools.cache
def queue() -> Queue:
    """Return the queue of this process, with all registered jobs; it connects at its first command."""
    config = settings.current()
    # Jobs are pickles, which can run any code. So a worker unpickles only those that were signed with this key, and
    # it is not enough to be able to write to Redis.
    secret = hashlib.sha256(b"huey:" + config.secret_keys[0].encode()).hexdigest()
    huey = RedisHuey(
        "jive",
        results=False,
        serializer=SignedSerializer(secret=secret, salt="jive"),
        connection_pool=connect(config, decode=False).connection_pool,
    )
    backoff = {"retry_delay": config.retry_delay_s, "retry_backoff": 2}
    return Queue(
        huey,
        {name: huey.task(name=name, **backoff, **options)(function) for name, (function, options) in _JOBS.items()},
    )
