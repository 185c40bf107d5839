"""The table: each measurement is one line of text."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.measure import Comparison

WIDTHS = "{:<44} {:>10} {:>10}  {:>6}  {:<13} {:<8}"
HEADER = (
    "ratio: JIVE's speed / the bare driver's, median over alternated rounds; 1.00 is as fast\n\n"
    + WIDTHS.format("", "JIVE", "bare", "ratio", "quartiles", "target").rstrip()
)


@dataclass(frozen=True)
class Row:
    """A line of the table: `jive` and `bare` are medians, `ratio` is JIVE's speed divided by the bare speed."""

    name: str
    jive: str
    bare: str = ""
    ratio: str = ""
    spread: str = ""
    target: str = ""

    def __str__(self) -> str:
        return WIDTHS.format(self.name, self.jive, self.bare, self.ratio, self.spread, self.target).rstrip()


def duration(seconds: float) -> str:
    """Return a time in a readable unit."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1000:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def per_second(seconds: float) -> str:
    """Return how many operations of this duration fit into a second."""
    return f"{1 / seconds:,.0f}/s"


def ratio_row(name: str, measured: Comparison, target: float | None, show: Callable[[float], str] = duration) -> Row:
    """Return the line of a comparison; `target` is the lowest ratio that is aimed for."""
    low, high = measured.spread
    return Row(
        name,
        show(statistics.median(measured.jive_s)),
        show(statistics.median(measured.bare_s)),
        f"{measured.ratio:.2f}",
        f"{low:.2f} to {high:.2f}",
        "" if target is None else f"≥ {target:.2f}",
    )
