"""Drift: where the live schema differs from the one that the models describe."""

import re
import uuid
from collections.abc import Iterable

from jive.db import Database, connection
from jive.models.base import BaseModel
from jive.models.functions import FUNCTIONS

# One row for each part of a schema: its table, its kind and name, and its definition, without the name of the schema.
FACTS = """
WITH relation AS (
    SELECT oid, relname FROM pg_class
    WHERE relnamespace = %(schema)s::regnamespace AND relkind = 'r' AND relname = ANY(%(tables)s)
)
SELECT relname, 'column ' || attname, format_type(atttypid, atttypmod)
    || CASE WHEN attnotnull THEN ' not null' ELSE '' END
    || coalesce(' default ' || pg_get_expr(adbin, adrelid), '')
FROM relation JOIN pg_attribute ON attrelid = relation.oid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT relname, 'constraint ' || conname, pg_get_constraintdef(pg_constraint.oid)
FROM relation JOIN pg_constraint ON conrelid = relation.oid WHERE contype <> 'n'
UNION ALL
SELECT relname, 'index ' || indexrelid::regclass, replace(pg_get_indexdef(indexrelid), %(schema)s || '.', '')
FROM relation JOIN pg_index ON indrelid = relation.oid
UNION ALL
SELECT relname, 'trigger ' || tgname,
    pg_get_triggerdef(pg_trigger.oid, true) || regexp_replace(prosrc, '\\s+', ' ', 'g')
FROM relation JOIN pg_trigger ON tgrelid = relation.oid JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE NOT tgisinternal
UNION ALL
SELECT '', 'function ' || proname, provolatile::text || regexp_replace(prosrc, '\\s+', ' ', 'g')
FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace AND proname = ANY(%(functions)s)
"""


def _facts(db: Database, schema: str, tables: list[str]) -> dict[str, str]:
    db.execute_sql("SELECT set_config('search_path', %s, true)", (schema,))
    rows = db.execute_sql(FACTS, {"schema": schema, "tables": tables, "functions": [*FUNCTIONS]}).fetchall()
    return {
        f"{table}: {what}".removeprefix(": "): _without_casts(definition)
        if what.startswith("constraint ")
        else definition
        for table, what, definition in rows
    }


def _without_casts(definition: str) -> str:
    """Return the definition of a constraint without casts to text.

    `pg_dump` writes a CHECK as the server prints it, and the server that reads the dump prints other casts for the same
    CHECK: `ANY ((ARRAY['a'::character varying])::text[])` becomes `ANY (ARRAY[('a'::character varying)::text])`.
    """
    plain = re.sub(r"::(?:text|character varying)(?:\[\])?", "", definition)
    plain = re.sub(r"\(('[^']*')\)", r"\1", plain)
    return re.sub(r"\(\((ARRAY\[[^]]*\])\)\)", r"(\1)", plain)


def drift(db: Database, models: Iterable[type[BaseModel]]) -> list[str]:
    """Compare the live schema with the one that the models describe; return one line for each difference.

    Postgres creates the tables of the models in a scratch schema, in a transaction that is rolled back. So columns,
    constraints, indexes, triggers and functions are compared as the server understands them. Tables without a model
    are ignored.
    """
    models = list(models)
    tables = [model._meta.table_name for model in models]
    scratch = f"drift_{uuid.uuid4().hex}"
    with connection(), db.atomic() as transaction:
        live_schema = db.execute_sql("SELECT current_schema()").fetchone()[0]
        live = _facts(db, live_schema, tables)
        db.execute_sql(f"CREATE SCHEMA {scratch}")
        db.execute_sql("SELECT set_config('search_path', %s, true)", (scratch,))
        db.create_tables(models, safe=False)
        wanted = _facts(db, scratch, tables)
        transaction.rollback()
    return [
        f"{what}: the database has {live.get(what, 'none')}, the models say {wanted.get(what, 'none')}"
        for what in sorted(live.keys() | wanted.keys())
        if live.get(what) != wanted.get(what)
    ]
