"""Rows of deliveries over HTTP, compared with pgbench inserting the same rows; no worker runs."""

import re
import statistics
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import CONNECTIONS
from benchmarks.measure import Comparison
from benchmarks.processes import free_port, serving, without
from benchmarks.pushes import OWNER, Posted, post, request
from benchmarks.stores import Stores
from benchmarks.table import Row, duration, per_second, ratio_row
from jive.db import connection
from jive.keys import make_webhook_secret
from jive.models import Project, WebhookEvent
from jive.operate import servers

PROCESSES = 2
ROUNDS, DELIVERIES = 7, 4000
WARM_UP = 1000

# What recording one delivery costs Postgres, as a plain statement; {project} is an id.
INSERT = """\
INSERT INTO webhook_events
    (id, source, project_id, event_type, payload_hash, processed, processed_at, retry_count, received_at)
VALUES (gen_random_uuid()::text, 'GITHUB', '{project}', 'push', encode(sha256(random()::text::bytea), 'hex'),
    false, NULL, 0, now())
ON CONFLICT (id) DO UPDATE SET retry_count = 0, error_message = NULL
    WHERE NOT webhook_events.processed AND webhook_events.error_message IS NOT NULL
    AND webhook_events.project_id = '{project}' AND webhook_events.source = 'GITHUB'
RETURNING id;
"""


def deliveries(stores: Stores) -> Iterator[Row]:
    """Measure signed pushes, each a new delivery, from the first byte sent to the 202 received.

    Raises:
        ValueError: a status was not 202, or Postgres does not have exactly the deliveries that were answered with it.
    """
    port = free_port()
    env = without(frozenset(), PORT=str(port), JIVE_WEB_PROCESSES=str(PROCESSES))
    project, other = _project(), _project()
    script = stores.home / "insert.sql"
    script.write_text(INSERT.format(project=other.id))
    web = serving("jive web", [sys.executable, "-m", "jive", "web"], _live(port), stores.home / "deliveries.log", env)
    with web:
        _post(port, project, WARM_UP)
        _pgbench(stores, script, WARM_UP)
        rounds = [(_post(port, project, DELIVERIES), _pgbench(stores, script, DELIVERIES)) for _ in range(ROUNDS)]
    posted = [each for each, _ in rounds]
    with connection():
        kept = WebhookEvent.select().where(WebhookEvent.project == project).count()
        project.delete_instance()
        other.delete_instance()
    if kept != WARM_UP + ROUNDS * DELIVERIES:
        raise ValueError(f"{WARM_UP + ROUNDS * DELIVERIES} deliveries were answered 202, and {kept} are in Postgres")
    speeds = Comparison(tuple(each.took_s / DELIVERIES for each in posted), tuple(bare_s for _, bare_s in rounds))
    yield ratio_row(f"a signed push of 7 KB, {CONNECTIONS} connections", speeds, None, per_second)
    yield Row("  half of them answered in", duration(statistics.median(each.p50_s for each in posted)))
    slow = [each.p99_s for each in posted]
    spread = f"{min(slow) * 1000:.0f} to {max(slow) * 1000:.0f} ms"
    yield Row("  99 of 100 in", duration(statistics.median(slow)), spread=spread, target="< 15 ms")


def _project() -> Project:
    url = f"https://github.com/{OWNER}/{uuid.uuid4().hex}.git"
    with connection():
        return Project.create(name="Benchmark", repo_url=url, webhook_secret=make_webhook_secret())


def _live(port: int) -> str:
    return f"http://127.0.0.1:{port}/api/health/live"


def _post(port: int, project: Project, count: int) -> Posted:
    posted = post(port, [request(project) for _ in range(count)])
    if set(posted.statuses) != {202}:
        raise ValueError(f"Not every delivery was answered 202: {dict(posted.statuses)}")
    return posted


def _pgbench(stores: Stores, script: Path, count: int) -> float:
    """Return the seconds for one INSERT, by 16 clients with a prepared statement."""
    words = [str(servers.postgres_binaries(Path("none")) / "pgbench"), "--no-vacuum", "--protocol=prepared"]
    words += [f"--client={CONNECTIONS}", f"--transactions={count // CONNECTIONS}", f"--file={script}"]
    said = subprocess.run([*words, stores.database_url], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^tps = ([\d.]+)", said, re.MULTILINE)
    if found is None:
        raise ValueError(f"pgbench printed no tps:\n{said}")
    return 1 / float(found[1])
