"""YAML as strangers write it: front matter and QA gates, read as text, within bounds, whatever they hold.

PyYAML composes a document by recursion, in C: ten thousand brackets end the process. So only its events are
used, and the tree is built here, to a depth and a size. Scalars stay the text that they are (`1.10` is not
1.1, a date is no date object), tags mean nothing, aliases are not followed, of equal keys the last one counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_YAML_CHARS = 65_536
MAX_DEPTH = 40

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_UNKEEPABLE = re.compile(r"[\0\ud800-\udfff]")  # by an escape; Postgres takes none of them
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class BrokenYaml(ValueError):
    """The text is not YAML, or larger or deeper than is read."""


def read_yaml(text: str) -> Any:
    """Return the first document in `text`: nested dicts and lists of strings and None.

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
    """Build the first document out of parser events, without recursion."""
    open_: list[tuple[list[Any], bool]] = []  # what each open collection holds so far, and whether it is a mapping
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
            value = None if is_null else _UNKEEPABLE.sub("\N{REPLACEMENT CHARACTER}", event.value)
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
    """The head of a Markdown file, and the rest; `problem` says why a head that is there does not count."""

    values: dict[str, Any] = field(default_factory=dict)
    body: str = ""
    problem: str | None = None


def split_front_matter(text: str) -> FrontMatter:
    """Split `text`, whose lines end with a line feed alone, into its front matter and its body.

    What stands between two rules at the top, and is no mapping, is body.
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
