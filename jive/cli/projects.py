"""The commands `jive project`."""

from typing import IO

import click

from jive.cli.common import configure_log, find_project


@click.group()
def project() -> None:
    """Add, list and remove projects, and rotate their webhook secrets."""


@project.command()
@click.argument("url")
@click.option("--name", help="The project's name; if not given, the last part of the URL.")
@click.option("--branch", help="The branch to track; if not given, the remote's HEAD.")
@click.option("--host", metavar="KIND", help="The kind of Git host, if its domain does not say it.")
@click.option(
    "--secret-file",
    type=click.File(),
    help="A file that holds the webhook secret to use, such as a GitLab signing token; - is standard input.",
)
def add(url: str, name: str | None, branch: str | None, host: str | None, secret_file: IO[str] | None) -> None:
    """Add the repository at URL, and print the webhook to set up at its Git host: address and secret."""
    from jive.cli import printing
    from jive.jobs.tasks import enqueue_scan
    from jive.pipeline import registry

    configure_log()
    secret = secret_file.read().strip() if secret_file else None
    added = registry.add(url, name=name, branch=branch, host=host, secret=secret)
    printing.added(added, registry.why_not_fetched(added))
    registry.request_scan(added, enqueue_scan)


@project.command("list")
def list_projects() -> None:
    """List the projects, with their documents, deliveries and errors."""
    from jive.catalog import projects
    from jive.cli import printing

    configure_log()
    printing.projects(projects.summaries())


@project.command()
@click.argument("project")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def remove(project: str, yes: bool) -> None:
    """Delete a project with its artifacts, deliveries and events."""
    from jive.pipeline import registry

    configure_log()
    found = find_project(project)
    if not yes:
        click.confirm(f"Delete {found.name} ({found.repo_url}) and everything that JIVE stores about it?", abort=True)
    registry.remove(found.id)
    click.echo(f"Deleted {found.name}.")


@project.command("rotate-secret")
@click.argument("project")
@click.option("--finish", is_flag=True, help="Accept only the new secret from now on.")
def rotate_secret(project: str, finish: bool) -> None:
    """Give a project a new webhook secret; the old one is accepted too until --finish."""
    from jive.cli import printing
    from jive.pipeline import registry

    configure_log()
    found = find_project(project)
    if finish:
        registry.finish_rotation(found.id)
        click.echo(f"Only the new secret of {found.name} is accepted now.")
    else:
        printing.rotated(found, registry.rotate_secret(found.id))
