"""The process `jive web`: Granian, with worker processes that run the application in threads."""

import errno
import logging
import multiprocessing
import socket
from pathlib import Path

import bottle
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from jive import log, settings
from jive.db import connection
from jive.errors import ServerUnavailable
from jive.schema import require_current
from jive.web.app import create_app

GRACE_S = 8  # how long requests may take to finish when the server stops

logger = logging.getLogger(__name__)


def free_address(port: int) -> str:
    """Return the address to listen at: one for IPv6 and IPv4, or only for IPv4 if there is no IPv6.

    Raises:
        ServerUnavailable: the port is in use, or this user may not use it.
    """
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):  # noqa: S104  # all interfaces: Git hosts connect from outside
        try:
            with socket.socket(family) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                listener.bind((address, port))
                return address
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                raise ServerUnavailable(
                    f"Port {port} is in use by another program. Stop it, or set PORT to another number."
                ) from exc
            if exc.errno == errno.EACCES:
                raise ServerUnavailable(f"This user may not use port {port}. Set PORT to a number above 1023.") from exc
    raise ServerUnavailable(f"Port {port} can be used neither over IPv6 nor over IPv4.")


def worker_app() -> bottle.Bottle:
    """Return the application; Granian calls this in each worker process."""
    log.configure(settings.current().log_level)
    return create_app()


def serve(config: settings.Settings, reload_from: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Then requests may finish for `GRACE_S`.

    Args:
        reload_from: a folder; the workers restart when a file in it changes, for development.

    Raises:
        ServerUnavailable: the port cannot be used.
        DatabaseUnavailable, SchemaMismatch: the database cannot be used.
    """
    if reload_from:  # a forked worker would keep the modules that this process has imported
        multiprocessing.set_start_method("spawn")
    address = free_address(config.port)
    with connection() as db:
        require_current(db)
    db.close_all()
    logger.info("serving on port %s at %s with %s processes", config.port, address, config.web_processes)
    Granian(
        "jive.web.server:worker_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=address,
        port=config.port,
        workers=config.web_processes,
        blocking_threads=config.web_threads,
        http=HTTPModes.http1,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_S,
        log_level=LogLevels.error,
        log_dictconfig={"loggers": {"_granian": {"handlers": [], "propagate": True}}},
        reload=reload_from is not None,
        reload_paths=[reload_from] if reload_from else None,
        reload_ignore_worker_failure=True,  # a file that cannot be imported is followed by its next edit
    ).serve()
