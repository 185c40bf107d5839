"""`jive keygen` and `jive rotate-keys`: what they print, and the status that they end with."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from jive import keys, settings
from jive.db import database
from tests.conftest import using
from tests.factories import make_project
from tests.flow.processes import run

pytestmark = pytest.mark.usefixtures("db")


def test_keygen_prints_a_key_that_the_settings_accept() -> None:
    key = run("keygen")[1].strip()
    with using(JIVE_SECRET_KEYS=key):
        assert settings.current().secret_keys == (key,)
    database.connect(reuse_if_open=True)


def test_keygen_writes_a_file_once(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    assert run("keygen", str(file))[0] == 0
    first = file.read_text()
    status, _, errors = run("keygen", str(file))
    assert (status, errors, file.read_text()) == (0, f"{file} exists already; it is unchanged.\n", first)


def test_rotating_keys_prints_what_it_did() -> None:
    make_project()
    both = f"{keys.make()},{settings.current().secret_keys[0]}"
    status, output, errors = run("rotate-keys", JIVE_SECRET_KEYS=both)
    assert (status, errors) == (0, "")
    assert output.startswith("1 re-encrypted, 0 had the first key already.\n")
    assert run("rotate-keys", JIVE_SECRET_KEYS=both)[1].startswith("0 re-encrypted, 1 had the first key already.\n")


def test_rotating_keys_reports_each_lost_secret_and_exits_with_1() -> None:
    made = [make_project() for _ in range(2)]
    token = Fernet(keys.make()).encrypt(b"lost").decode()
    database.execute_sql("UPDATE projects SET webhook_secret = %s", (token,))
    status, output, errors = run("rotate-keys")
    assert (status, "can be removed" in output) == (1, False)
    assert sorted(errors.splitlines()) == sorted(
        f"projects.webhook_secret of {each.id}: no key in JIVE_SECRET_KEYS decrypts it; it is unchanged."
        for each in made
    )
