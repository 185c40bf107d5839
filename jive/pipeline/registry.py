"""The registry of projects: add, remove, and rotate a webhook secret."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import redis

from jive import settings
from jive.db import connection, database
from jive.errors import InvalidValue, NotFound
from jive.hosts import HOSTS, name_of_host
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
        name: what people call it; the folder project's, or the last part of the URL, if not given.
        branch: the tracked branch; the remote's HEAD if not given.
        host: the Git host, a key of `HOSTS`; needed where the settings and the domain do not say it.
        secret: the webhook secret; the folder project's, or a new one, if not given.

    Raises:
        InvalidValue: the URL cannot be fetched, the host is not known, or the secret is empty.
        ProjectExists: a remote project, or the sample, has this repository.
    """
    parsed = parse(url)
    if secret is not None and not secret:
        raise InvalidValue("The secret is empty")
    values = {"repo_url": parsed.url, "source": ProjectSource.REMOTE, "host": _host_of(parsed, host), "branch": branch}
    given = {"name": name, "webhook_secret": secret}
    values |= {field: value for field, value in given.items() if value}
    with connection(), database.atomic():
        folder_project = (
            Project.update(values)
            .where(Project.has_url(parsed.url), Project.source == ProjectSource.FOLDER)
            .returning(Project)
            .execute()
        )
        return next(iter(folder_project), None) or Project.create(
            **{"name": _name_from(parsed), "webhook_secret": make_webhook_secret()} | values
        )


def _name_from(url: RepoUrl) -> str:
    return url.path.rstrip("/").rpartition("/")[2].removesuffix(".git")


def _host_of(url: RepoUrl, given: str | None) -> WebhookSource | None:
    """Return the kind of host that a repository lies at; None for one on this machine.

    Raises:
        InvalidValue: nothing says what kind of host it is.
    """
    name = given or name_of_host(url.host, settings.current().git_hosts)
    if name is None and url.scheme == "file":
        return None
    if name not in HOSTS:
        raise InvalidValue(
            f"What kind of Git host is {url.host}? Say --host {' or --host '.join(HOSTS)}, "
            f"or list it in JIVE_GIT_HOSTS as {url.host}=gitlab, for example"
        )
    return WebhookSource(HOSTS[name].source)


def request_scan(project: Project, enqueue: Enqueue) -> None:
    """Enqueue the first scan of a project; without Redis, its first push or the next sweep starts it."""
    try:
        enqueue(project)
    except redis.RedisError as exc:
        logger.warning("the first scan of %s waits for a push or a sweep: %s", project.name, exc)


def remove(project_id: uuid.UUID) -> None:
    """Delete a project with its artifacts, deliveries, events and audit log, and its mirror on this machine.

    Sweeps delete the mirrors on other machines. Does nothing if there is no such project.
    """
    with connection():
        Project.delete().where(Project.id == project_id).execute()
    mirrors.delete([project_id])


@dataclass(frozen=True)
class Rotation:
    """A webhook secret that is being rotated.

    Attributes:
        secret: the new secret.
        is_new: whether it was made now; if not, it is that of a rotation under way.
    """

    secret: str
    is_new: bool


def rotate_secret(project_id: uuid.UUID) -> Rotation:
    """Give a project a new webhook secret; the one before it is accepted too until `finish_rotation`.

    While a rotation is under way the new secret stays the same: the host may use either of the two, and neither is
    lost. A new secret that no key decrypts is replaced, for nobody can use it.

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
