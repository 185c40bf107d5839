"""The command `jive`; `COMMANDS` is the register of its subcommands.

Each command imports what it needs when it runs, so that `jive --help` is quick.
"""

import sys

import click

from jive import __version__
from jive.cli import deliveries, installation, keys, processes, projects, scan, watch
from jive.cli.common import error_text
from jive.errors import JiveError

COMMANDS = (
    installation.up,
    installation.demo,
    installation.check,
    installation.migrate,
    installation.seed,
    processes.web,
    processes.worker,
    projects.project,
    scan.scan,
    watch.watch,
    deliveries.deliveries,
    keys.keygen,
    keys.rotate_keys,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jive")
def cli() -> None:
    """See what AI agents write into git repositories.

    Settings come from the environment and from .env; docs/settings.md explains each.
    """


for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command; print an error in one line and exit with status 1."""
    try:
        cli()
    except JiveError as exc:
        click.echo(error_text(exc), err=True)
        sys.exit(1)
    except Exception as exc:  # the only catch-all of the command line
        import logging

        logging.getLogger(__name__).debug("failed", exc_info=True)
        first = next(iter(str(exc).strip().splitlines()), "")
        click.echo(f"jive: unexpected {type(exc).__name__}: {first} (JIVE_LOG_LEVEL=DEBUG shows more)", err=True)
        sys.exit(1)
