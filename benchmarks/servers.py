"""The command `python -m benchmarks.servers`: compare Granian, Gunicorn and Waitress on the health routes.

It needs two packages that JIVE does not: pip install gunicorn waitress
"""

import contextlib
import importlib.util
import statistics
import sys
from collections.abc import Callable, Iterator

import psycopg2

from benchmarks import drain, load
from benchmarks.drain import Stop
from benchmarks.processes import family, free_port, rss_mb, serving, without
from benchmarks.stores import Stores, started
from jive.processes import Part

PROCESSES, THREADS = 2, 8
ROUNDS, ROUND_S, STOPS = 7, 3, 3
ROUTES = ("/api/health", "/api/health/live")
APP = "jive.web.server:worker_app"
GUNICORN = [f"--workers={PROCESSES}", f"--threads={THREADS}", "--worker-class=gthread", "--graceful-timeout=8"]
COMMANDS: dict[str, Callable[[int], list[str]]] = {
    "granian": lambda port: ["-m", "jive", "web"],
    "gunicorn": lambda port: ["-m", "gunicorn", *GUNICORN, f"--bind=127.0.0.1:{port}", f"{APP}()"],
    # Waitress is one process, so it gets as many threads as all processes of the others together.
    "waitress": lambda port: [
        *("-m", "waitress", f"--threads={PROCESSES * THREADS}", f"--listen=127.0.0.1:{port}", "--call", APP)
    ],
}


@contextlib.contextmanager
def _running(name: str, stores: Stores) -> Iterator[tuple[Part, str]]:
    """Run one server; yield its process and its address."""
    port = free_port()
    env = without(frozenset(), PORT=str(port), JIVE_WEB_PROCESSES=str(PROCESSES), JIVE_WEB_THREADS=str(THREADS))
    address, log = f"http://127.0.0.1:{port}", stores.home / f"{name}.log"
    with serving(name, [sys.executable, *COMMANDS[name](port)], address + ROUTES[0], log, env) as part:
        yield part, address


def compare_speed(stores: Stores) -> None:
    """Print requests a second, latencies and memory; all servers run at once and are loaded in turn."""
    with contextlib.ExitStack() as stack:
        running = {name: stack.enter_context(_running(name, stores)) for name in COMMANDS}
        print(f"{'':<28} {'requests/s':>10}  {'lowest to highest':<19} {'p50':>8} {'p99':>9} {'failed':>7}")
        for route in ROUTES:
            asked: dict[str, list[load.Load]] = {name: [] for name in running}
            for number in range(ROUNDS + 1):
                for name, (_, address) in running.items():
                    asked[name].append(load.run(address + route, ROUND_S if number else 1))
            for name, rounds in asked.items():
                _print_speed(f"{name} {route}", rounds[1:])  # the first was to warm up
        print()
        for name, (part, _) in running.items():
            sizes = [rss_mb(pid) for pid in family(part.process.pid)]
            each_mb = " + ".join(f"{size:.0f}" for size in sizes)
            print(f"{name:<10} RSS after the load: {sum(sizes):.0f} MB ({each_mb})")


def _print_speed(what: str, rounds: list[load.Load]) -> None:
    rates = [each.requests_per_s for each in rounds]
    p50, p99 = (statistics.median(getattr(each, name) for each in rounds) for name in ("p50_ms", "p99_ms"))
    spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
    failed = sum(each.failed for each in rounds)
    print(f"{what:<28} {statistics.median(rates):>10,.0f}  {spread:<19} {p50:>5.2f} ms {p99:>6.2f} ms {failed:>7}")


def compare_stops(stores: Stores) -> None:
    """Print what SIGTERM does to requests: under load, and while slow ones are handled."""
    for name in COMMANDS:
        for _ in range(STOPS):
            with _running(name, stores) as (part, address):
                _print_stop(f"{name}, under load", drain.under_load(part, address + ROUTES[0]))
    for name in COMMANDS:
        for _ in range(STOPS):
            with _running(name, stores) as (part, address), _slow_health(stores):
                _print_stop(f"{name}, slow requests", drain.with_slow_requests(part, address + ROUTES[0]))


@contextlib.contextmanager
def _slow_health(stores: Stores) -> Iterator[None]:
    """Make the health route use its full 1.5 s, by locking a table that it reads."""
    with contextlib.closing(psycopg2.connect(stores.database_url)) as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE migratehistory")
        yield


def _print_stop(what: str, stop: Stop) -> None:
    print(f"{what:<28} ended {stop.took_s:5.2f} s after SIGTERM; of 16 under way {stop.lost} lost", end="")
    print(f"; {stop.late} lost that were sent later" if stop.late else "", flush=True)


def main() -> None:
    """Compare the servers; takes about five minutes."""
    missing = [name for name in COMMANDS if importlib.util.find_spec(name) is None]
    if missing:
        raise SystemExit(f"Not installed: {', '.join(missing)}. Install them with: pip install {' '.join(missing)}")
    with started() as stores:
        print(f"{PROCESSES} processes of {THREADS} threads; asked by {load.NAME} over {load.CONNECTIONS} connections\n")
        compare_speed(stores)
        print()
        compare_stops(stores)


if __name__ == "__main__":
    main()
