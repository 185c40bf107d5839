"""What the commands print for people: results, and beside each error the command that helps."""

import os
import re
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from jive.catalog.deliveries import DeliveryRecord
from jive.catalog.projects import ProjectRecord, ProjectSummary
from jive.cli import printing
from jive.cli.common import with_own_command
from jive.clock import utcnow
from jive.models import Project
from jive.models.enums import ArtifactType, DeliveryState, ProjectSource, WebhookSource
from jive.pipeline.registry import Rotation
from jive.pipeline.scan import ScanResult
from jive.processes import own_command
from tests.conftest import using
from tests.flow.processes import JIVE, PATIENCE_S

HOSTS = {WebhookSource.GITHUB: "github", WebhookSource.GITLAB: "gitlab", WebhookSource.BITBUCKET: "bitbucket"}
RECORD = ProjectRecord(
    uuid.UUID(int=7),
    "Library",
    "library",
    "https://gitlab.com/acme/library",
    ProjectSource.REMOTE,
    WebhookSource.GITLAB,
)
SUMMARY = ProjectSummary(RECORD, None, utcnow(), 3, 0, 0, None, None)


def addresses(output: str) -> list[str]:
    return re.findall(r"Payload URL +(\S+)", output)


@pytest.mark.parametrize("host", WebhookSource)
def test_a_project_gets_the_webhook_address_of_its_host_alone(
    capsys: pytest.CaptureFixture[str], host: WebhookSource
) -> None:
    project = Project(name="Library", repo_url="https://x.example/a/b", host=host, webhook_secret="hush")
    with using(JIVE_PUBLIC_URL="https://jive.example.com/"):
        printing.added(project, None)
    output, errors = capsys.readouterr()
    assert addresses(output) == [f"https://jive.example.com/api/webhooks/{HOSTS[host]}"]
    assert re.search(r"Secret +hush\n", output)
    assert errors == ""


def test_a_project_without_a_host_gets_the_addresses_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    printing.added(Project(name="Library", repo_url="file:///srv/library", webhook_secret="hush"), None)
    assert [address.rpartition("/")[2] for address in addresses(capsys.readouterr().out)] == list(HOSTS.values())


def test_a_project_whose_fetches_are_forbidden_gets_one_warning_line(capsys: pytest.CaptureFixture[str]) -> None:
    project = Project(name="Library", repo_url="https://x.example/a/b", webhook_secret="hush")
    printing.added(project, "Set JIVE_GIT_HOSTS.")
    assert capsys.readouterr().err == "warning: Set JIVE_GIT_HOSTS.\n"


@pytest.mark.parametrize(("is_new", "said"), [(True, "has a new secret"), (False, "by an earlier `rotate-secret`")])
def test_a_rotated_secret_is_printed_with_the_command_that_finishes(
    capsys: pytest.CaptureFixture[str], is_new: bool, said: str
) -> None:
    printing.rotated(RECORD, Rotation("hush", is_new))
    output = capsys.readouterr().out
    assert said in output
    assert f"`{own_command()} project rotate-secret {RECORD.id} --finish`" in output
    assert addresses(output)[0].endswith("/gitlab")


def test_a_scan_is_printed_with_counts_changes_and_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    project = Project(name="Library", repo_url="https://gitlab.com/acme/library")
    counts = dict.fromkeys(ArtifactType, 0) | {ArtifactType.PRD: 1, ArtifactType.STORY: 12}
    changes = {"created": 2, "updated": 0, "deleted": 1}
    printing.scan(ScanResult(project, counts, changes, ("docs/prd.md: no title",), published=False))  # type: ignore[arg-type]
    output, errors = capsys.readouterr()
    assert re.search(r"^  STORY +12$", output, re.MULTILINE)
    assert re.search(r"^  total +13   2 created, 1 deleted$", output, re.MULTILINE)
    assert "warning: docs/prd.md: no title\n" in errors
    assert "Redis cannot be reached" in errors


