"""Time two ways of doing the same thing in alternating rounds, so that drift of the machine affects both."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 150  # many short ones, so that a disturbance spoils few

Work = Callable[[], object]


@dataclass(frozen=True)
class Comparison:
    """Seconds that JIVE and the bare driver took for one operation, in each round."""

    jive_s: tuple[float, ...]
    bare_s: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """JIVE's speed divided by the bare speed, for each pair of rounds; 1.0 is equally fast."""
        return [bare / jive for jive, bare in zip(self.jive_s, self.bare_s, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The first and third quartile of the ratios."""
        low, _, high = statistics.quantiles(self.ratios, method="inclusive")
        return low, high


def compare(jive: Work, bare: Work, *, calls: int, rounds: int = ROUNDS, prepare: Work | None = None) -> Comparison:
    """Run `calls` calls of each in turn, `rounds` times after a round to warm up.

    `prepare` runs before every round and is not timed.
    """
    turns: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        if number % 2:  # the second of a pair finds warmer caches
            jive_s, bare_s = _time(jive, calls, prepare), _time(bare, calls, prepare)
        else:
            bare_s, jive_s = _time(bare, calls, prepare), _time(jive, calls, prepare)
        turns.append((jive_s, bare_s))
    jive_times, bare_times = zip(*turns[1:], strict=True)
    return Comparison(jive_times, bare_times)


def _time(work: Work, calls: int, prepare: Work | None) -> float:
    """Return the seconds for one call."""
    if prepare is not None:
        prepare()
    gc.collect()  # so that no round pays for the garbage of another
    started_at = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - started_at) / calls
