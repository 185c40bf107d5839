"""One scan of a project at a time in this process, however many were asked for."""

import threading
import time
import uuid
from collections.abc import Callable

SPACING_S = 0.5  # between the beginnings of two scans of one project that is pushed to all the time


class Turns:
    """Runs a scan of a project at once, or, while one runs, once more after it: state, not steps."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._again: dict[uuid.UUID, bool] = {}  # the projects that are being scanned

    def run(self, project_id: uuid.UUID, scan: Callable[[], object]) -> None:
        """Call `scan` until nobody asked for another one meanwhile; return at once if it runs elsewhere.

        What `scan` raises is raised, and those who asked meanwhile must ask again.
        """
        with self._lock:
            if project_id in self._again:
                self._again[project_id] = True
                return
            self._again[project_id] = False
        try:
            while True:
                began_at = time.monotonic()
                scan()
                with self._lock:
                    if not self._again[project_id]:
                        del self._again[project_id]
                        return
                    self._again[project_id] = False
                # Pushes that come in a burst are many more to come: one scan sees them all.
                time.sleep(max(0.0, began_at + SPACING_S - time.monotonic()))
        except BaseException:
            with self._lock:
                del self._again[project_id]
            raise


turns = Turns()
