"""What may be fetched from where: hosts, addresses, branches, and tokens that nobody else hears."""

import base64
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jive.errors import RepositoryRefused, ScanFailed
from jive.repositories.access import access_to, parsed, refspec_source
from jive.repositories.git import telling_line
from jive.repositories.mirror import Mirror, Policy
from tests.repositories.remotes import Gateway, Remote, https

TOKEN = "ghp_0123456789abcdef"  # nobody's


def resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def getaddrinfo(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.com/a/b", "example.com is not allowed"),
        ("https://github.com.example.com/a/b", "is not allowed"),
        ("git@example.com:a/b", "is not allowed"),
        ("http://github.com/a/b", "use https"),
        ("git://github.com/a/b", "use https"),
        ("ext::sh -c touch% /tmp/x", "space"),
        ("ext::sh", "transport helper"),
        ("--upload-pack=touch /tmp/x", "space"),
        ("--upload-pack=/tmp/x", "hyphen"),
        ("https://me:hush@github.com/a/b", "credentials"),
        ("file:///tmp/x", "on this machine are not allowed"),
        ("/tmp/x", "on this machine are not allowed"),
    ],
)
def test_what_the_policy_does_not_allow_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, why: str
) -> None:
    resolving_to(monkeypatch, "140.82.121.4")
    with pytest.raises(RepositoryRefused, match=why) as refusal:
        Mirror(tmp_path / "m.git", url, Policy()).fetch(None)
    assert "hush" not in str(refusal.value)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "ff02::1", "::"),
    ],
)
def test_a_host_with_an_address_that_is_not_public_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    resolving_to(monkeypatch, "140.82.121.4", address)
    with pytest.raises(RepositoryRefused, match="private address"):
        access_to(parsed("https://github.com/a/b"), Policy())
    with pytest.raises(RepositoryRefused, match="private address"):
        access_to(parsed("git@github.com:a/b"), Policy())
    access_to(parsed("https://github.com/a/b"), Policy(allow_private=True))


def test_git_goes_to_the_addresses_that_were_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving_to(monkeypatch, "140.82.121.4", "2606:50c0:8000::64", "140.82.121.4")
    config = access_to(parsed("https://github.com:8443/a/b"), Policy()).config
    assert ("http.curloptResolve", "github.com:8443:140.82.121.4,[2606:50c0:8000::64]") in config


def test_a_host_without_an_address_may_have_one_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ScanFailed, match="has no address") as failure:
        access_to(parsed("https://github.com/a/b"), Policy())
    assert failure.value.retryable
    monkeypatch.setenv("https_proxy", "http://proxy:3128")  # which looks it up itself
    access_to(parsed("https://github.com/a/b"), Policy())


@pytest.mark.parametrize(
    "branch", ["main", "feature/x", "release-1.0", "später", "a@b", "x.y", "refs/heads/main", "(x)"]
)
def test_a_branch_is_fetched_by_its_name(branch: str) -> None:
    assert refspec_source(branch) == f"refs/heads/{branch}"


@pytest.mark.parametrize(
    "branch",
    [
        *("", "-x", "--upload-pack=touch /tmp/x", "a b", "a..b", "a//b", "/a", "a/", ".a", "a/.b", "a.", "a.lock"),
        *("a.lock/b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a@{1}", "@", "a\0b", "a\nb", "a\x7f", "main\n"),
        *("\ud800", "x" * 1001, "+main:x"),
    ],
)
def test_what_is_no_branch_is_refused(tmp_path: Path, branch: str) -> None:
    remote = Remote(tmp_path / "remote")
    with pytest.raises(RepositoryRefused, match="cannot be the name of a branch"):
        Mirror(tmp_path / "m.git", remote.url, Policy(allow_local=True)).fetch(branch)
    assert not (tmp_path / "m.git").exists()


