"""The heartbeat: a worker has one while it is alive, and not for long afterwards."""

import json
import os

import pytest
import redis

from jive.jobs import heartbeat
from jive.jobs.queue import queue
from tests.conftest import using


def keys_of(client: redis.Redis) -> list[str]:
    return sorted(key.decode() for key in client.scan_iter("jive:worker:*"))


def test_a_worker_has_a_heartbeat_until_it_removes_it(own_queue: redis.Redis) -> None:
    assert (heartbeat.is_beating(os.getpid()), heartbeat.any_on_this_machine(), heartbeat.count()) == (False, False, 0)
    heartbeat.beat()
    assert (heartbeat.is_beating(os.getpid()), heartbeat.any_on_this_machine(), heartbeat.count()) == (True, True, 1)
    assert not heartbeat.is_beating(os.getpid() + 1)
    heartbeat.remove()
    assert (heartbeat.is_beating(os.getpid()), heartbeat.any_on_this_machine(), heartbeat.count()) == (False, False, 0)


def test_a_heartbeat_expires_after_three_missed_intervals(own_queue: redis.Redis) -> None:
    with using(JIVE_HEARTBEAT_S="20"):
        heartbeat.beat()
    [key] = keys_of(own_queue)
    assert 59_000 < own_queue.pttl(key) <= 60_000
    own_queue.pexpire(key, 1)
    heartbeat.beat()
    assert own_queue.pttl(key) > 1_000


def test_a_heartbeat_says_what_the_worker_does(own_queue: redis.Redis) -> None:
    heartbeat.beat()
    facts = json.loads(own_queue.get(keys_of(own_queue)[0]) or b"")
    assert facts.keys() == {"at", "threads", "waiting"}


def test_workers_of_other_machines_count_and_are_not_on_this_one(own_queue: redis.Redis) -> None:
    own_queue.set("jive:worker:elsewhere:1", "{}")
    assert (heartbeat.count(), heartbeat.any_on_this_machine()) == (1, False)


def test_without_redis_there_is_no_heartbeat_and_removing_it_is_no_error() -> None:
    with using(REDIS_URL="redis://127.0.0.1:1"):
        queue.cache_clear()
        assert heartbeat.is_beating(os.getpid()) is False
        heartbeat.remove()
        for ask in (heartbeat.beat, heartbeat.count, heartbeat.any_on_this_machine):
            with pytest.raises(redis.RedisError):
                ask()
    queue.cache_clear()
