"""Rows on Redis: events and the rate limit, compared with bare redis-py."""

import json
import statistics
import uuid
from collections.abc import Iterator

import redis

from benchmarks.measure import compare
from benchmarks.stores import Stores
from benchmarks.table import Row, per_second, ratio_row
from jive import rate_limit
from jive.events import artifact_updated, channel
from jive.pubsub import publish_event, publish_project_events
from jive.rate_limit import TokenBucket, key
from jive.redis_client import client

EVENTS = 1000
CALLS = 50


def _bare(stores: Stores) -> "redis.Redis":
    """Return a client of the bare driver with the options of JIVE's."""
    return redis.Redis.from_url(
        stores.redis_url, decode_responses=True, protocol=2, socket_timeout=2.0, socket_connect_timeout=2.0
    )


def publish(stores: Stores) -> Iterator[Row]:
    """Measure one event from envelope to Redis, compared with a ready message; then a thousand."""
    project = uuid.uuid4()
    event = artifact_updated(project, path="docs/prd.md", type="PRD", version="1.2", change="updated")
    place, envelope, message = channel(project), event.to_dict(), json.dumps(event.to_dict())
    with _bare(stores) as bare:
        measured = compare(lambda: publish_event(place, envelope), lambda: bare.publish(place, message), calls=CALLS)
        yield ratio_row("publish an event", measured, 0.85)

        def plain() -> None:
            pipeline = bare.pipeline(transaction=False)
            for _ in range(EVENTS):
                pipeline.publish(place, message)
            pipeline.execute()

        many = compare(lambda: publish_project_events([event] * EVENTS), plain, calls=1, rounds=40)
    yield ratio_row("publish 1,000 events of a scan, whole", many, None)
    yield Row("  as events a second", per_second(statistics.median(many.jive_s) / EVENTS))


def token_bucket(stores: Stores) -> Iterator[Row]:
    """Measure taking a token, compared with calling the same script by hand."""
    who = uuid.uuid4().hex
    bucket = TokenBucket(client())
    place = key(who, "bare")
    with _bare(stores) as bare:
        sha = bare.script_load(rate_limit._TAKE)
        args = (bucket.capacity, 60 / 60_000, 1, 60)
        measured = compare(lambda: bucket.take(who, "jive"), lambda: bare.evalsha(sha, 1, place, *args), calls=CALLS)
        bare.delete(place, key(who, "jive"))
    yield ratio_row("take a token from the bucket", measured, 0.9)