def fake_git(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a git first on PATH that runs `script`, which knows the real one as $REAL."""
    folder.mkdir()
    place = folder / "git"
    place.write_text(f"#!/bin/sh\nREAL={shutil.which('git')}\n{script}\n")
    place.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("host", "token", "pair"),
    [
        ("github.com", TOKEN, f"x-access-token:{TOKEN}"),
        ("gitlab.com", TOKEN, f"oauth2:{TOKEN}"),
        ("bitbucket.org", TOKEN, f"x-token-auth:{TOKEN}"),
        ("bitbucket.org", f"me:{TOKEN}", f"me:{TOKEN}"),
    ],
)
def test_a_token_goes_to_its_host_by_the_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, host: str, token: str, pair: str
) -> None:
    encoded = base64.b64encode(pair.encode()).decode()
    resolving_to(monkeypatch, "140.82.121.4")
    monkeypatch.setenv("JIVE_SECRET_KEYS", "key-of-our-own")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_TRACE", "1")
    monkeypatch.setenv("GIT_SSL_CAINFO", "/certificates.pem")
    record = tmp_path / "record"
    fake_git(
        tmp_path / "bin",
        monkeypatch,
        f'[ "$1" = init ] && exec "$REAL" "$@"\necho "ARGV $*" >> {record}\nenv >> {record}\n'
        f'echo "fatal: tried {encoded} and {TOKEN} in vain" >&2\nexit 128',
    )
    policy = Policy(tokens={host: token, "example.com": "not-this-one"})
    with pytest.raises(ScanFailed, match="in vain") as failure:
        Mirror(tmp_path / "m.git", f"https://{host}/a/b", policy).fetch(None)

    lines = record.read_text().splitlines()
    values = [line.partition("=")[2] for line in lines if line.startswith("GIT_CONFIG_VALUE_")]
    assert f"Authorization: Basic {encoded}" in values
    assert any(line.endswith(f"=http.https://{host}/.extraHeader") for line in lines)
    assert not any(TOKEN in line or encoded in line for line in lines if not line.startswith("GIT_CONFIG_VALUE_"))
    assert {"GIT_TERMINAL_PROMPT=0", "GIT_SSL_CAINFO=/certificates.pem", "GIT_ALLOW_PROTOCOL=https"} <= set(lines)
    assert not any("key-of-our-own" in line or "not-this-one" in line for line in lines)
    assert not any(line.startswith(("GIT_TRACE=", "GIT_DIR=/elsewhere")) for line in lines)
    told = f"{failure.value} {failure.value.__cause__} {policy!r} {caplog.text}"
    assert TOKEN not in told
    assert encoded not in told
    kept = [place.read_text(errors="replace") for place in (tmp_path / "m.git").rglob("*") if place.is_file()]
    assert not any(TOKEN in text or encoded in text for text in kept)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[type[Gateway], str]]:
    """A server on this machine, and the URL that its repositories are below."""
    certificate = tmp_path / "certificate.pem"
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certificate))
    monkeypatch.setenv("no_proxy", "localhost")
    with https(tmp_path / "served", certificate) as (gateway, port):
        yield gateway, f"https://localhost:{port}"


NEAR = Policy(hosts={"localhost": None}, allow_private=True)


def test_a_private_repository_is_read_with_its_hosts_token(tmp_path: Path, served: tuple[type[Gateway], str]) -> None:
    gateway, base = served
    remote = Remote(tmp_path / "served/org/private.git")
    head = remote.commit({"docs/prd.md": b"# PRD\n"})
    remote.allow_filters()
    pair = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    gateway.wanted = f"Basic {pair}"
    with pytest.raises(ScanFailed, match="wants a token"):
        Mirror(tmp_path / "m.git", f"{base}/org/private.git", NEAR).fetch(None)
    policy = Policy(hosts=NEAR.hosts, allow_private=True, tokens={"localhost": TOKEN})
    mirror = Mirror(tmp_path / "m.git", f"{base}/org/private.git", policy)
    assert mirror.fetch("main") == head
    files = mirror.files(head)
    assert list(mirror.blobs(files.values())) == [(files["docs/prd.md"], b"# PRD\n")]
    assert TOKEN not in (tmp_path / "m.git/config").read_text()


def test_a_missing_git_at_the_end_is_added_when_the_host_asks_for_it(
    tmp_path: Path, served: tuple[type[Gateway], str]
) -> None:
    head = Remote(tmp_path / "served/org/repo.git").commit({"a.md": b"x"})
    assert Mirror(tmp_path / "m.git", f"{served[1]}/org/repo", NEAR).fetch(None) == head


def test_a_redirect_is_never_followed(tmp_path: Path, served: tuple[type[Gateway], str]) -> None:
    gateway, base = served
    Remote(tmp_path / "served/org/repo.git").commit({"a.md": b"x"})
    policy = Policy(hosts=NEAR.hosts, allow_private=True, tokens={"localhost": TOKEN})
    with pytest.raises(ScanFailed, match="has moved; use its new URL"):
        Mirror(tmp_path / "m.git", f"{base}/moved/org/repo.git", policy).fetch(None)
    assert {path for path, _ in gateway.asked} == {"/moved/org/repo.git/info/refs"}


def test_a_repository_that_the_host_does_not_have_is_told(tmp_path: Path, served: tuple[type[Gateway], str]) -> None:
    with pytest.raises(ScanFailed, match=r"org/none\.git cannot be fetched: .*not found") as failure:
        Mirror(tmp_path / "m.git", f"{served[1]}/org/none.git", NEAR).fetch(None)
    assert "\n" not in str(failure.value)


def test_ssh_asks_nothing_and_takes_new_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "record"
    ssh = tmp_path / "ssh"
    ssh.write_text(
        f'#!/bin/sh\necho "$*" > {record}\necho "git@localhost: Permission denied (publickey)." >&2\nexit 255\n'
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    with pytest.raises(ScanFailed, match=r"wants an ssh key .*Permission denied \(publickey\)"):
        Mirror(tmp_path / "m.git", "git@localhost:org/repo.git", NEAR).fetch(None)
    words = record.read_text()
    assert "-oBatchMode=yes -oStrictHostKeyChecking=accept-new" in words
    assert "git@localhost git-upload-pack 'org/repo.git'" in words


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("warning: x\nfatal: repository 'y' not found\n", "repository 'y' not found"),
        (
            "ERROR: Repository not found.\nfatal: Could not read from remote repository.\n\n"
            "Please make sure you have the correct access rights\nand the repository exists.\n",
            "Repository not found.",
        ),
        ("git@x: Permission denied.\nfatal: Could not read from remote repository.\n", "git@x: Permission denied."),
        ("fatal: a\x1b[31mb\tc\n", "a [31mb c"),
        ("", "no reason given"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_the_telling_line_of_git_is_picked(told: str, line: str) -> None:
    assert telling_line(told) == line
