"""The Git hosts whose deliveries JIVE takes: what one says, and whether it is really from there. Does no I/O.

    base.py       Host, the protocol that a host's module satisfies; Delivery, what it reads
    github.py     github.com and GitHub Enterprise Server
    gitlab.py     gitlab.com and GitLab of one's own: project, group and system hooks
    bitbucket.py  Bitbucket Cloud and Bitbucket Data Center

A new host is a module, a line in HOSTS, and payloads in `tests/hosts/payloads.py`.
"""

from jive.hosts import bitbucket, github, gitlab
from jive.hosts.base import Delivery, Host

HOSTS: dict[str, Host] = {"github": github, "gitlab": gitlab, "bitbucket": bitbucket}

__all__ = ["HOSTS", "Delivery", "Host"]
