"""The settings of a process: read once from the environment and `.env`, checked as a whole, then frozen.

`SETTINGS` is the one table of them; `make settings` generates `.env.example` and `docs/settings.md` from it.
"""

import base64
import binascii
import fcntl
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

import environs
from dotenv import dotenv_values

from jive.errors import NotRunning, SettingsError
from jive.hosts import DOMAINS, HOSTS, name_of_host

UP_FOLDER = Path(".jive")  # where `jive up` keeps its data, in the folder where it was started
ENV_FILES = (Path(".env"), UP_FOLDER / "env")  # the second is written by a running `jive up`
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a process; `SETTINGS` says what each means.

    Secrets stay out of `repr`; `database_place` and `redis_place` name the stores without them.
    """

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_keys: tuple[str, ...] = field(repr=False)
    port: int
    public_url: str
    log_level: str
    web_processes: int
    web_threads: int
    database_pool_size: int
    database_timeout_s: int
    redis_timeout_s: float
    data_dir: Path
    git_hosts: Mapping[str, str | None]
    git_allow_private: bool
    git_allow_local: bool
    git_tokens: Mapping[str, str] = field(repr=False)
    git_timeout_s: float
    max_repository_mb: int
    max_repository_files: int
    worker_threads: int
    heartbeat_s: float
    retry_delay_s: float
    sweep_interval_s: float
    rescan_interval_s: float
    event_days: int

    @property
    def database_place(self) -> str:
        """The database's URL without its password, for people."""
        return without_password(self.database_url)

    @property
    def redis_place(self) -> str:
        """Redis's URL without its password, for people."""
        return without_password(self.redis_url)


