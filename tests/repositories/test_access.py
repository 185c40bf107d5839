"""What may be fetched from where: protocols, hosts, addresses, branches, and tokens that reach their host only."""

import base64
import socket
from pathlib import Path
from typing import Any

import pytest

from jive.errors import RepositoryRefused, ScanFailed
from jive.repositories.access import Policy, access_to, clone_suffix, parse_allowed, refspec_source
from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import LOCAL, LOCALHOST
from tests.repositories.programs import wrap_git
from tests.repositories.remotes import Gateway, Remote

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
def test_a_url_that_the_policy_does_not_allow_is_refused(
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
        access_to(parse_allowed("https://github.com/a/b"), Policy())
    with pytest.raises(RepositoryRefused, match="private address"):
        access_to(parse_allowed("git@github.com:a/b"), Policy())
    access_to(parse_allowed("https://github.com/a/b"), Policy(allow_private=True))


def test_git_connects_only_to_the_addresses_that_were_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving_to(monkeypatch, "140.82.121.4", "2606:50c0:8000::64", "140.82.121.4")
    config = access_to(parse_allowed("https://github.com:8443/a/b"), Policy()).config
    assert ("http.curloptResolve", "github.com:8443:140.82.121.4,[2606:50c0:8000::64]") in config


def test_a_host_name_that_cannot_be_resolved_may_be_resolved_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(*_: Any, **__: Any) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ScanFailed, match="cannot be resolved") as failure:
        access_to(parse_allowed("https://github.com/a/b"), Policy())
    assert failure.value.retryable
    monkeypatch.setenv("https_proxy", "http://proxy:3128")  # the proxy resolves it
    access_to(parse_allowed("https://github.com/a/b"), Policy())


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
def test_a_name_that_git_does_not_allow_for_a_branch_is_refused(tmp_path: Path, branch: str) -> None:
    remote = Remote(tmp_path / "remote")
    with pytest.raises(RepositoryRefused, match="cannot be the name of a branch"):
        Mirror(tmp_path / "m.git", remote.url, LOCAL).fetch(branch)
    assert not (tmp_path / "m.git").exists()


@pytest.mark.parametrize(
    ("host", "token", "pair"),
    [
        ("github.com", TOKEN, f"x-access-token:{TOKEN}"),
        ("gitlab.com", TOKEN, f"oauth2:{TOKEN}"),
        ("bitbucket.org", TOKEN, f"x-token-auth:{TOKEN}"),
        ("bitbucket.org", f"me:{TOKEN}", f"me:{TOKEN}"),
    ],
)
def test_a_token_is_passed_for_its_host_only_and_in_the_environment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, host: str, token: str, pair: str
) -> None:
    encoded = base64.b64encode(pair.encode()).decode()
    resolving_to(monkeypatch, "140.82.121.4")
    monkeypatch.setenv("JIVE_SECRET_KEYS", "key-of-jive")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_TRACE", "1")
    monkeypatch.setenv("GIT_SSL_CAINFO", "/certificates.pem")
    record = tmp_path / "record"
    wrap_git(
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
    assert not any("key-of-jive" in line or "not-this-one" in line for line in lines)
    assert not any(line.startswith(("GIT_TRACE=", "GIT_DIR=/elsewhere")) for line in lines)
    shown = f"{failure.value} {failure.value.__cause__} {policy!r} {caplog.text}"
    assert TOKEN not in shown
    assert encoded not in shown
    kept = [place.read_text(errors="replace") for place in (tmp_path / "m.git").rglob("*") if place.is_file()]
    assert not any(TOKEN in text or encoded in text for text in kept)


def test_a_private_repository_is_read_with_its_hosts_token(tmp_path: Path, served: tuple[type[Gateway], str]) -> None:
    gateway, base = served
    remote = Remote(tmp_path / "served/org/private.git")
    head = remote.commit({"docs/prd.md": b"# PRD\n"})
    remote.allow_filters()
    pair = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    gateway.authorization = f"Basic {pair}"
    with pytest.raises(ScanFailed, match="only be read with a token"):
        Mirror(tmp_path / "m.git", f"{base}/org/private.git", LOCALHOST).fetch(None)
    policy = Policy(hosts=LOCALHOST.hosts, allow_private=True, tokens={"localhost": TOKEN})
    mirror = Mirror(tmp_path / "m.git", f"{base}/org/private.git", policy)
    assert mirror.fetch("main") == head
    files = mirror.files(head)
    assert list(mirror.blobs(files.values())) == [(files["docs/prd.md"], b"# PRD\n")]
    assert TOKEN not in (tmp_path / "m.git/config").read_text()


def test_a_clone_url_may_need_the_suffix_that_its_host_declares() -> None:
    policy = Policy(hosts={"git.example.com": "gitlab", "example.com": None, "github.com": "github"})
    assert clone_suffix("git.example.com", policy) == ".git"
    assert clone_suffix("gitlab.com", policy) == ".git"
    assert clone_suffix("github.com", policy) == ""
    assert clone_suffix("example.com", policy) == ".git"  # nobody knows what is there


def test_an_unknown_host_gets_the_token_as_github_expects_it() -> None:
    policy = Policy(hosts={"example.com": None}, allow_private=True, tokens={"example.com": TOKEN})
    config = access_to(parse_allowed("https://example.com:8443/a/b"), policy).config
    pair = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    assert ("http.https://example.com:8443/.extraHeader", f"Authorization: Basic {pair}") in config
