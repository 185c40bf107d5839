"""Commands for the keys that encrypt secrets."""

import sys
from pathlib import Path

import click

from jive.cli.common import configure_log


@click.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def keygen(file: Path | None) -> None:
    """Print a new key for JIVE_SECRET_KEYS, or write it to FILE unless that exists."""
    from jive import keys

    if file is None:
        click.echo(keys.make())
    elif not keys.make_file(file):
        click.echo(f"{file} exists already; it is unchanged.", err=True)


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt every secret with the first key of JIVE_SECRET_KEYS. Safe to repeat.

    To replace a key, put the new one in front (JIVE_SECRET_KEYS=NEW,OLD), restart JIVE, run this command, remove the
    old key and restart JIVE again.
    """
    from jive.pipeline.rotate_keys import rotate_keys

    configure_log()
    result = rotate_keys()
    click.echo(f"{result.rotated} re-encrypted, {result.current} had the first key already.")
    for place in result.unreadable:
        click.echo(f"{place}: no key in JIVE_SECRET_KEYS decrypts it; it is unchanged.", err=True)
    if result.unreadable:
        sys.exit(1)
    click.echo("The first key decrypts every secret; the other keys can be removed.")
