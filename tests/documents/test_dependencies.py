"""A document depends on the files that its front matter, links and source notes refer to."""

import pytest

from jive.documents.bmad_config import read_places
from jive.documents.dependencies import MAX_DEPENDENCIES, Dependency
from jive.documents.document import read_document

STORY = "docs/stories/1.1.sign-in.md"
TREE = frozenset(
    {
        STORY,
        "README.md",
        "docs/prd.md",
        "docs/architecture.md",
        "docs/architecture/tech-stack.md",
        "docs/My Notes.md",
        "docs/需求.md",
        "out/plans/epics.md",
        "src/app.py",
        "docs/picture.png",
        "data/words.csv",
    }
)


def read(text: str, path: str = STORY, tree: frozenset[str] = TREE) -> list[tuple[str, str | None]]:
    document = read_document(path, text.encode(), exists=tree.__contains__)
    return [(found.path, found.version) for found in document.dependencies]


def listed(yaml: str) -> list[tuple[str, str | None]]:
    return read(f"---\n{yaml}\n---\n# Story 1.1: x\n")


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("bmad:\n  dependencies: [docs/prd.md@1.10]", [("docs/prd.md", "1.10")]),
        ("bmad:\n  dependencies:\n    - path: docs/prd.md\n      version: 1.10", [("docs/prd.md", "1.10")]),
        ("dependencies:\n  - {file: docs/prd.md}", [("docs/prd.md", None)]),
        (
            "inputDocuments: ['docs/prd.md', \"docs/architecture.md\"]",
            [("docs/architecture.md", None), ("docs/prd.md", None)],
        ),
        ("depends_on: docs/prd.md", [("docs/prd.md", None)]),
        ("sources: ['../prd.md']", [("docs/prd.md", None)]),
        ("documentsIncluded:\n  prd: docs/prd.md\n  ux: null", [("docs/prd.md", None)]),
        ("inputs: ['{project-root}/docs/prd.md']", [("docs/prd.md", None)]),
        ("inputs: ['docs\\prd.md']", [("docs/prd.md", None)]),
        ("inputs: ['docs/prd.md (the whole of it)']", [("docs/prd.md", None)]),
        ("inputs: ['docs/My Notes.md']", [("docs/My Notes.md", None)]),
        ("inputs: [docs/需求.md]", [("docs/需求.md", None)]),
        ("inputs: [prd.md]", [("docs/prd.md", None)]),
        ("inputs: [src/app.py]", [("src/app.py", None)]),
        ("inputs: [docs/gone.md@2]", [("docs/gone.md", "2")]),
        ("inputs: [gone.yaml]", [("docs/stories/gone.yaml", None)]),
        (
            "inputs: [src/gone.py, '1.1', s-1, docs/picture.png, '{{prd}}.md', 'docs/*.md', 5, null, [docs/prd.md]]",
            [],
        ),
        ("depends_on: [docs/prd.md, docs/prd.md@2, ./../prd.md]", [("docs/prd.md", "2")]),
        ("title: docs/prd.md", []),
    ],
)
def test_front_matter_lists_dependencies(yaml: str, expected: list[tuple[str, str | None]]) -> None:
    assert listed(yaml) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[prd](../prd.md)", ["docs/prd.md"]),
        ("[prd](../prd.md#goals) and [again](../prd.md#scope)", ["docs/prd.md"]),
        ('[prd](../prd.md "The PRD")', ["docs/prd.md"]),
        ("[prd](/docs/prd.md)", ["docs/prd.md"]),
        ("[prd](docs/prd.md)", ["docs/prd.md"]),
        ("[prd](./docs/prd.md)", ["docs/prd.md"]),
        ("[notes](<../My Notes.md>)", ["docs/My Notes.md"]),
        ("[notes](../My%20Notes.md)", ["docs/My Notes.md"]),
        ("[notes](../My Notes.md)", ["docs/My Notes.md"]),
        ("see [prd][1]\n\n[1]: ../prd.md\n", ["docs/prd.md"]),
        ("[gone](gone.md)", ["docs/stories/gone.md"]),
        ("[data](../../data/words.csv)", ["data/words.csv"]),
        ("[code](../../src/app.py) ![picture](../picture.png) [here](#top) [self](1.1.sign-in.md)", []),
        ("[web](https://example.com/prd.md) [mail](mailto:a@example.com) [x](//example.com/a.md) [y](~/a.md)", []),
        ("[out](../../../../etc/passwd.md) [out](../../../prd.md) [win](C:\\docs\\prd.md)", []),
        ("[template]({{prd}}.md) [any](../*.md)", []),
        ("```\n[code](../prd.md)\n```\n<!-- [comment](../prd.md) -->\n", []),
    ],
)
def test_links_are_dependencies(text: str, expected: list[str]) -> None:
    assert read(f"# Story 1.1: x\n\n{text}\n") == [(path, None) for path in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Source: docs/prd.md#goals]", ["docs/prd.md"]),
        (
            "[Source: architecture.md#Tech Stack, architecture/tech-stack.md#x]",
            ["docs/architecture.md", "docs/architecture/tech-stack.md"],
        ),
        ("[source: `docs/prd.md`, lines 12-20]", ["docs/prd.md"]),
        ("[Sources: docs/prd.md; docs/architecture.md]", ["docs/architecture.md", "docs/prd.md"]),
        ("[Source: docs/prd.md — Story 1.1]", ["docs/prd.md"]),
        ("[Source: see docs/prd.md for this]", ["docs/prd.md"]),
        ("[Source: docs/My Notes.md#x]", ["docs/My Notes.md"]),
        ("[Source: [the PRD](../prd.md#x)]", ["docs/prd.md"]),
        ("[Source: docs/gone.md]", ["docs/gone.md"]),
        ("[Source: gone.md] [Source: Story 1.1] [Source: src/app.py#L5] [Source: architecture]", []),
    ],
)
def test_source_notes_are_dependencies(text: str, expected: list[str]) -> None:
    assert read(f"# Story 1.1: x\n\n- Note {text}\n") == [(path, None) for path in expected]


def test_references_may_be_relative_to_a_configured_folder() -> None:
    places, _ = read_places({"_bmad/bmm/config.yaml": b"planning_artifacts: out/plans\n"})
    document = read_document(STORY, b"# Story 1.1: x\n\n[Source: epics.md#1]\n", places, TREE.__contains__)
    assert document.dependencies == (Dependency("out/plans/epics.md", None),)


def test_references_of_a_document_at_the_root_are_resolved() -> None:
    assert read("[prd](docs/prd.md) [me](prd.md)", path="prd.md") == [("docs/prd.md", None)]


def test_dependencies_beyond_five_hundred_are_left_out_with_a_warning() -> None:
    links = " ".join(f"[x](n{number}.md)" for number in range(MAX_DEPENDENCIES + 1))
    document = read_document("docs/many.md", links.encode())
    assert len(document.dependencies) == MAX_DEPENDENCIES
    assert document.warnings == ("docs/many.md: refers to more than 500 files; the others are left out",)


def test_long_and_unprintable_names_are_not_paths() -> None:
    assert read(f"[x]({'a/' * 600}b.md) [y]({'é' * 500}.md) [z](a%00b.md) [w](a\u202eb.md)") == []
