"""Documents: found by their place, read whatever their encoding, called by their title."""

import os
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from jive.models.enums import ArtifactType
from jive.scanner.classify import DocumentType, document_type, is_document
from jive.scanner.document import MAX_CONTENT_BYTES, read_document
from jive.scanner.folder import read_folder, repository_url


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/prd.md", "PRD"),
        ("docs/prd/epic-1.md", "PRD"),
        ("prds/billing/prd.md", "PRD"),
        ("docs/architecture.md", "ARCHITECTURE"),
        ("docs/architecture/tech-stack.md", "ARCHITECTURE"),
        ("ARCHITECTURE-SPINE.md", "ARCHITECTURE"),
        ("docs/stories/1.1.first-steps.md", "STORY"),
        ("_bmad-output/implementation-artifacts/1-2-sign-in.md", "STORY"),
        ("docs/qa/gates/1.1-first.yml", "QA"),
        ("docs/qa/assessments/1.1-risk.md", "QA"),
        ("docs/notes.md", "OTHER"),
        ("docs/Anforderungen für später.md", "OTHER"),
    ],
)
def test_a_documents_type_is_told_by_its_place(path: str, expected: str) -> None:
    assert is_document(path)
    assert document_type(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "docs/picture.png",
        "docs/.md",
        ".bmad-core/templates/prd.md",
        "docs/.claude/prd.md",
        "_bmad/bmm/docs/prd.md",
        "node_modules/x/docs/prd.md",
        "docs/mkdocs.yml",
        "src/docs.py",
    ],
)
def test_what_is_no_document_is_left_out(path: str) -> None:
    assert not is_document(path)


def test_types_are_the_models_types() -> None:
    assert set(get_args(DocumentType)) == set(ArtifactType)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Title\n", "Title"),
        ("\ufeff# After a mark\r\n", "After a mark"),
        ("---\ntitle: x\n---\n\n## Second level ##\n", "Second level"),
        ("```sh\n# a comment\n```\n# Real\n", "Real"),
        ("~~~\n```\n# code\n~~~\n# Real\n", "Real"),
        ("no heading at all\n", "name"),
        ("#hashtag\n", "name"),
        ("# 需求文档\n", "需求文档"),
        ("", "name"),
    ],
)
def test_a_title_is_the_first_heading_or_the_files_name(text: str, title: str) -> None:
    assert read_document("docs/name.md", text.encode()).title == title


@pytest.mark.parametrize(
    ("text", "title"),
    [("story_title: 'Sign in'\n", "Sign in"), ("gate: PASS\n", "1.1-first"), ("story: [broken\n", "[broken")],
)
def test_a_gates_title_is_its_storys(text: str, title: str) -> None:
    assert read_document("docs/qa/gates/1.1-first.yml", text.encode()).title == title


def test_latin_1_is_read_and_warned_of() -> None:
    document = read_document("docs/a.md", "# Größe\n".encode("latin-1"))
    assert document.title == "Größe"
    assert document.warnings == ("docs/a.md: not UTF-8; read as Latin-1",)


def test_nul_bytes_are_replaced_and_warned_of() -> None:
    document = read_document("docs/a.md", b"# A\0B\n")
    assert document.content == "# A\ufffdB\n"
    assert "NUL" in document.warnings[0]


def test_a_large_file_keeps_its_row_without_content() -> None:
    document = read_document("docs/a.md", b"#" * (MAX_CONTENT_BYTES + 1))
    assert (document.content, document.title) == (None, "a")
    assert "not kept" in document.warnings[0]


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"# {path}\n")


def git(folder: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_a_folder_is_read_in_the_order_of_paths(tmp_path: Path) -> None:
    write(tmp_path, "docs/b.md", "docs/a b.md", "docs/日本.md", "README.md", ".claude/docs/c.md")
    assert [document.path for document in read_folder(tmp_path)] == ["docs/a b.md", "docs/b.md", "docs/日本.md"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "docs/a.md", "outside/docs/secret.md")
    inside = tmp_path / "inside"
    write(inside, "docs/a.md")
    os.symlink(tmp_path / "docs/a.md", inside / "docs/link.md")
    os.symlink(tmp_path / "outside", inside / "docs/folder")
    assert [document.path for document in read_folder(inside)] == ["docs/a.md"]
    git(inside, "init")
    assert [document.path for document in read_folder(inside)] == ["docs/a.md"]


def test_a_checkout_gives_tracked_and_new_files_but_no_ignored_ones(tmp_path: Path) -> None:
    write(tmp_path, "docs/tracked.md", "docs/new.md", "docs/ignored.md", "docs/gone.md")
    (tmp_path / ".gitignore").write_text("docs/ignored.md\n")
    git(tmp_path, "init")
    git(tmp_path, "add", "docs/tracked.md", "docs/gone.md")
    (tmp_path / "docs/gone.md").unlink()
    assert [document.path for document in read_folder(tmp_path)] == ["docs/new.md", "docs/tracked.md"]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://me:hush@github.com/example/jive.git", "https://github.com/example/jive.git"),
        ("git@github.com:example/jive.git", "git@github.com:example/jive.git"),
        (None, None),
    ],
)
def test_a_checkout_is_known_by_the_url_it_came_from(tmp_path: Path, origin: str | None, expected: str | None) -> None:
    git(tmp_path, "init")
    if origin:
        git(tmp_path, "remote", "add", "origin", origin)
    assert repository_url(tmp_path) == (expected or tmp_path.as_uri())
