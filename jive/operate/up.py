"""`jive up`: run everything that JIVE needs on this machine, with one command."""

import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click

import jive
from jive import keys, settings
from jive.db import connection, database
from jive.errors import ServerUnavailable
from jive.jobs import heartbeat
from jive.operate import servers
from jive.processes import Part, launcher, own_command, start, wait_until
from jive.redis_client import server_version
from jive.schema import apply, status
from jive.settings_table import UP_FOLDER
from jive.web.server import free_address

HOME = UP_FOLDER
LOCK_ATTEMPTS = 3
JIVE = (sys.executable, "-m", "jive")
STOP = signal.SIGTERM
NEXT = """
Ready in {took:.1f} s. Ctrl-C stops everything{kept}.

Next, in another terminal and this folder:
  {jive} demo             see the whole path of a push
  {jive} scan FOLDER      read the documents of a checked-out repository
  {jive} project add URL  have a Git host notify JIVE of every push
"""


def run(home: Path = HOME) -> None:
    """Start what is missing, migrate, and serve until SIGINT, SIGTERM or SIGHUP.

    Uses DATABASE_URL and REDIS_URL where they are set, else private servers that keep their data in `home`. Every
    process that was started here is stopped, however this one ends.

    Raises:
        ServerUnavailable: another `jive up` runs here, the port is in use, or a part did not start or ended.
        SettingsError: nothing was started.
    """
    started_at = time.monotonic()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    home.mkdir(mode=0o700, exist_ok=True)
    with _alone(home), contextlib.ExitStack() as parts:
        click.echo(f"JIVE {jive.__version__}\n")
        (home / "env").unlink(missing_ok=True)  # what it names ended with an earlier `jive up`
        given = {name for name in ("DATABASE_URL", "REDIS_URL", "JIVE_SECRET_KEYS") if settings.is_set(name)}
        own = _complete_settings(home, given)
        stores = _start_stores(home, given, parts)
        _write_env(home, own)
        config = settings.current()
        _print_stores(home, given, config)
        _migrate()
        web = _start("The web server", "web", parts)
        _wait_for_web(web, config)  # first, for deliveries can be taken from then on
        worker = _start("The worker", "worker", parts)
        _wait_for_worker(worker, config)
        kept = f"; the data stays in {home}/" if stores else ""
        click.echo(NEXT.format(took=time.monotonic() - started_at, kept=kept, jive=own_command()))
        _stay([*stores, web, worker], stopping)
        click.echo("\nStopping.")


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as lock:
        for attempt in range(LOCK_ATTEMPTS):
            if _lock(lock):
                break
            time.sleep(0.1 * attempt)  # another command may hold it for a moment, to see whether a `jive up` runs
        else:
            raise ServerUnavailable(
                f"`jive up` is running in this folder already ({home.resolve()}). Stop it first, or use it."
            )
        yield


def _lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _complete_settings(home: Path, given: set[str]) -> list[str]:
    """Put what is missing into the environment, and return the names of what other commands need to know.

    All settings are checked, and the port is tried, before anything starts; the URLs of servers that are still to be
    started are placeholders until then.
    """
    own = {"JIVE_DATA_DIR": str(home.resolve()), "JIVE_GIT_ALLOW_LOCAL": "true"}  # it is this user's machine
    own = {name: value for name, value in own.items() if not settings.is_set(name)}
    if "JIVE_SECRET_KEYS" not in given:
        keys.make_file(home / "secret.keys")
        own["JIVE_SECRET_KEYS_FILE"] = str((home / "secret.keys").resolve())
    placeholders = {"DATABASE_URL": "postgresql://localhost/jive", "REDIS_URL": "redis://localhost"}
    own |= {name: url for name, url in placeholders.items() if name not in given}
    os.environ |= own
    if not settings.is_set("JIVE_LOG_LEVEL"):
        os.environ["JIVE_LOG_LEVEL"] = "WARNING"  # what is printed here says enough
    free_address(settings.load((Path(".env"),)).port)
    return [*own, *(["PORT"] if os.environ.get("PORT") else [])]


def _start_stores(home: Path, given: set[str], parts: contextlib.ExitStack) -> list[Part]:
    started = []
    for name, start_server in (("DATABASE_URL", servers.start_postgres), ("REDIS_URL", servers.start_redis)):
        if name not in given:
            part, os.environ[name] = start_server(home)
            parts.callback(part.stop)
            started.append(part)
    return started


def _write_env(home: Path, names: list[str]) -> None:
    """Write these variables to `home`/env, where other commands in this folder read them while this one runs."""
    with open(home / "env", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.writelines(f"{name}={os.environ[name]}\n" for name in names)


def _print_stores(home: Path, given: set[str], config: settings.Settings) -> None:
    postgres = config.database_place if "DATABASE_URL" in given else str(home / "postgres")
    _print_part("Postgres", _postgres_version(), postgres)
    _print_part("Redis", server_version(), config.redis_place if "REDIS_URL" in given else str(home / "redis"))


def _print_part(what: str, version: str, place: str) -> None:
    click.echo(f"  {what:<11} {version:<20} {place}")


def _postgres_version() -> str:
    with connection() as db:
        return str(db.execute_sql("SHOW server_version").fetchone()[0]).split()[0]


def _migrate() -> None:
    done = apply(database)
    with connection():
        count = len(status(database).applied)
    _print_part("Migrations", str(count), f"{', '.join(done)} applied now" if done else "nothing to do")


def _start(name: str, command: str, parts: contextlib.ExitStack) -> Part:
    part = start(name, [*launcher("TERM"), *JIVE, command], STOP)
    parts.callback(part.stop)
    return part


def _wait_for_web(web: Part, config: settings.Settings) -> None:
    started_at = time.monotonic()
    wait_until(lambda: is_healthy(config.port), web)
    _print_part("Web", "healthy", f"http://localhost:{config.port}   (in {time.monotonic() - started_at:.1f} s)")


def _wait_for_worker(worker: Part, config: settings.Settings) -> None:
    wait_until(lambda: heartbeat.is_beating(worker.process.pid), worker)
    _print_part("Worker", "alive", f"{config.worker_threads} scans at a time")


def is_healthy(port: int) -> bool:
    """Return whether a JIVE that can take deliveries answers at `port` of this machine."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=3) as answer:
            return bool(answer.status == 200 and "schema" in json.load(answer))
    except (OSError, ValueError):
        return False


def is_ready(port: int) -> bool:
    """Return whether a healthy JIVE answers at `port`, and this folder knows where its stores are."""
    return is_healthy(port) and (HOME / "env").exists()


def _stay(parts: list[Part], stopping: threading.Event) -> None:
    while not stopping.wait(0.2):
        for part in parts:
            if part.process.poll() is not None:
                raise ServerUnavailable(
                    f"{part.name} ended by itself (status {part.process.returncode}); everything was stopped."
                )
