"""The command `jive`. Each command imports what it needs when it runs, so that `jive --help` is quick."""

import sys
from pathlib import Path

import click

from jive import __version__
from jive.errors import JiveError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jive")
def cli() -> None:
    """Know what AI agents write into git repositories.

    Settings come from the environment and from .env; .env.example explains each.
    """


def _configure_log() -> None:
    from jive import log, settings

    log.configure(settings.current().log_level)


@cli.command()
def up() -> None:
    """Start everything on this machine: stores where none are set, migrations, web."""
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

    _configure_log()
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
    """Check settings, stores, pub/sub, migrations and drift; exit 1 if anything is wrong."""
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
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
def scan(path: Path) -> None:
    """Read the documents of a checked-out repository at PATH and keep them as artifacts."""
    from jive.pipeline import process

    _configure_log()
    result = process.scan_folder(path)
    click.echo(f"{result.project.name} ({result.project.id}) at {result.project.repo_url}")
    for kind, count in result.counts.items():
        click.echo(f"  {kind:<13} {count:>5}")
    changes = ", ".join(f"{count} {change}" for change, count in result.changes.items() if count)
    click.echo(f"  {'total':<13} {sum(result.counts.values()):>5}   {changes or 'nothing changed'}")
    for warning in result.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not result.told:
        click.echo("warning: Redis is away, so nobody was told of these changes.", err=True)


@cli.command()
@click.argument("project")
def watch(project: str) -> None:
    """Print a project's events as they come. PROJECT is its id, repository URL, name or folder."""
    from jive import live
    from jive.db import connection
    from jive.models import Project
    from jive.scanner.folder import repository_url

    _configure_log()
    with connection():
        found = Project.find(repository_url(Path(project)) if Path(project).is_dir() else project)
    click.echo(f"Listening to {found.name} ({found.id}); Ctrl-C ends.", err=True)
    live.watch(found, click.echo)


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
