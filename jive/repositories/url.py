"""Take the URL of a git repository apart, and refuse one that is unsafe."""

import re
from dataclasses import dataclass
from typing import Literal, NoReturn
from urllib.parse import quote, unquote

from jive.errors import InvalidValue

Scheme = Literal["https", "ssh", "file"]

MAX_URL_CHARACTERS = 2_000

_PROTOCOLS = {
    "https": "https",
    "http": "http",
    "git": "git",
    "ssh": "ssh",
    "git+ssh": "ssh",
    "ssh+git": "ssh",
    "file": "file",
}
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.I)
_SCP = re.compile(r"(?:(?P<user>[^@/:]*)@)?(?P<host>[^@/:\[\]]+):(?P<path>.*)")
_AUTHORITY = re.compile(r"(?:(?P<user>.*)@)?(?P<host>\[[0-9a-f:.]+\]|[^@:\[\]]*)(?::(?P<port>[0-9]*))?", re.I)
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_INVISIBLE = re.compile(r"[\0-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u3000\ufeff\ud800-\udfff]")
_CONTROL = re.compile(r"[\0-\x1f\x7f\ufffd]")


@dataclass(frozen=True)
class RepoUrl:
    """The checked URL of a repository.

    Attributes:
        host: in lower case, an IPv6 address in brackets; empty for a local repository.
        path: as written after the host; the absolute and decoded path of a local repository.
        url: the URL that git is called with; it never contains a password.
        port: None for the default port of the scheme.
    """

    scheme: Scheme
    host: str
    path: str
    url: str
    port: int | None = None


@dataclass(frozen=True)
class _Parts:
    """The parts of a URL before they are checked; the scheme is "scp" for `host:path` and empty for a path."""

    scheme: str
    path: str
    user: str | None = None
    host: str = ""
    port: int | None = None
    rest: str = ""


def parse(url: str) -> RepoUrl:
    """Take apart the URL of a repository: https, ssh, `git@host:path`, file or an absolute path.

    Parsing the `url` of the result returns the same result.

    Raises:
        InvalidValue: it is none of these, or unsafe to pass to git. The message does not contain the URL, since a
            mistyped one may contain a password.
    """
    parts = _split(url)
    if parts.scheme in ("http", "git"):
        _refuse(f"starts with {parts.scheme}://, which is not encrypted; use https://")
    if parts.rest:
        _refuse("has a part after ? or #; leave it out")
    if parts.scheme in ("", "file"):
        return _local(parts)
    if parts.scheme == "https":
        return _https(parts)
    return _ssh(parts)


def _refuse(why: str) -> NoReturn:
    raise InvalidValue(f"The repository's URL {why}")


def _split(url: str) -> _Parts:
    if len(url) > MAX_URL_CHARACTERS:
        _refuse(f"is longer than {MAX_URL_CHARACTERS:,} characters")
    if _INVISIBLE.search(url):
        _refuse("contains a space or a control character; write a space as %20")
    if not url or url.startswith("-"):
        _refuse("is empty" if not url else "starts with a hyphen")
    if url.startswith("/"):
        return _Parts("", url)
    if re.match(r"[A-Za-z0-9+.-]+::", url):
        _refuse("names a transport helper (::); use https:// or ssh")
    if match := _URL.fullmatch(url):
        return _split_url(match)
    return _split_scp(url)


def _split_url(match: re.Match[str]) -> _Parts:
    scheme = match["scheme"].lower()
    if scheme not in _PROTOCOLS:
        _refuse("has a scheme that is not supported; use https:// or ssh://")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        _refuse("has a host that cannot be parsed")
    port = int(authority["port"]) if authority["port"] and len(authority["port"]) < 6 else None
    if authority["port"] and (port is None or not 0 < port < 65_536):
        _refuse("has a port that is not a number from 1 to 65535")
    host = authority["host"].lower().rstrip(".")
    return _Parts(_PROTOCOLS[scheme], match["path"], authority["user"], host, port, match["rest"])


def _split_scp(url: str) -> _Parts:
    match = _SCP.fullmatch(url)
    if match is None:
        _refuse("needs https:// or ssh:// at the start; the path of a local repository starts with /")
    host = match["host"].lower().rstrip(".")
    if host in _PROTOCOLS:
        _refuse(f"lacks the two slashes after {host}:")
    if "@" in match["path"].partition("/")[0]:
        _refuse("contains a password; leave it out, and let ssh use a key")
    if re.match(r"[0-9]+/", match["path"]):
        _refuse("has a port after a colon but no scheme; write ssh://user@host:port/path")
    return _Parts("scp", match["path"], match["user"], host)


def _local(parts: _Parts) -> RepoUrl:
    if parts.user or parts.port or parts.host not in ("", "localhost"):
        _refuse("names a host after file://; that of a local repository starts with file:///")
    path = _decoded(parts.path) if parts.scheme else parts.path
    path = "/" + _plain(re.sub("/+", "/", path).strip("/"))
    return RepoUrl("file", "", path, "file://" + quote(path))


def _https(parts: _Parts) -> RepoUrl:
    if parts.user is not None:
        _refuse("contains credentials; leave out the part before the @, and put a token into the environment")
    host, path = _host(parts), _web_path(parts)
    port = None if parts.port == 443 else parts.port
    return RepoUrl("https", host, path, f"https://{host}{_colon(port)}{path}", port)


def _ssh(parts: _Parts) -> RepoUrl:
    if parts.user is not None and ":" in parts.user:
        _refuse("contains a password; leave it out, and let ssh use a key")
    if parts.user is not None and not _USER.fullmatch(parts.user):
        _refuse("has a user name that is not valid for ssh")
    host, path = _host(parts), _web_path(parts)
    at = "" if parts.user is None else f"{parts.user}@"
    if parts.scheme == "scp":
        return RepoUrl("ssh", host, path, f"{at}{host}:{path}")
    port = None if parts.port == 22 else parts.port
    return RepoUrl("ssh", host, path, f"ssh://{at}{host}{_colon(port)}{path}", port)


def _colon(port: int | None) -> str:
    return "" if port is None else f":{port}"


def _host(parts: _Parts) -> str:
    if not _HOST.fullmatch(parts.host):
        _refuse("names no host" if not parts.host else "has a host with characters that are not allowed")
    return parts.host


def _web_path(parts: _Parts) -> str:
    """Check the decoded path, and return it as written but without slashes at the end."""
    _plain(_decoded(parts.path).strip("/"))
    if parts.path.startswith("-"):
        _refuse("has a path that starts with a hyphen")
    return parts.path.rstrip("/")


def _decoded(path: str) -> str:
    decoded = unquote(path, errors="replace")
    if _CONTROL.search(decoded):
        _refuse("contains a control character, or bytes that are not UTF-8")
    return decoded


def _plain(path: str) -> str:
    """Return `path`, which has no slash at either end; refuse one that is empty or has `.` or `..` parts."""
    if path in ("", ".git"):
        _refuse("names no repository after the host")
    if not {".", ".."}.isdisjoint(path.split("/")):
        _refuse("has . or .. in its path")
    return path