def without_password(url: str) -> str:
    """Return `url` with only its scheme, host, port and path: no user, password or query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


# The checks. Their messages never repeat the value: a mistyped URL still holds its password.


def _split(value: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        port_is_good = False
    if not port_is_good:
        raise environs.ValidationError(f"its port is not a number from 1 to 65535; it should look like {example}")
    if parts.scheme not in schemes:
        raise environs.ValidationError(f"must start with {' or '.join(s + '://' for s in schemes)}, like {example}")
    return parts


def _postgres_url(value: str) -> None:
    example = "postgresql://user:password@localhost:5432/jive"
    parts = _split(value, ("postgresql", "postgres"), example)
    if not parts.path.strip("/"):
        raise environs.ValidationError(f"names no database; it should look like {example}")
    if not parts.hostname and "host" not in dict(parse_qsl(parts.query)):
        raise environs.ValidationError(f"names no host; it should look like {example}")


def _redis_url(value: str) -> None:
    example = "redis://localhost:6379/0"
    parts = _split(value, ("redis", "rediss", "unix"), example)
    if parts.scheme != "unix" and not parts.hostname:
        raise environs.ValidationError(f"names no host; it should look like {example}")


def _fernet_keys(values: list[str]) -> None:
    for number, value in enumerate(values, start=1):
        try:
            size = len(base64.urlsafe_b64decode(value.encode()))
        except (ValueError, binascii.Error):
            size = 0
        if size != 32:
            raise environs.ValidationError(f"key {number} is not a key; `jive keygen` prints one")


def _git_hosts(values: list[str]) -> None:
    for value in values:
        domain, _, name = value.partition("=")
        if not domain or (name and name.lower() not in HOSTS):
            raise environs.ValidationError(
                f"must list domains, each with the kind of its Git host where the domain does not say it, like "
                f"git.example.com=gitlab; the kinds are {', '.join(HOSTS)}"
            )


def _between(low: float, high: float) -> Callable[[float], None]:
    def check(value: float) -> None:
        if not low <= value <= high:
            raise environs.ValidationError(f"must be from {low} to {high}")

    return check


def _log_level(value: str) -> None:
    if value not in LOG_LEVELS:
        raise environs.ValidationError(f"must be one of {', '.join(LOG_LEVELS)}")


@dataclass(frozen=True)
class Setting:
    """A setting: an environment variable, and the field of `Settings` that holds its value.

    Attributes:
        type: how environs parses it.
        default: None where the setting is required.
        help: what the setting means, in Markdown; it becomes the text in `.env.example` and `docs/settings.md`.
        check: raises `environs.ValidationError` for a value that is not allowed.
    """

    name: str
    field: str
    type: Literal["str", "int", "float", "bool", "list", "dict", "path"]
    default: Any
    help: str
    check: Callable[[Any], None] | None = None


SETTINGS = (
    Setting(
        "DATABASE_URL",
        "database_url",
        "str",
        None,
        "Postgres 14 or newer, `postgresql://` or `postgres://`; add `?sslmode=require` for TLS.",
        _postgres_url,
    ),
    Setting("REDIS_URL", "redis_url", "str", None, "Redis 7 or newer; `rediss://` is TLS.", _redis_url),
    Setting(
        "JIVE_SECRET_KEYS",
        "secret_keys",
        "list",
        None,
        "Keys that encrypt the secrets in the database, separated by commas: the first encrypts, all decrypt. "
        "`jive keygen` prints one. Without its key a secret is lost.",
        _fernet_keys,
    ),
    Setting("PORT", "port", "int", 3000, "The port of the web server, on IPv4 and IPv6.", _between(1, 65535)),
    Setting(
        "JIVE_PUBLIC_URL",
        "public_url",
        "str",
        "",
        "The URL at which Git hosts reach JIVE, such as https://jive.example.com. It is printed in webhook addresses. "
        "Unset: http://localhost:PORT.",
    ),
    Setting("JIVE_LOG_LEVEL", "log_level", "str", "INFO", "DEBUG, INFO, WARNING or ERROR.", _log_level),
    Setting("JIVE_WEB_PROCESSES", "web_processes", "int", 2, "Processes of the web server.", _between(1, 64)),
    Setting("JIVE_WEB_THREADS", "web_threads", "int", 8, "Threads in each of these processes.", _between(1, 256)),
    Setting(
        "JIVE_WORKER_THREADS",
        "worker_threads",
        "int",
        4,
        "Scans that one worker runs at the same time.",
        _between(1, 64),
    ),
    Setting(
        "JIVE_DATABASE_POOL_SIZE",
        "database_pool_size",
        "int",
        12,
        "The most connections to Postgres that one process holds. Make it more than the process has threads.",
        _between(2, 512),
    ),
    Setting(
        "JIVE_DATABASE_TIMEOUT_S",
        "database_timeout_s",
        "int",
        2,
        "Seconds to wait for a connection to Postgres, and to notice that one is lost. A delivery that cannot be "
        "stored is answered with 503 within twice this time.",
        _between(2, 60),
    ),
    Setting(
        "JIVE_REDIS_TIMEOUT_S",
        "redis_timeout_s",
        "float",
        2.0,
        "Seconds to wait for an answer from Redis.",
        _between(0.1, 60),
    ),
    Setting(
        "JIVE_DATA_DIR",
        "data_dir",
        "path",
        UP_FOLDER,
        "The folder where a worker keeps its mirrors of the repositories. It may be lost: mirrors are fetched again. "
        "Two installations must not share it: each deletes the mirrors of projects that it does not have.",
    ),
    Setting(
        "JIVE_GIT_HOSTS",
        "git_hosts",
        "list",
        [],
        "The domains that repositories are fetched from, over https or ssh, separated by commas. A server of your own "
        "needs its kind too: git.example.com=gitlab. Unset: github.com, gitlab.com, bitbucket.org.",
        _git_hosts,
    ),
    Setting(
        "JIVE_GIT_ALLOW_PRIVATE",
        "git_allow_private",
        "bool",
        False,
        "Whether the domains in `JIVE_GIT_HOSTS` may have private addresses.",
    ),
    Setting(
        "JIVE_GIT_ALLOW_LOCAL",
        "git_allow_local",
        "bool",
        False,
        "Whether repositories on this machine (file:// or a path) may be fetched; `jive up` allows it.",
    ),
    Setting(
        "JIVE_GIT_TOKENS",
        "git_tokens",
        "dict",
        {},
        "Access tokens for private repositories, one for each domain: github.com=TOKEN,gitlab.com=TOKEN.",
    ),
    Setting(
        "JIVE_GIT_TIMEOUT_S", "git_timeout_s", "float", 120.0, "Seconds that one fetch may take.", _between(1, 3600)
    ),
    Setting(
        "JIVE_MAX_REPOSITORY_MB",
        "max_repository_mb",
        "int",
        512,
        "Megabytes that one repository may take on disk.",
        _between(1, 65536),
    ),
    Setting(
        "JIVE_MAX_REPOSITORY_FILES",
        "max_repository_files",
        "int",
        200_000,
        "Files that one repository may have.",
        _between(1, 10**7),
    ),
    Setting(
        "JIVE_HEARTBEAT_S", "heartbeat_s", "float", 30.0, "Seconds between a worker's heartbeats.", _between(0.1, 3600)
    ),
    Setting(
        "JIVE_RETRY_DELAY_S",
        "retry_delay_s",
        "float",
        2.0,
        "Seconds before the second attempt at a scan; the third comes after twice as many.",
        _between(0.1, 3600),
    ),
    Setting(
        "JIVE_SWEEP_INTERVAL_S",
        "sweep_interval_s",
        "float",
        60.0,
        "Seconds between sweeps, which enqueue the scans and publish the events that were missed.",
        _between(0.1, 3600),
    ),
    Setting(
        "JIVE_RESCAN_INTERVAL_S",
        "rescan_interval_s",
        "float",
        3600.0,
        "Seconds after which a remote project is scanned although no delivery arrived.",
        _between(1, 10**6),
    ),
    Setting(
        "JIVE_EVENT_DAYS",
        "event_days",
        "int",
        30,
        "Days that events are kept for listeners that resume.",
        _between(1, 3650),
    ),
)


def load(env_files: Sequence[Path] = ENV_FILES) -> Settings:
    """Read the settings from the environment, then from `env_files`; the first value found counts.

    A variable that is set but empty counts as unset. `NAME_FILE` may give the path of a file that holds the value of
    `NAME`; in one place, `NAME` wins. None of `env_files` need exist.

    Raises:
        NotRunning: no required setting is set, here or by a running `jive up`.
        SettingsError: all problems, by name. Nothing was connected to.
    """
    env = _environment(env_files)
    values, problems = _read(env)
    try:
        env.seal()
    except environs.EnvValidationError as exc:
        found = cast("Mapping[str, list[str]]", exc.error_messages)
        required = [setting.name for setting in SETTINGS if setting.default is None]
        if [*found] == required and not problems and not any(_is_set(name) for name in required):
            raise NotRunning from None
        problems += [f"{name}: {_reworded(str(message))}" for name in found for message in found[name]]
    if problems:
        raise SettingsError(problems)
    return _completed(values)


def _environment(env_files: Sequence[Path]) -> environs.FileAwareEnv:
    """Put the values of `env_files` into the environment where it has none, and return a reader of it."""
    for setting in SETTINGS:
        for name in (setting.name, f"{setting.name}_FILE"):
            if os.environ.get(name) == "":
                del os.environ[name]
        if setting.name in os.environ:
            os.environ.pop(f"{setting.name}_FILE", None)  # of the two, environs would take the file
    for path in env_files:
        if path.parent == UP_FOLDER and not is_up():
            continue  # the stores that it names stopped with their `jive up`
        try:
            values = dotenv_values(path) if path.exists() else {}
        except (OSError, ValueError) as exc:
            raise SettingsError([f"{path}: cannot be read ({type(exc).__name__})"]) from None
        for name, value in values.items():
            # NAME wins over the NAME_FILE of a later file, and the other way round.
            other = name.removesuffix("_FILE") if name.endswith("_FILE") else f"{name}_FILE"
            if value and other not in os.environ:
                os.environ.setdefault(name, value)
    return environs.FileAwareEnv(eager=False, strip_whitespace=True)


def _read(env: environs.FileAwareEnv) -> tuple[dict[str, Any], list[str]]:
    """Return the values by field, and the problems that environs does not collect itself."""
    values: dict[str, Any] = {}
    problems = []
    for setting in SETTINGS:
        options: dict[str, Any] = {"validate": setting.check} if setting.check else {}
        options |= {} if setting.default is None else {"default": setting.default}
        options |= {"subcast": str.strip} if setting.type == "list" else {}
        options |= {"subcast_keys": str.lower} if setting.type == "dict" else {}
        try:
            values[setting.field] = getattr(env, setting.type)(setting.name, **options)
        except ValueError as exc:  # NAME_FILE names no readable file
            problems.append(f"{setting.name}: {exc}")
    return values, problems


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _reworded(message: str) -> str:
    """Return a message of environs in JIVE's words, and any other message unchanged."""
    return {
        "Environment variable not set.": "is not set; docs/settings.md says what it means",
        "Not a valid integer.": "is not a whole number",
        "Not a valid number.": "is not a number",
        "Not a valid boolean.": "is neither true nor false",
    }.get(message, message)


