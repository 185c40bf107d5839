"""Encrypt the secrets in the database with the first key, so that older keys can be removed from the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from jive import settings
from jive.db import connection, database
from jive.errors import InvalidValue
from jive.models import MODELS
from jive.models.base import BaseModel
from jive.models.fields import EncryptedField


@dataclass(frozen=True)
class RotatedKeys:
    """What `rotate_keys` did.

    Attributes:
        rotated: how many secrets were re-encrypted.
        current: how many secrets were encrypted with the first key already.
        unreadable: the secrets that no key decrypts, each as `table.column of primary key`; they are unchanged.
    """

    rotated: int
    current: int
    unreadable: tuple[str, ...]


def rotate_keys(models: Sequence[type[BaseModel]] = MODELS) -> RotatedKeys:
    """Encrypt every `EncryptedField` of every model with the first of `secret_keys`.

    Safe to repeat, to interrupt, and to run while JIVE is running: a secret that changes meanwhile is left alone.

    Raises:
        DatabaseUnavailable: the secrets that were not re-encrypted are unchanged.
    """
    rotated = current = 0
    unreadable: list[str] = []
    first = Fernet(settings.current().secret_keys[0])
    fields = [(model, field) for model in models for field in model._meta.sorted_fields]
    with connection():
        for model, field in fields:
            if isinstance(field, EncryptedField):
                for *key, token in _keys_and_tokens(model, field):
                    if _is_encrypted_by(first, token):
                        current += 1
                    elif _encrypt_again(model, field, key, token):
                        rotated += 1
                    else:
                        row = ", ".join(map(str, key))
                        unreadable.append(f"{model._meta.table_name}.{field.column_name} of {row}")
    return RotatedKeys(rotated, current, tuple(unreadable))


def _keys_and_tokens(model: type[BaseModel], field: EncryptedField) -> list[tuple[Any, ...]]:
    """Return each row's primary key, which may have several columns, with its token at the end."""
    columns = ", ".join([*_key_columns(model), field.column_name])
    sql = f"SELECT {columns} FROM {model._meta.table_name} WHERE {field.column_name} IS NOT NULL ORDER BY {columns}"
    return list(database.execute_sql(sql).fetchall())


def _key_columns(model: type[BaseModel]) -> list[str]:
    fields: Any = model._meta.get_primary_keys()  # type: ignore[no-untyped-call]
    return [field.column_name for field in fields]


def _is_encrypted_by(cipher: Fernet, token: str) -> bool:
    try:
        cipher.decrypt(token)
    except InvalidToken:
        return False
    return True


def _encrypt_again(model: type[BaseModel], field: EncryptedField, key: Sequence[object], token: str) -> bool:
    """Return False if no key decrypts the token."""
    try:
        secret = field.python_value(token)
    except InvalidValue:
        return False
    column, is_row = field.column_name, " AND ".join(f"{name} = %s" for name in _key_columns(model))
    # The token is compared too: another process may have written a new secret since it was read.
    sql = f"UPDATE {model._meta.table_name} SET {column} = %s WHERE {is_row} AND {column} = %s"
    database.execute_sql(sql, [field.db_value(secret), *key, token])
    return True
