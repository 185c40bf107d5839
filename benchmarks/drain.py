"""How a server stops: SIGTERM while requests are under way, and what becomes of them."""

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
    """What a stop did.

    Attributes:
        took_s: from SIGTERM to the end of the main process.
        lost: requests, of the 16 that had been sent before SIGTERM, that got no whole answer.
        late: requests that were sent after SIGTERM, into an open connection, and got no whole answer.
    """

    took_s: float
    lost: int
    late: int


class Crowd:
    """Callers that ask without a pause and, as clients do, connect anew when they were hung up on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._selector = selectors.DefaultSelector()
        self.unanswered: list[float] = []  # when each request was sent that got no answer
        for _ in range(CONNECTIONS):
            self._join()

    def step(self) -> bool:
        """Hear what has come and ask again; return whether anybody is still connected."""
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
            self._go_on(caller)
        return bool(self._selector.get_map())

    def _go_on(self, caller: Caller) -> None:
        try:
            if not caller.is_last:
                caller.ask()
                return
        except OSError:  # closed while idle: nothing was sent, so nothing is lost
            pass
        self._leave(caller)
        self._join()

    def _join(self) -> None:
        try:
            caller = Caller(self._url)
            caller.ask()
        except OSError:  # nobody listens any more
            return
        self._selector.register(caller.socket, selectors.EVENT_READ, caller)

    def _leave(self, caller: Caller) -> None:
        self._selector.unregister(caller.socket)
        caller.socket.close()


def under_load(part: Part, url: str) -> Stop:
    """Stop a server that 16 connections keep busy."""
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
    """Stop a server while 16 requests are under way that each take longer than `lead_s`."""
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
