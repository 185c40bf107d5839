"""The table of settings: it has every field, its defaults pass its checks, and documents are made from it."""

import runpy
from dataclasses import fields
from pathlib import Path

import pytest

from jive import settings
from jive.settings_table import SETTINGS, Setting

ROOT = Path(settings.__file__).parent.parent


def test_the_table_has_every_field_once() -> None:
    assert [each.field for each in SETTINGS] == list(dict.fromkeys(each.field for each in SETTINGS))
    assert {each.field for each in SETTINGS} == {field.name for field in fields(settings.Settings)}


def test_env_example_and_the_page_are_generated_from_the_table() -> None:
    generated = runpy.run_path(str(ROOT / "docs/generate_settings.py"))
    assert (ROOT / ".env.example").read_text() == generated["env_example"](), "run `make settings`"
    assert (ROOT / "docs/settings.md").read_text() == generated["page"](), "run `make settings`"


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.check and each.default is not None])
def test_a_default_passes_the_check_of_its_setting(setting: Setting) -> None:
    assert setting.check
    setting.check(setting.default)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_help_is_a_sentence_and_says_what_unset_means_where_the_default_does_not(setting: Setting) -> None:
    assert setting.help.endswith(".")
    assert setting.default not in ("", []) or "Unset:" in setting.help