def _completed(values: dict[str, Any]) -> Settings:
    scheme, rest = values["database_url"].split("://", 1)
    hosts = dict(entry.lower().partition("=")[::2] for entry in values["git_hosts"]) or DOMAINS
    return Settings(
        **values
        | {
            "database_url": f"postgresql://{rest}" if scheme == "postgres" else values["database_url"],
            "public_url": values["public_url"].rstrip("/") or f"http://localhost:{values['port']}",
            "secret_keys": tuple(values["secret_keys"]),
            "git_hosts": {domain: name or name_of_host(domain, {}) for domain, name in hosts.items()},
        }
    )


def is_up(folder: Path = UP_FOLDER) -> bool:
    """Return whether a `jive up` that keeps its data in `folder` is running."""
    try:
        with (folder / "lock").open() as lock:
            # Shared, so that two commands that ask at the same time do not take each other for a `jive up`.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_set(name: str, env_files: Sequence[Path] = (Path(".env"),)) -> bool:
    """Return whether the variable `name`, or `name`_FILE, has a value in the environment or in a file."""
    _environment(env_files)
    return _is_set(name)


def port(env_files: Sequence[Path] = ENV_FILES) -> int:
    """Return the port, even if other settings are missing or wrong.

    Raises:
        SettingsError: it is not a port.
    """
    env = _environment(env_files)
    found = env.int("PORT", default=3000, validate=_between(1, 65535))
    if not found:
        raise SettingsError(["PORT: must be a whole number from 1 to 65535"])
    return int(found)


@functools.cache
def current() -> Settings:
    """Return this process's settings, loaded at the first call.

    Raises:
        NotRunning, SettingsError: as `load` does.
    """
    return load()
