"""Group commit: process in one call what many threads ask for at the same time."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class _Place(Generic[Item, Outcome]):
    """An item whose thread waits; `turn` is released when it has its outcome, or when it is to run the next batch."""

    __slots__ = ("is_done", "item", "outcome", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.is_done = False
        self.outcome: Outcome | BaseException
        self.turn = threading.Lock()
        self.turn.acquire()


class Batcher(Generic[Item, Outcome]):
    """Calls a function once for the items of all threads that call at the same time.

    The first thread runs it at once, with its own item only. The items of threads that call meanwhile are gathered,
    and then one of these threads runs it for all of them.
    """

    def __init__(self, run: Callable[[Sequence[Item]], Sequence[Outcome | BaseException]]) -> None:
        """Prepare a batcher.

        Args:
            run: takes items, in the order of the calls, and returns an outcome or an error for each.
        """
        self._run = run
        self._lock = threading.Lock()
        self._gathered: list[_Place[Item, Outcome]] = []
        self._is_running = False

    def __call__(self, item: Item) -> Outcome:
        """Return the outcome of `item`, or raise its error; if `run` raises, that is the error of the whole batch."""
        place: _Place[Item, Outcome] = _Place(item)
        with self._lock:
            self._gathered.append(place)
            must_wait, self._is_running = self._is_running, True
        if must_wait:
            place.turn.acquire()
        if not place.is_done:
            self._run_batch()
        outcome = place.outcome
        if not isinstance(outcome, BaseException):
            return outcome
        try:
            raise outcome
        finally:
            del outcome, place  # they form a cycle with this frame, which would keep the item in memory

    def _run_batch(self) -> None:
        with self._lock:
            batch, self._gathered = self._gathered, []
        outcomes: Sequence[Outcome | BaseException]
        try:
            outcomes = self._run([place.item for place in batch])
            if len(outcomes) != len(batch):
                raise ValueError(f"{len(batch)} items have {len(outcomes)} outcomes")
        except BaseException as exc:  # noqa: BLE001  # it is raised in each waiting thread
            outcomes = [exc] * len(batch)
        with self._lock:
            self._is_running = bool(self._gathered)
            successor = self._gathered[:1]
        for place, outcome in zip(batch, outcomes, strict=True):
            place.outcome, place.is_done = outcome, True
        for place in (*successor, *batch[1:]):  # the first thread of a batch runs it
            place.turn.release()
        del outcomes, outcome, place, batch, successor  # as above
