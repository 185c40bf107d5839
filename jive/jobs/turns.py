"""Turns: one scan of a project at a time in this process, however many are requested."""

import threading
import time
import uuid
from collections.abc import Callable

SPACING_S = 0.5  # between the beginnings of two scans of a project


class Turns:
    """Runs a scan of a project at once, or, if one is running, once more after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested: dict[uuid.UUID, bool] = {}  # for each project being scanned: whether another scan is requested

    def run(self, project_id: uuid.UUID, scan: Callable[[], object]) -> None:
        """Call `scan`, and repeat it while another scan was requested meanwhile.

        If another thread is scanning the project, request another scan of it and return at once. An error of `scan`
        is raised, and the requests that came meanwhile are discarded.
        """
        with self._lock:
            if project_id in self._requested:
                self._requested[project_id] = True
                return
            self._requested[project_id] = False
        try:
            while True:
                began_at = time.monotonic()
                scan()
                with self._lock:
                    if not self._requested[project_id]:
                        del self._requested[project_id]
                        return
                    self._requested[project_id] = False
                # Pushes come in bursts, and one scan sees all of them.
                time.sleep(max(0.0, began_at + SPACING_S - time.monotonic()))
        except BaseException:
            with self._lock:
                del self._requested[project_id]
            raise


turns = Turns()
