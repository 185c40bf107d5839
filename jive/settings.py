"""The settings of a JIVE process: read once from the environment and `.env`, checked whole, then frozen."""

import base64
import binascii
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit

import environs
from dotenv import dotenv_values

from jive.errors import SettingsError

# The second is what a running `jive up` writes, so that commands in the same folder find its stores.
ENV_FILES = (Path(".env"), Path(".jive/env"))
GIT_HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a process needs to know before it starts; `.env.example` explains every variable.

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
    git_hosts: frozenset[str]
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


# Messages of these checks never repeat the value: a mistyped URL still holds its password.


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
            raise environs.ValidationError(f"key {number} is not one; `jive keygen` prints a good one")
    if not values:
        raise environs.ValidationError("holds no key; `jive keygen` prints one")


def _between(low: float, high: float) -> Callable[[float], None]:
    def check(value: float) -> None:
        if not low <= value <= high:
            raise environs.ValidationError(f"must be from {low} to {high}")

    return check


def _log_level(value: str) -> None:
    if value not in LOG_LEVELS:
        raise environs.ValidationError(f"must be one of {', '.join(LOG_LEVELS)}")


def _sentence(message: str) -> str:
    """Return the library's own messages in our words, and ours as they are."""
    return {
        "Environment variable not set.": "is not set; .env.example shows what it should be",
        "Not a valid integer.": "is not a whole number",
        "Not a valid number.": "is not a number",
    }.get(message, message)


def _reader(env_files: Sequence[Path]) -> environs.FileAwareEnv:
    env = environs.FileAwareEnv(eager=False, strip_whitespace=True)
    for path in env_files:
        try:
            values = dotenv_values(path) if path.exists() else {}
        except (OSError, ValueError) as exc:
            raise SettingsError([f"{path}: cannot be read ({type(exc).__name__})"]) from None
        for name, value in values.items():
            # NAME wins over the NAME_FILE of a file that comes later, and the other way round.
            other = name.removesuffix("_FILE") if name.endswith("_FILE") else f"{name}_FILE"
            if not os.environ.get(other):
                os.environ.setdefault(name, value or "")
    return env


def is_set(name: str, env_files: Sequence[Path] = (Path(".env"),)) -> bool:
    """Return whether the variable `name`, or `name`_FILE, has a value in the environment or in a file."""
    env = _reader(env_files)
    env.file_suffix = "\0"  # look at the name itself, not at the file that it names
    return any(env.str(variable, default="") for variable in (name, f"{name}_FILE"))


def port(env_files: Sequence[Path] = ENV_FILES) -> int:
    """Return the port alone, where the rest may not be set yet.

    Raises:
        SettingsError: it is no port.
    """
    env = _reader(env_files)
    found = env.int("PORT", default=3000, validate=_between(1, 65535))
    if not found:
        raise SettingsError(["PORT: must be a whole number from 1 to 65535"])
    return int(found)


def load(env_files: Sequence[Path] = ENV_FILES) -> Settings:
    """Read the settings; the environment wins over `env_files`, of which the first wins; none need exist.

    A variable may also be given as `NAME_FILE`, the path of a file that holds its value.

    Raises:
        SettingsError: every problem at once, by name, before anything connects.
    """
    env = _reader(env_files)
    problems: list[str] = []

    def read(parse: Callable[..., Any], name: str, **options: Any) -> Any:
        try:
            return parse(name, **options)
        except ValueError as exc:  # NAME_FILE names no readable file
            problems.append(f"{name}: {exc}")

    values = {
        "database_url": read(env.str, "DATABASE_URL", validate=_postgres_url),
        "redis_url": read(env.str, "REDIS_URL", validate=_redis_url),
        "secret_keys": read(env.list, "JIVE_SECRET_KEYS", subcast=str.strip, validate=_fernet_keys),
        "port": read(env.int, "PORT", default=3000, validate=_between(1, 65535)),
        "public_url": read(env.str, "JIVE_PUBLIC_URL", default=""),
        "log_level": read(env.str, "JIVE_LOG_LEVEL", default="INFO", validate=_log_level),
        "web_processes": read(env.int, "JIVE_WEB_PROCESSES", default=2, validate=_between(1, 64)),
        "web_threads": read(env.int, "JIVE_WEB_THREADS", default=8, validate=_between(1, 256)),
        "database_pool_size": read(env.int, "JIVE_DATABASE_POOL_SIZE", default=12, validate=_between(2, 512)),
        "database_timeout_s": read(env.int, "JIVE_DATABASE_TIMEOUT_S", default=2, validate=_between(2, 60)),
        "redis_timeout_s": read(env.float, "JIVE_REDIS_TIMEOUT_S", default=2.0, validate=_between(0.1, 60)),
        "data_dir": read(env.path, "JIVE_DATA_DIR", default=Path(".jive")),
        "git_hosts": read(env.list, "JIVE_GIT_HOSTS", subcast=str.strip, default=list(GIT_HOSTS)),
        "git_allow_private": read(env.bool, "JIVE_GIT_ALLOW_PRIVATE", default=False),
        "git_allow_local": read(env.bool, "JIVE_GIT_ALLOW_LOCAL", default=False),
        "git_tokens": read(env.dict, "JIVE_GIT_TOKENS", subcast_keys=str.lower, default={}),
        "git_timeout_s": read(env.float, "JIVE_GIT_TIMEOUT_S", default=120.0, validate=_between(1, 3600)),
        "max_repository_mb": read(env.int, "JIVE_MAX_REPOSITORY_MB", default=512, validate=_between(1, 65536)),
        "max_repository_files": read(
            env.int, "JIVE_MAX_REPOSITORY_FILES", default=200_000, validate=_between(1, 10**7)
        ),
        "worker_threads": read(env.int, "JIVE_WORKER_THREADS", default=4, validate=_between(1, 64)),
        "heartbeat_s": read(env.float, "JIVE_HEARTBEAT_S", default=30.0, validate=_between(0.1, 3600)),
        "retry_delay_s": read(env.float, "JIVE_RETRY_DELAY_S", default=2.0, validate=_between(0.1, 3600)),
        "sweep_interval_s": read(env.float, "JIVE_SWEEP_INTERVAL_S", default=60.0, validate=_between(0.1, 3600)),
        "rescan_interval_s": read(env.float, "JIVE_RESCAN_INTERVAL_S", default=3600.0, validate=_between(1, 10**6)),
        "event_days": read(env.int, "JIVE_EVENT_DAYS", default=30, validate=_between(1, 3650)),
    }
    try:
        env.seal()
    except environs.EnvValidationError as exc:
        found = cast("Mapping[str, list[str]]", exc.error_messages)
        problems += [f"{name}: {_sentence(str(message))}" for name in found for message in found[name]]
    if problems:
        raise SettingsError(problems)
    scheme, rest = values["database_url"].split("://", 1)
    values["database_url"] = f"postgresql://{rest}" if scheme == "postgres" else values["database_url"]
    values["public_url"] = values["public_url"].rstrip("/") or f"http://localhost:{values['port']}"
    values["secret_keys"] = tuple(values["secret_keys"])
    values["git_hosts"] = frozenset(host.lower() for host in values["git_hosts"])
    return Settings(**values)


@functools.cache
def current() -> Settings:
    """Return this process's settings, loaded at the first call.

    Raises:
        SettingsError: as `load`.
    """
    return load()
