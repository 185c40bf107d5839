"""The configuration of `pw_migrate`: JIVE's database, and JIVE's router, which locks, in place of its own."""

from typing import Any

import click
import peewee_migrate.cli

from jive import settings
from jive.db import connection, database
from jive.errors import JiveError
from jive.schema import LockedRouter


class _CommandRouter(LockedRouter):
    def run(self, *args: Any, **options: Any) -> list[str]:
        try:
            with connection():
                return super().run(*args, **options)
        except JiveError as exc:
            raise click.ClickException(str(exc)) from exc


try:
    database.configure(settings.current())
except JiveError as exc:
    raise click.ClickException(str(exc)) from exc
peewee_migrate.cli.Router = _CommandRouter  # type: ignore[attr-defined]  # pw_migrate has no setting for it
DATABASE = database
