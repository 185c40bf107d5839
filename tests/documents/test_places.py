"""Documents are distinguished from other files by where they are."""

import pytest

from jive.documents.bmad_config import read_places
from jive.documents.places import USUAL, is_document

V4 = b"prd:\n  prdFile: notes/needs.md\ndevStoryLocation: work/items\nqa:\n  qaLocation: quality\n"
V6 = b'output_folder: "{project-root}/.bmad/output"\nimplementation_artifacts: "{output_folder}/build"\n'


@pytest.mark.parametrize(
    "path",
    [
        "docs/notes.md",
        "docs/deep/er/notes.markdown",
        "Docs/Notes.MD",
        "docs/.md",
        "docs/需求 说明.md",
        "_bmad-output/planning-artifacts/prd.md",
        "prds/billing/prd.md",
        "prd.md",
        "Architecture.md",
        "ARCHITECTURE-SPINE.md",
        "services/pay/ARCHITECTURE-SPINE.md",
        "docs/qa/gates/1.1-first.yml",
        "docs/qa/gates/1.1-first.YAML",
        "docs/qa/1.1.gate.yml",
        "Docs/QA/Gates/1.1.yml",
    ],
)
def test_documents_are_found_in_the_usual_places(path: str) -> None:
    assert is_document(path)


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "src/prd.md",
        "src/docs/notes.md",
        "docs/picture.png",
        ".bmad-core/templates/prd.md",
        "docs/.claude/prd.md",
        "_bmad/bmm/docs/prd.md",
        "_bmad/ARCHITECTURE-SPINE.md",
        "node_modules/x/docs/prd.md",
        "docs/mkdocs.yml",
        "docs/gates/x.yml",
        "docs/x.gate.yml",
        "docs/qa/plan.yml",
        "gates/qa/x.yml",
        "src/docs.py",
        "",
    ],
)
def test_other_files_are_not_documents(path: str) -> None:
    assert not is_document(path)


@pytest.mark.parametrize(
    "path",
    [
        "notes/needs.md",
        "NOTES/Needs.md",
        "work/items/1.1.md",
        "Work/Items/1.1.md",
        "quality/gates/1.1.yml",
        "docs/prd.md",
    ],
)
def test_configured_places_are_added_to_the_usual_ones(path: str) -> None:
    places, _ = read_places({".bmad-core/core-config.yaml": V4})
    assert is_document(path, places)


@pytest.mark.parametrize("path", ["notes/others.md", "work/1.1.md", "quality/1.1.yml", "work/items/gates/1.1.yml"])
def test_what_is_beside_configured_places_is_not_a_document(path: str) -> None:
    places, _ = read_places({".bmad-core/core-config.yaml": V4})
    assert not is_document(path, places)


def test_a_configured_folder_below_a_tools_folder_counts_and_nothing_else_there() -> None:
    places, warnings = read_places({".bmad/bmm/config.yaml": V6})
    assert warnings == ()
    assert is_document(".bmad/output/prd.md", places)
    assert is_document(".bmad/output/build/1-1-x.md", places)
    assert not is_document(".bmad/bmm/workflows/prd.md", places)
    assert not is_document(".bmad/output/.claude/prd.md", places)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/stories/1.1.md", "STORY"),
        ("Docs/User-Stories/1.1.md", "STORY"),
        ("docs/stories/archive/1.1.md", "STORY"),
        ("docs/stories/qa/1.1.md", "QA"),
        ("docs/prd/stories/1.1.md", "STORY"),
        ("docs/stories", None),
        ("prd.md", None),
        ("", None),
    ],
)
def test_the_deepest_folder_with_a_type_decides(path: str, expected: str | None) -> None:
    assert USUAL.folder_type(path) == expected


def test_a_configured_folders_type_comes_before_its_names() -> None:
    places, _ = read_places({".bmad-core/core-config.yaml": b"devStoryLocation: docs/qa\n"})
    assert places.folder_type("docs/qa/1.1.md") == "STORY"
    assert places.folder_type("other/qa/1.1.md") == "QA"


def test_gates_are_documents_in_a_configured_folder_at_the_root() -> None:
    places, _ = read_places({".bmad-core/core-config.yaml": b"qaLocation: gates\n"})
    assert is_document("gates/1.1.yml", places)
    assert not is_document("others/gates/1.1.yml", places)
