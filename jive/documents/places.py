"""Where a repository keeps its documents: the types, the folders of tools, and what its configuration adds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DocumentType = Literal["PRD", "ARCHITECTURE", "STORY", "QA", "OTHER"]

# Folders of tools and of other people's work: they hold templates and copies, not this project's documents.
TOOL_FOLDERS = frozenset(
    """
    .agent .agents .augment .bmad .bmad-core .bmad-method .claude .clinerules .codex .cursor .gemini .git .github
    .idea .kilocode .opencode .qwen .roo .trae .venv .vscode .windsurf _bmad bmad-core build dist node_modules
    site-packages vendor venv
    """.split()  # noqa: SIM905  # a list of thirty quoted words is harder to read
)


@dataclass(frozen=True)
class Places:
    """The places that a repository's configuration names, in addition to the usual ones.

    Attributes:
        config: what `projects.config` keeps: the method's keys in camelCase, paths relative to the root.
        files: the type of each named file, by its path in lower case; None where its name tells it.
        folders: the same for each named folder, in lower case and with a `/` at the end, the deepest first.
        bases: the folders as they are spelled, with a `/` at the end: references may be relative to them.
    """

    config: dict[str, Any] = field(default_factory=dict)
    files: Mapping[str, DocumentType | None] = field(default_factory=dict)
    folders: Mapping[str, DocumentType | None] = field(default_factory=dict)
    bases: tuple[str, ...] = ()


USUAL = Places()
