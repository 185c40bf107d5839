"""Rows of scans: the first one of a repository, and one after a single document has changed."""

import contextlib
import io
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from benchmarks.documents import document
from benchmarks.measure import Comparison
from benchmarks.repositories import Repository, local_repositories, path_of, project_of, repository, vacuum
from benchmarks.stores import Stores
from benchmarks.table import Row, duration, ratio_row
from jive.db import connection
from jive.models import Project
from jive.pipeline.scan import scan_project
from jive.repositories.fetching import Origin

FEW, MANY = 2_000, 20_000
FIRST_ROUNDS, CHANGE_ROUNDS = 9, 25
COLUMNS = "path, name, type, version, created_by, created_at, dependencies, content, status, status_text, blob_id"


@dataclass(frozen=True)
class Scan:
    """Seconds that a scan took, and those of them that git fetched."""

    whole_s: float
    fetch_s: float

    @property
    def own_s(self) -> float:
        """Seconds that the scan took without the fetch."""
        return self.whole_s - self.fetch_s


def first_scan(stores: Stores) -> Iterator[Row]:
    """Measure a first scan without its fetch, compared with git reading the blobs and a bare COPY of the rows."""
    with local_repositories(stores) as folder:
        made = repository(folder / "first", FEW)
        ids = made.git("rev-list", "--objects", "--no-object-names", "--filter=object:type=blob", "main")
        text = _rows_of(made)
        scans, bare_s = [], []
        for number in range(FIRST_ROUNDS + 1):
            with project_of(made) as ours:
                vacuum()
                scans.append(_scan(ours, FEW))
            with project_of(made) as plain:
                vacuum()
                bare_s.append(_bare_scan(made, ids, plain, text))
            if number == 0:  # to warm up
                scans.clear()
                bare_s.clear()
    own = Comparison(tuple(each.own_s for each in scans), tuple(bare_s))
    yield ratio_row(f"first scan of {FEW:,} documents, besides fetch", own, 0.4)
    yield Row("  whole", duration(statistics.median(each.whole_s for each in scans)))


def _rows_of(made: Repository) -> str:
    """Return the rows that a scan writes, in the text format of COPY."""
    with project_of(made) as project, connection() as db, db.connection().cursor() as cursor:
        scan_project(project.id)
        text = io.StringIO()
        cursor.copy_expert(f"COPY (SELECT {COLUMNS} FROM artifacts WHERE project_id = '{project.id}') TO STDOUT", text)
    return text.getvalue()


def _scan(project: Project, changes: int) -> Scan:
    """Scan the project, and check how many documents changed."""
    fetch_s = []

    def timed(fetch: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            began_at = time.perf_counter()
            try:
                return fetch(*args)
            finally:
                fetch_s.append(time.perf_counter() - began_at)

        return run

    with (
        patch.object(Origin, "fetch", timed(Origin.fetch)),
        patch.object(Origin, "fetch_blobs", timed(Origin.fetch_blobs)),
    ):
        began_at = time.perf_counter()
        result = scan_project(project.id)
        whole_s = time.perf_counter() - began_at
    if sum(result.changes.values()) != changes:
        raise ValueError(f"A scan found {result.changes} instead of {changes} changes")
    return Scan(whole_s, sum(fetch_s))


def _bare_scan(made: Repository, ids: bytes, project: Project, text: str) -> float:
    """Return the seconds for reading the blobs and writing the rows in one transaction."""
    rows = io.StringIO("".join(f"{project.id}\t{line}" for line in text.splitlines(keepends=True)))
    with connection() as db, db.connection().cursor() as cursor:
        began_at = time.perf_counter()
        made.git("cat-file", "--batch", "--buffer", given=ids)
        cursor.execute("BEGIN")
        cursor.copy_expert(f"COPY artifacts (project_id, {COLUMNS}) FROM STDIN", rows)
        cursor.execute("COMMIT")
        return time.perf_counter() - began_at


def changed_scan(stores: Stores) -> Iterator[Row]:
    """Measure a scan after one of few documents changed, and after one of many, in turn."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(local_repositories(stores))
        made = [repository(folder / f"of-{count}", count) for count in (FEW, MANY)]
        ours = [stack.enter_context(project_of(each)) for each in made]
        for project in ours:
            scan_project(project.id)
        vacuum()
        rounds = [_scan_changes(made, ours, number) for number in range(CHANGE_ROUNDS + 1)][1:]
    few, many = ([each[side] for each in rounds] for side in (0, 1))
    for count, scans in ((FEW, few), (MANY, many)):
        own = [each.own_s for each in scans]
        spread = f"{min(own) * 1000:.0f} to {max(own) * 1000:.0f} ms"
        name = f"scan after one change among {count:,}, besides fetch"
        yield Row(name, duration(statistics.median(own)), spread=spread, target="< 300 ms")
        yield Row("  whole", duration(statistics.median(each.whole_s for each in scans)))
    both = Comparison(tuple(each.own_s for each in many), tuple(each.own_s for each in few))
    yield ratio_row(f"  {MANY:,} beside {FEW:,}", both, 1 / 1.5)


def _scan_changes(made: list[Repository], ours: list[Project], number: int) -> tuple[Scan, Scan]:
    for each in made:
        each.commit({path_of(number * 7): document(MANY + number)})
    if number % 2:
        few = _scan(ours[0], 1)
        return few, _scan(ours[1], 1)
    many = _scan(ours[1], 1)
    return _scan(ours[0], 1), many
