"""Wait for something that another thread or process does, with a deadline."""

import time
from collections.abc import Callable

DEADLINE_S = 30


def until(condition: Callable[[], object]) -> None:
    """Return once `condition()` is true; fail after `DEADLINE_S`."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not true within {DEADLINE_S} s"
        time.sleep(0.005)
