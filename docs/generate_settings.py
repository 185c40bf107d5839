"""Write `.env.example` and `docs/settings.md` from the table in `jive/settings_table.py`: `make settings`."""

import textwrap
from pathlib import Path
from typing import Any

from jive.settings_table import SETTINGS, Setting

ROOT = Path(__file__).parent.parent
EXAMPLES = {
    "DATABASE_URL": "postgresql://user:password@localhost:5432/jive",
    "REDIS_URL": "redis://localhost:6379/0",
    "JIVE_PUBLIC_URL": "https://jive.example.com",
    "JIVE_GIT_HOSTS": "github.com,gitlab.com,bitbucket.org",
}
ENV_HEAD = """\
# Every setting of JIVE, with its default. Copy the lines that you change into a file .env, or set the variables in the
# environment, which wins. NAME_FILE=path takes the value of NAME from a file. A setting that is empty counts as unset.
# `make up` and `docker compose up` need none of them.
"""
PAGE_HEAD = """\
# Settings

From the environment, or from a file `.env` in the folder where JIVE runs; the environment wins. `NAME_FILE` may give
the path of a file that holds the value of `NAME`; where both are set, `NAME` wins. A setting that is set but empty
counts as unset. All problems are reported at once, before anything connects.

`make up` and `docker compose up` need none of them: they start the stores and create the key. With Docker, `.env`
reaches the containers, except for the addresses of the stores, `PORT` (which moves the port on your machine),
`JIVE_DATA_DIR` and the key file, which `docker-compose.yml` sets.

This page and `.env.example` are generated from the table in `jive/settings_table.py` by `make settings`.

| setting | default | meaning |
|---|---|---|
"""


def env_example() -> str:
    """Return the text of `.env.example`: a comment for each setting, and its default, commented out."""
    blocks = []
    for setting in SETTINGS:
        comment = "\n".join(f"# {line}" for line in textwrap.wrap(setting.help.replace("`", ""), 116))
        blocks.append(f"{comment}\n# {setting.name}={EXAMPLES.get(setting.name, _default(setting))}\n")
    return "\n".join([ENV_HEAD, *blocks])


def page() -> str:
    """Return the text of `docs/settings.md`."""
    rows = []
    for setting in SETTINGS:
        default = "required" if setting.default is None else _default(setting)
        rows.append(f"| `{setting.name}` | {default} | {setting.help} |\n")
    return PAGE_HEAD + "".join(rows)


def _default(setting: Setting) -> str:
    value: Any = setting.default
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value or "")


if __name__ == "__main__":
    (ROOT / ".env.example").write_text(env_example(), "utf-8")
    (ROOT / "docs/settings.md").write_text(page(), "utf-8")
