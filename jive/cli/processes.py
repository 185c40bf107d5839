"""Commands that run the processes of an installation."""

from pathlib import Path

import click

from jive.cli.common import configure_log
from jive.errors import ServerUnavailable


@click.command()
@click.option(
    "--reload",
    "reload_from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Restart when a file in this folder changes (for development).",
)
def web(reload_from: Path | None) -> None:
    """Serve HTTP on PORT until SIGTERM."""
    from jive import settings
    from jive.web import server

    configure_log(is_server=True)
    server.serve(settings.current(), reload_from)


@click.command()
@click.option("--check", is_flag=True, help="Start nothing; exit 1 unless a worker on this machine has a heartbeat.")
def worker(check: bool) -> None:
    """Run scans and sweeps until SIGTERM."""
    from jive import settings
    from jive.jobs import heartbeat
    from jive.jobs.worker import work
    from jive.redis_client import reaching_redis

    configure_log(is_server=not check)
    if not check:
        work(settings.current())
        return
    with reaching_redis():
        has_heartbeat = heartbeat.any_on_this_machine()
    if not has_heartbeat:
        raise ServerUnavailable("No worker on this machine has a heartbeat.")
