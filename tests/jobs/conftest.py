"""A queue for one test: a worker of another test must not take its jobs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from jive.jobs.queue import queue
from jive.operate import servers
from tests.conftest import using


@pytest.fixture
def own_queue(redis_home: Path) -> Iterator[redis.Redis]:
    """A client of a Redis that only this test uses, in this process and in those that it starts."""
    part, url = servers.start_redis(redis_home)
    try:
        with using(REDIS_URL=url):
            queue.cache_clear()
            with redis.Redis.from_url(url) as client:
                yield client
            queue().redis.connection_pool.disconnect()
    finally:
        queue.cache_clear()
        part.stop()
