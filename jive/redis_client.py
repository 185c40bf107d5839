"""Redis: one client per process, created at its first use; every call has a time limit."""

import functools
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jive import settings
from jive.errors import RedisUnavailable


def connect(config: settings.Settings, *, retries: int = 1, decode: bool = True) -> redis.Redis:
    """Return a client of the Redis that the settings name; it connects at its first command.

    A command is retried if Redis has closed the connection, which may have been idle in the pool, and not after a
    time-out. So it takes at most `redis_timeout_s`, or twice that if Redis closes the connection meanwhile.

    Args:
        retries: how often a command is retried.
        decode: whether answers are text rather than bytes.
    """
    # A Unix socket has no keep-alive, and the driver refuses the option for one.
    keepalive = {} if config.redis_url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        config.redis_url,
        decode_responses=decode,
        protocol=2,  # RESP3 is not needed, and its handshake costs a round trip
        socket_timeout=config.redis_timeout_s,
        socket_connect_timeout=config.redis_timeout_s,
        retry=Retry(NoBackoff(), retries, supported_errors=(redis.ConnectionError,)),
        client_name="jive",
        **keepalive,
    )


@functools.cache
def client() -> redis.Redis:
    """Return the client of this process. Threads may share it."""
    return connect(settings.current())


class reaching_redis:  # noqa: N801  # reads as a function; a class costs half as much as a generator
    """Raise `RedisUnavailable` in place of the driver's errors in the block.

    Raises:
        RedisUnavailable: Redis cannot be reached, did not answer in time, or answered with an error.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if isinstance(exc, (redis.RedisError, OSError)):
            raise RedisUnavailable(f"Redis cannot be reached: {exc}") from exc


def ping(using: "redis.Redis | None" = None) -> None:
    """Send PING, and wait for the answer.

    Raises:
        RedisUnavailable: there was none; the message is the driver's, which may name the server.
    """
    with reaching_redis():
        (using or client()).ping()


def check_connection() -> bool:
    """Return whether Redis answers a PING."""
    try:
        ping()
    except RedisUnavailable:
        return False
    return True


def server_version(using: Any = None) -> str:
    """Return the version of Redis that the server is or is compatible with: `7.0.15`, or `7.2.4 (Valkey 9.1.2)`.

    Raises:
        RedisUnavailable: as `ping`.
    """
    with reaching_redis():
        facts = (using or client()).info("server")
    valkey = facts.get("valkey_version")
    return f"{facts['redis_version']} (Valkey {valkey})" if valkey else str(facts["redis_version"])
