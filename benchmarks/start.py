"""Rows of whole processes: the time of a command, the start of JIVE, and its memory at rest."""

import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from benchmarks.processes import command_line, family, free_port, parent, rss_mb, serving, without
from benchmarks.stores import Stores
from benchmarks.table import Row, duration

HELP_RUNS = 10
REST_S = 1.0
JIVE = re.compile(r"-m jive (\w+)")


def help_page(stores: Stores) -> Iterator[Row]:
    """Measure the processor time of `jive --help`, compared with a Python that does nothing."""
    jive_s = [_processor_s(["-m", "jive", "--help"]) for _ in range(HELP_RUNS)]
    bare_s = [_processor_s(["-c", ""]) for _ in range(HELP_RUNS)]
    yield Row(
        "jive --help, processor time",
        duration(statistics.median(jive_s)),
        duration(statistics.median(bare_s)),
        spread=f"{min(jive_s):.2f} to {max(jive_s):.2f} s",
        target="< 0.15 s",
    )


def _processor_s(words: list[str]) -> float:
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def up(stores: Stores) -> Iterator[Row]:
    """Measure the second start of `jive up` in a folder, and the memory of JIVE's processes."""
    folder, port = stores.home / "up", free_port()
    folder.mkdir()
    env = without(stores.private | {"JIVE_SECRET_KEYS"}, PORT=str(port))
    url = f"http://127.0.0.1:{port}/api/health"
    command, log = [sys.executable, "-m", "jive", "up"], stores.home / "up.log"
    with serving("jive up", command, url, log, env, folder):
        pass
    started_at = time.perf_counter()
    with serving("jive up", command, url, log, env, folder) as part:
        yield Row("jive up, second start to healthy", duration(time.perf_counter() - started_at), target="< 3 s")
        for _ in range(50):  # so that every process has served, and has the memory that serving needs
            urllib.request.urlopen(url).close()
        time.sleep(REST_S)
        yield from _memory(part.process.pid)


def _memory(pid: int) -> Iterator[Row]:
    """Yield the memory of each process of JIVE, without the stores."""
    for each in family(pid):
        # A worker process has the command line of its parent, or one of multiprocessing.
        words = command_line(each)
        own, above = JIVE.search(words), JIVE.search(command_line(parent(each)))
        if own and not (above and own[1] == above[1]):
            name = f"jive {own[1]}"
        elif above and (own or "spawn_main" in words):
            name = f"jive {above[1]}, worker process"
        else:
            continue
        yield Row(f"RSS at rest, {name}", f"{rss_mb(each):.1f} MB", target="< 80 MB")
