"""Real stores for every test: those of TEST_DATABASE_URL and TEST_REDIS_URL, else servers from wheels."""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from jive import keys, redis_client, schema, settings
from jive.db import connection, database
from jive.models import MODELS
from jive.operate import servers

FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
)  # a test's data need not survive a power cut


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for private servers: its path is short enough for sockets, and it holds the data of a new Postgres."""
    with server_home() as folder:
        yield folder


@pytest.fixture
def redis_home() -> Iterator[Path]:
    """An empty folder for a private Redis, whose path is short enough for a socket."""
    with short_folder() as folder:
        yield folder


@contextmanager
def short_folder() -> Iterator[Path]:
    """Make an empty folder with a short path, and delete it after the block."""
    folder = Path(tempfile.mkdtemp(prefix="jive-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server_home(data_in: str = ".") -> Iterator[Path]:
    """Make a folder for private servers, with the data of a new Postgres in `data_in`; delete it after the block."""
    with short_folder() as folder:
        (folder / data_in).mkdir(mode=0o700, exist_ok=True)
        copy(template_data(), folder / data_in / "postgres")
        yield folder


@functools.cache
def template_data() -> Path:
    """Return a data folder that initdb made: that takes a second, and a copy of it next to nothing."""
    folder = Path(tempfile.mkdtemp(prefix="jive-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    servers.prepare_postgres(folder)
    return folder / "postgres"


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)  # with owners, which shutil does not keep


@pytest.fixture(scope="session", autouse=True)
def stores() -> Iterator[None]:
    """Point the settings of this process at stores for tests, with the schema migrated."""
    with ExitStack() as parts:
        folder = parts.enter_context(server_home())
        database_url, redis_url = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
        if database_url is not None and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
            refuse_other_names(database_url)
            database_url = database_url.replace("_test", f"_{worker}_test")  # each process of the suite has its own
        if database_url is None:
            part, database_url = servers.start_postgres(folder, "jive_test", FAST)
            parts.callback(part.stop)
        if redis_url is None:
            part, redis_url = servers.start_redis(folder)
            parts.callback(part.stop)
        recreate(database_url)
        for name in os.environ.keys() & {"PORT", "JIVE_SECRET_KEYS_FILE"}:
            del os.environ[name]
        os.environ |= {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "JIVE_SECRET_KEYS": keys.make()}
        os.environ["JIVE_WEB_PROCESSES"] = "1"  # a second one takes long to start, and tests nothing more
        os.chdir(folder)  # where no .env lies
        settings.current.cache_clear()
        schema.apply(database)
        yield
        database.close_all()
        redis_client.client().close()


def recreate(url: str) -> None:
    """Recreate the database of `url`, empty; refuse one whose name does not end in `_test`."""
    name = refuse_other_names(url)
    server = psycopg2.connect(url, dbname="postgres")
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    server.close()


@contextmanager
def using(**variables: str) -> Iterator[None]:
    """Change settings for the block, in this process and in those that it starts."""
    usual = {name: os.environ.get(name) for name in variables}

    def use(values: Mapping[str, str | None]) -> None:
        for name, value in values.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        settings.current.cache_clear()
        redis_client.client.cache_clear()
        database.close_all()
        database.configure(settings.current())

    try:
        use(variables)
        yield
    finally:
        use(usual)


@pytest.fixture
def db() -> Iterator[None]:
    """Hold a connection for the test, and empty the tables after it."""
    with connection() as held:
        yield
        tables = ", ".join(model._meta.table_name for model in MODELS)
        held.execute_sql(f"TRUNCATE {tables}")


def refuse_other_names(url: str) -> str:
    """Return the name of the database of `url`; end the test run if it does not end in `_test`."""
    name = urlsplit(url).path.strip("/")
    if not name.endswith("_test"):
        pytest.exit(f"TEST_DATABASE_URL names the database {name}; the tests only touch one that ends in _test.", 2)
    return name


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The URL of an empty database on the server of the tests."""
    with new_database("empty") as url:
        yield url


@contextmanager
def new_database(name: str) -> Iterator[str]:
    """Create an empty database beside the one of the tests, and drop it after the block."""
    given = settings.current().database_url
    parts = urlsplit(given)
    url = parts._replace(path=f"{parts.path}_{name}_test").geturl()
    if not parts.netloc:
        url = url.replace("postgresql:", "postgresql://", 1)
    recreate(url)
    try:
        yield url
    finally:
        server = psycopg2.connect(given)
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{urlsplit(url).path.strip("/")}" WITH (FORCE)')
        server.close()
