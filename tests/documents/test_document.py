"""Documents of any encoding, and broken ones, are read."""

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


NESTED = "[" * 990 + "]" * 990  # libyaml itself refuses 1,000 levels


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
def test_the_title_is_the_heading_or_that_of_front_matter_or_the_files_name(text: str, title: str) -> None:
    assert read_document("docs/name.md", text.encode()).title == title


def test_a_file_without_a_stem_has_a_title() -> None:
    assert read_document("docs/.md", b"text\n").title == ".md"


def test_broken_front_matter_is_ignored_with_a_warning() -> None:
    document = read_document("docs/a.md", b"---\ntitle: [x\nversion: 1\n---\n# Title\n\n**Version:** 2\n")
    assert (document.title, document.version) == ("Title", "2")
    assert document.content is not None
    assert document.content.startswith("---\n")
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("docs/a.md: front matter ignored")


def test_latin_1_is_read_with_a_warning() -> None:
    document = read_document("docs/a.md", "# Größe\n".encode("latin-1"))
    assert document.title == "Größe"
    assert document.warnings == ("docs/a.md: not UTF-8; read as Latin-1",)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_byte_order_mark_is_read_with_a_warning(encoding: str) -> None:
    document = read_document("docs/a.md", "\ufeff# Größe\n".encode(encoding))
    assert (document.title, document.content) == ("Größe", "# Größe\n")
    assert document.warnings == ("docs/a.md: not UTF-8; read as UTF-16",)


def test_nul_bytes_are_replaced_with_a_warning() -> None:
    document = read_document("docs/a.md", b"# A\0B\n")
    assert document.content == "# A\ufffdB\n"
    assert document.warnings == ("docs/a.md: contains NUL bytes; replaced with U+FFFD",)


def test_the_content_keeps_its_line_ends() -> None:
    document = read_document("docs/a.md", b"---\r\nversion: 2\r\n---\r\n# A\r\n")
    assert (document.title, document.version, document.content) == ("A", "2", "---\r\nversion: 2\r\n---\r\n# A\r\n")
    assert document.warnings == ()


@pytest.mark.parametrize("data", [None, b"#" * (MAX_CONTENT_BYTES + 1)])
def test_the_content_of_a_large_file_is_not_stored(data: bytes | None) -> None:
    document = read_document("docs/prd.md", data)
    assert (document.type, document.title, document.content) == ("PRD", "prd", None)
    assert document.warnings == ("docs/prd.md: larger than 2,097,152 bytes; its content is not stored",)


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
def test_any_bytes_can_be_read(path: str, data: bytes) -> None:
    document = read_document(path, data)
    assert document.content is not None
    assert "\0" not in document.content
    document.content.encode()
    document.title.encode()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/a.md", f"---\nauthor: {NESTED}\n---\n# A\n"),
        ("docs/qa/gates/1.1.yml", f"gate: PASS\nauthor: {NESTED}\n"),
    ],
)
def test_deeply_nested_values_are_ignored_with_a_warning(path: str, text: str) -> None:
    document = read_document(path, text.encode())
    assert document.created_by is None
    assert len(document.warnings) == 1
    assert "deeper than 40 levels" in document.warnings[0]


@pytest.mark.parametrize("head", ["", "# ", "---\na: [", "Status: ", "[Source: ", "## Change Log\n| Version |\n"])
def test_reading_takes_linear_time(head: str) -> None:
    for repeated in REPEATED:
        text = head + repeated * (200_000 // len(repeated))
        started = time.process_time()
        read_document("docs/stories/1.1.a.md", text.encode())
        assert time.process_time() - started < 10, repeated  # usually 0.1 s; minutes if the time were quadratic


def test_a_document_of_the_largest_size_is_read() -> None:
    text = "[a](b.md) [Source: c.md] # **d** | e |\n"
    document = read_document("docs/a.md", (text * (MAX_CONTENT_BYTES // len(text))).encode())
    assert [dependency.path for dependency in document.dependencies] == ["docs/b.md"]


def test_the_reader_has_a_version() -> None:
    assert READER_VERSION >= 1
