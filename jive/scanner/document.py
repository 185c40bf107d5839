"""What a document says of itself: its text, whatever its encoding, and its title."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from jive.scanner.classify import DocumentType, document_type

MAX_CONTENT_BYTES = 2 * 1024 * 1024

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?^---[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_GATE_TITLE = re.compile(r"""^(?:story_title|title|story):[ \t]*(['"]?)(.+?)\1[ \t]*$""", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """A document as it was read; `content` is None when it is larger than is kept."""

    path: str
    type: DocumentType
    title: str
    content: str | None
    warnings: tuple[str, ...] = ()


def read_document(path: str, data: bytes) -> Document:
    """Read the file at `path` (relative, with `/`) whose bytes are `data`; whatever they are, this succeeds."""
    if len(data) > MAX_CONTENT_BYTES:
        size = f"{path}: {len(data):,} bytes; the content of files over {MAX_CONTENT_BYTES:,} is not kept"
        return Document(path, document_type(path), PurePosixPath(path).stem, None, (size,))
    text, warnings = _decode(path, data)
    return Document(path, document_type(path), _title(path, text), text, warnings)


def _decode(path: str, data: bytes) -> tuple[str, tuple[str, ...]]:
    warnings = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
        warnings.append(f"{path}: not UTF-8; read as Latin-1")
    if "\0" in text:  # which Postgres cannot keep
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        warnings.append(f"{path}: holds NUL bytes; each was replaced")
    return text, tuple(warnings)


def _title(path: str, text: str) -> str:
    """Return the first heading outside of front matter and code, or a gate's title, or the file's name."""
    stem = PurePosixPath(path).stem
    text = text.replace("\r\n", "\n")
    if path.lower().endswith((".yml", ".yaml")):
        match = _GATE_TITLE.search(text)
        return match[2] if match else stem
    fence = ""
    for line in _FRONT_MATTER.sub("", text, count=1).split("\n"):
        if opening := _FENCE.match(line):
            fence = "" if fence == opening[1] else fence or opening[1]
        elif not fence and (heading := _HEADING.match(line)):
            return heading[1]
    return stem
