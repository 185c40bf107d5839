"""What kind of document a file is; `document_type` says in which order the evidence counts."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from jive.documents.markdown import Outline
from jive.documents.places import (
    DOCUMENT_SUFFIXES,
    GATE_SUFFIXES,
    NAMED_DOCUMENTS,
    USUAL,
    DocumentType,
    Places,
)
from jive.documents.story import is_story

# What a file's name says, if no folder says more: the first pattern that matches.
_NAMES: tuple[tuple[DocumentType, re.Pattern[str]], ...] = (
    ("STORY", re.compile(r"story-|.*\.story\.")),
    ("QA", re.compile(r"test-(?:design|review)|atdd-checklist|nfr-assess|traceability|.*\.gate\.")),
    ("PRD", re.compile(r"(?:.*[-_. ])?prd[-_. ]|.*product-requirements?[-_. ]")),
    ("ARCHITECTURE", re.compile(r"(?:.*[-_. ])?architecture[-_. ]")),
)
# A part of a sharded document, regardless of its name: every PRD has a section "Checklist Results Report".
_SECTION = re.compile(r"\d+[-_. ]|index\.|checklist-results-report\.")

# Words for a document about a PRD or an architecture, and for the PRD or the architecture itself.
_ABOUT = re.compile(
    r"\b(?:reviews?|validat\w*|assessments?|checklists?|readiness|audits?|critiques?|feedback|distillates?|templates?"
    r"|revue|révision|überprüfung|prüfung|bewertung|revisión|revisão|evaluación|avaliação|validación|validação"
    r"|обзор|ревью|проверка|валидация|оценка)\b|评审|审查|审核|验证|レビュー|検証|검토|검증"
)
_ABOUT_ALONE = re.compile(
    rf"(?:{_ABOUT.pattern})(?: report| results| findings| summary)?[\s\d]*(?:$|[:(\u2013\u2014-])"
)
_SUBJECTS: dict[DocumentType, re.Pattern[str]] = {
    "PRD": re.compile(r"\bprds?\b|\bproduct requirements?|требовани|产品需求|需求文档|要件|요구사항"),
    "ARCHITECTURE": re.compile(r"\barchite[ck]tur|\barquite[ct]+ura|архитектур|架构|架構|アーキテクチャ|아키텍처"),
}
_MAX_GAP_CHARS = 12  # "review of the PRD" is about a PRD, "review platform for teams: PRD" is one


class Content(NamedTuple):
    """The content that helps to decide what kind of document a file is.

    Attributes:
        title: the document's title.
        outline: its headings and text.
        statuses: what its front matter and its head give as its status, in this order.
    """

    title: str
    outline: Outline
    statuses: Sequence[str]


def document_type(path: str, places: Places = USUAL, content: Content | None = None) -> DocumentType:
    """Return what kind of document the file at `path` (relative, with `/`) is.

    The place proposes a type. The first of these that has one decides:

    1. the suffix: YAML is a QA gate;
    2. the repository's configuration, if it names this file;
    3. the folder, of which the deepest one with a type counts, but hidden files are OTHER everywhere;
    4. the file's name.

    The content confirms or rejects it:

    5. a STORY must read like one, by its title, its sections, or its number and status; otherwise its exact name
       decides, or it is OTHER;
    6. a PRD or ARCHITECTURE whose title says that it is about one ("Review of the PRD") is OTHER.

    Args:
        content: None if the file is too large to be read; then the place decides alone.
    """
    by_place = _by_place(path.lower(), places)
    return by_place if content is None else _by_content(path, places, by_place, content)


def _by_place(lower: str, places: Places) -> DocumentType:
    if lower.endswith(GATE_SUFFIXES):
        return "QA"
    if configured := places.files.get(lower):
        return configured
    name = lower.rpartition("/")[2]
    if name.startswith(".") and name not in DOCUMENT_SUFFIXES:
        return "OTHER"
    return _by_folder(lower, name, places) or _by_name(lower, name) or "OTHER"


def _by_folder(lower: str, name: str, places: Places) -> DocumentType | None:
    found = places.folder_type(lower)
    if found in _SUBJECTS and not _SECTION.match(name) and _is_about(found, _words(name)):
        return "OTHER"
    return found


def _by_name(lower: str, name: str) -> DocumentType | None:
    found = next((named for named, pattern in _NAMES if pattern.match(name)), None)
    if found in _SUBJECTS and any(_is_about(found, _words(part)) for part in lower.split("/")):
        return "OTHER"
    return found


def _words(name: str) -> str:
    return re.sub(r"[-_.\s]+", " ", name.removesuffix(".md").removesuffix(".markdown"))


def _by_content(path: str, places: Places, by_place: DocumentType, content: Content) -> DocumentType:
    lower = path.lower()
    name = lower.rpartition("/")[2]
    if by_place == "STORY":
        return "STORY" if is_story(path, *content) else NAMED_DOCUMENTS.get(name, "OTHER")
    if by_place not in _SUBJECTS or name in NAMED_DOCUMENTS or lower in places.files or _SECTION.match(name):
        return by_place
    return "OTHER" if _is_about(by_place, content.title.casefold()) else by_place


def _is_about(subject: DocumentType, text: str) -> bool:
    """Return whether `text`, in lower case, names a document about a PRD or architecture, not the thing itself."""
    about = _ABOUT.search(text)
    if not about:
        return False
    if _ABOUT_ALONE.match(text):
        return True
    named = _SUBJECTS[subject].search(text)
    if not named:
        return False
    return about.start() > named.start() or (about.start() == 0 and named.start() - about.end() <= _MAX_GAP_CHARS)
