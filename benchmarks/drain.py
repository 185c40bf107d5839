"""Stop a server with SIGTERM while it handles requests, and count the requests that are lost."""

import selectors
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.load import CONNECTIONS, Caller
from jive.processes import Part

LEAD_S = 1.0
POLL_S = 0.005


@dataclass(frozen=True)
class Stop:
    """What SIGTERM did.

    Attributes:
        took_s: seconds from SIGTERM to the end of the main process.
        lost: how many of the 16 requests sent before SIGTERM got no complete response.
        late: how many requests sent after SIGTERM, on an open connection, got no complete response.
    """

    took_s: float
    lost: int
    late: int


class Crowd:
    """Callers that send requests without a pause and, as clients do, reconnect when the server closes a connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._selector = selectors.DefaultSelector()
        self.unanswered: list[float] = []  # the send times of requests without a response
        for _ in range(CONNECTIONS):
            self._join()

    def step(self) -> bool:
        """Read the responses that arrived and send the next requests; return whether any caller is connected."""
        for ready, _ in self._selector.select(POLL_S):
            caller: Caller = ready.data
            try:
                if caller.hear() is None:
                    continue
            except OSError:
                self.unanswered.append(caller.asked_at)
                self._leave(caller)
                self._join()
                continue
            self._ask_again(caller)
        return bool(self._selector.get_map())

    def _ask_again(self, caller: Caller) -> None:
        try:
            if not caller.is_last:
                caller.ask()
                return
        except OSError:  # closed while idle: no request was sent, so none is lost
            pass
        self._leave(caller)
        self._join()

    def _join(self) -> None:
        try:
            caller = Caller(self._url)
            caller.ask()
        except OSError:  # the server no longer listens
            return
        self._selector.register(caller.socket, selectors.EVENT_READ, caller)

    def _leave(self, caller: Caller) -> None:
        self._selector.unregister(caller.socket)
        caller.socket.close()


def under_load(part: Part, url: str) -> Stop:
    """Stop a server while 16 connections keep it busy."""
    crowd = Crowd(url)
    busy_until = time.perf_counter() + LEAD_S
    while time.perf_counter() < busy_until:
        crowd.step()
    stopped_at = time.perf_counter()
    part.process.send_signal(part.stop_signal)
    took_s = 0.0
    while crowd.step() or not took_s:
        if not took_s and part.process.poll() is not None:
            took_s = time.perf_counter() - stopped_at
    when = Counter(sent_at <= stopped_at for sent_at in crowd.unanswered)
    return Stop(took_s, lost=when[True], late=when[False])


def with_slow_requests(part: Part, url: str, lead_s: float = 0.3) -> Stop:
    """Stop a server while it handles 16 requests that each take longer than `lead_s`."""
    callers = [Caller(url) for _ in range(CONNECTIONS)]
    for caller in callers:
        caller.ask()
    time.sleep(lead_s)
    stopped_at = time.perf_counter()
    part.process.send_signal(part.stop_signal)
    lost = sum(not _is_answered(caller) for caller in callers)
    part.process.wait()
    return Stop(time.perf_counter() - stopped_at, lost, late=0)


def _is_answered(caller: Caller) -> bool:
    try:
        while caller.hear() is None:
            pass
    except OSError:
        return False
    finally:
        caller.socket.close()
    return True
