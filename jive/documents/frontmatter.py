"""Front matter, and YAML from untrusted files: parsed as text, within limits of size and depth.

Only the events of PyYAML's parser are used, and the tree is built here, without recursion. PyYAML's own composer
recurses in C: with libyaml before 0.2.6, a hundred thousand brackets crash the process.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_YAML_CHARS = 65_536
MAX_DEPTH = 40  # of nested collections; what uses the values may be recursive

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_NOT_STORABLE = re.compile(r"[\0\ud800-\udfff]")  # YAML can express them by escapes; Postgres does not store them
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class BrokenYaml(ValueError):
    """The text is not YAML, or exceeds the limit of size or depth."""


def read_yaml(text: str) -> Any:
    """Return the first document in `text`, as nested dicts and lists of strings and None.

    A scalar stays the text that it is: `1.10` is "1.10", a date is a string; null and an empty value are None. Tags are
    ignored, an alias is None, keys that are not text are left out, and the last of equal keys counts.

    Raises:
        BrokenYaml: with a short reason.
    """
    if len(text) > MAX_YAML_CHARS:
        raise BrokenYaml(f"more than {MAX_YAML_CHARS:,} characters")
    try:
        return _first_document(yaml.parse(text, Loader=_LOADER))
    except (yaml.YAMLError, UnicodeError) as exc:
        line = getattr(getattr(exc, "problem_mark", None), "line", None)
        problem = getattr(exc, "problem", None) or type(exc).__name__
        raise BrokenYaml(problem if line is None else f"{problem}, line {line + 1}") from exc


def _first_document(events: Iterator[Any]) -> Any:
    """Build the first document from parser events, without recursion."""
    open_: list[tuple[list[Any], bool]] = []  # the items so far of each open collection, and whether it is a mapping
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            if len(open_) == MAX_DEPTH:
                raise BrokenYaml(f"deeper than {MAX_DEPTH} levels")
            open_.append(([], isinstance(event, yaml.MappingStartEvent)))
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            items, is_mapping = open_.pop()
            value: Any = _mapping(items) if is_mapping else items
        elif isinstance(event, yaml.ScalarEvent):
            is_null = event.implicit[0] and event.value in _NULLS
            value = None if is_null else _NOT_STORABLE.sub("\N{REPLACEMENT CHARACTER}", event.value)
        elif isinstance(event, yaml.AliasEvent):
            value = None
        else:
            continue
        if not open_:
            return value
        open_[-1][0].append(value)
    return None


def _mapping(items: list[Any]) -> dict[str, Any]:
    pairs = zip(items[::2], items[1::2], strict=True)
    return {key: value for key, value in pairs if isinstance(key, str)}


@dataclass(frozen=True)
class FrontMatter:
    """A Markdown text, split.

    Attributes:
        values: the front matter; empty if there is none.
        body: the text after it.
        problem: why the front matter cannot be read; None if it can, or there is none.
    """

    values: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    problem: str | None = None


def split_front_matter(text: str) -> FrontMatter:
    """Split a Markdown text, whose lines end with a line feed alone, into front matter and body.

    Text between two rules at the top that is not a mapping belongs to the body.
    """
    first, _, rest = text.partition("\n")
    if first.rstrip() != "---":
        return FrontMatter(body=text)
    end = _END.search(rest, 0, MAX_YAML_CHARS + 5)
    if not end:
        return FrontMatter(body=text)
    body = rest[end.end() + 1 :]
    try:
        values = read_yaml(rest[: end.start()])
    except BrokenYaml as exc:
        return FrontMatter(body=body, problem=str(exc))
    if isinstance(values, dict):
        return FrontMatter(values, body)
    return FrontMatter(body=body if values is None and not rest[: end.start()].strip() else text)
