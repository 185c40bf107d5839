"""The register of Git hosts: keys, sources, declared domains, and which host is at a domain."""

import pytest

from jive.hosts import DOMAINS, HOSTS, name_of_host


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_declares_what_the_protocol_asks_for(name: str) -> None:
    host = HOSTS[name]
    assert host.source == name.upper()
    assert host.token_user
    assert host.clone_suffix in ("", ".git")


def test_the_public_services_are_declared() -> None:
    assert DOMAINS == {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}


def test_no_domain_is_declared_twice_or_with_capitals() -> None:
    declared = [domain for host in HOSTS.values() for domain in host.domains]
    assert sorted(declared) == sorted(DOMAINS)
    assert [domain.lower() for domain in declared] == declared


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("github.com", "github"),
        ("gitlab.com", "gitlab"),
        ("bitbucket.org", "bitbucket"),
        ("gitlab.example.com", "gitlab"),
        ("bitbucket.example.com", "bitbucket"),
        ("github", "github"),
        ("example.com", None),
        ("git.example.com", None),
        ("github-mirror.example.com", None),
        ("example.github.com", None),
        ("", None),
    ],
)
def test_a_host_is_known_by_its_domain_or_its_first_label(domain: str, name: str | None) -> None:
    assert name_of_host(domain, {}) == name


def test_the_settings_have_precedence_over_the_domain() -> None:
    named = {"git.example.com": "bitbucket", "gitlab.example.com": "github", "github.com": "gitlab", "gitlab.com": None}
    assert name_of_host("git.example.com", named) == "bitbucket"
    assert name_of_host("gitlab.example.com", named) == "github"
    assert name_of_host("github.com", named) == "gitlab"
    assert name_of_host("gitlab.com", named) == "gitlab"  # allowed by the settings, which do not say what is there
