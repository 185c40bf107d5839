"""Version, author and creation time come from front matter, else from the head, else from the change log."""

from datetime import UTC, datetime

import pytest

from jive.documents.document import Document, read_document

LOG = """\
## Change Log

| Date | Version | Description | Author |
|------|---------|-------------|--------|
"""
OLDEST_FIRST = LOG + "| 2026-01-02 | 1.9 | Begin | Ann (PM) |\n| 2026-02-03 | 1.10 | More | Bob |\n"
NEWEST_FIRST = LOG + "| 2026-02-03 | 1.10 | More | Bob |\n| 2026-01-02 | 1.9 | Begin | Ann (PM) |\n"


def read(text: str) -> Document:
    return read_document("docs/notes.md", text.encode())


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("---\nversion: 1.10\n---\n**Version:** 2.0\n", "1.10"),
        ('---\nversion: "2026.1"\n---\n', "2026.1"),
        ("---\nbmad:\n  version: 3.0\n---\n", "3.0"),
        ("---\nversion: '{{version}}'\n---\n**Version:** 2.0\n", "2.0"),
        ("# A\n\n**Version:** 2.0\n", "2.0"),
        ("# A\n\n**Version**: v2.0 (draft)\n", "v2.0"),
        ("# A\n\n**Version** : 2.0.\n", "2.0"),
        ("# A\n\n- Document Version: `2.0`\n", "2.0"),
        ("# A\n\n**Date:** 2026-01-01 | **Version:** 2.0\n", "2.0"),
        ("# A\n\n| **Version** | 2.0 |\n", "2.0"),
        ("## Версия: 2.0\n", "2.0"),
        ("# A\n\n**Target Version:** 2.0\n", None),
        ("# A\n\nVersion: next\n", None),
        ("# A\n\n| Version | Date |\n|---|---|\n| 1 | 2 |\n", None),
        ("# A\n" + "\n" * 60 + "**Version:** 2.0\n", None),
        (f"# A\n\n{OLDEST_FIRST}", "1.10"),
        (f"# A\n\n{NEWEST_FIRST}", "1.10"),
        (f"# A\n\n{LOG}| 2026-01-01 | TBD | Begin | Ann |\n", None),
    ],
)
def test_the_version_comes_from_the_first_source_that_has_one(text: str, version: str | None) -> None:
    assert read(text).version == version


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("---\nauthor: Ann\n---\n**Author:** Bob\n", "Ann"),
        ("---\nauthors: [Ann, {name: Bob}]\n---\n", "Ann, Bob"),
        ("---\nuser_name: Cem\n---\n**Author:** Bob\n", "Bob"),
        ("---\nuser_name: Cem\n---\n", "Cem"),
        ("# A\n\n**Author:** Sarah (Product Owner)\n", "Sarah (Product Owner)"),
        ("# A\n\n- Author: Bob; Date: 2026-01-01\n", "Bob"),
        ("# A\n\n**Автор:** Анна\n", "Анна"),
        ("# A\n\n**Author:** {{user_name}}\n", None),
        ("# A\n\n**Author:** TBD\n", None),
        ("# A\n\n| Author | Date |\n|---|---|\n", None),
        (f"# A\n\n{NEWEST_FIRST}", "Ann (PM)"),
        (f"# A\n\n{LOG}| 2026-01-01 | 1.0 | Begin | [Name] |\n", None),
    ],
)
def test_the_author_comes_from_the_first_source_that_has_one(text: str, author: str | None) -> None:
    assert read(text).created_by == author


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ncreated: 2026-05-08\n---\n", datetime(2026, 5, 8, tzinfo=UTC)),
        ("---\ndate: '2026-05-08'\n---\n", datetime(2026, 5, 8, tzinfo=UTC)),
        ("---\ndate: 2026-05-08T10:30:00+02:00\n---\n", datetime(2026, 5, 8, 8, 30, tzinfo=UTC)),
        ("---\ndate: 2026-05-08 10:30:00.5 Z\n---\n", datetime(2026, 5, 8, 10, 30, 0, 500000, tzinfo=UTC)),
        ("# A\n\n**Created**: 2026-05-08 by Ann\n", datetime(2026, 5, 8, tzinfo=UTC)),
        ("# A\n\n**Date:** 2026-05-08\n", datetime(2026, 5, 8, tzinfo=UTC)),
        (OLDEST_FIRST, datetime(2026, 1, 2, tzinfo=UTC)),
        ("---\ndate: 2026-13-45\n---\n", None),
        ("---\ndate: 2026-05\n---\n", None),
        ("---\ndate: 08.05.2026\n---\n", None),
        ("---\ndate: YYYY-MM-DD\n---\n", None),
        ("---\nupdated: 2026-05-08\n---\n", None),
        ("---\ndate: [2026-05-08]\n---\n", None),
    ],
)
def test_the_creation_time_is_read_only_if_it_is_clearly_a_date(text: str, expected: datetime | None) -> None:
    assert read(text).created_at == expected
