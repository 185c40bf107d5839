"""The server: it starts on a port that is free and a database that is migrated, or says why not."""

import socket

import pytest

from jive import settings
from jive.errors import SchemaMismatch, ServerUnavailable
from jive.web.server import free_address, serve, worker_app
from tests.conftest import using
from tests.flow.processes import free_port
from tests.web.conftest import Client


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")])
def test_a_port_that_is_in_use_over_either_protocol_is_refused(family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerUnavailable, match=f"Port {port} is in use"):
            free_address(port)


def test_the_address_is_one_that_can_be_listened_at() -> None:
    port = free_port()
    address = free_address(port)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, port), family=family):
        pass


def test_a_server_does_not_start_before_the_database_is_migrated(empty_database: str) -> None:
    with (
        using(DATABASE_URL=empty_database, PORT=str(free_port())),
        pytest.raises(SchemaMismatch, match="jive migrate"),
    ):
        serve(settings.current())


def test_each_worker_process_has_the_application() -> None:
    assert Client(worker_app()).call("/api/health/live")[0] == 200
