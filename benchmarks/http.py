"""Rows over HTTP: the health routes compared with a bare "hello" on the same server."""

import sys
from collections.abc import Iterator

from benchmarks import load
from benchmarks.load import Load
from benchmarks.measure import Comparison
from benchmarks.processes import free_port, serving, without
from benchmarks.stores import Stores
from benchmarks.table import Row, per_second, ratio_row

ROUNDS = 5
ROUND_S = 2
ROUTES = ("/api/health", "/api/health/live")


def health(stores: Stores) -> Iterator[Row]:
    """Measure how many requests a second each health route answers, and name the generator of the load."""
    port, bare_port = free_port(), free_port()
    jive, bare = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{bare_port}/"
    web = [sys.executable, "-m", "jive", "web"]
    hello = [sys.executable, "-m", "benchmarks.hello", str(bare_port)]
    env, log = without(frozenset(), PORT=str(port)), stores.home / "web.log"
    failed = 0
    with serving("jive web", web, jive + ROUTES[0], log, env), serving("hello", hello, bare, log):
        for route in ROUTES:
            pairs = _ask_both(jive + route, bare)
            jive_s, bare_s = (tuple(1 / each.requests_per_s for each in side) for side in zip(*pairs, strict=True))
            yield ratio_row(f"GET {route}, 16 connections", Comparison(jive_s, bare_s), None, per_second)
            failed += sum(each.failed for pair in pairs for each in pair)
    yield Row(f"  asked by {load.NAME}; {failed} failed", "")


def _ask_both(jive: str, bare: str) -> list[tuple[Load, Load]]:
    """Load both in turn, after warming each up for a second."""
    for url in (jive, bare):
        load.run(url, 1)
    return [(load.run(jive, ROUND_S), load.run(bare, ROUND_S)) for _ in range(ROUNDS)]
