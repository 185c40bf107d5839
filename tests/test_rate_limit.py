"""The token bucket: it never gives more than it holds, and allows every call without Redis."""

import threading
import uuid
from pathlib import Path

import pytest

from jive.errors import InvalidValue
from jive.operate import servers
from jive.rate_limit import TokenBucket, key, mcp_bucket
from jive.redis_client import client, connect
from jive.settings import Settings, current
from tests.conftest import using


@pytest.fixture
def who() -> str:
    return str(uuid.uuid4())


def test_sixty_calls_are_allowed_and_the_next_is_not(who: str) -> None:
    bucket = mcp_bucket()
    decisions = [bucket.take(who, "get_artifact") for _ in range(61)]
    assert [decision.allowed for decision in decisions] == [True] * 60 + [False]
    assert decisions[0].remaining == 59
    assert 0 < decisions[60].retry_after_s <= 1


def test_each_client_and_tool_has_a_bucket_of_its_own(who: str) -> None:
    bucket = TokenBucket(client(), capacity=1, per_minute=1)
    assert bucket.take(who, "a").allowed
    assert bucket.take(who, "b").allowed
    assert bucket.take(f"{who}2", "a").allowed
    assert not bucket.take(who, "a").allowed


def test_names_with_colons_share_no_bucket() -> None:
    assert key("a:b", "c") != key("a", "b:c")
    assert key("a%3Ab", "c") != key("a:b", "c")
    assert key("client", "tool") == "rate_limit:mcp:client:tool"


def test_a_bucket_refills_on_the_clock_of_redis(who: str) -> None:
    bucket = TokenBucket(client(), capacity=2, per_minute=60)
    assert bucket.take(who, "t", cost=2).allowed
    refused = bucket.take(who, "t", cost=2)
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.retry_after_s == pytest.approx(2, abs=0.1)
    client().hincrby(key(who, "t"), "lastRefill", -1500)  # a second and a half go by
    assert bucket.take(who, "t").allowed
    assert not bucket.take(who, "t").allowed


def test_a_bucket_never_holds_more_than_its_capacity(who: str) -> None:
    bucket = TokenBucket(client(), capacity=3, per_minute=60)
    bucket.take(who, "t")
    client().hincrby(key(who, "t"), "lastRefill", -3_600_000)
    assert bucket.take(who, "t").remaining == 2


def test_a_clock_that_went_back_neither_adds_nor_takes_tokens(who: str) -> None:
    bucket = TokenBucket(client(), capacity=3, per_minute=60)
    bucket.take(who, "t")
    client().hincrby(key(who, "t"), "lastRefill", 3_600_000)
    assert bucket.take(who, "t").remaining == 1


def test_redis_holds_two_fields_and_expires_them(who: str) -> None:
    mcp_bucket().take(who, "t")
    assert client().hgetall(key(who, "t")).keys() == {"tokens", "lastRefill"}
    assert 55 < client().ttl(key(who, "t")) <= 60


def test_a_hundred_concurrent_calls_never_get_more_than_a_bucket_holds(who: str) -> None:
    bucket = TokenBucket(client(), capacity=30, per_minute=1)
    start, allowed = threading.Barrier(100), []

    def call() -> None:
        start.wait()
        if bucket.take(who, "t").allowed:
            allowed.append(1)

    threads = [threading.Thread(target=call) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(allowed) == 30


@pytest.mark.parametrize("cost", [0, -1, 61])
def test_a_cost_that_can_never_be_met_is_refused(who: str, cost: int) -> None:
    with pytest.raises(InvalidValue, match="from 1 to 60"):
        mcp_bucket().take(who, "t", cost=cost)


def test_without_redis_calls_are_allowed_with_one_line_in_the_log(
    redis_home: Path, who: str, caplog: pytest.LogCaptureFixture
) -> None:
    part, url = servers.start_redis(redis_home)
    config = Settings(**vars(current()) | {"redis_url": url})
    bucket = TokenBucket(connect(config), capacity=1, per_minute=1)
    try:
        bucket.take(who, "t")
        part.stop()
        for _ in range(5):
            assert bucket.take(who, "t").allowed
        assert caplog.text.count("rate limits are off") == 1
        part, _ = servers.start_redis(redis_home)
        bucket.take(who, "t")
        assert "rate limits are on again" in caplog.text
    finally:
        part.stop()


def test_a_redis_that_does_not_know_the_script_is_sent_it(redis_home: Path, who: str) -> None:
    part, url = servers.start_redis(redis_home)  # the scripts of another would be those of other tests too
    try:
        with using(REDIS_URL=url):
            bucket = TokenBucket(client(), capacity=5, per_minute=5)
            assert bucket.take(who, "t").remaining == 4
            client().script_flush()
            assert bucket.take(who, "t").remaining == 3
    finally:
        part.stop()
