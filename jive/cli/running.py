"""Commands that run an installation: its processes, its schema, its keys, its health."""

import sys
from pathlib import Path

import click

from jive.cli.common import configure_log
from jive.errors import ServerUnavailable


@click.command()
def up() -> None:
    """Start everything on this machine: stores where none are set, migrations, web, a worker."""
    from jive import log, up

    log.configure("WARNING")
    up.run()


@click.command()
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

    configure_log(serving=True)
    server.serve(settings.current(), reload_from)


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if something is pending, edited or drifted.")
def migrate(check: bool) -> None:
    """Bring the database's schema up to this version. Safe to start many times at once."""
    from jive import schema
    from jive.db import connection, database
    from jive.models import MODELS

    configure_log()
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


@click.command()
def seed() -> None:
    """Add a sample project with a few documents. Safe to repeat."""
    from jive import seed

    configure_log()
    project, changes = seed.plant()
    click.echo(f"{project.name} ({project.id}) at {project.repo_url}: {changes} changes.")


@click.command()
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


@click.command()
@click.option(
    "--check", is_flag=True, help="Run nothing; exit 1 unless the worker of this container shows signs of life."
)
def worker(check: bool) -> None:
    """Run jobs until SIGTERM: scans, the sweep for what was missed, a sign of life."""
    from jive import settings
    from jive.jobs import worker

    configure_log(serving=not check)
    if not check:
        worker.work(settings.current())
    elif not worker.is_alive_here():
        raise ServerUnavailable("No worker on this machine has shown a sign of life lately.")


@click.command()
def demo() -> None:
    """Show the whole path of a push, on a repository made for it and thrown away."""
    from jive import demo, log

    log.configure("WARNING")
    demo.run()


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def keygen(file: Path | None) -> None:
    """Print a new key for JIVE_SECRET_KEYS, or write one to FILE unless that exists."""
    from jive import keys

    if file is None:
        click.echo(keys.make())
    elif not keys.make_file(file):
        click.echo(f"{file} exists already and was left as it is.", err=True)
