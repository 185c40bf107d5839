"""Logging: one line per record, on standard error."""

import logging
import sys
import time

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"


def configure(level: str = "INFO") -> None:
    """Log records of `level`, such as `INFO`, and above to standard error, with times in UTC.

    Safe to repeat; the last call counts.
    """
    formatter = logging.Formatter(FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("peewee_migrate").setLevel("WARNING")  # at INFO it logs the SQL of migrations
    logging.getLogger("huey").setLevel("ERROR")  # the worker logs what Huey would
