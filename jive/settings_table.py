"""The one table of settings: `SETTINGS`. `make settings` writes `.env.example` and `docs/settings.md` from it."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

import environs

from jive.hosts import HOSTS

UP_FOLDER = Path(".jive")  # where `jive up` keeps its data, in the folder where it was started
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

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
    if re.search("%(?![0-9A-Fa-f]{2})", value):
        raise environs.ValidationError("has a % that begins no escape; write a % in a password as %25")
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
    if not values:  # an empty file
        raise environs.ValidationError("holds no key; `jive keygen` prints one")
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


def between(low: float, high: float) -> Callable[[float], None]:
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
    Setting("PORT", "port", "int", 3000, "The port of the web server, on IPv4 and IPv6.", between(1, 65535)),
    Setting(
        "JIVE_PUBLIC_URL",
        "public_url",
        "str",
        "",
        "The URL at which Git hosts reach JIVE, such as https://jive.example.com. It is printed in webhook addresses. "
        "Unset: http://localhost:PORT.",
    ),
    Setting("JIVE_LOG_LEVEL", "log_level", "str", "INFO", "DEBUG, INFO, WARNING or ERROR.", _log_level),
    Setting("JIVE_WEB_PROCESSES", "web_processes", "int", 2, "Processes of the web server.", between(1, 64)),
    Setting("JIVE_WEB_THREADS", "web_threads", "int", 8, "Threads in each of these processes.", between(1, 256)),
    Setting(
        "JIVE_WORKER_THREADS",
        "worker_threads",
        "int",
        4,
        "Scans that one worker runs at the same time.",
        between(1, 64),
    ),
    Setting(
        "JIVE_DATABASE_POOL_SIZE",
        "database_pool_size",
        "int",
        12,
        "The most connections to Postgres that one process holds. Make it more than the process has threads.",
        between(2, 512),
    ),
    Setting(
        "JIVE_DATABASE_TIMEOUT_S",
        "database_timeout_s",
        "int",
        2,
        "Seconds to wait for a connection to Postgres, and to notice that one is lost. A delivery that cannot be "
        "stored is answered with 503 within twice this time.",
        between(2, 60),
    ),
    Setting(
        "JIVE_REDIS_TIMEOUT_S",
        "redis_timeout_s",
        "float",
        2.0,
        "Seconds to wait for an answer from Redis.",
        between(0.1, 60),
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
        "JIVE_GIT_TIMEOUT_S", "git_timeout_s", "float", 120.0, "Seconds that one fetch may take.", between(1, 3600)
    ),
    Setting(
        "JIVE_MAX_REPOSITORY_MB",
        "max_repository_mb",
        "int",
        512,
        "Megabytes that one repository may take on disk.",
        between(1, 65536),
    ),
    Setting(
        "JIVE_MAX_REPOSITORY_FILES",
        "max_repository_files",
        "int",
        200_000,
        "Files that one repository may have.",
        between(1, 10**7),
    ),
    Setting(
        "JIVE_HEARTBEAT_S", "heartbeat_s", "float", 30.0, "Seconds between a worker's heartbeats.", between(0.1, 3600)
    ),
    Setting(
        "JIVE_RETRY_DELAY_S",
        "retry_delay_s",
        "float",
        2.0,
        "Seconds before the second attempt at a scan; the third comes after twice as many.",
        between(0.1, 3600),
    ),
    Setting(
        "JIVE_SWEEP_INTERVAL_S",
        "sweep_interval_s",
        "float",
        60.0,
        "Seconds between sweeps, which enqueue the scans and publish the events that were missed.",
        between(0.1, 3600),
    ),
    Setting(
        "JIVE_RESCAN_INTERVAL_S",
        "rescan_interval_s",
        "float",
        3600.0,
        "Seconds after which a remote project is scanned although no delivery arrived.",
        between(1, 10**6),
    ),
    Setting(
        "JIVE_EVENT_DAYS",
        "event_days",
        "int",
        30,
        "Days that events are kept for listeners that resume.",
        between(1, 3650),
    ),
)
