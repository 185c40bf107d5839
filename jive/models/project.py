"""A repository that JIVE watches."""

import uuid
from typing import Any

import peewee

from jive.clock import utcnow
from jive.db import BaseModel
from jive.errors import NotFound, ProjectExists
from jive.keys import make_webhook_secret
from jive.models.fields import EncryptedField, JsonbField, TimestampField

MAX_CONFIG_BYTES = 65_536


class Project(BaseModel):
    """A repository, known by its URL however that is written (`repo_key` in the schema).

    `branch` is the tracked one; None is the remote's HEAD. While a secret is rotated the previous one is good too.
    `head` is the commit that the artifacts stand for and `reading` the rules by which they were read; None makes the
    next scan read everything. A scan takes its number from `scans_begun`; `scan_applied` is the newest that counted,
    and `scan_error` says why the last one failed.
    `config` says where the documents lie, in the keys of the BMAD method: `prdFile`, `architectureFile`,
    `devStoryLocation`, `qaLocation`, `prdSharded`, `prdShardedLocation` and so on.
    """

    id = peewee.UUIDField(primary_key=True, default=uuid.uuid4, constraints=[peewee.Default("gen_random_uuid()")])
    name = peewee.TextField()
    repo_url = peewee.TextField(unique=True)
    branch = peewee.TextField(null=True)
    webhook_secret = EncryptedField()
    previous_webhook_secret = EncryptedField(null=True)
    config = JsonbField(
        MAX_CONFIG_BYTES,
        default=dict,
        constraints=[
            peewee.Default("'{}'"),
            peewee.Check(f"octet_length(config::text) <= {MAX_CONFIG_BYTES * 2}"),
        ],
    )
    created_at = TimestampField(default=utcnow, constraints=[peewee.Default("now()")])
    updated_at = TimestampField(default=utcnow, constraints=[peewee.Default("now()")])
    last_seen = TimestampField(default=utcnow, constraints=[peewee.Default("now()")])
    head = peewee.TextField(null=True)
    reading = peewee.TextField(null=True)
    scans_begun = peewee.BigIntegerField(default=0, constraints=[peewee.Default("0")])
    scan_applied = peewee.BigIntegerField(default=0, constraints=[peewee.Default("0")])
    last_event_id = peewee.BigIntegerField(default=0, constraints=[peewee.Default("0")])
    scan_error = peewee.TextField(null=True)

    artifacts: peewee.ModelSelect
    webhook_events: peewee.ModelSelect
    mcp_audit_logs: peewee.ModelSelect
    events: peewee.ModelSelect

    class Meta:
        table_name = "projects"
        indexes = (peewee.SQL("CREATE UNIQUE INDEX projects_repo_key ON projects (repo_key(repo_url))"),)

    def save(self, *args: Any, **options: Any) -> Any:
        """Write the row, as peewee does.

        Raises:
            ProjectExists: another project has this repository, however its URL is written.
        """
        try:
            return super().save(*args, **options)
        except peewee.IntegrityError as exc:
            if "projects_repo_" not in str(exc):
                raise
            raise ProjectExists(f"A project with the repository {self.repo_url} exists already") from exc

    @classmethod
    def find(cls, word: str) -> "Project":
        """Return the project whose id, repository URL or (unless two share it) name is `word`, without its secrets.

        Raises:
            NotFound: no project, or more than one, answers to it.
        """
        try:
            matches = cls.id == uuid.UUID(word)
        except ValueError:
            matches = cls.has_url(word) | (cls.name == word)
        found = list(cls.select(*PLAIN).where(matches).limit(2))
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFound(f"More than one project is called {word}; say its id or its repository URL")
        raise NotFound(f"There is no project {word}")

    @classmethod
    def has_url(cls, url: str) -> Any:
        """Return the condition that a project's repository is the one at `url`, however that is written."""
        return peewee.fn.repo_key(cls.repo_url) == peewee.fn.repo_key(url)

    def rotate_secret(self) -> str:
        """Give the project a new webhook secret and return it; the one it had stays good until `finish_rotation`."""
        secret = make_webhook_secret()
        query = Project.update(previous_webhook_secret=Project.webhook_secret, webhook_secret=secret)
        query.where(Project.id == self.id).execute()
        return secret

    def finish_rotation(self) -> None:
        """Refuse the secret that the project had before."""
        Project.update(previous_webhook_secret=None).where(Project.id == self.id).execute()


# A project without its secrets, which can be read where their key is lost.
PLAIN = tuple(field for field in Project._meta.sorted_fields if not isinstance(field, EncryptedField))
