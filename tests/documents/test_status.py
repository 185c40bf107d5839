"""Statuses and decisions are recognized in what people write for them."""

from typing import get_args

import pytest

from jive.documents.status import DocumentStatus, gate_decision, story_status
from jive.models.enums import ArtifactStatus


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("backlog", "Backlog"),
        ("TODO", "Backlog"),
        ("Draft - Awaiting PM Review", "Draft"),
        ("drafted", "Draft"),
        ("PROPOSED", "Draft"),
        ("**Approved** ✅", "Approved"),
        ("✅ APPROVED", "Approved"),
        ("ready-for-dev", "Approved"),
        ("Ready", "Approved"),
        ("Ready for Development (after 1.1)", "Approved"),
        ("InProgress", "InProgress"),
        ("in-progress", "InProgress"),
        ("In Progress: task 3", "InProgress"),
        ("🚧 WIP", "InProgress"),
        ("Ready for QA Validation", "Review"),
        ("review", "Review"),
        ("Done ✅", "Done"),
        ("✅ COMPLETE (v6.1.0) - All 11 Tasks", "Done"),
        ("Draft → Approved → InProgress → **Done** ✅", "Done"),
        ("Completed, merged", "Done"),
        ("BLOCKED by 1.2", "Blocked"),
        ("on hold", "Deferred"),
        ("Won't do", "Cancelled"),
        ("superseded by 2.1", "Cancelled"),
        ("Genehmigt", "Approved"),
        ("En cours", "InProgress"),
        ("Concluído", "Done"),
        ("В работе", "InProgress"),  # noqa: RUF001
        ("Готово к ревью", "Review"),
        ("已完成", "Done"),
        ("レビュー中", "Review"),
        ("완료", "Done"),
        ("Ready for liftoff", None),
        ("Not done", None),
        ("CRITICAL - Story is BLOCKED", None),
        ("Planning Complete (Ready for Implementation)", None),
        ("✅", None),
        ("", None),
    ],
)
def test_a_storys_status_is_a_known_one_or_none(text: str, expected: str | None) -> None:
    assert story_status(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PASS", "PASS"),
        ("pass", "PASS"),
        ("CONCERNS", "CONCERNS"),
        ("PASS_WITH_CONCERNS", "CONCERNS"),
        ("FAIL", "FAIL"),
        ("WAIVED (until 2027)", "WAIVED"),
        ("BLOCKED", None),
    ],
)
def test_a_gates_decision_is_one_of_four_or_none(text: str, expected: str | None) -> None:
    assert gate_decision(text) == expected


def test_statuses_are_the_models_statuses() -> None:
    assert list(get_args(DocumentStatus)) == list(ArtifactStatus)
