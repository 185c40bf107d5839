"""The settings of a process: read once from the environment and `.env`, checked as a whole, then frozen.

`settings_table.py` has them all in one table.
"""

import fcntl
import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import environs
from dotenv import dotenv_values

from jive.errors import NotRunning, SettingsError
from jive.hosts import DOMAINS, name_of_host
from jive.settings_table import SETTINGS, UP_FOLDER, between

ENV_FILES = (Path(".env"), UP_FOLDER / "env")  # the second is written by a running `jive up`


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
        for name in sorted(filter(values.get, values)):  # NAME comes before NAME_FILE, and wins in one file
            # NAME wins over the NAME_FILE of a later file, and the other way round.
            other = name.removesuffix("_FILE") if name.endswith("_FILE") else f"{name}_FILE"
            if other not in os.environ:
                os.environ.setdefault(name, values[name] or "")
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
        except ValueError as exc:
            if setting.type == "dict" and f"{setting.name}_FILE" not in str(exc):
                problems.append(f"{setting.name}: must list pairs such as github.com=TOKEN, separated by commas")
            else:  # NAME_FILE names no readable file
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
    found = env.int("PORT", default=3000, validate=between(1, 65535))
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
