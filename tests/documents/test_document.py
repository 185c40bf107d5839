"""Documents are read whatever their encoding, and whatever is wrong with them."""

import time

import pytest

from jive.documents.document import MAX_CONTENT_BYTES, READER_VERSION, read_document

REPEATED = (
    *(
        "# ",
        "#",
        "# a\n",
        "*",
        "[",
        "](",
        "](a",
        "](a ",
        "](<",
        "[Source:",
        "[a]: b\n",
        "|",
        "| a |\n",
        " ",
        "\t",
        "\n",
    ),
    *("`", "```\n", "<!--", "-->", "-", "%", "a", "a.", "=\n", "1.", "{", "a: ", "\u2003", "@1"),
)
BROKEN_GATE = """\
schema: 1
story: '1.1'
story_title: 'Sign in'
gate: CONCERNS
reviewer: "Quinn"
notes: "a \\d that YAML does not know"
"""


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Title\n", "Title"),
        ("\ufeff# After a mark\r\n", "After a mark"),
        ("---\ntitle: x\n---\n\n# First level\n", "First level"),
        ("---\ntitle: ' x\n  y '\n---\n\n## Second level ##\n", "x y"),
        ("---\nother: x\n---\n\n## Second level ##\n", "Second level"),
        ("---\ntitle: [x]\n---\n\ntext\n", "name"),
        ("```sh\n# a comment\n```\n# Real\n", "Real"),
        ("no heading at all\n", "name"),
        ("#hashtag\n", "name"),
        ("# 需求文档\n", "需求文档"),
        ("", "name"),
    ],
)
def test_a_title_is_the_heading_or_the_front_matters_or_the_files_name(text: str, title: str) -> None:
    assert read_document("docs/name.md", text.encode()).title == title


def test_a_file_without_a_name_is_read() -> None:
    assert read_document("docs/.md", b"text\n").title == ".md"


@pytest.mark.parametrize(
    ("text", "title", "status", "status_text"),
    [
        ("story: '1.1'\nstory_title: 'Sign in'\ngate: PASS\n", "Sign in", "PASS", "PASS"),
        ("---\nstory_name: Sign in\ndecision: PASS_WITH_CONCERNS\n", "Sign in", "CONCERNS", "PASS_WITH_CONCERNS"),
        ("gate:\n  decision: FAIL\n", "1.1-first", "FAIL", "FAIL"),
        ("gate: BLOCKED\n", "1.1-first", None, "BLOCKED"),
        ("- a\n", "1.1-first", None, None),
        ("", "1.1-first", None, None),
    ],
)
def test_a_gate_has_its_storys_title_and_its_decision(
    text: str, title: str, status: str | None, status_text: str | None
) -> None:
    document = read_document("docs/qa/gates/1.1-first.yml", text.encode())
    assert (document.type, document.title, document.status, document.status_text) == ("QA", title, status, status_text)
    assert document.warnings == ()


def test_a_broken_gate_is_read_line_by_line() -> None:
    document = read_document("docs/qa/gates/1.1.yml", BROKEN_GATE.encode())
    assert (document.title, document.status, document.created_by) == ("Sign in", "CONCERNS", "Quinn")
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("docs/qa/gates/1.1.yml: not valid YAML")


def test_a_gate_in_markdown_has_a_decision() -> None:
    document = read_document("docs/qa/gates/1.1.md", b"# Gate 1.1\n\n**Gate:** WAIVED until spring\n")
    assert (document.type, document.status) == ("QA", "WAIVED")


def test_broken_front_matter_leaves_the_rest_and_a_warning() -> None:
    document = read_document("docs/a.md", b"---\ntitle: [x\nversion: 1\n---\n# Title\n\n**Version:** 2\n")
    assert (document.title, document.version) == ("Title", "2")
    assert document.content is not None
    assert document.content.startswith("---\n")
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("docs/a.md: its front matter does not count")


def test_latin_1_is_read_and_warned_of() -> None:
    document = read_document("docs/a.md", "# Größe\n".encode("latin-1"))
    assert document.title == "Größe"
    assert document.warnings == ("docs/a.md: not UTF-8; read as Latin-1",)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_is_read_and_warned_of(encoding: str) -> None:
    document = read_document("docs/a.md", "\ufeff# Größe\n".encode(encoding))
    assert (document.title, document.content) == ("Größe", "# Größe\n")
    assert document.warnings == ("docs/a.md: not UTF-8; read as UTF-16",)


def test_nul_bytes_are_replaced_and_warned_of() -> None:
    document = read_document("docs/a.md", b"# A\0B\n")
    assert document.content == "# A\ufffdB\n"
    assert document.warnings == ("docs/a.md: holds NUL bytes; each was replaced",)


def test_line_ends_stay_as_they_are() -> None:
    document = read_document("docs/a.md", b"---\r\nversion: 2\r\n---\r\n# A\r\n")
    assert (document.title, document.version, document.content) == ("A", "2", "---\r\nversion: 2\r\n---\r\n# A\r\n")
    assert document.warnings == ()


@pytest.mark.parametrize("data", [None, b"#" * (MAX_CONTENT_BYTES + 1)])
def test_a_large_file_keeps_its_row_without_content(data: bytes | None) -> None:
    document = read_document("docs/prd.md", data)
    assert (document.type, document.title, document.content) == ("PRD", "prd", None)
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("docs/prd.md: ")
    assert "not kept" in document.warnings[0]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b"\xff\xfe\x00",
        b"\xed\xa0\x80",
        bytes(range(256)),
        b"---\n---",
        b"---\n\xff: \xfe\n---\n",
        b"\r\r\r",
    ],
)
@pytest.mark.parametrize("path", ["docs/stories/1.1.a.md", "docs/qa/gates/a.yml", "a"])
def test_whatever_the_bytes_something_is_read(path: str, data: bytes) -> None:
    document = read_document(path, data)
    assert document.content is not None
    assert "\0" not in document.content
    document.content.encode()
    document.title.encode()


@pytest.mark.parametrize("head", ["", "# ", "---\na: [", "Status: ", "[Source: ", "## Change Log\n| Version |\n"])
def test_time_grows_with_the_text_whatever_it_holds(head: str) -> None:
    for repeated in REPEATED:
        text = head + repeated * (200_000 // len(repeated))
        started = time.process_time()
        read_document("docs/stories/1.1.a.md", text.encode())
        assert time.process_time() - started < 10, repeated  # a tenth of a second; in its square, minutes


def test_two_megabytes_are_read() -> None:
    text = "[a](b.md) [Source: c.md] # **d** | e |\n"
    document = read_document("docs/a.md", (text * (MAX_CONTENT_BYTES // len(text))).encode())
    assert [dependency.path for dependency in document.dependencies] == ["docs/b.md"]


def test_the_reader_has_a_version() -> None:
    assert READER_VERSION >= 1
