"""Group commit: one call for the items of concurrent threads, and each thread gets its own outcome."""

import contextlib
import gc
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from jive.batcher import Batcher

TIMEOUT_S = 10


class Held:
    """A function that squares, whose calls wait to be released; 13 has an error, and 0 fails the whole call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Semaphore(0)

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.calls.append(list(items))
        self.begun.release()
        assert self.let_go.acquire(timeout=TIMEOUT_S)
        if 0 in items:
            raise ZeroDivisionError
        return [ValueError("unlucky") if item == 13 else item * item for item in items]


def gathered(held: Held, first: int, *others: int) -> tuple[Future[int], list[Future[int]]]:
    """Call with `first`, and with the others while that call runs; then release both calls."""
    batcher: Batcher[int, int] = Batcher(held)
    with ThreadPoolExecutor(len(others) + 1) as threads:
        one = threads.submit(batcher, first)
        assert held.begun.acquire(timeout=TIMEOUT_S)
        rest = [threads.submit(batcher, other) for other in others]
        waiting = threading.Event()
        for _ in range(10_000):
            if len(batcher._gathered) == len(others):
                break
            waiting.wait(0.001)
        held.let_go.release(3)
    return one, rest


def test_a_thread_that_calls_alone_waits_for_nobody() -> None:
    held = Held()
    held.let_go.release(2)
    batcher: Batcher[int, int] = Batcher(held)
    assert [batcher(2), batcher(3)] == [4, 9]
    assert held.calls == [[2], [3]]


def test_threads_that_call_during_a_call_share_the_next_one() -> None:
    held = Held()
    one, rest = gathered(held, 1, 2, 3, 4, 5)
    assert one.result() == 1
    assert [each.result() for each in rest] == [4, 9, 16, 25]
    assert [sorted(call) for call in held.calls] == [[1], [2, 3, 4, 5]]


def test_the_error_of_an_item_is_raised_in_its_thread_only() -> None:
    one, (two, unlucky) = gathered(Held(), 1, 2, 13)
    assert (one.result(), two.result()) == (1, 4)
    with pytest.raises(ValueError, match="unlucky"):
        unlucky.result()


def test_a_call_that_fails_fails_for_all_that_share_it_and_no_others() -> None:
    failed, (two, three) = gathered(Held(), 0, 2, 3)
    assert (two.result(), three.result()) == (4, 9)
    with pytest.raises(ZeroDivisionError):
        failed.result()
    one, shared = gathered(Held(), 1, 0, 2)
    assert one.result() == 1
    for each in shared:
        with pytest.raises(ZeroDivisionError):
            each.result()


def test_a_call_with_too_few_outcomes_fails_and_blocks_nobody() -> None:
    batcher: Batcher[int, int] = Batcher(lambda items: [])
    for _ in range(2):
        with pytest.raises(ValueError, match="1 items have 0 outcomes"):
            batcher(1)


@pytest.mark.parametrize("fails_whole", [False, True])
def test_an_error_keeps_nothing_alive(fails_whole: bool) -> None:
    class Body:
        pass

    def run(items: Sequence[Body]) -> list[Exception]:
        if fails_whole:
            raise ValueError
        return [ValueError() for _ in items]

    batcher: Batcher[Body, int] = Batcher(run)
    gc.collect()
    gc.disable()
    try:
        body = Body()
        kept = weakref.ref(body)
        with contextlib.suppress(ValueError):
            batcher(body)
        del body
        assert kept() is None
    finally:
        gc.enable()


def test_many_threads_get_their_own_outcomes() -> None:
    batcher: Batcher[int, int] = Batcher(lambda items: [item + 1 for item in items])
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(batcher, range(5000))) == list(range(1, 5001))
