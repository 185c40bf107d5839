"""Documents are found and typed by their place, and corrected by their heading."""

from typing import get_args

import pytest

from jive.documents.bmad_config import read_places
from jive.documents.document import read_document
from jive.documents.kind import document_type
from jive.documents.places import DocumentType, is_document
from jive.models.enums import ArtifactType

V4 = b"prd:\n  prdFile: notes/needs.md\ndevStoryLocation: work/items\nqa:\n  qaLocation: quality\n"
V6 = b'output_folder: "{project-root}/.bmad/output"\nimplementation_artifacts: "{output_folder}/build"\n'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/prd.md", "PRD"),
        ("docs/PRD.md", "PRD"),
        ("docs/prd/index.md", "PRD"),
        ("docs/prd/epic-1.md", "PRD"),
        ("docs/prd/6-checklist-results-report.md", "PRD"),
        ("docs/prd/checklist-results-report.md", "PRD"),
        ("docs/brownfield-prd.md", "PRD"),
        ("docs/prd-second-product.md", "PRD"),
        ("docs/product-requirements-document.md", "PRD"),
        ("prds/billing/prd.md", "PRD"),
        ("_bmad-output/planning-artifacts/prds/prd-shop-2026-02-01/prd.md", "PRD"),
        ("docs/architecture.md", "ARCHITECTURE"),
        ("docs/architecture/tech-stack.md", "ARCHITECTURE"),
        ("docs/architecture/11-risk-assessment.md", "ARCHITECTURE"),
        ("docs/architecture/.md", "ARCHITECTURE"),
        ("docs/architecture-web.md", "ARCHITECTURE"),
        ("ARCHITECTURE-SPINE.md", "ARCHITECTURE"),
        ("services/pay/ARCHITECTURE-SPINE.md", "ARCHITECTURE"),
        ("_bmad-output/planning-artifacts/architecture/architecture-shop/ARCHITECTURE-SPINE.md", "ARCHITECTURE"),
        ("docs/stories/1.1.first-steps.md", "STORY"),
        ("docs/stories/1.2.split-the-architecture.md", "STORY"),
        ("docs/prd/epics/stories/1.1.md", "STORY"),
        ("_bmad-output/implementation-artifacts/1-2-sign-in.md", "STORY"),
        ("docs/sprint-artifacts/1-2-sign-in.md", "STORY"),
        ("docs/qa/gates/1.1-first.yml", "QA"),
        ("docs/qa/gates/1.1-first.md", "QA"),
        ("docs/qa/assessments/1.1-risk.md", "QA"),
        ("docs/stories/qa/1.1-plan.md", "QA"),
        ("_bmad-output/test-design-architecture.md", "QA"),
        ("docs/notes.md", "OTHER"),
        ("docs/.md", "OTHER"),
        ("docs/Anforderungen für später.md", "OTHER"),
        ("docs/需求 说明.md", "OTHER"),
        ("docs/prd-validation-report.md", "OTHER"),
        ("docs/prd/prd-review.md", "OTHER"),
        ("docs/prd/validation-report-2026-01-02.md", "OTHER"),
        ("docs/architecture/architecture-checklist.md", "OTHER"),
        ("docs/architecture-distillate/02-architecture.md", "OTHER"),
        ("_bmad-output/planning-artifacts/prds/prd-shop/.decision-log.md", "OTHER"),
    ],
)
def test_a_documents_type_is_told_by_its_place(path: str, expected: str) -> None:
    assert is_document(path)
    assert document_type(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "src/prd.md",
        "docs/picture.png",
        ".bmad-core/templates/prd.md",
        "docs/.claude/prd.md",
        "_bmad/bmm/docs/prd.md",
        "_bmad/ARCHITECTURE-SPINE.md",
        "node_modules/x/docs/prd.md",
        "docs/mkdocs.yml",
        "docs/gates/x.yml",
        "docs/qa/plan.yml",
        "src/docs.py",
        "",
    ],
)
def test_what_is_no_document_is_left_out(path: str) -> None:
    assert not is_document(path)


def test_types_are_the_models_types() -> None:
    assert set(get_args(DocumentType)) == set(ArtifactType)


def test_configured_places_count_besides_the_usual_ones() -> None:
    places, _ = read_places({".bmad-core/core-config.yaml": V4})
    expected = {
        "notes/needs.md": "PRD",
        "work/items/1.1.md": "STORY",
        "quality/gates/1.1.yml": "QA",
        "docs/prd.md": "PRD",
        "docs/stories/1.1.md": "STORY",
    }
    assert {path: document_type(path, places) for path in expected if is_document(path, places)} == expected
    assert not is_document("notes/others.md", places)


def test_a_configured_folder_inside_a_tools_folder_is_read_and_nothing_else_there() -> None:
    places, warnings = read_places({".bmad/bmm/config.yaml": V6})
    assert warnings == ()
    assert is_document(".bmad/output/prd.md", places)
    assert document_type(".bmad/output/build/1-1-x.md", places) == "STORY"
    assert not is_document(".bmad/bmm/workflows/prd.md", places)
    assert not is_document(".bmad/output/.claude/prd.md", places)


@pytest.mark.parametrize(
    ("path", "title", "expected"),
    [
        ("docs/prd-shop.md", "Shop PRD", "PRD"),
        ("docs/prd-shop.md", "PRD Validation Report", "OTHER"),
        ("docs/prd-shop.md", "Review of the PRD", "OTHER"),
        ("docs/prd-shop.md", "Peer Review Portal: Product Requirements", "PRD"),
        ("docs/prd-shop.md", "Проверка требований", "OTHER"),
        ("docs/prd.md", "Review Portal", "PRD"),
        ("docs/prd/part.md", "Validation Report", "OTHER"),
        ("docs/prd/part.md", "Requirements", "PRD"),
        ("docs/architecture/risks.md", "Risk Assessment", "ARCHITECTURE"),
        ("docs/architecture/audit.logging.md", "Audit Logging", "ARCHITECTURE"),
        ("docs/architecture/part.md", "Architecture Review", "OTHER"),
        ("docs/stories/prd.md", "Product Requirements", "PRD"),
    ],
)
def test_a_review_of_a_document_is_not_one(path: str, title: str, expected: str) -> None:
    assert read_document(path, f"# {title}\n".encode()).type == expected
