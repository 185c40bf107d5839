"""The audit log: each call has a known actor type and result, and arguments only as a hash."""

import peewee
import pytest

from jive.db import database
from jive.errors import InvalidValue
from jive.models import MCPAuditLog
from jive.models.enums import MCPResult
from tests.factories import make_audit_log, make_project

pytestmark = pytest.mark.usefixtures("db")


def test_a_call_is_kept_as_it_was() -> None:
    log = make_audit_log(make_project(), actor_type="user", result="RATE_LIMITED", error_message="too many")
    kept = MCPAuditLog.get_by_id(log.id)
    assert (kept.actor_type, kept.result, kept.error_message) == ("user", MCPResult.RATE_LIMITED, "too many")
    assert kept.args_hash == "a" * 64


def test_a_result_that_is_not_in_its_enum_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"MAYBE.* is not a"):
        make_audit_log(make_project(), result="MAYBE")


@pytest.mark.parametrize("sql", ["result = 'MAYBE'", "actor_type = 'robot'", "args_hash = NULL"])
def test_postgres_refuses_a_call_without_a_known_actor_type_result_or_hash(sql: str) -> None:
    make_audit_log(make_project())
    with pytest.raises(peewee.IntegrityError):
        database.execute_sql(f"UPDATE mcp_audit_logs SET {sql}")
