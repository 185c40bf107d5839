"""What a document says of itself: its text, whatever its encoding, and what can be read off it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from jive.documents.changelog import read_changes
from jive.documents.dependencies import MAX_DEPENDENCIES, Dependency, find_dependencies
from jive.documents.frontmatter import BrokenYaml, read_yaml, split_front_matter
from jive.documents.kind import GATE_SUFFIXES, document_type, type_by_heading
from jive.documents.markdown import MAX_TITLE_CHARS, Outline, read_outline, title_of
from jive.documents.metadata import read_head, read_metadata
from jive.documents.places import USUAL, DocumentType, Places
from jive.documents.status import DocumentStatus, gate_decision
from jive.documents.story import find_status, is_story

__all__ = ["MAX_CONTENT_BYTES", "READER_VERSION", "Dependency", "Document", "DocumentStatus", "read_document"]

READER_VERSION = 1  # raise it with every change of what is read off a document: unchanged files are read again then
MAX_CONTENT_BYTES = 2 * 1024 * 1024
MAX_STATUS_CHARS = 200

_GATE_TITLES = ("story_title", "story_name", "title", "story", "story_id")
_GATE_DECISIONS = ("gate", "gate_decision", "gate_status", "decision", "status", "result")
_GATE_MAPPINGS = ("gate", "quality_gate", "decision")
_GATE_LINE = re.compile(r"^([a-z_]{2,20}):[ \t]*([^\n]*)", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """A document as it was read.

    Attributes:
        path: relative to the root of its repository; what identifies it.
        title: its heading, else its front matter's title, else its file's name.
        content: its text; None when it is larger than is kept.
        created_at: aware UTC.
        status: the state of a story, or the decision of a gate, where it is a known one; `status_text`: as written.
        warnings: what could not be read as it should, each with the path.
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
    """Read the file at `path` (relative, with `/`) whose bytes are `data`; whatever they are, this succeeds.

    Args:
        data: None when the file is larger than is read.
        exists: whether a path is in the tree; by it a reference finds its file among several candidates.
    """
    if data is None or len(data) > MAX_CONTENT_BYTES:
        size = "larger than is read" if data is None else f"{len(data):,} bytes"
        warning = f"{path}: {size}; the content of files over {MAX_CONTENT_BYTES:,} bytes is not kept"
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
    if "\0" in text:  # which Postgres cannot keep
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        warnings.append(f"{path}: holds NUL bytes; each was replaced")
    return text, warnings


def _read_gate(path: str, content: str, text: str, warnings: list[str]) -> Document:
    """Read a quality gate; of broken YAML, the lines that still say something."""
    try:
        parsed = read_yaml(text)
    except BrokenYaml as exc:
        warnings.append(f"{path}: not valid YAML ({exc}); read line by line")
        parsed = {key: value.strip(" \t\"'") for key, value in _GATE_LINE.findall(text)}
    values: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
    texts = {key: value.strip() for key, value in values.items() if isinstance(value, str) and value.strip()}
    decision = _decision(values)
    reviewer = texts.get("reviewer")
    metadata = read_metadata(values, {"author": [reviewer]} if reviewer else {}, ())
    return Document(
        path,
        "QA",
        next((texts[key] for key in _GATE_TITLES if key in texts), _stem(path))[:MAX_TITLE_CHARS],
        content,
        metadata.version,
        metadata.created_by,
        metadata.created_at,
        gate_decision(decision) if decision else None,
        decision and decision[:MAX_STATUS_CHARS],
        warnings=tuple(warnings),
    )


def _decision(values: dict[str, Any]) -> str | None:
    """Return what a gate says it decided, at its top or in the mapping that is its only entry for it."""
    for mapping in (values, *(values.get(key) for key in _GATE_MAPPINGS)):
        if isinstance(mapping, dict):
            for key in _GATE_DECISIONS:
                if isinstance(text := mapping.get(key), str) and text.strip():
                    return text.strip()
    return None


def _read_markdown(
    path: str, content: str, text: str, warnings: list[str], places: Places, exists: Callable[[str], bool]
) -> Document:
    front = split_front_matter(text)
    if front.problem:
        warnings.append(f"{path}: its front matter does not count ({front.problem})")
    outline = read_outline(front.body)
    head = read_head(outline)
    title = _title(path, front.values, outline)
    kind, status, status_text = _kind_and_status(path, front.values, outline, head, title, places)
    metadata = read_metadata(front.values, head, read_changes(outline))
    dependencies, more = find_dependencies(path, front.values, outline.text, places, exists)
    if more:
        warnings.append(f"{path}: names more than {MAX_DEPENDENCIES} files; the others are left out")
    return Document(
        path,
        kind,
        title,
        content,
        metadata.version,
        metadata.created_by,
        metadata.created_at,
        status,
        status_text and status_text[:MAX_STATUS_CHARS],
        dependencies,
        tuple(warnings),
    )


def _title(path: str, values: dict[str, Any], outline: Outline) -> str:
    """Return the heading if it is a first-level one, else the front matter's title, else any heading, else the name."""
    heading = title_of(outline)
    if heading and heading.level == 1:
        return heading.text
    stated = values.get("title")
    if isinstance(stated, str) and stated.strip():
        return " ".join(stated.split())[:MAX_TITLE_CHARS]
    return heading.text if heading else _stem(path)


def _kind_and_status(
    path: str, values: dict[str, Any], outline: Outline, head: dict[str, list[str]], title: str, places: Places
) -> tuple[DocumentType, DocumentStatus | None, str | None]:
    kind = document_type(path, places)
    status, status_text = None, None
    if kind == "STORY":
        front = values.get("status")
        stated = [front.strip()] if isinstance(front, str) and front.strip() else []
        status, status_text = find_status([*stated, *head.get("status", ())], outline)
        kind = type_by_heading(path, kind, title, is_story(_stem(path), title, outline, status is not None), places)
    else:
        kind = type_by_heading(path, kind, title, False, places)
    if kind == "STORY":
        return kind, status, status_text
    decision = next(iter(head.get("gate", ())), None) if kind == "QA" and "/gates/" in f"/{path.lower()}" else None
    return kind, gate_decision(decision) if decision else None, decision
