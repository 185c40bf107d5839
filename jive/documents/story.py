"""Stories: what distinguishes one from other documents, and its status."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import PurePosixPath

from jive.documents.markdown import Outline, plain
from jive.documents.status import DocumentStatus, story_status
from jive.documents.vocabulary import EPIC_WORDS, STATUS, STORY_SECTIONS, STORY_WORDS

# "Story 1.2: Sign in", "Story se1-4 - Segments", "Story: Sign in"; not "Story 1.2 Completion Summary".
_STORY_TITLE = re.compile(
    rf"\W*(?:{'|'.join(STORY_WORDS)})(?:[ #]*[\w.-]*\d[\w.-]*)?[\]\s]*(?:[:\uff1a\u2013\u2014-]|$)"
)
_OTHER_TITLE = re.compile(
    rf"\W*(?:{'|'.join(EPIC_WORDS)}|sprint|retrospective|validation|checklist|template|readme|review|code review)\b"
    r"|.*\b(?:validation report|completion (?:summary|report)|retrospective)\b"
)
_TEMPLATE_NAME = re.compile(r"(?:.*[-_.])?story[-_.]?(?:template|tmpl)\b|_?(?:template|tmpl)\b")
_OTHER_NAME = re.compile(r"(?:readme|epics?|retro|retrospective|sprint|validation-report|atdd-checklist)\b")
_OTHER_NUMBERED = re.compile(
    r"index\b|.*[-_. ](?:report|summary|reviews?|checklist|retro|retrospective|recommendations?|findings|analysis"
    r"|handoff|handover)[-_. \dtz]*$"
)
_NUMBERED = re.compile(r"(?:[a-z]{1,6}[-_]?)?\d+[a-z]?[-_.]\d")
_STATUS_LINES = 12


def is_story(path: str, title: str, outline: Outline, statuses: Sequence[str]) -> bool:
    """Return whether a document in a place for stories is one; epics, reports and templates are not.

    The evidence, in this order: a template's name; a title such as "Story 1.2: Sign in"; the name or title of another
    document; a section Story or Acceptance Criteria, in any known language; a number in the name and a known status.
    """
    stem = PurePosixPath(path).stem.lower()
    title = title.casefold()
    if _TEMPLATE_NAME.match(stem):
        return False
    if _STORY_TITLE.match(title):
        return True
    if _OTHER_NAME.match(stem) or _OTHER_TITLE.match(title):
        return False
    if any(plain(heading.text) in STORY_SECTIONS for heading in outline.headings):
        return True
    if not _NUMBERED.match(stem) or _OTHER_NUMBERED.match(stem):
        return False
    return find_status(statuses, outline)[0] is not None


def find_status(statuses: Sequence[str], outline: Outline) -> tuple[DocumentStatus | None, str | None]:
    """Return a story's status and the text that gives it: the first known status, else None and the first text.

    Args:
        statuses: the statuses in front matter and in the head, in this order.
        outline: is searched for a section "Status", which comes last.
    """
    first = None
    for text in chain(statuses, _below_heading(outline)):
        first = first or text
        if status := story_status(text):
            return status, text
    return None, first


def _below_heading(outline: Outline) -> Iterator[str]:
    """Yield the first line that is not empty below the first heading "Status"."""
    for index, heading in enumerate(outline.headings):
        if plain(heading.text) in STATUS:
            below = (
                line.strip(" \t*_`>-") for line in outline.section(index).split("\n", _STATUS_LINES)[:_STATUS_LINES]
            )
            yield from islice(filter(None, below), 1)
            return
