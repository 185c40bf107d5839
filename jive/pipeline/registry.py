"""Add and remove projects, and rotate their webhook secrets."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import redis

from jive import settings
from jive.db import connection, database
from jive.errors import InvalidValue, NotFound
from jive.hosts import DOMAINS, HOSTS, name_of_host
from jive.keys import make_webhook_secret
from jive.models import Project
from jive.models.enums import ProjectSource, WebhookSource
from jive.pipeline import mirrors
from jive.repositories.url import RepoUrl, parse

Enqueue = Callable[[Project], None]

logger = logging.getLogger(__name__)


def add(
    url: str,
    *,
    name: str | None = None,
    branch: str | None = None,
    host: str | None = None,
    secret: str | None = None,
) -> Project:
    """Add the remote project at `url`, or turn the folder project with this URL into a remote one.

    Args:
        name: the project's name; if not given, that of the folder project, or the last part of the URL.
        branch: the branch to track; if not given, the remote's HEAD.
        host: the kind of Git host, a key of `HOSTS`; required if neither the settings nor the domain say it.
        secret: the webhook secret; if not given, that of the folder project, or a new one.

    Raises:
        InvalidValue: the URL is not that of a repository, the kind of its Git host is unknown, or the secret is
            empty. Nothing was written.
        ProjectExists: the repository is that of a remote project or of the sample. Nothing was written.
    """
    parsed = _without_www(parse(url))
    if secret is not None and not secret:
        raise InvalidValue("The secret is empty")
    values = {"repo_url": parsed.url, "source": ProjectSource.REMOTE, "host": _host_of(parsed, host), "branch": branch}
    given = {"name": name, "webhook_secret": secret}
    values |= {field: value for field, value in given.items() if value}
    with connection(), database.atomic():
        folder_project = (
            Project.update(values | {"scans_begun": 0, "scan_applied": 0})  # its remote was never scanned
            .where(Project.has_url(parsed.url), Project.source == ProjectSource.FOLDER)
            .returning(Project)
            .execute()
        )
        return next(iter(folder_project), None) or Project.create(
            **{"name": _name_from(parsed), "webhook_secret": make_webhook_secret()} | values
        )


def _without_www(url: RepoUrl) -> RepoUrl:
    """Return the URL at the domain that the Git host itself uses in its deliveries."""
    domain = url.host.removeprefix("www.")
    return parse(url.url.replace(url.host, domain, 1)) if domain in DOMAINS else url


def _host_of(url: RepoUrl, given: str | None) -> WebhookSource | None:
    """Return the kind of Git host that has the repository; None if the repository is on this machine.

    Raises:
        InvalidValue: neither `given`, the settings nor the domain say it, or there is no such kind.
    """
    if given and given.lower() not in HOSTS:
        raise InvalidValue(f"There is no kind of Git host {given}; the kinds are {', '.join(HOSTS)}")
    host = WebhookSource(HOSTS[given.lower()].source) if given else known_host(url)
    if host is None and url.scheme != "file":
        raise InvalidValue(
            f"What kind of Git host is {url.host}? Repeat the command with --host {' or --host '.join(HOSTS)}"
        )
    return host


def known_host(url: RepoUrl) -> WebhookSource | None:
    """Return the kind of Git host that the settings or the domain say; None if neither does."""
    name = name_of_host(url.host, settings.current().git_hosts)
    return WebhookSource(HOSTS[name].source) if name else None


def _name_from(url: RepoUrl) -> str:
    return url.path.rstrip("/").rpartition("/")[2].removesuffix(".git")


def why_not_fetched(project: Project) -> str | None:
    """Return why the settings forbid fetches of a remote project, and which setting allows them; None if they do not.

    The settings are those of this process; a worker elsewhere may have others.
    """
    config, url = settings.current(), parse(project.repo_url)
    if url.scheme == "file":
        allowed = config.git_allow_local
        return None if allowed else "Repositories on this machine are not fetched. Set JIVE_GIT_ALLOW_LOCAL=true."
    host = url.host.strip("[]")
    if host in config.git_hosts:
        return None
    listed = [domain if domain in DOMAINS else f"{domain}={name or ''}" for domain, name in config.git_hosts.items()]
    kind = next((name for name, each in HOSTS.items() if each.source == project.host), "")
    hosts = ",".join(entry.rstrip("=") for entry in (*listed, f"{host}={kind}"))
    return f"JIVE does not fetch from {host} yet. Set JIVE_GIT_HOSTS={hosts} and restart JIVE."


def request_scan(project: Project, enqueue: Enqueue) -> None:
    """Enqueue the first scan of a project; if Redis cannot be reached, the next sweep enqueues it."""
    try:
        enqueue(project)
    except redis.RedisError as exc:
        logger.warning("the first scan of %s was left to the next sweep: %s", project.name, exc)


def remove(project_id: uuid.UUID) -> None:
    """Delete a project with its artifacts, deliveries, events and audit log, and its mirror on this machine.

    Sweeps delete its mirrors on other machines. Does nothing if there is no such project.
    """
    with connection():
        Project.delete().where(Project.id == project_id).execute()
    mirrors.delete([project_id])


@dataclass(frozen=True)
class Rotation:
    """A webhook secret that is being rotated.

    Attributes:
        secret: the new secret.
        is_new: whether it was made by this call; if not, an earlier call made it and the rotation is not finished.
    """

    secret: str
    is_new: bool


def rotate_secret(project_id: uuid.UUID) -> Rotation:
    """Give a project a new webhook secret; the old one is accepted too until `finish_rotation`.

    Safe to repeat: until the rotation is finished the Git host may use either secret, so a second call returns the
    same new secret. Only if no key decrypts that one, another one replaces it.

    Raises:
        NotFound: the project does not exist.
    """
    with connection(), database.atomic():
        row = Project.select(Project.previous_webhook_secret.is_null(False))
        is_rotating = row.where(Project.id == project_id).for_update().scalar()
        if is_rotating is None:
            raise NotFound(f"There is no project {project_id}")
        if is_rotating and (secret := _webhook_secret(project_id)):
            return Rotation(secret, is_new=False)
        secret = make_webhook_secret()
        previous = Project.previous_webhook_secret if is_rotating else Project.webhook_secret
        query = Project.update(previous_webhook_secret=previous, webhook_secret=secret)
        query.where(Project.id == project_id).execute()
        return Rotation(secret, is_new=True)


def _webhook_secret(project_id: uuid.UUID) -> str | None:
    """Return a project's webhook secret, or None if no key decrypts it."""
    try:
        return str(Project.select(Project.webhook_secret).where(Project.id == project_id).scalar())
    except InvalidValue:
        return None


def finish_rotation(project_id: uuid.UUID) -> None:
    """Accept only the new secret of a project from now on. Does nothing if no rotation is under way."""
    with connection():
        Project.update(previous_webhook_secret=None).where(Project.id == project_id).execute()
