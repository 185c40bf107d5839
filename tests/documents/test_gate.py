"""QA gates are read, from broken YAML too."""

import pytest

from jive.documents.document import read_document

BROKEN_GATE = """\
schema: 1
story: '1.1'
story_title: 'Sign in'
gate: CONCERNS
reviewer: "Quinn"
notes: "a \\d that YAML does not know"
"""


@pytest.mark.parametrize(
    ("text", "title", "status", "status_text"),
    [
        ("story: '1.1'\nstory_title: 'Sign in'\ngate: PASS\n", "Sign in", "PASS", "PASS"),
        ("---\nstory_name: Sign in\ndecision: PASS_WITH_CONCERNS\n", "Sign in", "CONCERNS", "PASS_WITH_CONCERNS"),
        ("gate:\n  decision: FAIL\n", "1.1-first", "FAIL", "FAIL"),
        ("quality_gate:\n  status: FAIL\n", "1.1-first", "FAIL", "FAIL"),
        ("gate: ' '\nstatus: WAIVED\nstory: ' '\nstory_id: '7'\n", "7", "WAIVED", "WAIVED"),
        ("gate: BLOCKED\n", "1.1-first", None, "BLOCKED"),
        ("- a\n", "1.1-first", None, None),
        ("", "1.1-first", None, None),
    ],
)
def test_a_gate_has_the_title_of_its_story_and_a_decision(
    text: str, title: str, status: str | None, status_text: str | None
) -> None:
    document = read_document("docs/qa/gates/1.1-first.yml", text.encode())
    assert (document.type, document.title, document.status, document.status_text) == ("QA", title, status, status_text)
    assert document.warnings == ()


def test_a_broken_gate_is_read_line_by_line() -> None:
    document = read_document("docs/qa/gates/1.1.yml", BROKEN_GATE.encode())
    assert (document.title, document.status, document.created_by) == ("Sign in", "CONCERNS", "Quinn")
    assert len(document.warnings) == 1
    assert document.warnings[0].startswith("docs/qa/gates/1.1.yml: not valid YAML")


def test_a_gate_in_markdown_has_a_decision() -> None:
    document = read_document("docs/qa/gates/1.1.md", b"# Gate 1.1\n\n**Gate:** WAIVED until spring\n")
    assert (document.type, document.status) == ("QA", "WAIVED")


@pytest.mark.parametrize("path", ["docs/qa/assessments/1.1.md", "docs/gates/1.1.md"])
def test_only_markdown_in_a_folder_of_gates_has_a_decision(path: str) -> None:
    document = read_document(path, b"# Risks\n\n**Gate:** PASS\n")
    assert (document.status, document.status_text) == (None, None)


def test_a_gates_title_and_decision_are_limited() -> None:
    gate = read_document("docs/qa/gates/1.1.yml", f"title: {'x' * 600}\ngate: {'y' * 600}\n".encode())
    assert (gate.title, gate.status_text) == ("x" * 500, "y" * 200)
