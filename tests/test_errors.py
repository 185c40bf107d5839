"""The tree of errors: each class decides how its error is answered, and has a default message."""

import pytest

from jive import errors
from jive.errors import JiveError


def subclasses(of: type[JiveError]) -> list[type[JiveError]]:
    return [each for child in of.__subclasses__() for each in (child, *subclasses(child))]


SIMPLE = [
    each
    for each in subclasses(JiveError)
    if each.__module__ == errors.__name__ and each not in (errors.SettingsError, errors.NotRunning)
]


@pytest.mark.parametrize("error", SIMPLE)
def test_the_first_line_of_the_docstring_is_the_default_message(error: type[JiveError]) -> None:
    assert error.__doc__
    assert str(error()) == error.__doc__.partition("\n")[0]
    assert str(error("What happened")) == "What happened"


def test_no_two_errors_share_a_code_but_by_inheritance() -> None:
    declared = [each.code for each in subclasses(JiveError) if "code" in vars(each)]
    assert len(declared) == len(set(declared))


def test_a_store_that_cannot_be_reached_may_be_asked_again() -> None:
    for error in (errors.DatabaseUnavailable, errors.RedisUnavailable):
        assert (error.status, error.retryable) == (503, True)


def test_what_the_settings_refuse_is_not_retried() -> None:
    assert not errors.RepositoryRefused.retryable
    assert errors.ScanFailed.retryable
    assert issubclass(errors.RepositoryRefused, errors.ScanFailed)


def test_every_problem_of_the_settings_is_a_line() -> None:
    error = errors.SettingsError(["PORT: is not a whole number", "REDIS_URL: is not set"])
    assert str(error).splitlines()[1:] == ["  PORT: is not a whole number", "  REDIS_URL: is not set"]
