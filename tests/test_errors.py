"""Errors: the class decides what a client learns, and every default message is a sentence."""

import pytest

from jive import errors
from jive.errors import JiveError


def every_class(root: type[JiveError] = JiveError) -> list[type[JiveError]]:
    return [root, *(found for each in root.__subclasses__() for found in every_class(each))]


def test_each_error_has_a_code_of_its_own() -> None:
    codes = [each.code for each in every_class() if "code" in vars(each)]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", every_class())
def test_an_error_has_an_http_status_and_only_an_unavailable_one_is_worth_a_retry(error: type[JiveError]) -> None:
    assert 400 <= error.status < 600
    assert not (error.retryable and 400 <= error.status < 500)


def test_the_default_message_is_the_first_line_of_the_docstring() -> None:
    assert str(errors.NotFound()) == "It does not exist."
    assert str(errors.DatabaseUnavailable()) == "Postgres cannot be reached."
    assert str(errors.InvalidValue("no colour", field="colour")) == "no colour"
    assert errors.InvalidValue("no colour", field="colour").details == {"field": "colour"}


def test_a_settings_error_lists_each_problem_on_a_line() -> None:
    error = errors.SettingsError(["PORT: is not a number", "REDIS_URL: is not set"])
    assert str(error).splitlines()[1:] == ["  PORT: is not a number", "  REDIS_URL: is not set"]
    assert error.problems == ("PORT: is not a number", "REDIS_URL: is not set")
