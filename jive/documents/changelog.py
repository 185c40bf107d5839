"""Change logs: the tables in which documents record their own history."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from jive.documents.markdown import Outline, plain
from jive.documents.vocabulary import CHANGE_LOG, COLUMNS

MAX_ROWS = 1_000

_DAY = re.compile(r"(?:19|20|21)\d\d-[01]\d-[0-3]\d")
_NUMBER = re.compile(r"\d+")


class Change(NamedTuple):
    """A row of a change log, as it is written; a missing cell is empty."""

    date: str = ""
    version: str = ""
    author: str = ""


def read_changes(outline: Outline) -> list[Change]:
    """Return the rows of all change logs in a document, oldest first, whichever way its tables are sorted.

    Rows are sorted by date if every row has one, then by version, then by their position.
    """
    rows = [
        change
        for index, heading in enumerate(outline.headings)
        if "|" in (section := outline.section(index)) and plain(heading.text).startswith(CHANGE_LOG)
        for change in _rows(section)
    ][:MAX_ROWS]
    if len(rows) < 2:
        return rows
    days = [match[0] if (match := _DAY.search(row.date)) else "" for row in rows]
    dated = all(days)
    keys = [(day if dated else "", _numbers(row.version)) for day, row in zip(days, rows, strict=True)]
    step = -1 if keys[0] > keys[-1] else 1  # a table that begins with the newest row lists equal keys that way too
    order = sorted(range(len(rows)), key=lambda index: (*keys[index], index * step))
    return [rows[index] for index in order]


def _rows(section: str) -> Iterator[Change]:
    columns: list[str] = []
    for line in section.split("\n", MAX_ROWS)[:MAX_ROWS]:
        if "|" not in line:
            columns = []
            continue
        cells = [cell.strip(" \t*_`") for cell in line.strip().strip("|").split("|")]
        if not columns:
            columns = [COLUMNS.get(cell.casefold(), "") for cell in cells]
        elif any(cell.strip(":- ") for cell in cells) and ("version" in columns or "author" in columns):
            yield Change(**{column: cell for column, cell in zip(columns, cells, strict=False) if column})


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number[:9]) for number in _NUMBER.findall(version[:100])[:6])
