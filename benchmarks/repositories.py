"""Repositories to scan: bare, on this machine, written by `git fast-import`."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

from benchmarks.documents import document
from benchmarks.stores import Stores
from jive import settings
from jive.db import connection
from jive.models import Project
from jive.pipeline import registry

FOLDERS = ("docs/prd", "docs/architecture", "docs/stories", "docs/qa")
FOLDER_FILES = 250


class Repository:
    """A bare repository in `path` with the branch `main`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits = 0
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)

    def commit(self, files: Mapping[str, str]) -> None:
        """Add a commit to `main` that creates or replaces these files."""
        self._commits += 1
        parts = [f"commit refs/heads/main\ncommitter A <a@example.com> {1_700_000_000 + self._commits} +0000\ndata 0\n"]
        parts += ["from refs/heads/main^0\n"] if self._commits > 1 else []
        for path, text in files.items():
            parts.append(f"M 644 inline {path}\ndata {len(text.encode())}\n{text}\n")
        self.git("fast-import", "--quiet", given="".join(parts).encode())

    def git(self, *words: str, given: bytes = b"") -> bytes:
        """Return the standard output of git."""
        return subprocess.run(["git", *words], cwd=self.path, input=given, capture_output=True, check=True).stdout


def repository(path: Path, count: int) -> Repository:
    """Return a repository of `count` documents of 4 KB, spread over folders as in a large project."""
    made = Repository(path)
    made.commit({path_of(number): document(number) for number in range(count)})
    return made


def path_of(number: int) -> str:
    """Return the path of the document with this number."""
    part = number // FOLDER_FILES
    return f"{FOLDERS[part % len(FOLDERS)]}/part-{part}/{number}.md"


@contextlib.contextmanager
def local_repositories(stores: Stores) -> Iterator[Path]:
    """Allow repositories on this machine, in this process and those that it starts; yield a folder for them."""
    mirrors = stores.home / "data"
    folder = stores.home / "repositories"
    folder.mkdir(exist_ok=True)
    try:
        with patch.dict(os.environ, JIVE_DATA_DIR=str(mirrors), JIVE_GIT_ALLOW_LOCAL="true"):
            settings.current.cache_clear()
            yield folder
    finally:
        settings.current.cache_clear()


@contextlib.contextmanager
def project_of(made: Repository) -> Iterator[Project]:
    """Add the repository as a project for the block."""
    project = registry.add(made.path.as_uri())
    try:
        yield project
    finally:
        registry.remove(project.id)


def vacuum() -> None:
    """Remove dead rows now, before autovacuum does so in the middle of a round."""
    with connection() as db:
        db.execute_sql("VACUUM ANALYZE artifacts, events")
