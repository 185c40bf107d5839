"""The package as it is shipped: a complete wheel, which can migrate, and documents whose links lead somewhere."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest

from jive import schema
from jive.cli import cli

ROOT = Path(schema.__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("jive", "migrations"):
        shutil.copytree(ROOT / name, source / name)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    words = [
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(source),
    ]
    subprocess.run([sys.executable, "-m", *words], check=True)
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_module_and_the_migrations(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "jive").rglob("*"):
        if path.suffix in (".py", ".html") or path.name == "py.typed":
            assert path.relative_to(ROOT).as_posix() in names
    for path in schema.MIGRATIONS.glob("*.py"):
        assert f"jive/migrations/{path.name}" in names


def test_a_wheel_installed_elsewhere_can_migrate(wheel: Path, tmp_path: Path, empty_database: str) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    environ = os.environ | {"DATABASE_URL": empty_database, "PYTHONPATH": str(tmp_path)}

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True).stdout

    assert str(tmp_path) in run("-c", "import jive; print(jive.__file__)")
    assert run("-m", "jive", "migrate").startswith("Applied 001_init")


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert isinstance(cli, click.Group)
    for command in cli.commands:
        assert f"jive {command}" in readme, command


def test_every_link_in_the_documents_leads_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
