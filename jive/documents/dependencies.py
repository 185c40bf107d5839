"""Dependencies: the files that a document refers to in its front matter, links and source notes."""

import re
from collections.abc import Callable, Iterator
from posixpath import normpath
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from jive.documents.places import Places

MAX_DEPENDENCIES = 500
MAX_REFERENCES = 2_000  # examined in one document
MAX_CLIMB = 8  # parent folders of a document in which its references are looked up
MAX_PATH_BYTES = 900
MAX_LISTED = 2_000  # items of one list in front matter

_DOCUMENT_SUFFIXES = frozenset(
    "md markdown mdx rst adoc txt yaml yml json toml xml csv tsv html htm pdf docx xlsx pptx feature".split()  # noqa: SIM905
)
_IMAGE_SUFFIXES = frozenset("png jpg jpeg gif svg webp ico bmp avif mp4 webm mov mp3".split())  # noqa: SIM905
_LIST_KEYS = frozenset(
    """
    dependencies dependson inputdocuments inputs sources source sourcedocuments basedon derivedfrom references context
    documentsincluded documentsassessed documentsfound
    """.split()  # noqa: SIM905
)
_PATH_KEYS = ("path", "file", "document", "artifact")

# Linear in time: an attempt to match stops where the next one may begin.
_LINK = re.compile(r"\]\([ \t]*(?:<([^<>\n#]+)|([^()<>\n#]+))")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*(\S+)", re.MULTILINE)
_SOURCE = re.compile(r"\[[Ss][Oo][Uu][Rr][Cc][Ee][Ss]?:([^\]\n]+)")
_LINK_TITLE = re.compile(r"[ \t][\"'(]")
_SOURCE_PART = re.compile(r"[;,|]| [\u2013\u2014-] ")
_VERSION = re.compile(r"v?\d[\w.+-]{0,63}", re.ASCII | re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|~|#")
_ROOT = re.compile(r"\$?\{project[-_]root\}/*")
_CLIMB = re.compile(r"(?:\.\.?/+)+")
_NO_PATH = frozenset('{}<>*|"$\N{HORIZONTAL ELLIPSIS}')

_Kind = Literal["listed", "source", "link"]


class Dependency(NamedTuple):
    """A file that a document depends on: its path, relative to the root, and the version, None if none is given."""

    path: str
    version: str | None = None


class _Reference(NamedTuple):
    kind: _Kind
    text: str
    version: str | None = None


def find_dependencies(
    path: str, values: dict[str, Any], text: str, places: Places, exists: Callable[[str], bool]
) -> tuple[tuple[Dependency, ...], bool]:
    """Return the dependencies of the document at `path`, sorted by path, and whether any were left out.

    Args:
        values: the document's front matter.
        text: its Markdown, without code.
        exists: returns whether a path is in the repository; it decides which folder a reference is relative to.
    """
    found: dict[str, str | None] = {}
    seen: set[_Reference] = set()
    for reference in _references(values, text):
        if reference in seen:
            continue
        seen.add(reference)
        if len(seen) > MAX_REFERENCES:
            return _sorted(found), True
        dependency = _resolve(path, reference, places, exists)
        if dependency is None or dependency.path == path:
            continue
        if dependency.path not in found and len(found) == MAX_DEPENDENCIES:
            return _sorted(found), True
        found[dependency.path] = found.get(dependency.path) or dependency.version
    return _sorted(found), False


def _sorted(found: dict[str, str | None]) -> tuple[Dependency, ...]:
    return tuple(Dependency(path, version) for path, version in sorted(found.items()))


def _references(values: dict[str, Any], text: str) -> Iterator[_Reference]:
    bmad = values.get("bmad")
    for mapping in (values, bmad if isinstance(bmad, dict) else {}):
        for key, value in mapping.items():
            if key.casefold().replace("_", "").replace("-", "") in _LIST_KEYS:
                yield from _listed(value)
    if "](" in text:
        for angled, bare in dict.fromkeys(_LINK.findall(text)):
            yield _Reference("link", angled or (_LINK_TITLE.split(bare, maxsplit=1)[0] if " " in bare else bare))
    if "]:" in text:
        yield from (_Reference("link", target) for target in _DEFINITION.findall(text))
    if "ource" in text or "OURCE" in text:
        for stated in dict.fromkeys(_SOURCE.findall(text)):
            yield from (_Reference("source", part.partition("#")[0]) for part in _SOURCE_PART.split(stated))


def _listed(value: object) -> Iterator[_Reference]:
    """Yield the references in a value: a path, a list of paths or mappings, or a mapping from names to paths."""
    items = value[:MAX_LISTED] if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, str):
            yield _Reference("listed", item)
        elif isinstance(item, dict):
            version = item.get("version")
            path = next((item[key] for key in _PATH_KEYS if isinstance(item.get(key), str)), None)
            if path is not None:
                yield _Reference("listed", path, version.strip()[:64] or None if isinstance(version, str) else None)
            else:
                yield from (_Reference("listed", text) for text in item.values() if isinstance(text, str))


