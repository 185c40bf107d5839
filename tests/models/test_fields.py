"""Secrets at rest: what Postgres holds is no secret, and keys can be changed."""

from collections.abc import Iterator

import pytest

from jive import keys, settings
from jive.db import database
from jive.errors import InvalidValue
from jive.models import Project
from tests.factories import make_project

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def use_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    def use(*names: str) -> None:
        monkeypatch.setenv("JIVE_SECRET_KEYS", ",".join(names))
        settings.current.cache_clear()

    yield use
    settings.current.cache_clear()


def stored_secret(project: Project) -> str:
    sql = "SELECT webhook_secret FROM projects WHERE id = %s"
    return str(database.execute_sql(sql, (str(project.id),)).fetchone()[0])


def test_a_secret_is_not_stored_as_it_is() -> None:
    project = make_project(webhook_secret="hush")
    assert "hush" not in stored_secret(project)
    assert Project.get_by_id(project.id).webhook_secret == "hush"


def test_the_first_key_encrypts_and_every_key_decrypts(use_keys) -> None:  # type: ignore[no-untyped-def]
    old, new = keys.make(), keys.make()
    use_keys(old)
    project = make_project(webhook_secret="hush")
    use_keys(new, old)
    read = Project.get_by_id(project.id)
    assert read.webhook_secret == "hush"
    read.save()
    use_keys(new)
    assert Project.get_by_id(project.id).webhook_secret == "hush"


def test_a_lost_key_is_a_clear_error(use_keys) -> None:  # type: ignore[no-untyped-def]
    use_keys(keys.make())
    project = make_project(webhook_secret="hush")
    use_keys(keys.make())
    with pytest.raises(InvalidValue, match="JIVE_SECRET_KEYS"):
        Project.get_by_id(project.id)