def test_a_scan_without_changes_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    project = Project(name="Library", repo_url="https://gitlab.com/acme/library")
    printing.scan(ScanResult(project, {}, {"created": 0, "updated": 0, "deleted": 0}, (), published=True))
    assert "nothing changed" in capsys.readouterr().out


def shown(capsys: pytest.CaptureFixture[str], **fields: object) -> str:
    printing.projects([ProjectSummary(**(vars(SUMMARY) | fields))])
    return capsys.readouterr().out


def test_a_list_without_projects_says_how_to_add_one(capsys: pytest.CaptureFixture[str]) -> None:
    printing.projects([])
    assert f"`{own_command()} project add URL`" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(days=4), "4 d ago"),
    ],
)
def test_a_project_is_listed_with_the_time_of_its_last_scan(
    capsys: pytest.CaptureFixture[str], age: timedelta, said: str
) -> None:
    assert f"{RECORD.id}  3 documents, scanned {said}\n" in shown(capsys, scanned_at=utcnow() - age)


def test_a_project_that_was_never_scanned_is_listed_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert f"{RECORD.id}  3 documents, not scanned yet\n" in shown(capsys, scanned_at=None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"branch": "trunk"}, "Library (trunk)  https://gitlab.com/acme/library  slug library\n"),
        (
            {"record": ProjectRecord(**(vars(RECORD) | {"source": ProjectSource.SAMPLE}))},
            "acme/library  slug library  [sample]\n",
        ),
        (
            {"record": ProjectRecord(**(vars(RECORD) | {"source": ProjectSource.FOLDER}))},
            "acme/library  slug library  [folder]\n",
        ),
        ({"artifacts": 1}, "  1 document, scanned just now\n"),
        ({"pending": 1}, ", 1 delivery pending\n"),
        ({"pending": 2}, ", 2 deliveries pending\n"),
        ({"failed": 2, "delivery_error": "refused"}, "2 deliveries failed: refused"),
        ({"failed": 1, "delivery_error": "refused"}, "1 delivery failed: refused"),
        ({"failed": 1, "delivery_error": "refused"}, "→ `jive deliveries retry --all`"),
        ({"scan_error": "no branch"}, "the last scan failed: no branch"),
        ({"scan_error": "no branch"}, f"→ `jive scan {RECORD.id}`"),
    ],
)
def test_a_project_is_listed_with_what_is_wrong_and_what_helps(
    capsys: pytest.CaptureFixture[str], fields: dict[str, object], said: str
) -> None:
    assert with_own_command(said) in shown(capsys, **fields)


def test_deliveries_are_listed_with_their_state_and_error(capsys: pytest.CaptureFixture[str]) -> None:
    made = DeliveryRecord(
        "abc", "Library", WebhookSource.GITLAB, "Push Hook", DeliveryState.WAITING, 2, "refused", utcnow()
    )
    printing.deliveries([made])
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  waiting  GITLAB +Push Hook +abc  Library", first)
    assert second == "  last error: refused"
    printing.deliveries([])
    assert capsys.readouterr().out == "No deliveries.\n"


@pytest.mark.usefixtures("db")
def test_a_terminal_gets_a_progress_bar_and_a_pipe_gets_none(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/prd.md").write_text("# PRD\n")
    ours, theirs = os.openpty()
    try:
        scan = subprocess.Popen([*JIVE, "scan", str(tmp_path)], stdout=theirs, stderr=subprocess.PIPE)
        assert scan.wait(PATIENCE_S) == 0, scan.communicate()
        scan.communicate()
        assert b"Reading" in os.read(ours, 65_536)
    finally:
        os.close(ours)
        os.close(theirs)
    piped = subprocess.run([sys.executable, "-m", "jive", "scan", str(tmp_path)], capture_output=True, check=True)
    assert b"Reading" not in piped.stdout
