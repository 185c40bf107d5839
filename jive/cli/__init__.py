"""The command `jive`. Each command imports what it needs when it runs, so that `jive --help` is quick."""

import sys

import click

from jive import __version__
from jive.cli import projects, running
from jive.errors import JiveError

COMMANDS = (
    running.up,
    running.demo,
    running.check,
    running.web,
    running.worker,
    running.migrate,
    running.seed,
    running.keygen,
    projects.project,
    projects.scan,
    projects.watch,
    projects.events,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jive")
def cli() -> None:
    """Know what AI agents write into git repositories.

    Settings come from the environment and from .env; .env.example explains each.
    """


for command in COMMANDS:
    cli.add_command(command)


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
