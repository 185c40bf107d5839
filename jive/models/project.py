"""A repository that JIVE watches."""

import uuid
from typing import Any

import peewee

from jive.clock import utcnow
from jive.db import BaseModel
from jive.errors import NotFound, ProjectExists
from jive.models.fields import EncryptedField, JsonbField, TimestampField

MAX_CONFIG_BYTES = 65_536


class Project(BaseModel):
    """A repository, known by its URL.

    `config` says where the documents lie, in the keys of the BMAD method: `prdFile`, `architectureFile`,
    `devStoryLocation`, `qaLocation`, `prdSharded`, `prdShardedLocation` and so on.
    """

    id = peewee.UUIDField(primary_key=True, default=uuid.uuid4, constraints=[peewee.Default("gen_random_uuid()")])
    name = peewee.TextField()
    repo_url = peewee.TextField(unique=True)
    webhook_secret = EncryptedField()
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

    artifacts: peewee.ModelSelect
    webhook_events: peewee.ModelSelect
    mcp_audit_logs: peewee.ModelSelect

    class Meta:
        table_name = "projects"

    def save(self, *args: Any, **options: Any) -> Any:
        """Write the row, as peewee does.

        Raises:
            ProjectExists: another project has this `repo_url`.
        """
        try:
            return super().save(*args, **options)
        except peewee.IntegrityError as exc:
            if "projects_repo_url" not in str(exc):
                raise
            raise ProjectExists(f"A project with the repository {self.repo_url} exists already") from exc

    @classmethod
    def find(cls, name: str) -> "Project":
        """Return the project whose id, repository URL or (unless two share it) name is `name`.

        Raises:
            NotFound: no project, or more than one, answers to it.
        """
        try:
            matches = cls.id == uuid.UUID(name)
        except ValueError:
            matches = (cls.repo_url == name) | (cls.name == name)
        found = list(cls.select().where(matches).limit(2))
        if len(found) == 1:
            return found[0]
        if found:
            raise NotFound(f"More than one project is called {name}; say its id or its repository URL")
        raise NotFound(f"There is no project {name}")
