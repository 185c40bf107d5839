"""Which files are documents, and of what kind: told by the place first, and by the heading second."""

import re

from jive.documents.places import TOOL_FOLDERS, USUAL, DocumentType, Places

__all__ = ["TOOL_FOLDERS", "DocumentType", "document_type", "is_document", "type_by_heading"]

DOCUMENT_ROOTS = ("docs/", "_bmad-output/", "prds/")
DOCUMENT_SUFFIXES = (".md", ".markdown")
GATE_SUFFIXES = (".yml", ".yaml")

_SPINE = "architecture-spine.md"  # version 6 puts it wherever its architecture lies
_THE_DOCUMENT: dict[str, DocumentType] = {
    "prd.md": "PRD",
    "architecture.md": "ARCHITECTURE",
    _SPINE: "ARCHITECTURE",
}

# A folder of this name says the type of what lies below it, until a deeper one says another. All in lower case.
_FOLDERS: dict[str, DocumentType] = {
    "stories": "STORY",
    "user-stories": "STORY",
    "implementation-artifacts": "STORY",
    "sprint-artifacts": "STORY",
    "prd": "PRD",
    "architecture": "ARCHITECTURE",
    "qa": "QA",
    "test-artifacts": "QA",
}
# Elsewhere the file's name says it: the first pattern that fits.
_NAMES: tuple[tuple[DocumentType, re.Pattern[str]], ...] = (
    ("STORY", re.compile(r"story-|.*\.story\.")),
    ("QA", re.compile(r"test-(?:design|review)|atdd-checklist|nfr-assess|traceability|.*\.gate\.")),
    ("PRD", re.compile(r"(?:.*[-_. ])?prd[-_. ]|.*product-requirements?[-_. ]")),
    ("ARCHITECTURE", re.compile(r"(?:.*[-_. ])?architecture[-_. ]")),
)
# A part of a sharded document, whatever it is called: every PRD has a section "Checklist Results Report".
_SECTION = re.compile(r"\d+[-_. ]|index\.|checklist-results-report\.")

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
_SUBJECT_WITHIN = 12  # characters: "review of the PRD", but not "review platform for teams: PRD"


def is_document(path: str, places: Places = USUAL) -> bool:
    """Return whether the file at `path`, relative to its repository and with `/`, is one that JIVE keeps."""
    lower = path.lower()
    if lower.endswith(GATE_SUFFIXES):
        is_gate = "/gates/" in f"/{lower}" or lower.endswith((".gate.yml", ".gate.yaml"))
        return is_gate and _lies_in_place(path, lower, places) and _type_of_folder(lower, places) == "QA"
    return lower.endswith(DOCUMENT_SUFFIXES) and _lies_in_place(path, lower, places)


def _lies_in_place(path: str, lower: str, places: Places) -> bool:
    if lower in places.files:
        return True
    parts = path.split("/")
    for folder in places.folders:
        if lower.startswith(folder):  # a tool's folder above a configured one does not hide it; one below does
            return TOOL_FOLDERS.isdisjoint(parts[folder.count("/") : -1])
    if not TOOL_FOLDERS.isdisjoint(parts[:-1]):
        return False
    return lower.startswith(DOCUMENT_ROOTS) or lower in _THE_DOCUMENT or parts[-1].lower() == _SPINE


def document_type(path: str, places: Places = USUAL) -> DocumentType:
    """Return the type of the document at `path`, by its place alone.

    A STORY by its place is a candidate: `type_by_heading` says what it is.
    """
    lower = path.lower()
    if configured := places.files.get(lower):
        return configured
    *folders, name = lower.split("/")
    if name.endswith(GATE_SUFFIXES):
        return "QA"
    if name.startswith(".") and name not in DOCUMENT_SUFFIXES:
        return "OTHER"
    if kind := _type_of_folder(lower, places):
        is_part = kind not in _SUBJECTS or _SECTION.match(name) or not _is_about(kind, _words(name))
        return kind if is_part else "OTHER"
    kind = next((kind for kind, pattern in _NAMES if pattern.match(name)), None)
    if kind in _SUBJECTS and any(_is_about(kind, _words(part)) for part in (name, *folders)):
        return "OTHER"
    return kind or "OTHER"


def _type_of_folder(lower: str, places: Places) -> DocumentType | None:
    """Return the type that the deepest folder says which says one."""
    folder = lower.rpartition("/")[0]
    while folder:
        parent, _, name = folder.rpartition("/")
        if kind := places.folders.get(f"{folder}/") or _FOLDERS.get(name):
            return kind
        folder = parent
    return None


def type_by_heading(path: str, kind: DocumentType, title: str, is_story: bool, places: Places = USUAL) -> DocumentType:
    """Return what the document at `path` is, whose place says `kind`: a review of a PRD is none.

    What lies among stories and is none is what its exact name says, else OTHER.
    """
    lower = path.lower()
    name = lower.rpartition("/")[2]
    if kind == "STORY":
        return "STORY" if is_story else _THE_DOCUMENT.get(name, "OTHER")
    if kind not in _SUBJECTS or name in _THE_DOCUMENT or lower in places.files or _SECTION.match(name):
        return kind
    return "OTHER" if _is_about(kind, title.casefold()) else kind


def _words(name: str) -> str:
    return re.sub(r"[-_.\s]+", " ", name.removesuffix(".md").removesuffix(".markdown"))


def _is_about(kind: DocumentType, text: str) -> bool:
    """Return whether `text`, in lower case, names something about a document of this kind, and not one."""
    about = _ABOUT.search(text)
    if not about:
        return False
    if _ABOUT_ALONE.match(text):
        return True
    subject = _SUBJECTS[kind].search(text)
    if not subject:
        return False
    return about.start() > subject.start() or (about.start() == 0 and subject.start() - about.end() <= _SUBJECT_WITHIN)
