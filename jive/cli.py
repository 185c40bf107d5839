"""The command `jive`. Each command imports what it needs when it runs, so that `jive --help` is quick."""

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from jive import __version__
from jive.errors import JiveError, ServerUnavailable

if TYPE_CHECKING:
    import threading

    from jive.models import Project


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jive")
def cli() -> None:
    """Know what AI agents write into git repositories.

    Settings come from the environment and from .env; .env.example explains each.
    """


def _configure_log(*, serving: bool = False) -> None:
    """Log as the settings say; a command that is done in a moment says with its output what INFO would."""
    from jive import log, settings

    level = settings.current().log_level
    log.configure(level if serving or level != "INFO" else "WARNING")


@cli.command()
def up() -> None:
    """Start everything on this machine: stores where none are set, migrations, web, a worker."""
    from jive import log, up

    log.configure("WARNING")
    up.run()


@cli.command()
@click.option(
    "--reload",
    "reload_from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Restart when a file in this folder changes (development).",
)
def web(reload_from: Path | None) -> None:
    """Serve HTTP on PORT until SIGTERM."""
    from jive import settings
    from jive.web import server

    _configure_log(serving=True)
    server.serve(settings.current(), reload_from)


@cli.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if something is pending, edited or drifted.")
def migrate(check: bool) -> None:
    """Bring the database's schema up to this version. Safe to start many times at once."""
    from jive import schema
    from jive.db import connection, database
    from jive.models import MODELS

    _configure_log()
    if not check:
        done = schema.apply(database)
        click.echo(f"Applied {', '.join(done)}." if done else "Nothing to migrate.")
        return
    with connection():
        problem = schema.status(database).problem
    problems = [problem] if problem else schema.drift(database, MODELS)
    for line in problems:
        click.echo(line, err=True)
    if problems:
        sys.exit(1)
    click.echo("The schema is up to date and has not drifted.")


@cli.command()
def seed() -> None:
    """Add a sample project with a few documents. Safe to repeat."""
    from jive import seed

    _configure_log()
    project, changes = seed.plant()
    click.echo(f"{project.name} ({project.id}) at {project.repo_url}: {changes} changes.")


@cli.command()
def check() -> None:
    """Check settings, stores, pub/sub, worker, migrations, drift, deliveries; exit 1 if anything is wrong."""
    from jive import check, log

    log.configure("ERROR")
    failed = False
    for line in check.run():
        failed |= line.remedy is not None
        mark = click.style("ok  ", fg="green") if line.remedy is None else click.style("FAIL", fg="red")
        click.echo(f"{mark}  {line.name:<11} {line.text}")
        if line.remedy:
            click.echo(f"      {'':<11} → {line.remedy}")
    if failed:
        sys.exit(1)


@cli.command()
@click.option(
    "--check", is_flag=True, help="Run nothing; exit 1 unless the worker of this container shows signs of life."
)
def worker(check: bool) -> None:
    """Run jobs until SIGTERM: scans, the sweep for what was missed, a sign of life."""
    from jive import settings
    from jive.jobs import worker

    _configure_log(serving=not check)
    if not check:
        worker.work(settings.current())
    elif not worker.is_alive_here():
        raise ServerUnavailable("No worker on this machine has shown a sign of life lately.")


@cli.command()
def demo() -> None:
    """Show the whole path of a push, on a repository made for it and thrown away."""
    from jive import demo, log

    log.configure("WARNING")
    demo.run()


@cli.command()
@click.argument("project")
def scan(project: str) -> None:
    """Scan now. PROJECT is a folder with a checked-out repository, or a project's id, URL or name."""
    from jive import report
    from jive.db import connection
    from jive.models import Project
    from jive.pipeline import process

    _configure_log()
    with report.progress() as progress:
        if Path(project).is_dir():
            result = process.scan_folder(Path(project), progress)
        else:
            with connection():
                found = Project.find(project)
            result = process.scan_project(found.id, progress)
    report.scan(result)


@cli.command()
@click.argument("project")
@click.option(
    "--since", type=click.IntRange(min=0), metavar="ID", help="Begin after the event with this id; 0: from the first."
)
def watch(project: str, since: int | None) -> None:
    """Print a project's events as they come. PROJECT is its id, repository URL, name or folder."""
    import json

    from jive import live

    _configure_log()
    found = _find(project)

    def tell() -> None:
        click.echo(f"Listening to {found.name} ({found.id}); Ctrl-C ends.", err=True)

    for event in live.listen(found, since, _stopped_by_signal(), tell):
        click.echo(json.dumps(event.to_dict(), ensure_ascii=False))


def _find(word: str) -> "Project":
    from jive.db import connection
    from jive.models import Project
    from jive.scanner.folder import repository_url

    with connection():
        return Project.find(repository_url(Path(word)) if Path(word).is_dir() else word)


def _stopped_by_signal() -> "threading.Event":
    import signal
    import threading

    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


@cli.group()
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

    _configure_log()
    secret = secret_file.read().strip() if secret_file else None
    added = projects.add(url, name=name, branch=branch, secret=secret)
    report.added(added)
    projects.ask_for_scan(added, enqueue_scan)


@project.command("list")
def list_projects() -> None:
    """List the projects, what they hold, and what is wrong with them."""
    from jive import report
    from jive.pipeline import projects

    _configure_log()
    report.projects(projects.summaries())


@project.command()
@click.argument("project")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(project: str, yes: bool) -> None:
    """Forget a project, its artifacts, deliveries and events."""
    from jive.pipeline import projects

    _configure_log()
    found = _find(project)
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

    _configure_log()
    found = _find(project)
    with connection():
        if finish:
            found.finish_rotation()
            click.echo(f"Only the new secret of {found.name} is good now.")
        else:
            report.rotated(found, found.rotate_secret())


@cli.group()
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

    _configure_log()
    report.deliveries(projects.deliveries(_find(project) if project else None, failed=failed, limit=limit))


@events.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that rest with an error.")
def retry(ids: tuple[str, ...], everything: bool) -> None:
    """Try again the deliveries with these IDS, which rest with an error after three attempts."""
    from jive.jobs.tasks import enqueue_scan
    from jive.pipeline import projects

    if not ids and not everything:
        raise click.UsageError("Say which deliveries, or --all.")
    _configure_log()
    count = projects.retry(None if everything else ids, enqueue_scan)
    click.echo(f"{count} project{'' if count == 1 else 's'} will be scanned again." if count else "None of them rests.")


@cli.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def keygen(file: Path | None) -> None:
    """Print a new key for JIVE_SECRET_KEYS, or write one to FILE unless that exists."""
    from jive import keys

    if file is None:
        click.echo(keys.make())
    elif not keys.make_file(file):
        click.echo(f"{file} exists already and was left as it is.", err=True)


def main() -> None:
    """Run the command; tell an error as one line and end with status 1."""
    try:
        cli()
    except JiveError as exc:
        click.echo(f"jive: {exc}", err=True)
        sys.exit(1)
    except Exception as exc:  # the one catch-all of the command
        import logging

        logging.getLogger(__name__).debug("failed", exc_info=True)
        first = next(iter(str(exc).strip().splitlines()), "")
        click.echo(f"jive: unexpected {type(exc).__name__}: {first} (JIVE_LOG_LEVEL=DEBUG shows more)", err=True)
        sys.exit(1)
