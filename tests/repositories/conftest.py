"""A remote repository, a mirror of it, and a server of repositories over https."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import LOCAL
from tests.repositories.remotes import Gateway, Remote, https


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote.git")


@pytest.fixture
def mirror(tmp_path: Path, remote: Remote) -> Mirror:
    return Mirror(tmp_path / "mirror.git", remote.url, LOCAL)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path for the certificate of a server on this machine; git trusts that certificate alone."""
    place = tmp_path / "certificate.pem"
    monkeypatch.setenv("GIT_SSL_CAINFO", str(place))
    monkeypatch.setenv("no_proxy", "localhost")
    return place


@pytest.fixture
def served(tmp_path: Path, certificate: Path) -> Iterator[tuple[type[Gateway], str]]:
    """Serve the repositories in the folder `served`; yield the server and the URL that theirs start with."""
    with https(tmp_path / "served", certificate) as (gateway, port):
        yield gateway, f"https://localhost:{port}"
