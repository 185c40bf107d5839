"""The acceptance criteria of Story 2.1, each by its number and name, carried into Python."""

import json
import re
import urllib.request
from pathlib import Path

import pytest

from jive import db, redis_client, schema
from jive.db import database
from jive.models import MODELS, Project
from tests.flow.processes import free_port, run, serving

ROOT = Path(schema.__file__).parent.parent


def read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def test_ac1_schema_has_the_four_models_and_three_enums() -> None:
    assert {model.__name__ for model in MODELS} >= {"Project", "Artifact", "WebhookEvent", "MCPAuditLog"}
    from jive.models.enums import ArtifactType, MCPResult, WebhookSource

    assert list(ArtifactType) == ["PRD", "ARCHITECTURE", "STORY", "QA", "OTHER"]
    assert list(WebhookSource) == ["GITHUB", "GITLAB", "BITBUCKET"]
    assert list(MCPResult) == ["SUCCESS", "FAILURE", "UNAUTHORIZED", "RATE_LIMITED"]


def test_ac2_initial_migration_generated_and_applied_locally() -> None:
    with db.connection() as held:
        assert schema.status(held).applied[0] == "001_init"


@pytest.mark.parametrize("words", ["DATABASE_URL", "Postgres", "/api/health"])
def test_ac3_railway_postgres_is_explained_to_the_click(words: str) -> None:
    assert words in read("README.md").partition("Railway")[2]


def test_ac4_railway_redis_is_explained_to_the_click() -> None:
    assert "REDIS_URL" in read("README.md").partition("Railway")[2]


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


def test_ac8_environment_variables_configured() -> None:
    assert re.search(r"^# DATABASE_URL=postgresql://.+\n", read(".env.example"), re.MULTILINE)
    assert re.search(r"^# REDIS_URL=redis://.+\n", read(".env.example"), re.MULTILINE)


@pytest.mark.usefixtures("db")
def test_ac9_database_seed_script_created() -> None:
    assert run("seed")[0] == 0
    project = Project.get(Project.repo_url == "https://github.com/example/jive")
    assert project.config["prdFile"] == "docs/prd.md"
    assert database.execute_sql("SELECT count(*) FROM artifacts").fetchone()[0] == 5


def test_ac10_all_tests_pass_with_one_command() -> None:
    assert "make test" in read("README.md")
    assert "make test" in read(".ci/run")
