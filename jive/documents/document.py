"""Read a document: its text, type, title, metadata, status and dependencies."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from jive.documents.changelog import read_changes
from jive.documents.dependencies import MAX_DEPENDENCIES, Dependency, find_dependencies
from jive.documents.frontmatter import split_front_matter
from jive.documents.gate import read_gate
from jive.documents.kind import Content, document_type
from jive.documents.markdown import MAX_TITLE_CHARS, Outline, read_outline, title_of
from jive.documents.metadata import read_head, read_metadata
from jive.documents.places import GATE_SUFFIXES, USUAL, DocumentType, Places, is_among_gates
from jive.documents.status import DocumentStatus, gate_decision
from jive.documents.story import find_status

READER_VERSION = 1  # increment it if documents are read differently: scans then read unchanged files again too
MAX_CONTENT_BYTES = 2 * 1024 * 1024
MAX_STATUS_CHARS = 200


@dataclass(frozen=True)
class Document:
    """What was read from a document.

    Attributes:
        path: relative to the root of the repository; identifies the document.
        title: the heading, else the title in front matter, else the file's name.
        content: the text; None if the file is too large to be stored.
        created_at: aware UTC.
        status: the status of a story or the decision of a gate; None if it is not a known one.
        status_text: the same as it is written; None if there is none, or the document is neither story nor gate.
        warnings: what could not be read as intended; each begins with the path.
    """

    path: str
    type: DocumentType
    title: str
    content: str | None
    version: str | None = None
    created_by: str | None = None
    created_at: datetime | None = None
    status: DocumentStatus | None = None
    status_text: str | None = None
    dependencies: tuple[Dependency, ...] = ()
    warnings: tuple[str, ...] = ()


def read_document(
    path: str, data: bytes | None, places: Places = USUAL, exists: Callable[[str], bool] = lambda path: False
) -> Document:
    """Read the file at `path` (relative, with `/`). Any bytes can be read; problems become warnings.

    Args:
        data: the file's bytes; None if there are more than `MAX_CONTENT_BYTES`.
        places: where the repository keeps its documents.
        exists: returns whether a path is in the repository; it decides which file a reference means.
    """
    if data is None or len(data) > MAX_CONTENT_BYTES:
        warning = f"{path}: larger than {MAX_CONTENT_BYTES:,} bytes; its content is not stored"
        return Document(path, document_type(path, places), _stem(path), None, warnings=(warning,))
    content, warnings = _decode(path, data)
    text = content.replace("\r\n", "\n").replace("\r", "\n") if "\r" in content else content
    if path.lower().endswith(GATE_SUFFIXES):
        return _read_gate(path, content, text, warnings)
    return _read_markdown(path, content, text, warnings, places, exists)


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _decode(path: str, data: bytes) -> tuple[str, list[str]]:
    warnings = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        encoding, name = ("utf-16", "UTF-16") if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("latin-1", "Latin-1")
        text = data.decode(encoding, errors="replace")
        warnings.append(f"{path}: not UTF-8; read as {name}")
    if "\0" in text:  # Postgres does not store it
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        warnings.append(f"{path}: contains NUL bytes; replaced with U+FFFD")
    return text, warnings


def _read_gate(path: str, content: str, text: str, warnings: list[str]) -> Document:
    gate = read_gate(text)
    if gate.problem:
        warnings.append(f"{path}: not valid YAML ({gate.problem}); read line by line")
    return Document(
        path=path,
        type=document_type(path),
        title=(gate.title or _stem(path))[:MAX_TITLE_CHARS],
        content=content,
        version=gate.metadata.version,
        created_by=gate.metadata.created_by,
        created_at=gate.metadata.created_at,
        status=gate.decision,
        status_text=gate.decision_text and gate.decision_text[:MAX_STATUS_CHARS],
        warnings=tuple(warnings),
    )


def _read_markdown(
    path: str, content: str, text: str, warnings: list[str], places: Places, exists: Callable[[str], bool]
) -> Document:
    front = split_front_matter(text)
    if front.problem:
        warnings.append(f"{path}: front matter ignored ({front.problem})")
    outline = read_outline(front.body)
    head = read_head(outline)
    title = _title(path, front.values, outline)
    statuses = _statuses(front.values, head)
    kind = document_type(path, places, Content(title, outline, statuses))
    status, status_text = _status(path, kind, statuses, head, outline)
    metadata = read_metadata(front.values, head, read_changes(outline))
    dependencies, more = find_dependencies(path, front.values, outline.text, places, exists)
    if more:
        warnings.append(f"{path}: refers to more than {MAX_DEPENDENCIES} files; the others are left out")
    return Document(
        path=path,
        type=kind,
        title=title,
        content=content,
        version=metadata.version,
        created_by=metadata.created_by,
        created_at=metadata.created_at,
        status=status,
        status_text=status_text and status_text[:MAX_STATUS_CHARS],
        dependencies=dependencies,
        warnings=tuple(warnings),
    )


def _title(path: str, values: dict[str, Any], outline: Outline) -> str:
    """Return the first heading if it is of level 1, else the title in front matter, else the heading, else the name."""
    heading = title_of(outline)
    if heading and heading.level == 1:
        return heading.text
    stated = values.get("title")
    if isinstance(stated, str) and stated.strip():
        return " ".join(stated.split())[:MAX_TITLE_CHARS]
    return heading.text if heading else _stem(path)


def _statuses(values: dict[str, Any], head: dict[str, list[str]]) -> list[str]:
    """Return the statuses that front matter and the head give, in this order."""
    stated = values.get("status")
    front = [stated.strip()] if isinstance(stated, str) and stated.strip() else []
    return front + head.get("status", [])


def _status(
    path: str, kind: DocumentType, statuses: list[str], head: dict[str, list[str]], outline: Outline
) -> tuple[DocumentStatus | None, str | None]:
    if kind == "STORY":
        return find_status(statuses, outline)
    decision = next(iter(head.get("gate", ())), None) if kind == "QA" and is_among_gates(path) else None
    return gate_decision(decision) if decision else None, decision
