"""A story is told from what else lies among stories, and its state is read whatever its layout and language."""

from typing import get_args

import pytest

from jive.documents.document import read_document
from jive.documents.status import DocumentStatus, gate_decision, story_status
from jive.models.enums import ArtifactStatus

FOLDER = "docs/stories"


@pytest.mark.parametrize(
    "text",
    [
        "# Story 1.2: Sign in\n",
        "# Story 1.2 - Sign in\n",
        "# Story se1-4: Segments\n",
        "# Story Supp-1: Extras\n",
        "# Story: Sign in\n",
        "# Story 5.2: Manual Test Plan\n",
        "# 📖 User Story 7 — Sign in\n",
        "# История 1.2: Вход\n",
        "# 故事 1.2：登录\n",  # noqa: RUF001
        "# Sign in\n\n## Acceptance Criteria\n",
        "# Sign in\n\n## 2. Acceptance Criteria (AC):\n",
        "# Story 1.2 Sign in\n\n## Acceptance Criteria\n",
        "# Anmelden\n\n## Akzeptanzkriterien\n",
        "# Connexion\n\n### Critères d’acceptation\n",  # noqa: RUF001
        "# Entrar\n\n## Criterios de aceptación\n",
        "# Entrar\n\n## Critérios de Aceitação\n",
        "# Вход\n\n## Критерии приёмки\n",
        "# 登录\n\n## 验收标准\n",
        "# ログイン\n\n## 受け入れ基準\n",
        "# 로그인\n\n## 인수 조건\n",
        "# Sign in\n\nStatus: done\n",
    ],
)
def test_a_story_says_so_in_its_heading_or_has_acceptance_criteria(text: str) -> None:
    assert read_document(f"{FOLDER}/1.2.sign-in.md", text.encode()).type == "STORY"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "# Stories\n\nStatus: done\n"),
        ("sprint-1.md", "# Sprint 1\n\n## Acceptance Criteria\n"),
        ("epic-1.md", "# Epic 1: Accounts\n\n## Story 1.1: Sign in\n\n### Acceptance Criteria\n"),
        ("6.x.ideas.md", "# Epic 6: Ideas\n\n**Status:** done\n\n## Acceptance Criteria\n"),
        ("story-template.md", "# Story 0.0: Title\n\n## Acceptance Criteria\n"),
        ("epic-1-retro-2026-05-12.md", "# Epic 1 Retrospective\n\n**Status:** done\n"),
        ("validation-report-2025-11-08T063902Z.md", "# Validation Report\n\n## Acceptance Criteria\n"),
        ("1.2.sign-in.review.md", "# Story 1.2 Review\n\nStatus: done\n"),
        ("1.2-completion-summary.md", "# Story 1.2 Completion Summary\n\n**Status:** Done\n\n## Acceptance Criteria\n"),
        ("2.1a.remediation-plan.story.md", "# Story 2.1 Remediation Plan\n\n**Status:** CRITICAL - is blocked\n"),
        ("notes.md", "# Notes\n\n```\n## Acceptance Criteria\n```\nStatus: done\n"),
    ],
)
def test_what_else_lies_among_stories_is_none(name: str, text: str) -> None:
    document = read_document(f"{FOLDER}/{name}", text.encode())
    assert (document.type, document.status, document.status_text) == ("OTHER", None, None)


@pytest.mark.parametrize(
    "text",
    [
        "# Story 1.1: x\n\n## Status\n\nReady for Review\n\n## Story\n",
        "# Story 1.1: x\n\n## Status\nReady for Review\n",
        "# Story 1.1: x\n\n### 1. Status:\n\n**Ready for Review**\n",
        "# Story 1.1: x\n\n## Status: Ready for Review\n",
        "# Story 1.1: x\n\nStatus: Ready for Review\n",
        "# Story 1.1: x\n\n**Status:** Ready for Review\n",
        "# Story 1.1: x\n\n**Status**: Ready for Review\n",
        "# Story 1.1: x\n\n- **Status:** `Ready for Review`\n",
        "# Story 1.1: x\n\n> Status: Ready for Review\n",
        "# Story 1.1: x\n\n| **Status** | Ready for Review |\n|---|---|\n",
        "# Story 1.1: x\n\n**Epic:** 1 | **Status:** Ready for Review | **Points:** 3\n",
        "# Story 1.1: x\r\n\r\n## Status\r\n\r\nReady for Review\r\n",
        "---\nstatus: Ready for Review\n---\n# Story 1.1: x\n\nStatus: Draft\n",
        "# Story 1.1: x\n\n**Status**: Planning\n**Status**: Ready for Review\n",
        "# Story 1.1: x\n\n## Dev Notes\n\n" + "text\n" * 80 + "### Status\nReady for Review\n",
    ],
)
def test_a_status_is_read_whatever_its_layout(text: str) -> None:
    document = read_document(f"{FOLDER}/1.1.x.md", text.encode())
    assert (document.status, document.status_text) == ("Review", "Ready for Review")


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
def test_a_storys_status_is_one_of_a_closed_set(text: str, expected: str | None) -> None:
    assert story_status(text) == expected


def test_a_status_that_is_not_known_is_kept_as_written() -> None:
    document = read_document(f"{FOLDER}/1.1.x.md", b"# Story 1.1: x\n\nStatus: Marinating\n")
    assert (document.status, document.status_text) == (None, "Marinating")


def test_only_stories_and_gates_have_a_status() -> None:
    document = read_document("docs/prd.md", b"---\nstatus: done\n---\n# PRD\n\n**Status:** Done\n")
    assert (document.status, document.status_text) == (None, None)


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
def test_a_gates_decision_is_one_of_four(text: str, expected: str | None) -> None:
    assert gate_decision(text) == expected


def test_statuses_are_the_models_statuses() -> None:
    assert list(get_args(DocumentStatus)) == list(ArtifactStatus)
