"""Column types that peewee lacks: enums, aware times, JSON of limited size, and encrypted text."""

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
    """A member of an enum; in Postgres, its value in a `varchar(32)` with a CHECK."""

    def __init__(self, enum: type[StrEnum], column_name: str, **options: Any) -> None:
        self.enum = enum
        allowed = ", ".join(f"'{member}'" for member in enum)
        check = peewee.Check(f"{column_name} IN ({allowed})")
        constraints = [check, *options.pop("constraints", ())]
        super().__init__(max_length=32, column_name=column_name, constraints=constraints, **options)

    def db_value(self, value: Any) -> Any:
        """Return the member's value.

        Raises:
            InvalidValue: `value` is neither a member nor the value of one.
        """
        if value is None:
            return None
        try:
            return self.enum(value).value
        except ValueError:
            raise InvalidValue(f"{value!r} is not a {self.enum.__name__}; allowed are {', '.join(self.enum)}") from None

    def python_value(self, value: Any) -> Any:
        return value if value is None else self.enum(value)


class TimestampField(peewee.DateTimeField):
    """An aware time; read in UTC, in any time zone of the session."""

    field_type = "TIMESTAMPTZ"

    def db_value(self, value: Any) -> Any:
        """Return the time unchanged.

        Raises:
            InvalidValue: the time has no time zone.
        """
        if isinstance(value, datetime) and value.tzinfo is None:
            raise InvalidValue(f"{self.name} must be a time with a time zone; {value.isoformat()} has none")
        return value

    def python_value(self, value: Any) -> Any:
        return value.astimezone(UTC) if isinstance(value, datetime) else value


_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class JsonbField(peewee.JSONField):
    """A JSON document of at most `max_bytes` bytes in UTF-8."""

    def __init__(self, max_bytes: int, **options: Any) -> None:
        self.max_bytes = max_bytes
        super().__init__(**options)

    def db_value(self, value: Any) -> Any:
        """Return the value as JSON text.

        Raises:
            InvalidValue: it is not JSON, is too large, or contains U+0000, which `jsonb` does not allow.
        """
        if value is None or isinstance(value, peewee.Node):
            return value
        try:
            text = _dumps(value)
            size = len(text.encode())
        except (TypeError, ValueError) as exc:
            raise InvalidValue(f"{self.name} is not JSON: {exc}") from None
        if size > self.max_bytes:
            raise InvalidValue(f"{self.name} is {size:,} bytes of JSON; at most {self.max_bytes:,} are allowed")
        if "\\u0000" in text:
            raise InvalidValue(f"{self.name} contains the character U+0000, which Postgres cannot store")
        return text


@functools.lru_cache(maxsize=8)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


@functools.lru_cache(maxsize=256)
def _decrypted(keys: tuple[str, ...], token: str) -> str:
    return _cipher(keys).decrypt(token).decode()


class EncryptedField(peewee.TextField):
    """Text in Python, a Fernet token in Postgres.

    The first key in `JIVE_SECRET_KEYS` encrypts; all of them decrypt. `jive rotate-keys` encrypts every
    token with the first key, so that the others can be removed.
    """

    def db_value(self, value: Any) -> Any:
        return value if value is None else _cipher(settings.current().secret_keys).encrypt(value.encode()).decode()

    def python_value(self, value: Any) -> Any:
        """Return the text.

        Raises:
            InvalidValue: no key in `secret_keys` decrypts it.
        """
        if value is None:
            return None
        try:
            return _decrypted(settings.current().secret_keys, value)
        except (InvalidToken, ValueError):
            raise InvalidValue(
                f"{self.name} cannot be decrypted: the key that encrypted it is not in JIVE_SECRET_KEYS"
            ) from None
