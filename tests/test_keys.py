"""Keys and webhook secrets: their forms, and a key file that is written once."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.fernet import Fernet

from jive import keys


def test_a_key_encrypts_and_is_never_made_twice() -> None:
    first, second = keys.make(), keys.make()
    assert first != second
    assert Fernet(first).decrypt(Fernet(first).encrypt(b"secret")) == b"secret"


def test_a_webhook_secret_has_the_form_of_gitlabs_signing_tokens() -> None:
    prefix, _, rest = keys.make_webhook_secret().partition("_")
    assert (prefix, len(base64.b64decode(rest, validate=True))) == ("whsec", 32)


def test_a_key_file_is_written_once_and_for_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    assert keys.make_file(file)
    first = file.read_text()
    assert not keys.make_file(file)
    assert file.read_text() == first
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_of_many_that_write_a_key_file_at_once_one_succeeds(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(keys.make_file, [tmp_path / "keys"] * 16))
    assert written.count(True) == 1
    Fernet((tmp_path / "keys").read_text().strip())
