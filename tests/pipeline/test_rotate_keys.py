"""Rotating keys: afterwards the first key alone decrypts every secret that any key could."""

from collections.abc import Iterator

import peewee
import pytest
from cryptography.fernet import Fernet

from jive import keys, settings
from jive.db import database
from jive.models import MODELS, Project
from jive.models.base import BaseModel
from jive.models.fields import EncryptedField
from jive.pipeline.rotate_keys import RotatedKeys, rotate_keys
from tests.conftest import using
from tests.factories import make_project

pytestmark = pytest.mark.usefixtures("db")


class Token(BaseModel):
    """A model that JIVE does not have, with an encrypted field and a key of two columns."""

    owner = peewee.TextField()
    number = peewee.IntegerField()
    secret = EncryptedField(null=True)

    class Meta:
        table_name = "tokens_of_a_test"
        primary_key = peewee.CompositeKey("owner", "number")


@pytest.fixture
def new_key() -> Iterator[str]:
    """Run the test with a new key in front of the old one, under which the test's rows are made before."""
    make_project(webhook_secret="one", previous_webhook_secret="before")
    make_project(webhook_secret="two")
    new, old = keys.make(), settings.current().secret_keys[0]
    with using(JIVE_SECRET_KEYS=f"{new},{old}"):
        database.connect(reuse_if_open=True)
        yield new
        database.close()
    database.connect(reuse_if_open=True)


def tokens() -> list[str]:
    sql = "SELECT unnest(ARRAY[webhook_secret, previous_webhook_secret]) AS token FROM projects ORDER BY id"
    return [token for (token,) in database.execute_sql(sql) if token is not None]


def decrypted_by(key: str) -> list[str]:
    return sorted(Fernet(key).decrypt(token).decode() for token in tokens())


def test_the_first_key_decrypts_every_secret_afterwards(new_key: str) -> None:
    assert rotate_keys() == RotatedKeys(rotated=3, current=0, unreadable=())
    assert decrypted_by(new_key) == ["before", "one", "two"]


def test_repeating_changes_nothing(new_key: str) -> None:
    rotate_keys()
    before = tokens()
    assert rotate_keys() == RotatedKeys(rotated=0, current=3, unreadable=())
    assert tokens() == before


def test_an_interrupted_rotation_is_resumed(new_key: str) -> None:
    database.execute_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        "IF NEW.previous_webhook_secret IS DISTINCT FROM OLD.previous_webhook_secret THEN RAISE 'stop'; END IF; "
        "RETURN NEW; END$$;"
        "CREATE TRIGGER refuse BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    try:
        with pytest.raises(peewee.InternalError, match="stop"):
            rotate_keys()
    finally:
        database.execute_sql("DROP FUNCTION refuse CASCADE")
    assert rotate_keys() == RotatedKeys(rotated=1, current=2, unreadable=())
    assert decrypted_by(new_key) == ["before", "one", "two"]


def test_a_secret_whose_key_is_lost_is_reported_and_unchanged(new_key: str) -> None:
    lost = make_project()
    token = Fernet(keys.make()).encrypt(b"lost").decode()
    database.execute_sql("UPDATE projects SET webhook_secret = %s WHERE id = %s", (token, str(lost.id)))
    assert rotate_keys() == RotatedKeys(rotated=3, current=0, unreadable=(f"projects.webhook_secret of {lost.id}",))
    assert token in tokens()


def test_a_secret_that_changes_meanwhile_is_left_alone(new_key: str) -> None:
    first, last = [row.id for row in Project.select(Project.id).order_by(Project.id)]
    database.execute_sql(
        f"CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
        f"UPDATE projects SET webhook_secret = 'changed' WHERE id = '{last}'; RETURN NULL; END$$;"
        f"CREATE TRIGGER change AFTER UPDATE OF webhook_secret ON projects FOR EACH ROW "
        f"WHEN (NEW.id = '{first}') EXECUTE FUNCTION change()"
    )
    try:
        rotate_keys()
    finally:
        database.execute_sql("DROP FUNCTION change CASCADE")
    [(token,)] = database.execute_sql("SELECT webhook_secret FROM projects WHERE id = %s", (str(last),)).fetchall()
    assert token == "changed"


def test_the_encrypted_fields_of_later_models_are_covered(new_key: str) -> None:
    database.execute_sql("CREATE TABLE tokens_of_a_test (owner text, number int, secret text)")
    try:
        with using(JIVE_SECRET_KEYS=settings.current().secret_keys[1]):
            database.connect(reuse_if_open=True)
            for number, secret in enumerate(("x", "y", None)):
                Token.create(owner="me", number=number, secret=secret)
        database.connect(reuse_if_open=True)
        database.execute_sql("UPDATE tokens_of_a_test SET secret = 'nothing' WHERE number = 0")
        result = rotate_keys([*MODELS, Token])
        assert (result.rotated, result.unreadable) == (4, ("tokens_of_a_test.secret of me, 0",))
        [(token,)] = database.execute_sql("SELECT secret FROM tokens_of_a_test WHERE number = 1").fetchall()
        assert Fernet(new_key).decrypt(token) == b"y"
    finally:
        database.execute_sql("DROP TABLE tokens_of_a_test")
