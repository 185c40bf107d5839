"""The place of a document proposes its type, and its content confirms or rejects it."""

from typing import get_args

import pytest

from jive.documents.bmad_config import read_places
from jive.documents.document import read_document
from jive.documents.kind import document_type
from jive.documents.places import DocumentType
from jive.models.enums import ArtifactType

CONFIG = b"""\
prd:
  prdFile: docs/stories/prd-review.md
architecture:
  architectureFile: docs/qa/gates/design.yml
customTechnicalDocuments: [docs/prd/part.md]
devStoryLocation: work/items
qa:
  qaLocation: quality
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/prd.md", "PRD"),
        ("docs/PRD.md", "PRD"),
        ("docs/prd/index.md", "PRD"),
        ("docs/prd/epic-1.md", "PRD"),
        ("docs/prd/6-checklist-results-report.md", "PRD"),
        ("docs/prd/checklist-results-report.md", "PRD"),
        ("docs/prd/3-prd-checklist.md", "PRD"),
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
def test_the_place_proposes_a_type(path: str, expected: str) -> None:
    assert document_type(path) == expected


def test_types_are_the_models_types() -> None:
    assert set(get_args(DocumentType)) == set(ArtifactType)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/stories/prd-review.md", "PRD"),
        ("DOCS/Stories/PRD-Review.md", "PRD"),
        ("docs/qa/gates/design.yml", "QA"),
        ("docs/prd/part.md", "PRD"),
        ("work/items/1.1.md", "STORY"),
        ("work/items/prd-shop.md", "STORY"),
        ("work/items/.hidden.md", "OTHER"),
        ("quality/1.1.md", "QA"),
        ("docs/stories/1.1.md", "STORY"),
    ],
)
def test_a_configured_file_comes_before_folders_and_a_folder_before_names(path: str, expected: str) -> None:
    places, _ = read_places({".bmad-core/core-config.yaml": CONFIG})
    assert document_type(path, places) == expected


@pytest.mark.parametrize("path", ["docs/stories/prd-review.md", "docs/prd/part.md"])
def test_a_configured_file_keeps_its_type_whatever_its_title(path: str) -> None:
    places, _ = read_places({".bmad-core/core-config.yaml": CONFIG})
    assert read_document(path, b"# Review of the PRD\n", places).type == "PRD"


@pytest.mark.parametrize(("data", "expected"), [(None, "STORY"), (b"# Notes\n", "OTHER")])
def test_the_place_decides_alone_if_a_file_is_too_large_to_be_read(data: bytes | None, expected: str) -> None:
    assert read_document("docs/stories/notes.md", data).type == expected


@pytest.mark.parametrize(
    ("path", "title", "expected"),
    [
        ("docs/prd-shop.md", "Shop PRD", "PRD"),
        ("docs/prd-shop.md", "PRD Validation Report", "OTHER"),
        ("docs/prd-shop.md", "Review of the PRD", "OTHER"),
        ("docs/prd-shop.md", "Peer Review Portal: Product Requirements", "PRD"),
        ("docs/prd-shop.md", "Review Platform for Teams: PRD", "PRD"),
        ("docs/prd-shop.md", "Проверка требований", "OTHER"),
        ("docs/prd.md", "Review Portal", "PRD"),
        ("docs/prd.md", "PRD Review", "PRD"),
        ("docs/prd/part.md", "Validation Report", "OTHER"),
        ("docs/prd/part.md", "Requirements", "PRD"),
        ("docs/architecture/risks.md", "Risk Assessment", "ARCHITECTURE"),
        ("docs/architecture/audit.logging.md", "Audit Logging", "ARCHITECTURE"),
        ("docs/architecture/part.md", "Architecture Review", "OTHER"),
        ("docs/prd/2-part.md", "Validation Report", "PRD"),
        ("docs/qa/review.md", "Review of the PRD", "QA"),
        ("docs/stories/prd.md", "Product Requirements", "PRD"),
        ("docs/stories/notes.md", "Product Requirements", "OTHER"),
    ],
)
def test_a_title_about_a_document_rejects_its_type(path: str, title: str, expected: str) -> None:
    assert read_document(path, f"# {title}\n".encode()).type == expected
