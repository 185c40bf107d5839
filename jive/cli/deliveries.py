"""The commands `jive deliveries`."""

import click

from jive.cli.common import configure_log, find_project


@click.group()
def deliveries() -> None:
    """List the deliveries of Git hosts, and retry failed ones."""


@deliveries.command("list")
@click.argument("project", required=False)
@click.option("--failed", is_flag=True, help="Only failed deliveries.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
def list_deliveries(project: str | None, failed: bool, limit: int) -> None:
    """List the newest deliveries of PROJECT, or of all projects."""
    from jive.catalog import deliveries
    from jive.cli import printing

    configure_log()
    project_id = find_project(project).id if project else None
    printing.deliveries(deliveries.newest(project_id, failed=failed, limit=limit))


@deliveries.command("retry")
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Retry all failed deliveries.")
def retry_deliveries(ids: tuple[str, ...], everything: bool) -> None:
    """Retry the failed deliveries with these IDS; deliveries that have not failed are left alone."""
    from jive.jobs.tasks import enqueue_scan
    from jive.pipeline.retry import retry

    if not ids and not everything:
        raise click.UsageError("Give the ids of deliveries, or --all.")
    configure_log()
    count = retry(None if everything else ids, enqueue_scan)
    if count:
        click.echo(f"{count} project{'' if count == 1 else 's'} will be scanned again.")
    else:
        click.echo("No failed delivery was found; none is retried.")
