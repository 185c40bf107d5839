"""Headings are found outside code and comments."""

import pytest

from jive.documents.markdown import MAX_HEADINGS, MAX_TITLE_CHARS, plain, read_outline, title_of


def headings(text: str) -> list[tuple[int, str]]:
    return [(heading.level, heading.text) for heading in read_outline(text).headings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n## B\n", [(1, "A"), (2, "B")]),
        ("   ### C ###   \n", [(3, "C")]),
        ("# C#\n", [(1, "C#")]),
        ("#\n#x\n####### seven\n    # code\n", []),
        ("#\tTab\n", [(1, "Tab")]),
        ("# 需求文档", [(1, "需求文档")]),
        ("```\n# code\n```\n# A\n", [(1, "A")]),
        ("~~~\n```\n# code\n~~~\n# A\n", [(1, "A")]),
        ("````\n```\n# code\n````\n# A\n", [(1, "A")]),
        ("- x\n\n  ```sh\n# code\n  ```\n# A\n", [(1, "A")]),
        ("```one line``` of code\n# A\n", [(1, "A")]),
        ("```markdown\n```sh\n# code\n```\n# code\n```\n# A\n", [(1, "A")]),
        ("```python\n# unclosed\n", []),
        ("<!-- # A -->\n# B\n", [(1, "B")]),
        ("<!--\n# A\n-->\n# B\n", [(1, "B")]),
        ("<!-- unclosed\n# A\n", []),
    ],
)
def test_headings_are_found_outside_code_and_comments(text: str, expected: list[tuple[int, str]]) -> None:
    assert headings(text) == expected


def test_a_section_ends_at_the_next_heading_and_contains_no_code() -> None:
    outline = read_outline("# A\none\n```\ncode\n```\ntwo\n## B\nthree\n")
    assert outline.section(0).split() == ["one", "two"]
    assert outline.section(1).split() == ["three"]


def test_the_first_lines_are_those_outside_comments() -> None:
    outline = read_outline("one\n<!-- x -->\ntwo\nthree\n")
    assert outline.first_lines(2, 100) == ["one", "two"]
    assert outline.first_lines(9, 6) == ["one", "t"]


def test_an_underlined_heading_is_a_title() -> None:
    title = title_of(read_outline("intro\n\nThe title\n=====\n"))
    assert title is not None
    assert (title.level, title.text) == (1, "The title")


def test_the_length_and_number_of_headings_are_limited() -> None:
    assert len(headings("# " + "x" * 10_000)[0][1]) == MAX_TITLE_CHARS
    assert len(headings("# x\n" * (MAX_HEADINGS + 5))) == MAX_HEADINGS


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("3. **Acceptance Criteria** (AC):", "acceptance criteria"),
        ("✅ Status:", "status"),
        ("Critères d’acceptation", "critères d'acceptation"),  # noqa: RUF001
        ("验收标准（AC）：", "验收标准"),  # noqa: RUF001
        ("1.2.3", ""),
    ],
)
def test_headings_are_compared_without_numbering_marks_and_remarks(heading: str, expected: str) -> None:
    assert plain(heading) == expected
