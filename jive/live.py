"""Listen to a project: its events as they come."""

import json
import signal
import threading
from collections.abc import Callable

from jive.events import Event
from jive.models import Project
from jive.pubsub import subscribe_to_project


def watch(project: Project, emit: Callable[[str], None]) -> None:
    """Hand every event of `project` to `emit`, as a line of JSON, until SIGINT or SIGTERM.

    Raises:
        RedisUnavailable: Redis could not be reached at the start; later it may come and go.
    """
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())

    def hear(event: Event) -> None:
        emit(json.dumps(event.to_dict(), ensure_ascii=False))

    with subscribe_to_project(project.id, hear):
        stopping.wait()
