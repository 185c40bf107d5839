"""QA gates: YAML files that say what was decided about a story."""

import re
from typing import Any, NamedTuple

from jive.documents.frontmatter import BrokenYaml, read_yaml
from jive.documents.metadata import Metadata, read_metadata
from jive.documents.status import DocumentStatus, gate_decision

_TITLES = ("story_title", "story_name", "title", "story", "story_id")
_DECISIONS = ("gate", "gate_decision", "gate_status", "decision", "status", "result")
_DECISION_MAPPINGS = ("gate", "quality_gate", "decision")
_LINE = re.compile(r"^([a-z_]{2,20}):[ \t]*([^\n]*)", re.MULTILINE)


class Gate(NamedTuple):
    """What was read from a QA gate.

    Attributes:
        title: the title of its story, or failing that the story's number; None if it gives neither.
        decision: one of the four decisions; None if `decision_text` is something else.
        decision_text: the decision as it is written; None if there is none.
        metadata: its version, author and time.
        problem: why it is not valid YAML, and was read line by line; None if it is.
    """

    title: str | None
    decision: DocumentStatus | None
    decision_text: str | None
    metadata: Metadata
    problem: str | None


def read_gate(text: str) -> Gate:
    """Read a gate, whose lines end with a line feed alone; of broken YAML, read the lines `key: value` at the left."""
    problem = None
    try:
        parsed = read_yaml(text)
    except BrokenYaml as exc:
        problem = str(exc)
        parsed = {key: value.strip(" \t\"'") for key, value in _LINE.findall(text)}
    values: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
    decision = _decision(values)
    reviewer = _text(values, ("reviewer",))
    return Gate(
        title=_text(values, _TITLES),
        decision=gate_decision(decision) if decision else None,
        decision_text=decision,
        metadata=read_metadata(values, {"author": [reviewer]} if reviewer else {}, ()),
        problem=problem,
    )


def _decision(values: dict[str, Any]) -> str | None:
    """Return the decision as it is written, at the top or in a mapping below it."""
    for mapping in (values, *(values.get(key) for key in _DECISION_MAPPINGS)):
        if isinstance(mapping, dict) and (text := _text(mapping, _DECISIONS)):
            return text
    return None


def _text(mapping: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    """Return the first text that is not blank among the values of `keys`."""
    values = (mapping.get(key) for key in keys)
    return next((text for value in values if isinstance(value, str) and (text := value.strip())), None)
