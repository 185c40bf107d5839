"""The bare application: `python -m benchmarks.hello PORT` answers "hello" on the server that `jive web` uses."""

import sys
from collections.abc import Callable, Iterable

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from jive.settings import Settings, current


def app(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer every request with "hello"."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def serve(port: int, config: Settings) -> None:
    """Serve until SIGTERM, with as many processes and threads as `jive web`."""
    Granian(
        "benchmarks.hello:app",
        interface=Interfaces.WSGI,
        address="127.0.0.1",
        port=port,
        workers=config.web_processes,
        blocking_threads=config.web_threads,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    serve(int(sys.argv[1]), current())
