"""Encrypt the secrets in the database with the first key, so that older keys can be dropped."""

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
        rotated: how many secrets were encrypted again.
        current: how many secrets the first key had encrypted already.
        unreadable: the secrets that no key decrypts, as `table.column of row`; they are unchanged.
    """

    rotated: int
    current: int
    unreadable: tuple[str, ...]


def rotate_keys() -> RotatedKeys:
    """Encrypt every encrypted field of every model with the first of `secret_keys`.

    Safe to repeat, to interrupt, and to run while JIVE is running: a secret that changes meanwhile is left alone.

    Raises:
        DatabaseUnavailable: the secrets that were not encrypted again are unchanged.
    """
    rotated = current = 0
    unreadable: list[str] = []
    first = Fernet(settings.current().secret_keys[0])
    with connection():
        for model in MODELS:
            for field in model._meta.sorted_fields:
                if isinstance(field, EncryptedField):
                    for row_id, token in _tokens(model, field):
                        if _is_encrypted_by(first, token):
                            current += 1
                        elif _encrypt_again(model, field, row_id, token):
                            rotated += 1
                        else:
                            unreadable.append(f"{model._meta.table_name}.{field.column_name} of {row_id}")
    return RotatedKeys(rotated, current, tuple(unreadable))


def _key_of(model: type[BaseModel]) -> str:
    key: Any = model._meta.primary_key
    return str(key.column_name)


def _tokens(model: type[BaseModel], field: EncryptedField) -> list[tuple[object, str]]:
    table, key = model._meta.table_name, _key_of(model)
    column = field.column_name
    rows = database.execute_sql(f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY {key}")
    return list(rows.fetchall())


def _is_encrypted_by(cipher: Fernet, token: str) -> bool:
    try:
        cipher.decrypt(token)
    except InvalidToken:
        return False
    return True


def _encrypt_again(model: type[BaseModel], field: EncryptedField, row_id: object, token: str) -> bool:
    """Return False if no key decrypts the token."""
    try:
        secret = field.python_value(token)
    except InvalidValue:
        return False
    table, key, column = model._meta.table_name, _key_of(model), field.column_name
    values = (field.db_value(secret), row_id, token)
    database.execute_sql(f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s", values)
    return True
