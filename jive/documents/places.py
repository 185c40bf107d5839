"""Where a repository keeps its documents: folders, file names and suffixes, and what its configuration adds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DocumentType = Literal["PRD", "ARCHITECTURE", "STORY", "QA", "OTHER"]

DOCUMENT_ROOTS = ("docs/", "_bmad-output/", "prds/")
DOCUMENT_SUFFIXES = (".md", ".markdown")
GATE_SUFFIXES = (".yml", ".yaml")

_SPINE = "architecture-spine.md"  # version 6 of the BMAD method puts it wherever its architecture is

# Files whose exact name, in lower case, says what they are. They are documents at the root of a repository too.
NAMED_DOCUMENTS: Mapping[str, DocumentType] = {
    "prd.md": "PRD",
    "architecture.md": "ARCHITECTURE",
    _SPINE: "ARCHITECTURE",
}

# Folders of tools and of other people's work: they hold templates and copies, not this project's documents.
TOOL_FOLDERS = frozenset(
    """
    .agent .agents .augment .bmad .bmad-core .bmad-method .claude .clinerules .codex .cursor .gemini .git .github
    .idea .kilocode .opencode .qwen .roo .trae .venv .vscode .windsurf _bmad bmad-core build dist node_modules
    site-packages vendor venv
    """.split()  # noqa: SIM905  # a list of thirty quoted words is harder to read
)

# The usual folders, in lower case, and the type of the documents below them.
_FOLDERS: Mapping[str, DocumentType] = {
    "stories": "STORY",
    "user-stories": "STORY",
    "implementation-artifacts": "STORY",
    "sprint-artifacts": "STORY",
    "prd": "PRD",
    "architecture": "ARCHITECTURE",
    "qa": "QA",
    "test-artifacts": "QA",
}


@dataclass(frozen=True)
class Places:
    """The places that a repository's configuration names, in addition to the usual ones.

    Attributes:
        config: what `projects.config` stores: the method's keys in camelCase, paths relative to the root.
        files: the type of each named file, by its path in lower case; None if the file's name decides.
        folders: the same for each named folder, in lower case and with a `/` at the end, the deepest first.
        bases: the folders as they are spelled, with a `/` at the end: references may be relative to them.
    """

    config: dict[str, Any] = field(default_factory=dict)
    files: Mapping[str, DocumentType | None] = field(default_factory=dict)
    folders: Mapping[str, DocumentType | None] = field(default_factory=dict)
    bases: tuple[str, ...] = ()

    def folder_type(self, path: str) -> DocumentType | None:
        """Return the type that the folder of `path` stands for; the deepest folder with a type decides."""
        folder = path.lower().rpartition("/")[0]
        while folder:
            parent, _, name = folder.rpartition("/")
            if found := self.folders.get(f"{folder}/") or _FOLDERS.get(name):
                return found
            folder = parent
        return None


USUAL = Places()


def is_document(path: str, places: Places = USUAL) -> bool:
    """Return whether the file at `path`, relative to its repository and with `/`, is one that JIVE stores."""
    lower = path.lower()
    if lower.endswith(GATE_SUFFIXES):
        is_gate = is_among_gates(path) or lower.endswith((".gate.yml", ".gate.yaml"))
        return is_gate and _is_in_place(path, lower, places) and places.folder_type(path) == "QA"
    return lower.endswith(DOCUMENT_SUFFIXES) and _is_in_place(path, lower, places)


def is_among_gates(path: str) -> bool:
    """Return whether `path` lies below a folder `gates`."""
    return "/gates/" in f"/{path.lower()}"


def _is_in_place(path: str, lower: str, places: Places) -> bool:
    if lower in places.files:
        return True
    parts = path.split("/")
    for folder in places.folders:
        if lower.startswith(folder):  # a tool's folder above a configured one does not hide it; one below does
            return TOOL_FOLDERS.isdisjoint(parts[folder.count("/") : -1])
    if not TOOL_FOLDERS.isdisjoint(parts[:-1]):
        return False
    return lower.startswith(DOCUMENT_ROOTS) or lower in NAMED_DOCUMENTS or parts[-1].lower() == _SPINE
