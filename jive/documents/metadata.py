"""A document's version, author and creation time, from its front matter, its head or its change log."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from jive.documents.changelog import Change
from jive.documents.markdown import Outline
from jive.documents.vocabulary import FIELDS

HEAD_LINES = 40
MAX_LINE_CHARS = 500
MAX_VALUE_CHARS = 200
MAX_VERSION_CHARS = 64

_FIELD = re.compile(r"[ \t>*_+|#-]*([^\W\d_][^:\uff1a|*\n]{0,40}?)[*_ \t]*[:\uff1a|][*_ \t|]*(.*)")
_SEPARATOR = re.compile(r" +[|·•] +")
_VERSION = re.compile(r"[\s\"'`*_(\[]*(v?\d[\w.+-]*)", re.ASCII | re.IGNORECASE)
_TIME = re.compile(
    r"[\s\"'`*_]*((?:19|20|21)\d\d-\d\d-\d\d)"
    r"(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)[ ]?(Z|[+-]\d\d:?\d\d)?)?(?![\d-])",
    re.ASCII,
)
_PLACEHOLDER = re.compile(r"[{\[<]|(?:tbd|n/?a|none|unknown|todo|name|author)$", re.IGNORECASE)


@dataclass(frozen=True)
class Metadata:
    """A document's version, author and creation time (aware UTC); None if it does not say."""

    version: str | None
    created_by: str | None
    created_at: datetime | None


def read_head(outline: Outline) -> dict[str, list[str]]:
    """Return the values of fields such as `**Status:** Done` in the first lines of a document.

    Keys are `status`, `version`, `author`, `created`, `date` and `gate`; each has its values in their order.
    """
    fields: dict[str, list[str]] = {}
    for line in outline.first_lines(HEAD_LINES, HEAD_LINES * MAX_LINE_CHARS):
        if ":" not in line and "|" not in line and "\N{FULLWIDTH COLON}" not in line:
            continue
        line = line[:MAX_LINE_CHARS]
        in_table = line.lstrip().startswith("|")
        for part in [line] if in_table else _SEPARATOR.split(line):
            if (match := _FIELD.match(part)) and (name := FIELDS.get(match[1].strip().casefold())):
                value = match[2].strip(" \t|*_`")
                if value and not (in_table and ("|" in value or value.casefold() in FIELDS)):  # no column titles
                    fields.setdefault(name, []).append(value[:MAX_VALUE_CHARS])
    return fields


def read_metadata(values: dict[str, Any], head: dict[str, list[str]], changes: Sequence[Change]) -> Metadata:
    """Return the metadata that a document gives, each from the first source that has it.

    Args:
        values: the front matter, which comes first.
        head: the fields of `read_head`, which come second.
        changes: the change log, oldest row first; the newest version and the first author and date count.
    """
    bmad = values.get("bmad")
    inner: dict[str, Any] = bmad if isinstance(bmad, dict) else {}
    versions = chain(
        map(_front_matter_version, (values.get("version"), inner.get("version"))),
        map(_version, head.get("version", ())),
        (_version(change.version) for change in reversed(changes)),
    )
    people = chain(
        (_person(values.get(key)) for key in ("author", "authors", "created_by", "createdBy", "created-by")),
        map(_person, head.get("author", ())),
        (_person(values.get("user_name")), *(_person(change.author) for change in changes[:1])),
    )
    times = chain(
        (values.get(key) for key in ("created", "created_at", "createdAt", "created_on", "date", "generated")),
        head.get("created", ()),
        head.get("date", ()),
        (change.date for change in changes[:1]),
    )
    return Metadata(
        next(filter(None, versions), None),
        next(filter(None, people), None),
        next(filter(None, map(_time, times)), None),
    )


def _front_matter_version(value: object) -> str | None:
    """Return a version as it is written in front matter, or None if it is a placeholder or too long."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text and len(text) <= MAX_VERSION_CHARS and not _PLACEHOLDER.match(text) else None


def _version(text: str) -> str | None:
    """Return the version at the start of `text`: `v1.2` of "v1.2 (draft)"."""
    match = _VERSION.match(text)
    return match[1].rstrip(".-+")[:MAX_VERSION_CHARS] if match else None


def _person(value: object) -> str | None:
    """Return a name, or several separated by commas; a mapping is one person with a `name`."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_person, value[:10])))[:MAX_VALUE_CHARS] or None
    if isinstance(value, dict):
        value = value.get("name")
    text = value.partition("|")[0].partition(";")[0].strip(" \t*_`\"'") if isinstance(value, str) else ""
    return text[:MAX_VALUE_CHARS] if text and not _PLACEHOLDER.match(text) else None


def _time(value: object) -> datetime | None:
    """Return the ISO 8601 date or time at the start of `value`, in UTC; without a zone it is UTC already."""
    match = _TIME.match(value) if isinstance(value, str) else None
    if not match:
        return None
    day, clock, zone = match.groups()
    try:
        time = datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone or '+00:00'}")
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
