"""Logging for every JIVE process: one line a fact on standard error, configured once at the entry."""

import logging
import sys
import time

FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s"


def configure(level: str = "INFO") -> None:
    """Send every record of `level` (a name that `logging` knows) and above to standard error, in UTC.

    Safe to repeat: the last call wins.
    """
    formatter = logging.Formatter(FORMAT, datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("peewee_migrate").setLevel("WARNING")  # at INFO it prints whole migrations
    logging.getLogger("huey").setLevel("ERROR")  # the worker says what it does in our own words
