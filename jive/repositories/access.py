"""What may be fetched from where, with which token, and what a refusal or a failure means to a person."""

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
_EMBEDDED_IPV4 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: NAT64 reaches any IPv4 address by these

# The branch-name rules of `git check-ref-format`, and no leading hyphen.
_BAD_BRANCH = re.compile(
    r"^[-/]|(^|/)\.|\.\.|//|@\{|[\0-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.lock(/|$)|[./]$|^@?$", re.MULTILINE
)


@dataclass(frozen=True)
class Policy:
    """What may be fetched, how much of it, and how long that may take.

    Attributes:
        hosts: the domains that may be fetched from, in lower case, each with the host there: a key of `HOSTS`, or None.
        allow_private: hosts may have private, loopback and other addresses that are not public.
        allow_local: repositories may lie in a folder of this machine.
        tokens: what each host wants to hear for private repositories over https; `user:password`, or a token alone.
        timeout_s: for each call of `Mirror`.
        max_total_bytes: what a fetch may bring, and what one call of `Mirror.blobs` may read.
        max_file_bytes: a larger file has no content.
    """

    hosts: Mapping[str, str | None] = field(default_factory=lambda: dict[str, str | None](DOMAINS))
    allow_private: bool = False
    allow_local: bool = False
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 120.0
    max_total_bytes: int = 512 * 1024 * 1024
    max_file_bytes: int = 2_000_000
    max_files: int = 200_000


def parsed(url: str) -> RepoUrl:
    """Return `url.parse(url)`.

    Raises:
        RepositoryRefused: it raised.
    """
    try:
        return urls.parse(url)
    except InvalidValue as exc:
        raise RepositoryRefused(str(exc)) from exc


def refspec_source(branch: str | None) -> str:
    """Return the ref of a branch, or of the remote's own choice.

    Raises:
        RepositoryRefused: no branch can have this name.
    """
    if branch is None:
        return "HEAD"
    if _BAD_BRANCH.search(branch) or len(branch) > 1_000:
        raise RepositoryRefused(f"{branch[:100]!r} cannot be the name of a branch")
    return f"refs/heads/{branch}"


def access_to(url: RepoUrl, policy: Policy) -> Access:
    """Return how git may reach the repository.

    Raises:
        RepositoryRefused: the policy does not allow its protocol, its host or the host's addresses.
        ScanFailed: the host has no address now.
    """
    # `promisor` lets git leave blobs out; it stands in no file, so that nothing but a fetch can ever ask for more.
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
        # Whoever allowed it vouches for it: in a container it often belongs to another user.
        config.append(("remote.origin.uploadpack", "git -c 'safe.directory=*' upload-pack"))
    else:
        config += _pinned(url, _checked_addresses(url, policy))
    if url.scheme == "https" and (token := policy.tokens.get(url.host)):
        header, secrets = _authorization(_token_user(url.host, policy), token)
        config.append((f"http.https://{_place(url)}/.extraHeader", header))
    return Access(url.scheme, tuple(config), secrets, policy.max_total_bytes)


def _checked_addresses(url: RepoUrl, policy: Policy) -> list[str]:
    """Return the host's addresses, all of them public; none where the policy does not care or a proxy looks them up."""
    host = url.host.strip("[]")
    if host not in policy.hosts:
        raise RepositoryRefused(f"The host {host} is not allowed by the settings; {_listed(policy.hosts)}")
    if policy.allow_private:
        return []
    try:
        found = socket.getaddrinfo(host, url.port or _PORTS[url.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        if url.scheme == "https" and (os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")):
            return []
        raise ScanFailed(f"The host {host} has no address that can be found now") from exc
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(_is_public(address) for address in addresses):
        raise RepositoryRefused(f"The host {host} has a private address, which the settings do not allow")
    return addresses


def _listed(hosts: Collection[str]) -> str:
    return f"allowed are {', '.join(sorted(hosts))}" if hosts else "none is"


def _is_public(address: str) -> bool:
    return all(ip.is_global and not ip.is_multicast for ip in _meanings(address))


def _meanings(address: str) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Yield the address, and the IPv4 addresses that it leads to by way of a gateway."""
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
    """Yield what keeps git to the addresses that were checked; a second look-up may say others."""
    if url.scheme == "https" and addresses:
        known = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
        yield "http.curloptResolve", f"{url.host}:{url.port or 443}:{known}"


def _place(url: RepoUrl) -> str:
    return f"{url.host}:{url.port}" if url.port else url.host


def _token_user(domain: str, policy: Policy) -> str:
    """Return the user name that the host at `domain` wants with a token; GitHub's where it is not known."""
    return HOSTS[name_of_host(domain, policy.hosts) or "github"].token_user


def clone_suffix(domain: str, policy: Policy) -> str:
    """Return what a clone URL of the host at `domain` may have to end with; empty where it never has to."""
    name = name_of_host(domain, policy.hosts)
    return HOSTS[name].clone_suffix if name else ".git"


def _authorization(user: str, token: str) -> tuple[str, tuple[str, ...]]:
    """Return the header for a token, and what of it must not appear in a message."""
    pair = token if ":" in token else f"{user}:{token}"
    encoded = base64.b64encode(pair.encode()).decode()
    return f"Authorization: Basic {encoded}", (encoded, pair, token.rpartition(":")[2])
