"""Configuration of both versions of the BMAD method is read, also if parts of it are wrong."""

import json

import pytest

from jive.documents.bmad_config import MAX_CONFIG_BYTES, is_config, read_places
from jive.documents.places import USUAL

V4 = """\
markdownExploder: true
qa:
  qaLocation: docs/qa
prd:
  prdFile: docs/prd/index.md
  prdVersion: v4
  prdSharded: true
  prdShardedLocation: docs/prd
  epicFilePattern: epic-{n}*.md
architecture:
  architectureFile: ./docs\\architecture.md
  architectureSharded: false
customTechnicalDocuments: null
devLoadAlwaysFiles:
  - docs/architecture/coding-standards.md
devStoryLocation: docs/stories/
"""


@pytest.mark.parametrize(
    "path",
    [
        ".bmad-core/core-config.yaml",
        "_bmad/bmm/config.yaml",
        "_bmad/core/config.yaml",
        "_bmad/config.toml",
        "_bmad/config.user.toml",
        "_bmad/custom/config.toml",
        ".bmad/bmm/config.yaml",
        "bmad/bmm/config.yaml",
    ],
)
def test_configuration_files_are_recognized(path: str) -> None:
    assert is_config(path)


@pytest.mark.parametrize(
    "path",
    ["core-config.yaml", "x/.bmad-core/core-config.yaml", "_bmad/bmm/agents/config.yaml", "_bmad/manifest.yaml", ""],
)
def test_other_files_are_not_configuration(path: str) -> None:
    assert not is_config(path)


def test_without_configuration_only_the_usual_places_count() -> None:
    assert read_places({}) == (USUAL, ())


def test_configuration_of_version_4_is_stored_by_its_keys() -> None:
    places, warnings = read_places({".bmad-core/core-config.yaml": V4.replace("\n", "\r\n").encode("utf-8-sig")})
    assert warnings == ()
    assert places.config == {
        "qaLocation": "docs/qa",
        "prdFile": "docs/prd/index.md",
        "prdVersion": "v4",
        "prdSharded": True,
        "prdShardedLocation": "docs/prd",
        "epicFilePattern": "epic-{n}*.md",
        "architectureFile": "docs/architecture.md",
        "architectureSharded": False,
        "devLoadAlwaysFiles": ["docs/architecture/coding-standards.md"],
        "devStoryLocation": "docs/stories",
    }


def test_version_6_is_read_from_all_its_files_and_the_teams_overrides_win() -> None:
    places, warnings = read_places(
        {
            "_bmad/custom/config.toml": b'[modules.bmm]\nplanning_artifacts = "{project-root}/plans"\n',
            "_bmad/config.toml": b'[core]\noutput_folder = "{project-root}/out"\n[agents.pm]\nname = "John"\n',
            "_bmad/core/config.yaml": b"user_name: RT\noutput_folder: '{project-root}/out'\n",
            "_bmad/bmm/config.yaml": b"planning_artifacts: '{output_folder}/old'\noutput_folder: out\n"
            b"implementation_artifacts: '{project-root}/out/build'\nproject_knowledge: '{project-root}/docs'\n",
        }
    )
    assert warnings == ()
    assert places.config == {
        "outputFolder": "out",
        "planningArtifacts": "plans",
        "implementationArtifacts": "out/build",
        "projectKnowledge": "docs",
    }
    assert places.folders == {"out/build/": "STORY", "out/old/": None, "docs/": None, "out/": None, "plans/": None}


def test_the_names_of_the_first_version_6_are_known() -> None:
    places, _ = read_places({"bmad/bmm/config.yaml": b"dev_story_location: '{project-root}/docs/stories'\n"})
    assert places.config == {"devStoryLocation": "docs/stories"}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("/etc", "outside"),
        ("C:\\work", "outside"),
        ("~/docs", "outside"),
        ("../elsewhere", "outside"),
        ("docs/../../elsewhere", "outside"),
        ("{project-root}/../elsewhere", "outside"),
        ("{project-root}", "whole repository"),
        (".", "whole repository"),
        ("{date}/docs", "placeholder"),
        ("_bmad", "tool's folder"),
        ("docs/.claude", "tool's folder"),
        ("x" * 501, "not a path"),
    ],
)
def test_an_unusable_place_is_ignored_with_a_warning(value: str, problem: str) -> None:
    places, warnings = read_places({"_bmad/bmm/config.yaml": f"output_folder: {json.dumps(value)}".encode()})
    assert places == USUAL
    assert len(warnings) == 1
    assert warnings[0].startswith("_bmad/bmm/config.yaml: outputFolder ")
    assert problem in warnings[0]


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("_bmad/bmm/config.yaml", b"a: [1"),
        ("_bmad/bmm/config.yaml", b"[" * 60_000),
        ("_bmad/config.toml", b"a = "),
        ("_bmad/config.toml", b"a = " + b"[" * 60_000),
        ("_bmad/config.toml", b"a = " + b"9" * 60_000),
        ("_bmad/config.toml", b"\xff\xfe\x00"),
        (".bmad-core/core-config.yaml", b"#" * (MAX_CONFIG_BYTES + 1)),
        ("_bmad/config.toml", b"#" * (MAX_CONFIG_BYTES + 1)),
    ],
)
def test_broken_configuration_is_ignored_with_a_warning(path: str, data: bytes) -> None:
    places, warnings = read_places({path: data})
    assert places == USUAL
    assert len(warnings) == 1
    assert warnings[0].startswith(f"{path}: ")


def test_texts_that_cannot_be_stored_are_left_out() -> None:
    data = b'prdVersion = "4\\u0000"\ndevLoadAlwaysFiles = ["a\\u0000.md", "b.md"]\nprdFile = "a\\u0000.md"\n'
    places, warnings = read_places({"_bmad/config.toml": data})
    assert places.config == {"devLoadAlwaysFiles": ["b.md"]}
    assert len(warnings) == 1


@pytest.mark.parametrize("data", [b"", b"text", b"- a\n- b\n", b"prd: 1\n", b"prdFile: [a, b]\nqaLocation:\n", b"\0"])
def test_configuration_without_places_changes_nothing(data: bytes) -> None:
    assert read_places({".bmad-core/core-config.yaml": data})[0] == USUAL


def test_the_stored_configuration_is_limited() -> None:
    listed = "".join(f"  - docs/{'x' * 600}{number}.md\n" for number in range(180))
    places, _ = read_places({".bmad-core/core-config.yaml": f"devLoadAlwaysFiles:\n{listed[:60_000]}".encode()})
    assert len(json.dumps(places.config)) < 65_536
