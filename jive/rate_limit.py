"""The rate limit on agents' tool calls: a token bucket in Redis, on the clock of Redis."""

import functools
import hashlib
import logging
import math
from dataclasses import dataclass
from typing import Any

import redis

from jive.errors import InvalidValue
from jive.redis_client import client

# Redis runs a script atomically, so concurrent callers never take more than the bucket holds.
_TAKE = """
local capacity, per_ms, cost, ttl_s = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'lastRefill')
local tokens = tonumber(bucket[1]) or capacity
local last_ms = tonumber(bucket[2]) or now_ms
tokens = math.min(capacity, tokens + math.max(0, now_ms - last_ms) * per_ms)
local allowed, wait_ms = 0, 0
if tokens >= cost then
    allowed, tokens = 1, tokens - cost
else
    wait_ms = math.ceil((cost - tokens) / per_ms)
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'lastRefill', now_ms)
redis.call('EXPIRE', KEYS[1], ttl_s)
return {allowed, math.floor(tokens), wait_ms}
"""

_TAKE_SHA = hashlib.sha1(_TAKE.encode()).hexdigest()  # by which EVALSHA finds it

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decision:
    """Whether a call may go ahead.

    Attributes:
        allowed: whether it may.
        remaining: whole tokens left after it.
        retry_after_s: seconds until it would be allowed; 0 if it is.
    """

    allowed: bool
    remaining: int
    retry_after_s: float


class TokenBucket:
    """A bucket for each client and tool; it holds up to `capacity` tokens and gains `per_minute` in a minute."""

    def __init__(self, redis_client: redis.Redis, capacity: int = 60, per_minute: float = 60) -> None:
        self.capacity = capacity
        self._per_ms = per_minute / 60_000
        # A bucket is full after this time, and a missing one counts as full.
        self._ttl_s = math.ceil(capacity / per_minute * 60)
        self._redis = redis_client
        self._is_unreachable = False

    def take(self, client_id: str, tool: str, cost: int = 1) -> Decision:
        """Take `cost` tokens from the bucket of a client and a tool, or none if it holds fewer.

        If Redis is unreachable, every call is allowed, and the first one is logged.

        Raises:
            InvalidValue: `cost` is not from 1 to the capacity.
        """
        if not 1 <= cost <= self.capacity:
            raise InvalidValue(f"The cost of a call must be from 1 to {self.capacity} tokens, not {cost}")
        try:
            allowed, remaining, wait_ms = self._run(
                key(client_id, tool), self.capacity, self._per_ms, cost, self._ttl_s
            )
        except (redis.RedisError, OSError) as exc:
            if not self._is_unreachable:
                logger.warning("rate limits are off while Redis is unreachable: %s", exc)
            self._is_unreachable = True
            return Decision(allowed=True, remaining=self.capacity, retry_after_s=0.0)
        if self._is_unreachable:
            logger.warning("rate limits are on again")
            self._is_unreachable = False
        return Decision(bool(allowed), remaining, wait_ms / 1000)

    def _run(self, *words: str | float) -> Any:
        try:
            return self._redis.evalsha(_TAKE_SHA, 1, *words)
        except redis.exceptions.NoScriptError:  # EVAL makes the script known to a Redis that has restarted
            return self._redis.eval(_TAKE, 1, *words)


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace(":", "%3A")


def key(client_id: str, tool: str) -> str:
    """Return the Redis key of a bucket; colons in the parts are escaped, so that no two buckets share a key."""
    return f"rate_limit:mcp:{_escaped(client_id)}:{_escaped(tool)}"


@functools.cache
def mcp_bucket() -> TokenBucket:
    """Return the limit on agents' tool calls: 60 tokens, 60 a minute."""
    return TokenBucket(client())
