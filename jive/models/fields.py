"""The column types that peewee lacks: enums, times in UTC, bounded JSON, and text that is encrypted at rest."""

import functools
import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import peewee
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from jive import settings
from jive.errors import InvalidValue


class EnumField(peewee.CharField):
    """A member of `enum` in Python, its value in a checked `varchar(32)` in Postgres."""

    def __init__(self, enum: type[StrEnum], column_name: str, **options: Any) -> None:
        self.enum = enum
        allowed = ", ".join(f"'{member}'" for member in enum)
        check = peewee.Check(f"{column_name} IN ({allowed})")
        constraints = [check, *options.pop("constraints", ())]
        super().__init__(max_length=32, column_name=column_name, constraints=constraints, **options)

    def db_value(self, value: Any) -> Any:
        """Return the member's value.

        Raises:
            InvalidValue: `value` is no member, nor the value of one.
        """
        if value is None:
            return None
        try:
            return self.enum(value).value
        except ValueError:
            raise InvalidValue(
                f"{value!r} is not a {self.enum.__name__}; it is one of {', '.join(self.enum)}"
            ) from None

    def python_value(self, value: Any) -> Any:
        return value if value is None else self.enum(value)


class TimestampField(peewee.DateTimeField):
    """An aware time; always UTC when read, whatever the session's time zone."""

    field_type = "TIMESTAMPTZ"

    def db_value(self, value: Any) -> Any:
        """Return the time as it is.

        Raises:
            InvalidValue: the time says nothing of its zone.
        """
        if isinstance(value, datetime) and value.tzinfo is None:
            raise InvalidValue(f"{self.name} needs a time with its zone; {value.isoformat()} has none")
        return value

    def python_value(self, value: Any) -> Any:
        return value.astimezone(UTC) if isinstance(value, datetime) else value


_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class JsonbField(peewee.JSONField):
    """A JSON document of at most `max_bytes` bytes as UTF-8 text."""

    def __init__(self, max_bytes: int, **options: Any) -> None:
        self.max_bytes = max_bytes
        super().__init__(**options)

    def db_value(self, value: Any) -> Any:
        """Return the value as JSON, which Postgres takes as it is.

        Raises:
            InvalidValue: it is larger than `max_bytes`, no JSON, or holds U+0000, which `jsonb` cannot.
        """
        if value is None or isinstance(value, peewee.Node):
            return value
        try:
            text = _dumps(value)
            size = len(text.encode())
        except (TypeError, ValueError) as exc:
            raise InvalidValue(f"{self.name} is not JSON: {exc}") from None
        if size > self.max_bytes:
            raise InvalidValue(f"{self.name} is {size:,} bytes of JSON; at most {self.max_bytes:,} are kept")
        if "\\u0000" in text:
            raise InvalidValue(f"{self.name} holds the character U+0000, which Postgres cannot keep")
        return text


@functools.lru_cache(maxsize=8)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


@functools.lru_cache(maxsize=256)
def _decrypted(keys: tuple[str, ...], token: str) -> str:
    return _cipher(keys).decrypt(token).decode()


class EncryptedField(peewee.TextField):
    """Text in Python, a Fernet token in Postgres.

    The first of `secret_keys` encrypts, each of them decrypts. To rotate: put the new key first, save these
    fields of every row again, then drop the old key.
    """

    def db_value(self, value: Any) -> Any:
        return value if value is None else _cipher(settings.current().secret_keys).encrypt(value.encode()).decode()

    def python_value(self, value: Any) -> Any:
        """Return the text.

        Raises:
            InvalidValue: none of the keys made this token.
        """
        if value is None:
            return None
        try:
            return _decrypted(settings.current().secret_keys, value)
        except (InvalidToken, ValueError):
            raise InvalidValue(
                f"{self.name} cannot be decrypted: the key that encrypted it is not in JIVE_SECRET_KEYS"
            ) from None
