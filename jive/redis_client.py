"""Redis: one client, made when first asked for, whose every call ends in bounded time."""

import functools
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jive import settings
from jive.errors import RedisUnavailable


def connect(config: settings.Settings, *, retries: int = 1, decode: bool = True) -> redis.Redis:
    """Return a client for the Redis that `config` names; connects at its first command.

    A connection that Redis closed while it lay in the pool costs a retry, not an error; a time-out is never
    tried again, so a command takes at most `redis_timeout_s`, and twice that when Redis hangs up on it.
    """
    # A socket in the file system has no keep-alive, and the driver would refuse the word.
    keepalive = {} if config.redis_url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        config.redis_url,
        decode_responses=decode,
        protocol=2,  # nothing here needs RESP3, and its handshake costs a round trip
        socket_timeout=config.redis_timeout_s,
        socket_connect_timeout=config.redis_timeout_s,
        retry=Retry(NoBackoff(), retries, supported_errors=(redis.ConnectionError,)),
        client_name="jive",
        **keepalive,
    )


@functools.cache
def client() -> redis.Redis:
    """Return this process's client, made at the first call. Safe to share between threads."""
    return connect(settings.current())


class reaching_redis:  # noqa: N801  # used as a word, `with reaching_redis():`, at half the price of a generator
    """Tell the driver's errors as JIVE's.

    Raises:
        RedisUnavailable: Redis refused, timed out, or answered with an error.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, exc: BaseException | None, trace: object) -> None:
        if isinstance(exc, (redis.RedisError, OSError)):
            raise RedisUnavailable(f"Redis cannot be reached: {exc}") from exc


def ping(using: "redis.Redis | None" = None) -> None:
    """Send PING.

    Raises:
        RedisUnavailable: with the driver's reason.
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
