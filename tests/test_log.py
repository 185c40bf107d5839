"""Logging: one line per record, in UTC, and nothing of the libraries' own that repeats it."""

import logging
import re
from collections.abc import Iterator

import pytest

from jive import log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_a_record_is_one_line_with_its_time_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    record = logging.makeLogRecord({"name": "jive.test", "levelno": logging.INFO, "levelname": "INFO", "msg": "done"})
    record.created, record.msecs = 1_700_000_000.0, 250.0  # 2023-11-14T22:13:20Z
    logging.getLogger("jive.test").handle(record)
    assert capsys.readouterr().err == "2023-11-14T22:13:20.250Z INFO    jive.test: done\n"


def test_the_last_configuration_counts(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("DEBUG")
    log.configure("ERROR")
    logging.getLogger("jive.test").warning("not shown")
    logging.getLogger("jive.test").error("shown once")
    assert re.findall(r"shown.*", capsys.readouterr().err) == ["shown once"]


@pytest.mark.parametrize("name", ["peewee_migrate", "huey"])
def test_libraries_are_quiet_at_info(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("INFO")
    logging.getLogger(name).info("the text of a whole migration")
    assert capsys.readouterr().err == ""
