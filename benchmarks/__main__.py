"""The command `python -m benchmarks [NAME]`: run one benchmark, or all, and print one table."""

import signal
import sys

from benchmarks.rows import BENCHMARKS, chosen
from benchmarks.stores import started
from benchmarks.table import HEADER
from jive.errors import JiveError


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def main(word: str = "") -> None:
    """Run the benchmarks whose names match `word`, and print each row as it is measured.

    SIGTERM and Ctrl-C stop the servers that were started.
    """
    signal.signal(signal.SIGTERM, _stop)  # the default action would leave the servers running
    wanted = chosen(word)
    if not wanted:
        raise SystemExit(f"There is no benchmark {word}; there are {', '.join(BENCHMARKS)}")
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
