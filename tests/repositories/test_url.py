"""The URL of a repository is taken apart, and refused if it is unsafe."""

import pytest

from jive.errors import InvalidValue
from jive.repositories.url import RepoUrl, parse


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://github.com/Org/Repo.git",
            RepoUrl("https", "github.com", "/Org/Repo.git", "https://github.com/Org/Repo.git"),
        ),
        (
            "HTTPS://GitHub.com.:443/Org/Repo/",
            RepoUrl("https", "github.com", "/Org/Repo", "https://github.com/Org/Repo"),
        ),
        (
            "https://git.example.com:8443/a/b",
            RepoUrl("https", "git.example.com", "/a/b", "https://git.example.com:8443/a/b", 8443),
        ),
        (
            "ssh://git@GitLab.com:22/a/b/c.git",
            RepoUrl("ssh", "gitlab.com", "/a/b/c.git", "ssh://git@gitlab.com/a/b/c.git"),
        ),
        (
            "ssh://git@[2001:DB8::1]:7999/a/b",
            RepoUrl("ssh", "[2001:db8::1]", "/a/b", "ssh://git@[2001:db8::1]:7999/a/b", 7999),
        ),
        ("git@GitHub.com:Org/Repo.git", RepoUrl("ssh", "github.com", "Org/Repo.git", "git@github.com:Org/Repo.git")),
        ("github.com:org/repo", RepoUrl("ssh", "github.com", "org/repo", "github.com:org/repo")),
        ("file:///srv/a%20b.git", RepoUrl("file", "", "/srv/a b.git", "file:///srv/a%20b.git")),
        ("file://localhost/srv//a/", RepoUrl("file", "", "/srv/a", "file:///srv/a")),
        ("/srv/日本%20", RepoUrl("file", "", "/srv/日本%20", "file:///srv/%E6%97%A5%E6%9C%AC%2520")),
    ],
)
def test_a_url_is_taken_apart(url: str, expected: RepoUrl) -> None:
    assert parse(url) == expected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "is empty"),
        ("https://github.com/a\nb", "control character"),
        ("https://github.com/a\0b", "control character"),
        ("https://github.com/a b", "space"),
        (" https://github.com/a/b", "space"),
        ("https://github.com/a\u2028b", "control character"),
        ("https://github.com/a%0ab", "control character"),
        ("https://github.com/a%ffb", "UTF-8"),
        ("\ud800", "control character"),
        ("-oProxyCommand=x", "hyphen"),
        ("--upload-pack=touch", "hyphen"),
        ("ssh://-oProxyCommand=x/a", "characters that are not allowed"),
        ("-x@host:a/b", "hyphen"),
        ("ssh://-x@host/a/b", "user name"),
        ("host:-x/b", "hyphen"),
        ("ext::sh", "transport helper"),
        ("fd::17/x", "transport helper"),
        ("https::https://github.com/a", "transport helper"),
        ("http://github.com/a/b", "use https://"),
        ("git://github.com/a/b", "use https://"),
        ("ftp://github.com/a/b", "scheme"),
        ("rsync://github.com/a/b", "scheme"),
        ("https:github.com/a/b", "two slashes"),
        ("https://", "no host"),
        ("https:///a/b", "no host"),
        ("https://github.com", "names no repository"),
        ("https://github.com/", "names no repository"),
        ("https://github.com/.git", "names no repository"),
        ("git@github.com:", "names no repository"),
        ("/", "names no repository"),
        ("file:///", "names no repository"),
        ("file://host/a", "names a host"),
        ("https://github.com/../a", r"\. or \.\."),
        ("https://github.com/a/%2e%2e/b", r"\. or \.\."),
        ("/srv/../etc", r"\. or \.\."),
        ("./repo", "needs https://"),
        ("../repo", "needs https://"),
        ("~/repo", "needs https://"),
        ("github.com/a/b", "needs https://"),
        ("https://github.com:port/a/b", "cannot be parsed"),
        ("https://github.com:99999/a/b", "port"),
        ("https://github.com:0/a/b", "port"),
        ("git@host:2222/a/b", "ssh://"),
        ("https://git_hub.c%6fm/a", "characters that are not allowed"),
        ("https://gíthub.com/a/b", "characters that are not allowed"),
        ("https://github.com\\@evil/a", "credentials"),
        ("https://github.com/a/b?x=y", "after"),
        ("https://github.com/a/b#readme", "after"),
        ("https://github.com/" + "a" * 2000, "2,000"),
    ],
)
def test_an_unsafe_or_ambiguous_url_is_refused(url: str, why: str) -> None:
    with pytest.raises(InvalidValue, match=why):
        parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:hush@github.com/a/b",
        "https://hush@github.com/a/b",
        "https://x:hush@me@github.com/a/b",
        "ssh://git:hush@github.com/a/b",
        "git:hush@github.com:a/b",
        "http://me:hush@github.com/a/b",
        "https://me:hush@github.com:port/a/b",
        "https:me:hush@github.com/a/b",
    ],
)
def test_credentials_are_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse(url)
    assert "hush" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    ["https://github.com/a/b", "git@github.com:a/b.git", "ssh://git@host:7999/a/b.git", "/srv/a%20b"],
)
def test_parsing_the_url_for_git_returns_the_same_url(url: str) -> None:
    assert parse(parse(url).url).url == parse(url).url
