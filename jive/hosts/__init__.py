"""The Git hosts: their domains, what their deliveries say, and how they are verified. Does no I/O.

    base.py       Host, the protocol that each host's module satisfies; Delivery; what the modules share
    github.py     github.com and GitHub Enterprise Server
    gitlab.py     gitlab.com and self-managed GitLab: project, group and system hooks
    bitbucket.py  Bitbucket Cloud and Bitbucket Data Center

A new host is a module and a line in HOSTS; CONTRIBUTING.md says what else it needs.
"""

from collections.abc import Mapping

from jive.hosts import bitbucket, github, gitlab
from jive.hosts.base import Delivery, Host

HOSTS: dict[str, Host] = {"github": github, "gitlab": gitlab, "bitbucket": bitbucket}

# The key in HOSTS of the host at each domain that a host declares.
DOMAINS: dict[str, str] = {domain: name for name, host in HOSTS.items() for domain in sorted(host.domains)}


def name_of_host(domain: str, named: Mapping[str, str | None]) -> str | None:
    """Return the key in HOSTS of the host at `domain`, or None if it is not known.

    `named` (the setting `JIVE_GIT_HOSTS`) has precedence; then the domains that the hosts declare; then the first label
    of the domain, so that `gitlab.example.com` is a GitLab.
    """
    label = domain.partition(".")[0]
    return named.get(domain) or DOMAINS.get(domain) or (label if label in HOSTS else None)


__all__ = ["DOMAINS", "HOSTS", "Delivery", "Host", "name_of_host"]
