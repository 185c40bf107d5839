"""A project: one repository, and what JIVE knows about it."""

import uuid
from typing import Any

import peewee

from jive.clock import utcnow
from jive.errors import ProjectExists
from jive.models.base import BaseModel
from jive.models.enums import ProjectSource, WebhookSource
from jive.models.fields import EncryptedField, EnumField, JsonbField, TimestampField

MAX_CONFIG_BYTES = 65_536


class Project(BaseModel):
    """A repository, identified by its normalized URL (the function `repo_key` in Postgres).

    Attributes:
        slug: a unique name for URLs; Postgres makes it from `name` where none is given.
        source: where the documents come from.
        host: the kind of Git host; None if unknown, as for a folder.
        branch: the tracked branch; None is the remote's HEAD.
        previous_webhook_secret: accepted too while a secret is rotated.
        config: where the repository keeps its documents, in the keys of the BMAD method (`prdFile`,
            `architectureFile`, `devStoryLocation`, `qaLocation`, `prdSharded`, `prdShardedLocation` and so on).
        head: the commit that the artifacts were read from; None where that is not known, as after a folder was read.
        rules_hash: identifies the rules that the artifacts were read by; None makes the next scan read every document.
        reading: the name of `rules_hash` in version 0.1.0, kept equal by a trigger until a later release drops it.
        scans_begun, scan_applied: how many scans have begun, and the number of the last one that was applied.
        scan_error: why the last scan failed; None if it did not.
        last_seen: when a scan was last applied, or, before the first one, when the project was added.
    """

    id = peewee.UUIDField(primary_key=True, default=uuid.uuid4, constraints=[peewee.Default("gen_random_uuid()")])
    name = peewee.TextField()
    slug = peewee.TextField(unique=True, constraints=[peewee.Check("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'")])
    repo_url = peewee.TextField(unique=True)
    source = EnumField(ProjectSource, "source", default=ProjectSource.REMOTE, constraints=[peewee.Default("'remote'")])
    host = EnumField(WebhookSource, "host", null=True)
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
    rules_hash = peewee.TextField(null=True)
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
        """Write the row, as `peewee.Model.save` does.

        Raises:
            ProjectExists: another project has this repository; nothing was written.
        """
        try:
            return super().save(*args, **options)
        except peewee.IntegrityError as exc:
            if "projects_repo_" not in str(exc):
                raise
            raise ProjectExists(f"A project with the repository {self.repo_url} exists already") from exc

    @classmethod
    def has_url(cls, url: str) -> Any:
        """Return a condition: the project's repository is the one at `url`, in any spelling."""
        return peewee.fn.repo_key(cls.repo_url) == peewee.fn.repo_key(url)


# All fields except the secrets: reading a secret raises if no key decrypts it.
PLAIN = tuple(field for field in Project._meta.sorted_fields if not isinstance(field, EncryptedField))