def _resolve(document: str, reference: _Reference, places: Places, exists: Callable[[str], bool]) -> Dependency | None:
    """Return the first candidate that exists, else the most likely one if the text is surely a path, else None."""
    kind, text, version = reference
    text = _bare(text[: 2 * MAX_PATH_BYTES])
    if version is None and "@" in text:
        head, at, tail = text.rpartition("@")
        if at and _VERSION.fullmatch(tail) and _suffix(head) in _DOCUMENT_SUFFIXES | {""}:
            text, version = head, tail
    rooted = _ROOT.match(text) if text[:1] in ("{", "$") else None
    text = text[rooted.end() :] if rooted else text
    if not text or len(text) > MAX_PATH_BYTES or not text.isprintable() or _SCHEME.match(text):
        return None
    is_prose = kind == "source" or (kind == "listed" and _suffix(text) not in _DOCUMENT_SUFFIXES)
    if is_prose and " " in text and not exists(normpath(text)):
        text = next((word for word in map(_bare, text.split()) if _suffix(word) in _DOCUMENT_SUFFIXES), "")
    suffix = _suffix(text)
    is_document = suffix in _DOCUMENT_SUFFIXES and _NO_PATH.isdisjoint(text) and "..." not in text
    if suffix in _IMAGE_SUFFIXES or not (is_document or kind == "listed"):
        return None
    inside = [path for path in _candidates(document, text, kind, bool(rooted), places) if _is_inside(path)]
    found = next(filter(exists, inside), None)
    if not found and is_document and (kind != "source" or "/" in text):
        found = next(iter(inside), None)
    return Dependency(found, version) if found else None


def _is_inside(path: str) -> bool:
    return (
        path not in (".", "..") and not path.startswith("../") and len(path.encode(errors="replace")) <= MAX_PATH_BYTES
    )


def _bare(text: str) -> str:
    """Return a reference without quotes, fragment, query and percent-encoding, with `/` for a backslash."""
    text = text.strip(" \t`'\"[]()<>").partition("#")[0].partition("?")[0].rstrip(" `'\"")
    return (unquote(text) if "%" in text else text).replace("\\", "/")


def _suffix(text: str) -> str:
    _, dot, suffix = text.rpartition("/")[2].rpartition(".")
    return suffix.lower() if dot else ""


def _candidates(document: str, text: str, kind: _Kind, rooted: bool, places: Places) -> Iterator[str]:
    """Yield the paths that a reference may mean, the most likely first; some may be outside the repository."""
    if rooted or text.startswith("/"):
        yield normpath(text.lstrip("/"))
        return
    folder = document.rpartition("/")[0]
    near = normpath(f"{folder}/{text}") if folder else normpath(text)
    if text.startswith(("./", "../")):
        yield near
        if _is_inside(near):  # with too few `..`, usually the root is meant
            yield normpath(_CLIMB.sub("", text))
        return
    if kind != "link" and "/" in text:
        yield normpath(text)
    yield near
    for _ in range(MAX_CLIMB):
        if not folder:
            break
        folder = folder.rpartition("/")[0]
        yield normpath(f"{folder}/{text}") if folder else normpath(text)
    for base in ("docs/", *places.bases):
        yield normpath(base + text)
