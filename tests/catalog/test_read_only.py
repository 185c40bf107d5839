"""The read side writes nothing: every public function of the package runs in a READ ONLY transaction."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import peewee
import pytest

from jive import catalog
from jive.catalog import deliveries, projects
from jive.db import database
from tests.factories import make_artifact, make_delivery, make_project

pytestmark = pytest.mark.usefixtures("db")

# One call of each public function, by `module.function`.
CALLS: dict[str, Callable[[], object]] = {
    "deliveries.newest": lambda: deliveries.newest(None, failed=False, limit=10),
    "projects.find": lambda: projects.find("library"),
    "projects.summaries": projects.summaries,
}


def public_functions() -> set[str]:
    found = set()
    for info in pkgutil.iter_modules(catalog.__path__):
        module = importlib.import_module(f"jive.catalog.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found.add(f"{info.name}.{name}")
    return found


def test_every_public_function_is_called_here() -> None:
    assert public_functions() == CALLS.keys()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_it_runs_in_a_read_only_transaction(name: str) -> None:
    project = make_project(name="Library")
    make_artifact(project)
    make_delivery(project)
    with database.atomic():
        database.execute_sql("SET TRANSACTION READ ONLY")
        assert CALLS[name]()


def test_a_read_only_transaction_refuses_writes() -> None:
    with pytest.raises(peewee.InternalError, match="read-only"), database.atomic():
        database.execute_sql("SET TRANSACTION READ ONLY")
        make_project()
