"""What the commands print, for a person: lines, tables, a progress bar."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import click

from jive import settings
from jive.clock import utcnow
from jive.hosts import HOSTS
from jive.models import Project, WebhookEvent
from jive.pipeline.process import ScanResult
from jive.pipeline.projects import Summary
from jive.scanner.folder import Progress


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Show a bar on a terminal while documents are read, and nothing elsewhere."""
    bar: Any = None
    read = 0

    def show(done: int, total: int) -> None:
        nonlocal bar, read
        if bar is None:
            bar = click.progressbar(length=total, label="Reading", show_pos=True, update_min_steps=max(1, total // 100))
        bar.update(done - read)
        read = done

    def hide(done: int, total: int) -> None:
        """A file or a pipe has no use for a bar."""

    try:
        yield show if sys.stdout.isatty() else hide
    finally:
        if bar is not None:
            bar.render_finish()


def scan(result: ScanResult) -> None:
    """Tell what a scan found and changed; warnings go to standard error."""
    click.echo(f"{result.project.name} ({result.project.id}) at {result.project.repo_url}")
    for kind, count in result.counts.items():
        click.echo(f"  {kind:<13} {count:>5}")
    changes = ", ".join(f"{count} {change}" for change, count in result.changes.items() if count)
    click.echo(f"  {'total':<13} {sum(result.counts.values()):>5}   {changes or 'nothing changed'}")
    for warning in result.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not result.told:
        click.echo("warning: Redis is away; a worker will tell of these changes when it is back.", err=True)


def added(project: Project) -> None:
    """Tell a new project's webhook and secret; the secret is not shown again."""
    click.echo(f"Added {project.name} ({project.id}) at {project.repo_url}\n")
    _webhook(project, str(project.webhook_secret))


def rotated(project: Project, secret: str) -> None:
    """Tell a project's new secret; it is not shown again."""
    click.echo(f"{project.name} has a new secret. The old one is good until")
    click.echo(f"`jive project rotate-secret {project.id} --finish`.\n")
    _webhook(project, secret)


def _webhook(project: Project, secret: str) -> None:
    host = next((name for name in HOSTS if name in project.repo_url.lower()), None)
    base = settings.current().public_url
    for name in [host] if host else HOSTS:
        click.echo(f"  Payload URL   {base}/api/webhooks/{name}")
    click.echo("  Content type  application/json")
    click.echo(f"  Secret        {secret}\n")
    click.echo("Give both to the host, for push events. The secret is not shown again.")


def projects(summaries: Sequence[Summary]) -> None:
    """Tell the projects, one a line, and under it what rests with an error."""
    if not summaries:
        click.echo("There is no project yet: `jive project add URL` registers one.")
    for each in summaries:
        branch = f" ({each.branch})" if each.branch else ""
        click.echo(f"{each.name}{branch}  {each.repo_url}")
        waiting = f", {each.waiting} deliveries wait" if each.waiting else ""
        click.echo(f"  {each.id}  {each.artifacts} documents, seen {_ago(each.last_seen)}{waiting}")
        if each.resting:
            click.echo(click.style(f"  {each.resting} deliveries failed: {each.error}", fg="red"))
            click.echo("  → `jive events retry --all` tries again")
        elif each.scan_error:
            click.echo(click.style(f"  the last scan failed: {each.scan_error}", fg="red"))
            click.echo(f"  → `jive scan {each.id}` tries again")


def deliveries(rows: Sequence[WebhookEvent]) -> None:
    """Tell deliveries, one a line, with the error of those that failed."""
    if not rows:
        click.echo("There are none.")
    for row in rows:
        state = "settled" if row.processed else "failed" if row.error_message else "waiting"
        click.echo(
            f"{row.received_at:%Y-%m-%d %H:%M:%S}Z  {state:<8} {row.source:<9} {row.event_type:<12} "
            f"{row.id}  {row.project.name}"
        )
        if row.error_message:
            click.echo(click.style(f"  attempt {row.retry_count}: {row.error_message}", fg="red"))


def _ago(then: datetime) -> str:
    seconds = (utcnow() - then).total_seconds()
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return "just now"
