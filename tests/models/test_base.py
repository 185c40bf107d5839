"""The base of the models: every one is registered, and its table is the one that the migrations create."""

import pytest

from jive.models import MODELS, Project
from jive.models.base import BaseModel
from tests.factories import make_project

pytestmark = pytest.mark.usefixtures("db")


def test_every_model_is_registered() -> None:
    declared = {model for model in BaseModel.__subclasses__() if model.__module__.startswith("jive.")}
    assert set(MODELS) == declared


def test_a_row_that_was_read_is_not_changed_and_can_be_changed() -> None:
    made = make_project(name="Before")
    read = Project.get_by_id(made.id)
    assert read.dirty_fields == []
    read.name = "After"
    assert [field.name for field in read.dirty_fields] == ["name"]
    read.save(only=read.dirty_fields)
    assert Project.get_by_id(made.id).name == "After"


def test_a_row_that_is_read_in_part_has_no_defaults_for_the_rest() -> None:
    make_project()
    read = Project.select(Project.name).get()
    assert (read.config, read.webhook_secret) == (None, None)
