"""The base class of the models."""

from typing import Any

import peewee

from jive.db import database
from jive.models.functions import FUNCTIONS, TRIGGERS


class BaseModel(peewee.Model):
    """A table in JIVE's database."""

    class Meta:
        database = database
        legacy_table_names = False  # indexes are named after their table

    def __init__(self, *args: Any, **values: Any) -> None:
        # A row that was read has only columns. Peewee would set them one by one, which takes longer.
        if values.pop("__no_default__", None) and values.keys() <= self._meta.fields.keys():
            self.__data__, self.__rel__ = values, {}
            self._dirty: set[str] = set()
        else:
            super().__init__(*args, **values)

    @classmethod
    def create_table(cls, safe: bool = True, **options: Any) -> None:
        """Create the table, its indexes and triggers, and the functions; the migrations must create the same."""
        for sql in FUNCTIONS.values():
            database.execute_sql(sql)
        super().create_table(safe, **options)
        table = cls._meta.table_name
        for name, definition in TRIGGERS.get(table, {}).items():
            database.execute_sql(f"CREATE OR REPLACE TRIGGER {name} {definition}")
