"""Rows of change logs are found and sorted."""

import pytest

from jive.documents.changelog import MAX_ROWS, Change, read_changes
from jive.documents.markdown import read_outline

TITLES = "| Date | Version | Description | Author |\n|------|---------|-------------|--------|\n"


def read(text: str) -> list[Change]:
    return read_changes(read_outline(text))


def versions(rows: str, heading: str = "## Change Log") -> list[str]:
    return [change.version for change in read(f"# A\n\n{heading}\n\n{TITLES}{rows}\ntext\n")]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("| 2026-01-02 | 1.9 | a | Ann |\n| 2026-02-03 | 1.10 | b | Bob |\n", ["1.9", "1.10"]),
        ("| 2026-02-03 | 1.10 | b | Bob |\n| 2026-01-02 | 1.9 | a | Ann |\n", ["1.9", "1.10"]),
        ("| 2026-01-02 | 2.0 | a | Ann |\n| 2026-02-03 | 1.0 | b | Bob |\n", ["2.0", "1.0"]),
        ("| 2026-01-01 | 1.0 | a | Ann |\n| 2026-01-01 | 2.0 | b | Bob |\n", ["1.0", "2.0"]),
        ("| 2026-01-01 | 2.0 | b | Bob |\n| 2026-01-01 | 1.0 | a | Ann |\n", ["1.0", "2.0"]),
        ("| May 3 | 1.10 | b | Bob |\n| May 1 | 1.9 | a | Ann |\n", ["1.9", "1.10"]),
        ("| May 3 | 1.2 | b | Bob |\n| 2026-05-01 | 1.1 | a | Ann |\n", ["1.1", "1.2"]),
        ("| | first | b | Bob |\n| | second | a | Ann |\n", ["first", "second"]),
        ("| | v0.9 | b | Bob |\n", ["v0.9"]),
        ("", []),
    ],
)
def test_rows_are_sorted_by_date_then_by_version_then_by_position(rows: str, expected: list[str]) -> None:
    assert versions(rows) == expected


def test_equal_rows_of_a_table_that_begins_with_the_newest_are_reversed() -> None:
    rows = "| 2026-03-01 | c | | |\n| 2026-01-01 | b | | |\n| 2026-01-01 | a | | |\n"
    assert versions(rows) == ["a", "b", "c"]


def test_a_missing_cell_is_empty() -> None:
    assert read("## Change Log\n\n| Version | Author |\n|-|-|\n| 1.0 |\n") == [Change(version="1.0")]


def test_each_table_of_a_section_has_columns_of_its_own() -> None:
    tables = "| Version |\n|-|\n| 1.0 |\n\ntext\n\n| Author | Version |\n|-|-|\n| Ann | 2.0 |\n"
    assert read(f"## Change Log\n\n{tables}") == [Change(version="1.0"), Change(version="2.0", author="Ann")]


def test_emphasis_around_cells_is_removed() -> None:
    changes = read("## Change Log\n\n| **Version** | *Author* |\n|-|-|\n| `1.0` | **Ann** |\n")
    assert changes == [Change(version="1.0", author="Ann")]


@pytest.mark.parametrize(
    "heading", ["## Change Log", "## 9. Revision History (all)", "### Änderungshistorie", "## 变更日志"]
)
def test_headings_of_change_logs_are_known_in_several_languages(heading: str) -> None:
    assert versions("| 2026-01-02 | 1.0 | a | Ann |\n", heading) == ["1.0"]


def test_columns_are_known_in_several_languages_and_in_any_order() -> None:
    changes = read("## 1.3 变更日志\n\n| 作者 | 描述 | 版本 | 日期 |\n|-|-|-|-|\n| 王 | 初稿 | 0.1 | 2026-01-02 |\n")
    assert changes == [Change("2026-01-02", "0.1", "王")]


@pytest.mark.parametrize(
    "text",
    [
        "## Stack\n\n| Tool | Version | Author |\n|-|-|-|\n| git | 2.39 | x |\n",
        "## Change Log\n\n| What | When |\n|-|-|\n| text | 2026 |\n",
        "## Change Log\n\n- 1.0: first\n",
        "text\n",
    ],
)
def test_other_tables_are_not_change_logs(text: str) -> None:
    assert read(text) == []


def test_the_number_of_rows_is_limited() -> None:
    section = "## Change Log\n\n| Version |\n|-|\n" + "| 1 |\n" * 600
    assert len(read(section * 2)) == MAX_ROWS
