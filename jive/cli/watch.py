"""The command `jive watch`."""

from typing import TYPE_CHECKING

import click

from jive.cli.common import configure_log, find_project

if TYPE_CHECKING:
    import threading


@click.command()
@click.argument("project")
@click.option(
    "--since",
    type=click.IntRange(min=0),
    metavar="ID",
    help="First print the events after the one with this id; 0: all.",
)
def watch(project: str, since: int | None) -> None:
    """Print a project's events as they are published. PROJECT is its id, slug, repository URL, name or folder."""
    import json

    from jive import live

    configure_log()
    found = find_project(project)

    def print_start() -> None:
        click.echo(f"Listening to {found.name} ({found.id}); Ctrl-C ends.", err=True)

    for event in live.listen(found, since, _set_by_signal(), print_start):
        click.echo(json.dumps(event.to_dict(), ensure_ascii=False))


def _set_by_signal() -> "threading.Event":
    import signal
    import threading

    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping
