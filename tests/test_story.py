"""The acceptance criteria of Story 2.1, each by its number and name, carried into Python."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from jive import db, keys, redis_client, schema, settings
from jive.db import database
from jive.models import MODELS, Project
from tests.flow.processes import JIVE, PATIENCE_S, Running, free_port, run, serving

ROOT = Path(schema.__file__).parent.parent


def read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def only(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words before a command that give it these environment variables and no others."""
    return ("env", "-i", *(f"{name}={value}" for name, value in variables.items()))


def migrate_and_ask_for_health(folder: Path, variables: Mapping[str, str], port: int) -> tuple[int, dict[str, object]]:
    """Run `jive migrate` and `jive web` in `folder` with only these variables; return what /api/health answers."""
    words = only(variables)
    subprocess.run([*words, *JIVE, "migrate"], cwd=folder, check=True, capture_output=True, timeout=PATIENCE_S)
    web = Running((*words, *JIVE, "web"), folder, {})
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5) as answer:
                    return answer.status, json.load(answer)
            except OSError:
                assert web.process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        assert web.end() == 0
        assert web.process.stdout
        web.process.stdout.close()


def test_ac1_schema_has_the_four_models_and_three_enums() -> None:
    assert {model.__name__ for model in MODELS} >= {"Project", "Artifact", "WebhookEvent", "MCPAuditLog"}
    from jive.models.enums import ArtifactType, MCPResult, WebhookSource

    assert list(ArtifactType) == ["PRD", "ARCHITECTURE", "STORY", "QA", "OTHER"]
    assert list(WebhookSource) == ["GITHUB", "GITLAB", "BITBUCKET"]
    assert list(MCPResult) == ["SUCCESS", "FAILURE", "UNAUTHORIZED", "RATE_LIMITED"]


def test_ac2_initial_migration_generated_and_applied_locally() -> None:
    with db.connection() as held:
        assert schema.status(held).applied[0] == "001_init"


def railway_variables() -> dict[str, str]:
    """Return the variables that the guide to Railway has people paste, as they are written there."""
    guide = read("docs/deploy.md") if (ROOT / "docs/deploy.md").exists() else read("README.md")
    lines = re.findall(r"^\s*([A-Z][A-Z0-9_]*)=(\S.*)$", guide, re.MULTILINE)
    railway = [(name, value) for name, value in lines if "${{Postgres." in value or "${{Redis." in value]
    assert railway, "the guide names no store of Railway's"
    block = next(part for part in re.split(r"\n\s*\n", guide) if f"{railway[0][0]}={railway[0][1]}" in part)
    return dict(re.findall(r"^\s*([A-Z][A-Z0-9_]*)=(\S.*)$", block, re.MULTILINE))


def as_railway_fills_them_in(variables: Mapping[str, str], stores: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with Railway's references replaced, and a key where the guide wants one."""
    references = {
        "${{Postgres.DATABASE_URL}}": stores["DATABASE_URL"],
        "${{Redis.REDIS_URL}}": stores["REDIS_URL"],
        "${{RAILWAY_PUBLIC_DOMAIN}}": "jive.up.railway.app",
    }
    filled = {}
    for name, value in variables.items():
        for reference, meaning in references.items():
            value = value.replace(reference, meaning)
        filled[name] = keys.make() if name == "JIVE_SECRET_KEYS" else value
    assert not [value for value in filled.values() if "${{" in value or value.startswith("<")]
    return filled


def test_ac3_ac4_the_railway_variables_are_all_that_jive_needs(empty_database: str, tmp_path: Path) -> None:
    stores = {"DATABASE_URL": empty_database, "REDIS_URL": settings.current().redis_url}
    variables = as_railway_fills_them_in(railway_variables(), stores)
    assert stores.items() <= variables.items()
    port = free_port()
    status, body = migrate_and_ask_for_health(tmp_path, variables | {"PORT": str(port)}, port)
    assert (status, body["status"], body["database"], body["redis"]) == (200, "ok", True, True)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_ac3_ac4_no_store_can_be_left_out(name: str, tmp_path: Path) -> None:
    stores = {"DATABASE_URL": settings.current().database_url, "REDIS_URL": settings.current().redis_url}
    variables = as_railway_fills_them_in(railway_variables(), stores)
    del variables[name]
    web = subprocess.run([*only(variables), *JIVE, "web"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (web.returncode, f"{name}: is not set" in web.stderr) == (1, True)


def test_ac5_the_client_is_typed() -> None:
    assert (ROOT / "jive/py.typed").exists()
    assert "strict = true" in read("setup.cfg")


def test_ac6_database_connection_tested_with_health_check_query() -> None:
    port = free_port()
    with serving(port) as web:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=30) as answer:
            body = json.load(answer)
        assert web.end() == 0
    assert (answer.status, body["status"], body["database"]) == (200, "ok", True)


def test_ac7_redis_pub_sub_tested_with_sample_publish_subscribe() -> None:
    assert "ok    pub/sub     a published message was received" in run("check")[1]
    assert redis_client.check_connection()


def test_ac8_an_env_file_made_from_the_example_starts_jive(empty_database: str, tmp_path: Path) -> None:
    port = free_port()
    own = {
        "DATABASE_URL": empty_database,
        "REDIS_URL": settings.current().redis_url,
        "JIVE_SECRET_KEYS": keys.make(),
        "PORT": str(port),
    }
    lines = re.findall(r"^# (\w+)=(.*)$", read(".env.example"), re.MULTILINE)
    assert {name for name, _ in lines} >= own.keys()
    (tmp_path / ".env").write_text("".join(f"{name}={own.get(name, value)}\n" for name, value in lines))
    status, body = migrate_and_ask_for_health(tmp_path, {"PATH": os.environ["PATH"]}, port)
    assert (status, body["database"], body["redis"]) == (200, True, True)


@pytest.mark.usefixtures("db")
def test_ac9_database_seed_script_created() -> None:
    assert run("seed")[0] == 0
    project = Project.get(Project.repo_url == "https://github.com/example/jive")
    assert project.config["prdFile"] == "docs/prd.md"
    assert database.execute_sql("SELECT count(*) FROM artifacts").fetchone()[0] == 5


def test_ac10_all_tests_pass_with_one_command() -> None:
    assert re.search(r"`make test`", read("README.md"))
    assert re.search(r"^make test$", read(".ci/run"), re.MULTILINE)
    words = ["make", "--no-print-directory", "--dry-run", f"PYTHON={sys.executable}", "test"]
    plan = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    # No path and no option: pytest runs everything below `testpaths`.
    assert plan.splitlines()[-1].split() == [".venv/bin/pytest"]
    config = re.search(r"^testpaths = (.+)$", read("setup.cfg"), re.MULTILINE)
    assert config and config[1] == "tests"
