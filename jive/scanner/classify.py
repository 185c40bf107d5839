"""Which files are documents, and of what kind: told by the place where the BMAD method puts them."""

import re
from pathlib import PurePosixPath
from typing import Literal

DocumentType = Literal["PRD", "ARCHITECTURE", "STORY", "QA", "OTHER"]

# Folders of tools and of other people's work: they hold templates and copies, not this project's documents.
TOOL_FOLDERS = frozenset(
    """
    .agent .agents .augment .bmad .bmad-core .bmad-method .claude .clinerules .codex .cursor .gemini .git .github
    .idea .kilocode .opencode .qwen .roo .trae .venv .vscode .windsurf _bmad bmad-core build dist node_modules
    site-packages vendor venv
    """.split()  # noqa: SIM905  # a list of thirty quoted words is harder to read
)
DOCUMENT_ROOTS = ("docs/", "_bmad-output/", "prds/")

# The first pattern that fits a path says its type. Paths are compared in lower case.
_PLACES: tuple[tuple[DocumentType, re.Pattern[str]], ...] = (
    ("QA", re.compile(r"(^|/)qa/|\.gate\.ya?ml$")),
    ("STORY", re.compile(r"(^|/)stories/|/implementation-artifacts/(.*/)?\d+-\d+-[^/]+$|(^|/)story-[^/]*$")),
    ("PRD", re.compile(r"(^|/)prd/|(^|/)([^/]*-)?prd\.(md|markdown)$")),
    (
        "ARCHITECTURE",
        re.compile(r"(^|/)architecture[^/]*/|(^|/)([^/]*-)?architecture(-spine)?\.(md|markdown)$"),
    ),
)
_MARKDOWN = (".md", ".markdown")


def is_document(path: str) -> bool:
    """Return whether the file at `path`, relative to its repository and with `/`, is one that JIVE keeps."""
    pure = PurePosixPath(path)
    if TOOL_FOLDERS.intersection(pure.parts[:-1]):
        return False
    lower = path.lower()
    if pure.suffix.lower() in (".yml", ".yaml"):
        return "/gates/" in f"/{lower}" and document_type(path) == "QA"
    if pure.suffix.lower() not in _MARKDOWN or pure.stem == "":
        return False
    return (
        lower.startswith(DOCUMENT_ROOTS)
        or pure.stem.upper() == "ARCHITECTURE-SPINE"
        or lower in ("prd.md", "architecture.md")
    )


def document_type(path: str) -> DocumentType:
    """Return the type of the document at `path`, by its place alone."""
    lower = path.lower()
    return next((kind for kind, place in _PLACES if place.search(lower)), "OTHER")
