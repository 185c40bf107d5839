"""The register of the benchmarks, in the order of the table; a new one is a function and a line here."""

from collections.abc import Callable, Iterator

from benchmarks import deliveries, http, latency, messages, postgres, scans, start
from benchmarks.processes import apart
from benchmarks.stores import Stores
from benchmarks.table import Row

Benchmark = Callable[[Stores], Iterator[Row]]


def _beside_servers(measure: Benchmark) -> Benchmark:
    """Return the benchmark, run with the stores on other processors than this process."""

    def run(stores: Stores) -> Iterator[Row]:
        with apart(stores.servers):
            yield from measure(stores)

    return run


BENCHMARKS: dict[str, Benchmark] = {
    "select": _beside_servers(postgres.select_one),
    "project": _beside_servers(postgres.project_life),
    "insert": _beside_servers(postgres.insert_artifacts),
    "upsert": _beside_servers(postgres.upsert_artifacts),
    "list": _beside_servers(postgres.list_artifacts),
    "publish": _beside_servers(messages.publish),
    "bucket": _beside_servers(messages.token_bucket),
    "help": start.help_page,
    "up": start.up,
    "http": http.health,
    "deliveries": deliveries.deliveries,
    "scan": scans.first_scan,
    "change": scans.changed_scan,
    "event": latency.push_to_event,
    "crowd": latency.crowd,
}


def chosen(word: str) -> dict[str, Benchmark]:
    """Return the benchmark with this name, else all whose names contain `word`."""
    if word in BENCHMARKS:
        return {word: BENCHMARKS[word]}
    return {name: measure for name, measure in BENCHMARKS.items() if word in name}
