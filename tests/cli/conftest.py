"""A folder with documents."""

from pathlib import Path

import pytest


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with a document of each type, and files that are not documents."""
    files = {
        "docs/prd.md": "# Product\n\nWhat it is.\n",
        "docs/architecture.md": "# Architecture\n",
        "docs/stories/1.1.first.md": "# Story 1.1: First\n",
        "docs/qa/gates/1.1-first.yml": "story_title: First\ngate: PASS\n",
        "docs/notes.md": "# Notes\n",
        "README.md": "# Not where documents are\n",
        ".bmad-core/templates/prd.md": "# A template\n",
        "docs/picture.png": "not a document",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path
