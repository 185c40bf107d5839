"""The command `jive scan`."""

from pathlib import Path

import click

from jive.cli.common import configure_log, find_project


@click.command()
@click.argument("project")
def scan(project: str) -> None:
    """Scan a project now. PROJECT is a folder with a checked-out repository, or a project's id, slug, URL or name."""
    from jive.cli import printing
    from jive.pipeline.folder import scan_folder
    from jive.pipeline.scan import scan_project

    configure_log()
    with printing.progress() as progress:
        if Path(project).is_dir():
            result = scan_folder(Path(project), progress)
        else:
            result = scan_project(find_project(project).id, progress)
    printing.scan(result)
