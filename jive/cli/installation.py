"""Commands for an installation as a whole: start it, try it, check it, and bring its database up to date."""

import sys

import click

from jive.cli.common import configure_log, with_own_command


@click.command()
def up() -> None:
    """Start everything on this machine: stores unless they are set, migrations, web server and worker."""
    from jive import log
    from jive.operate import up

    log.configure("WARNING")
    up.run()


@click.command()
def demo() -> None:
    """Show the whole path of a push, on a temporary repository."""
    from jive import log
    from jive.operate import demo

    log.configure("WARNING")
    demo.run()


@click.command()
def check() -> None:
    """Check settings, stores, worker, schema, secrets, scans and deliveries; exit 1 if anything is wrong."""
    from jive import log
    from jive.operate import check

    log.configure("ERROR")
    failed = False
    for line in check.run():
        failed |= line.remedy is not None
        mark = click.style("ok  ", fg="green") if line.remedy is None else click.style("FAIL", fg="red")
        click.echo(f"{mark}  {line.name:<11} {with_own_command(line.text)}")
        if line.remedy:
            click.echo(f"      {'':<11} → {with_own_command(line.remedy)}")
    if failed:
        sys.exit(1)


@click.command()
@click.option(
    "--check",
    is_flag=True,
    help="Change nothing; exit 1 if a migration is pending or edited, or on drift.",
)
def migrate(check: bool) -> None:
    """Apply pending migrations. Safe to run several times at once."""
    from jive import schema
    from jive.db import connection, database
    from jive.drift import drift
    from jive.models import MODELS

    configure_log()
    if not check:
        applied = schema.apply(database)
        click.echo(f"Applied {', '.join(applied)}." if applied else "Nothing to migrate.")
        return
    with connection():
        problem = schema.status(database).problem
    problems = [problem] if problem else drift(database, MODELS)
    for line in problems:
        click.echo(with_own_command(line), err=True)
    if problems:
        sys.exit(1)
    click.echo("The schema is up to date and has not drifted.")


@click.command()
def seed() -> None:
    """Add a sample project. Safe to repeat."""
    from jive.operate.seed import seed

    configure_log()
    project, changes = seed()
    click.echo(f"{project.name} ({project.id}) has the sample documents; {changes} changes.")
