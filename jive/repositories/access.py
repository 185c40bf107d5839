"""What may be fetched from where, and with which token."""

import base64
import ipaddress
import os
import re
import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from jive.errors import InvalidValue, RepositoryRefused, ScanFailed
from jive.hosts import DOMAINS, HOSTS, name_of_host
from jive.repositories import url as urls
from jive.repositories.git import Access
from jive.repositories.url import RepoUrl

_PORTS = {"https": 443, "ssh": 22}
_EMBEDDED_IPV4 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: NAT64 maps every IPv4 address into it

# What `git check-ref-format` refuses in the name of a branch, and a leading hyphen.
_BAD_BRANCH = re.compile(
    r"^[-/]|(^|/)\.|\.\.|//|@\{|[\0-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.lock(/|$)|[./]$|^@?$", re.MULTILINE
)


@dataclass(frozen=True)
class Policy:
    """What may be fetched, how much of it, and how long that may take.

    Attributes:
        hosts: the domains that may be fetched from, in lower case; each maps to the key in `HOSTS` of the Git host
            there, or to None if that is not known.
        allow_private: whether hosts may have private, loopback and other addresses that are not public.
        allow_local: whether repositories in folders of this machine may be fetched.
        tokens: the access token for each domain, used over https; `user:password`, or a token alone.
        timeout_s: the time limit of each call of `Mirror`.
        stall_timeout_s: a transfer over https ends if it brings less than 100 bytes a second for this long; at least
            1 s. It applies only after the TLS handshake.
        max_total_bytes: the limit for the size of a mirror, and for what one call of `Mirror.blobs` may read.
        max_file_bytes: the content of larger files is not read.
        max_files: the limit for the number of files in a commit, and of changes between two.
    """

    hosts: Mapping[str, str | None] = field(default_factory=lambda: dict[str, str | None](DOMAINS))
    allow_private: bool = False
    allow_local: bool = False
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 120.0
    stall_timeout_s: float = 60.0
    max_total_bytes: int = 512 * 1024 * 1024
    max_file_bytes: int = 2_000_000
    max_files: int = 200_000


def parse_allowed(url: str) -> RepoUrl:
    """Take a repository's URL apart, as `url.parse` does.

    Raises:
        RepositoryRefused: the URL is not one of a repository, or is unsafe; retrying changes nothing.
    """
    try:
        return urls.parse(url)
    except InvalidValue as exc:
        raise RepositoryRefused(str(exc)) from exc


def refspec_source(branch: str | None) -> str:
    """Return the ref to fetch for a branch; None means the remote's HEAD.

    Raises:
        RepositoryRefused: git does not allow this name for a branch.
    """
    if branch is None:
        return "HEAD"
    if _BAD_BRANCH.search(branch) or len(branch) > 1_000:
        raise RepositoryRefused(f"{branch[:100]!r} cannot be the name of a branch")
    return f"refs/heads/{branch}"


def access_to(url: RepoUrl, policy: Policy) -> Access:
    """Return what git needs to reach the repository: protocol, configuration and token.

    Looks up the host's addresses.

    Raises:
        RepositoryRefused: the policy does not allow the protocol, the host or one of the host's addresses.
        ScanFailed: the host's name cannot be resolved now.
    """
    # `promisor` lets git leave out blobs. It is passed with each fetch and not written to the mirror's config, so that
    # no other command can fetch missing blobs.
    config = [
        ("remote.origin.url", url.url),
        ("remote.origin.promisor", "true"),
        ("remote.origin.partialCloneFilter", "blob:none"),
        ("remote.origin.followRemoteHEAD", "never"),
    ]
    secrets: tuple[str, ...] = ()
    if url.scheme == "file":
        if not policy.allow_local:
            raise RepositoryRefused("Repositories on this machine are not allowed by the settings")
        # The settings vouch for local repositories; in a container they often belong to another user.
        config.append(("remote.origin.uploadpack", "git -c 'safe.directory=*' upload-pack"))
    else:
        config += _pinned(url, _checked_addresses(url, policy))
    if url.scheme == "https":
        config += _stall_limit(policy)
    if url.scheme == "https" and (token := policy.tokens.get(url.host)):
        header, secrets = _authorization(_token_user(url.host, policy), token)
        config.append((f"http.https://{_host_and_port(url)}/.extraHeader", header))
    return Access(url.scheme, tuple(config), secrets, policy.max_total_bytes)


def _checked_addresses(url: RepoUrl, policy: Policy) -> list[str]:
    """Return the host's addresses, all public; an empty list if any are allowed, or if a proxy resolves the name."""
    host = url.host.strip("[]")
    if host not in policy.hosts:
        raise RepositoryRefused(f"The host {host} is not allowed by the settings; {_list(policy.hosts)}")
    if policy.allow_private:
        return []
    try:
        found = socket.getaddrinfo(host, url.port or _PORTS[url.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        if url.scheme == "https" and (os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")):
            return []
        raise ScanFailed(f"The name of the host {host} cannot be resolved now") from exc
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(_is_public(address) for address in addresses):
        raise RepositoryRefused(f"The host {host} has a private address, which the settings do not allow")
    return addresses


def _list(hosts: Collection[str]) -> str:
    return f"allowed are {', '.join(sorted(hosts))}" if hosts else "no host is"


def _is_public(address: str) -> bool:
    return all(ip.is_global and not ip.is_multicast for ip in _targets(address))


def _targets(address: str) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Yield the address, or the IPv4 address that it maps, and those that a gateway would forward it to."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        yield ip
    elif ip.ipv4_mapped:
        yield ip.ipv4_mapped
    else:
        yield ip
        yield from (inner for inner in (ip.sixtofour, *(ip.teredo or ())) if inner)
        if ip in _EMBEDDED_IPV4:
            yield ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)


def _pinned(url: RepoUrl, addresses: list[str]) -> Iterator[tuple[str, str]]:
    """Yield configuration that keeps git to the checked addresses; another lookup could return others."""
    if url.scheme == "https" and addresses:
        known = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        yield "http.curloptResolve", f"{url.host}:{url.port or 443}:{known}"


def _stall_limit(policy: Policy) -> Iterator[tuple[str, str]]:
    yield "http.lowSpeedLimit", "100"  # bytes per second
    yield "http.lowSpeedTime", str(max(1, round(policy.stall_timeout_s)))


def _host_and_port(url: RepoUrl) -> str:
    return f"{url.host}:{url.port}" if url.port else url.host


def _token_user(domain: str, policy: Policy) -> str:
    """Return the user name that the host at `domain` expects with a token; GitHub's if the host is not known."""
    return HOSTS[name_of_host(domain, policy.hosts) or "github"].token_user


def clone_suffix(domain: str, policy: Policy) -> str:
    """Return the suffix that the host at `domain` may require of clone URLs; empty if it never does."""
    name = name_of_host(domain, policy.hosts)
    return HOSTS[name].clone_suffix if name else ".git"


def _authorization(user: str, token: str) -> tuple[str, tuple[str, ...]]:
    """Return the Authorization header for a token, and the texts in it that must be masked in messages."""
    pair = token if ":" in token else f"{user}:{token}"
    encoded = base64.b64encode(pair.encode()).decode()
    return f"Authorization: Basic {encoded}", (encoded, pair, token.rpartition(":")[2])
