"""Commands about projects: register, scan and watch them, and look at what their hosts delivered."""

from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from jive.cli.common import configure_log, find_project

if TYPE_CHECKING:
    import threading


@click.command()
@click.argument("project")
def scan(project: str) -> None:
    """Scan now. PROJECT is a folder with a checked-out repository, or a project's id, URL or name."""
    from jive import report
    from jive.db import connection
    from jive.models import Project
    from jive.pipeline import process

    configure_log()
    with report.progress() as progress:
        if Path(project).is_dir():
            result = process.scan_folder(Path(project), progress)
        else:
            with connection():
                found = Project.find(project)
            result = process.scan_project(found.id, progress)
    report.scan(result)


@click.command()
@click.argument("project")
@click.option(
    "--since", type=click.IntRange(min=0), metavar="ID", help="Begin after the event with this id; 0: from the first."
)
def watch(project: str, since: int | None) -> None:
    """Print a project's events as they come. PROJECT is its id, repository URL, name or folder."""
    import json

    from jive import live

    configure_log()
    found = find_project(project)

    def tell() -> None:
        click.echo(f"Listening to {found.name} ({found.id}); Ctrl-C ends.", err=True)

    for event in live.listen(found, since, _stopped_by_signal(), tell):
        click.echo(json.dumps(event.to_dict(), ensure_ascii=False))


def _stopped_by_signal() -> "threading.Event":
    import signal
    import threading

    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


@click.group()
def project() -> None:
    """Register repositories, list them, and change their secrets."""


@project.command()
@click.argument("url")
@click.option("--name", help="What people call it; the repository's name if not given.")
@click.option("--branch", help="The branch to track; the remote's HEAD if not given.")
@click.option(
    "--secret-file",
    type=click.File(),
    help="A file with the secret to use (- is standard input), such as a GitLab signing token.",
)
def add(url: str, name: str | None, branch: str | None, secret_file: "IO[str] | None") -> None:
    """Register the repository at URL, and print where its host must send its webhooks, and the secret, once."""
    from jive import report
    from jive.jobs.tasks import enqueue_scan
    from jive.pipeline import projects

    configure_log()
    secret = secret_file.read().strip() if secret_file else None
    added = projects.add(url, name=name, branch=branch, secret=secret)
    report.added(added)
    projects.ask_for_scan(added, enqueue_scan)


@project.command("list")
def list_projects() -> None:
    """List the projects, what they hold, and what is wrong with them."""
    from jive import report
    from jive.pipeline import projects

    configure_log()
    report.projects(projects.summaries())


@project.command()
@click.argument("project")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(project: str, yes: bool) -> None:
    """Forget a project, its artifacts, deliveries and events."""
    from jive.pipeline import projects

    configure_log()
    found = find_project(project)
    if not yes:
        click.confirm(f"Forget {found.name} ({found.repo_url}) and everything that is known of it?", abort=True)
    projects.remove(found)
    click.echo(f"{found.name} is forgotten.")


@project.command("rotate-secret")
@click.argument("project")
@click.option("--finish", is_flag=True, help="Refuse the old secret from now on.")
def rotate_secret(project: str, finish: bool) -> None:
    """Give a project a new webhook secret; the old one stays good until --finish."""
    from jive import report
    from jive.db import connection

    configure_log()
    found = find_project(project)
    with connection():
        if finish:
            found.finish_rotation()
            click.echo(f"Only the new secret of {found.name} is good now.")
        else:
            report.rotated(found, found.rotate_secret())


@click.group()
def events() -> None:
    """Look at the deliveries that arrived, and try again what failed."""


@events.command("list")
@click.argument("project", required=False)
@click.option("--failed", is_flag=True, help="Only those that failed.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
def list_events(project: str | None, failed: bool, limit: int) -> None:
    """List the newest deliveries, of PROJECT or of all."""
    from jive import report
    from jive.pipeline import projects

    configure_log()
    report.deliveries(projects.deliveries(find_project(project) if project else None, failed=failed, limit=limit))


@events.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that rest with an error.")
def retry(ids: tuple[str, ...], everything: bool) -> None:
    """Try again the deliveries with these IDS, which rest with an error after three attempts."""
    from jive.jobs.tasks import enqueue_scan
    from jive.pipeline import projects

    if not ids and not everything:
        raise click.UsageError("Say which deliveries, or --all.")
    configure_log()
    count = projects.retry(None if everything else ids, enqueue_scan)
    click.echo(f"{count} project{'' if count == 1 else 's'} will be scanned again." if count else "None of them rests.")
