"""`jive up`: everything that JIVE needs on this machine, from one command, until it is told to stop."""

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
from jive.web.server import free_address

HOME = settings.UP_FOLDER
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
    """Start what is missing, migrate, serve, and stay until SIGINT, SIGTERM or SIGHUP.

    Uses DATABASE_URL and REDIS_URL where they are set, else private servers that keep their data in `home`.
    Nothing that was started here is left behind, whatever ends this.

    Raises:
        ServerUnavailable: another `jive up` runs here, the port is taken, or a part did not start or ended.
    """
    started_at = time.monotonic()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    home.mkdir(mode=0o700, exist_ok=True)
    with _alone(home), contextlib.ExitStack() as parts:
        click.echo(f"JIVE {jive.__version__}\n")
        config, private = _prepare(home, parts)
        names = {part.name for part in private}
        _print_part(
            "Postgres",
            _postgres_version(),
            str(home / "postgres") if "Postgres" in names else config.database_place,
        )
        _print_part("Redis", server_version(), str(home / "redis") if "Redis" in names else config.redis_place)
        _migrate()
        web_and_worker = [_start_web(config, parts), _start_worker(config, parts)]
        kept = f"; the data stays in {home}/" if private else ""
        click.echo(NEXT.format(took=time.monotonic() - started_at, kept=kept, jive=own_command()))
        _stay([*private, *web_and_worker], stopping)
        click.echo("\nStopping.")


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as lock:
        for attempt in range(LOCK_ATTEMPTS):
            if _lock(lock):
                break
            time.sleep(0.1 * attempt)  # another command may only be asking whether a `jive up` runs
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


def _prepare(home: Path, parts: contextlib.ExitStack) -> tuple[settings.Settings, list[Part]]:
    """Start what no setting names, and return the settings with the parts that were started.

    What was found out is written to `home`/env, so that other commands in this folder find the stores too.
    """
    given = {name: settings.is_set(name) for name in ("DATABASE_URL", "REDIS_URL", "JIVE_SECRET_KEYS")}
    placeholders = {} if given["DATABASE_URL"] else {"DATABASE_URL": "postgresql://localhost/jive"}
    placeholders |= {} if given["REDIS_URL"] else {"REDIS_URL": "redis://localhost"}
    if not given["JIVE_SECRET_KEYS"]:
        keys.make_file(home / "secret.keys")
        os.environ["JIVE_SECRET_KEYS_FILE"] = str((home / "secret.keys").resolve())
    os.environ |= placeholders
    if not settings.is_set("JIVE_LOG_LEVEL"):
        os.environ["JIVE_LOG_LEVEL"] = "WARNING"  # what we print is enough for a person
    # The user who starts this may read the repositories on this machine.
    own = {"JIVE_DATA_DIR": str(home.resolve()), "JIVE_GIT_ALLOW_LOCAL": "true"}
    own = {name: value for name, value in own.items() if not settings.is_set(name)}
    os.environ |= own
    free_address(settings.load((Path(".env"),)).port)  # all other settings are checked before anything starts

    private: list[Part] = []

    def keep(part: Part) -> None:
        private.append(part)
        parts.callback(part.stop)

    if not given["DATABASE_URL"]:
        part, os.environ["DATABASE_URL"] = servers.start_postgres(home)
        keep(part)
    if not given["REDIS_URL"]:
        part, os.environ["REDIS_URL"] = servers.start_redis(home)
        keep(part)
    names = [name for name, is_given in given.items() if not is_given]
    names += own
    names += ["PORT"] if os.environ.get("PORT") else []
    names = ["JIVE_SECRET_KEYS_FILE" if name == "JIVE_SECRET_KEYS" else name for name in names]
    with open(home / "env", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.writelines(f"{name}={os.environ[name]}\n" for name in names)
    return settings.current(), private


def _print_part(what: str, version: str, place: str) -> None:
    click.echo(f"  {what:<11} {version:<10} {place}")


def _postgres_version() -> str:
    with connection() as db:
        return str(db.execute_sql("SHOW server_version").fetchone()[0]).split()[0]


def _migrate() -> None:
    done = apply(database)
    with connection():
        count = len(status(database).applied)
    click.echo(f"  {'Migrations':<11} {count:<10} {', '.join(done) + ' applied now' if done else 'nothing to do'}")


def _start_web(config: settings.Settings, parts: contextlib.ExitStack) -> Part:
    started_at = time.monotonic()
    web = _start("The web server", "web", parts)
    wait_until(lambda: is_healthy(config.port), web)
    _print_part("Web", "healthy", f"http://localhost:{config.port}   (in {time.monotonic() - started_at:.1f} s)")
    return web


def _start_worker(config: settings.Settings, parts: contextlib.ExitStack) -> Part:
    worker = _start("The worker", "worker", parts)
    wait_until(lambda: heartbeat.is_beating(worker.process.pid), worker)
    _print_part("Worker", "alive", f"{config.worker_threads} scans at a time")
    return worker


def _start(name: str, command: str, parts: contextlib.ExitStack) -> Part:
    part = start(name, [*launcher("TERM"), *JIVE, command], STOP)
    parts.callback(part.stop)
    return part


def is_healthy(port: int) -> bool:
    """Return whether a JIVE on this machine says that it can take deliveries."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=3) as answer:
            return bool(answer.status == 200 and "schema" in json.load(answer))
    except (OSError, ValueError):
        return False


def is_ready(port: int) -> bool:
    """Return whether a `jive up` of this folder is healthy and has written where its stores are."""
    return is_healthy(port) and (HOME / "env").exists()


def _stay(parts: list[Part], stopping: threading.Event) -> None:
    while not stopping.wait(0.2):
        for part in parts:
            if part.process.poll() is not None:
                raise ServerUnavailable(
                    f"{part.name} ended by itself (status {part.process.returncode}); everything was stopped."
                )
