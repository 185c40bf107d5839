"""Logging: one line per record, in UTC, on standard error."""

import re
import subprocess
import sys

LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING some\.module: it happened\n"


def log(code: str) -> tuple[str, str]:
    words = [sys.executable, "-c", f"import logging; from jive import log; {code}"]
    done = subprocess.run(words, env={"TZ": "Asia/Tokyo"}, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_a_record_is_one_line_on_standard_error_with_its_time_in_utc() -> None:
    code = "log.configure(); logging.getLogger('some.module').warning('it %s', 'happened')"
    output, errors = log(f"{code}; import time; print(time.strftime('%Y-%m-%dT%H:%M', time.gmtime()))")
    assert re.fullmatch(LINE, errors)
    assert errors.startswith(output.strip()[:13])


def test_the_last_of_two_configurations_counts_and_nothing_is_logged_twice() -> None:
    code = "log.configure('ERROR'); log.configure('INFO'); logging.info('once'); logging.debug('never')"
    assert log(code)[1].count("once") == 1
    assert "never" not in log(code)[1]


def test_libraries_log_no_sql_of_migrations_and_no_errors_that_the_worker_logs() -> None:
    records = "logging.getLogger('peewee_migrate').info('SQL'); logging.getLogger('huey.consumer').warning('x')"
    assert log(f"log.configure('DEBUG'); {records}")[1] == ""
