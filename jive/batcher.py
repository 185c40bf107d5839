"""Group commit: what many threads ask at the same time is done for all of them at once."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class _Place(Generic[Item, Outcome]):
    """Where a thread waits; `turn` is free once it has its outcome, or once it is the one to run the next batch."""

    __slots__ = ("is_done", "item", "outcome", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.is_done = False
        self.outcome: Outcome | BaseException
        self.turn = threading.Lock()
        self.turn.acquire()


class Batcher(Generic[Item, Outcome]):
    """Calls `run` once with the items of all threads that ask at the same time.

    Nobody waits for company: the first to come calls it at once, with its own item. Those who come meanwhile
    are gathered, and then one of them calls it for all of them.
    """

    def __init__(self, run: Callable[[Sequence[Item]], Sequence[Outcome | BaseException]]) -> None:
        """Make one.

        Args:
            run: takes items in the order in which they came and returns an outcome, or an error, for each.
        """
        self._run = run
        self._lock = threading.Lock()
        self._gathered: list[_Place[Item, Outcome]] = []
        self._is_running = False

    def __call__(self, item: Item) -> Outcome:
        """Return the outcome of `item`, or raise its error; what `run` raises is the error of its whole batch."""
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
            del outcome, place  # else the error holds this frame and the frame the error, with all that hangs on them

    def _run_batch(self) -> None:
        with self._lock:
            batch, self._gathered = self._gathered, []
        outcomes: Sequence[Outcome | BaseException]
        try:
            outcomes = self._run([place.item for place in batch])
            if len(outcomes) != len(batch):
                raise ValueError(f"{len(batch)} items have {len(outcomes)} outcomes")
        except BaseException as exc:  # noqa: BLE001  # it is raised in every thread that waits for it
            outcomes = [exc] * len(batch)
        with self._lock:
            self._is_running = bool(self._gathered)
            successor = self._gathered[:1]
        for place, outcome in zip(batch, outcomes, strict=True):
            place.outcome, place.is_done = outcome, True
        for place in (*successor, *batch[1:]):  # the first of a batch is the one that runs it
            place.turn.release()
        del outcomes, outcome, place, batch, successor  # as above
