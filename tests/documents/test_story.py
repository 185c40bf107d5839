"""Stories are distinguished from other documents among them, and their status is read in many layouts and languages."""

import pytest

from jive.documents.document import read_document

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
def test_a_story_has_a_storys_title_or_sections_or_a_number_and_a_status(text: str) -> None:
    assert read_document(f"{FOLDER}/1.2.sign-in.md", text.encode()).type == "STORY"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "# Stories\n\nStatus: done\n"),
        ("README.md", "# Stories\n\n## Acceptance Criteria\n"),
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
def test_other_documents_among_stories_are_not_stories(name: str, text: str) -> None:
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
        "# Story 1.1: x\n\nStatus: Ready for Review\n\n## Status\n\nDraft\n",
        "# Story 1.1: x\n\n## Dev Notes\n\n" + "text\n" * 80 + "### Status\nReady for Review\n",
    ],
)
def test_a_status_is_read_in_many_layouts(text: str) -> None:
    document = read_document(f"{FOLDER}/1.1.x.md", text.encode())
    assert (document.status, document.status_text) == ("Review", "Ready for Review")


def test_an_unknown_status_is_kept_as_text() -> None:
    document = read_document(f"{FOLDER}/1.1.x.md", b"# Story 1.1: x\n\nStatus: Marinating\n")
    assert (document.status, document.status_text) == (None, "Marinating")


def test_only_stories_and_gates_have_a_status() -> None:
    document = read_document("docs/prd.md", b"---\nstatus: done\n---\n# PRD\n\n**Status:** Done\n")
    assert (document.status, document.status_text) == (None, None)


def test_the_text_of_a_status_is_limited() -> None:
    document = read_document(f"{FOLDER}/1.1.x.md", f"---\nstatus: {'x' * 600}\n---\n# Story 1.1: x\n".encode())
    assert document.status_text == "x" * 200
