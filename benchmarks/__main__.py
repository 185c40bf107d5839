"""The command `python -m benchmarks [NAME]`: measure what NAME says, or everything, and print one table."""

import signal
import sys

from benchmarks.rows import BENCHMARKS, chosen
from benchmarks.stores import started
from benchmarks.table import HEADER
from jive.errors import JiveError


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def main(word: str = "") -> None:
    """Measure, a line at a time. SIGTERM and Ctrl-C end it cleanly."""
    signal.signal(signal.SIGTERM, _stop)  # by default it would skip every clean-up
    wanted = chosen(word)
    if not wanted:
        raise SystemExit(f"Nothing is called {word}; there are: {', '.join(BENCHMARKS)}")
    try:
        with started() as stores:
            print(HEADER)
            for measure in wanted.values():
                for row in measure(stores):
                    print(row, flush=True)
    except (JiveError, ValueError) as exc:
        raise SystemExit(f"benchmarks: {exc}") from exc
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main(*sys.argv[1:2])
