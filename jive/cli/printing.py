"""Print the commands' results for people: lines, tables and a progress bar."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from jive import settings
from jive.catalog.deliveries import DeliveryRecord
from jive.catalog.projects import ProjectRecord, ProjectSummary
from jive.cli.common import with_own_command
from jive.clock import utcnow
from jive.hosts import HOSTS
from jive.models import Project
from jive.models.enums import ProjectSource, WebhookSource
from jive.pipeline.registry import Rotation
from jive.pipeline.scan import Progress, ScanResult


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Show a progress bar on a terminal while documents are read, and nothing elsewhere."""
    bar: Any = None
    read = 0

    def show(done: int, total: int) -> None:
        nonlocal bar, read
        if bar is None:
            bar = click.progressbar(length=total, label="Reading", show_pos=True, update_min_steps=max(1, total // 100))
        bar.update(done - read)
        read = done

    def show_nothing(done: int, total: int) -> None:
        """Show no bar in a file or a pipe."""

    try:
        yield show if sys.stdout.isatty() else show_nothing
    finally:
        if bar is not None:
            bar.render_finish()


def scan(result: ScanResult) -> None:
    """Print the number of documents by type, and what a scan changed; warnings go to standard error."""
    click.echo(f"{result.project.name} ({result.project.id}) at {result.project.repo_url}")
    for kind, count in result.counts.items():
        click.echo(f"  {kind:<13} {count:>5}")
    changes = ", ".join(f"{count} {change}" for change, count in result.changes.items() if count)
    click.echo(f"  {'total':<13} {sum(result.counts.values()):>5}   {changes or 'nothing changed'}")
    for warning in result.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not result.published:
        click.echo("warning: Redis cannot be reached; a worker publishes these changes once it can.", err=True)


def added(project: Project, why_not_fetched: str | None) -> None:
    """Print a new remote project with its webhook and secret, and a warning if the settings forbid its fetches."""
    click.echo(f"Added {project.name} ({project.id}) at {project.repo_url}\n")
    _webhook(project.host, str(project.webhook_secret))
    click.echo("The secret is not shown again.")
    if why_not_fetched:
        click.echo(f"warning: {why_not_fetched}", err=True)


def rotated(project: ProjectRecord, rotation: Rotation) -> None:
    """Print a project's new webhook secret."""
    made = "has a new secret" if rotation.is_new else "was given this new secret by an earlier `rotate-secret`"
    click.echo(f"{project.name} {made}. The old one is accepted too until")
    click.echo(with_own_command(f"`jive project rotate-secret {project.id} --finish`.\n"))
    _webhook(project.host, rotation.secret)


def _webhook(host: WebhookSource | None, secret: str) -> None:
    base = settings.current().public_url
    for name in [name for name, each in HOSTS.items() if host in (None, each.source)]:
        click.echo(f"  Payload URL   {base}/api/webhooks/{name}")
    click.echo("  Content type  application/json")
    click.echo(f"  Secret        {secret}\n")
    click.echo("Set up a webhook for push events with these at the Git host.")


def projects(summaries: Sequence[ProjectSummary]) -> None:
    """Print the projects, two lines each, with the errors of their scans and deliveries below."""
    if not summaries:
        click.echo(with_own_command("There are no projects yet; `jive project add URL` adds one."))
    for each in summaries:
        record = each.record
        branch = f" ({each.branch})" if each.branch else ""
        source = "" if record.source is ProjectSource.REMOTE else f"  [{record.source}]"
        slug = "" if record.slug == record.name else f"  slug {record.slug}"
        click.echo(f"{record.name}{branch}  {record.repo_url}{slug}{source}")
        pending = f", {_deliveries(each.pending)} pending" if each.pending else ""
        documents = f"{each.artifacts} document{'' if each.artifacts == 1 else 's'}"
        click.echo(f"  {record.id}  {documents}, {_scanned(each.scanned_at)}{pending}")
        if each.failed:
            click.echo(click.style(f"  {_deliveries(each.failed)} failed: {each.delivery_error}", fg="red"))
            click.echo(
                with_own_command("  → `jive deliveries retry --all` retries the failed deliveries of all projects")
            )
        elif each.scan_error:
            click.echo(click.style(f"  the last scan failed: {each.scan_error}", fg="red"))
            click.echo(with_own_command(f"  → `jive scan {record.id}` retries it"))


def _scanned(then: datetime | None) -> str:
    if then is None:
        return "not scanned yet"
    seconds = (utcnow() - then).total_seconds()
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"scanned {seconds // size:.0f} {unit} ago"
    return "scanned just now"


def _deliveries(count: int) -> str:
    return f"{count} {'delivery' if count == 1 else 'deliveries'}"


def deliveries(rows: Sequence[DeliveryRecord]) -> None:
    """Print deliveries, one per line, each with the error of its last attempt below."""
    if not rows:
        click.echo("No deliveries.")
    for row in rows:
        click.echo(
            f"{row.received_at:%Y-%m-%d %H:%M:%S}Z  {row.state:<8} {row.host:<9} {row.event_type:<12} "
            f"{row.id}  {row.project}"
        )
        if row.error:
            click.echo(click.style(f"  last error: {row.error}", fg="red"))
