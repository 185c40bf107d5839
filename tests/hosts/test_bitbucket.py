"""Bitbucket only: pushes with several changes, and where Data Center has the repository and its URLs."""

import copy

import pytest

from jive.errors import MalformedDelivery
from jive.hosts import Delivery, bitbucket
from tests.hosts.payloads import (
    BITBUCKET_CLOUD,
    BITBUCKET_DATA_CENTER,
    CLOUD_REPOSITORY,
    DATA_CENTER_REPOSITORY,
    cloud_push,
    cloud_ref,
    data_center_change,
    data_center_push,
)
from tests.hosts.speaker import Payload


def read(event: str, payload: Payload) -> Delivery:
    message = BITBUCKET_DATA_CENTER.say(event, payload)
    return bitbucket.read(message.headers, message.body)


def test_a_push_to_cloud_gives_each_moved_branch_once() -> None:
    changes = (
        {"old": cloud_ref("main"), "new": cloud_ref("main")},
        {"old": cloud_ref("gone"), "new": None},
        {"old": None, "new": cloud_ref("v1", "tag")},
        {"old": None, "new": cloud_ref("größe")},
        {"old": cloud_ref("main"), "new": cloud_ref("main")},
    )
    assert read(*cloud_push(*changes)).branches == ("main", "größe")


def test_a_push_to_data_center_gives_each_moved_branch_once() -> None:
    changes = (
        data_center_change("main"),
        data_center_change("gone", "DELETE"),
        data_center_change("v1", "ADD", "TAG"),
        data_center_change("größe", "ADD"),
        data_center_change("main"),
    )
    assert read(*data_center_push(*changes)).branches == ("main", "größe")


def test_a_push_without_changes_gives_no_branch() -> None:
    assert read(*cloud_push()).branches == read(*data_center_push()).branches == ()


def test_the_id_of_cloud_has_precedence_over_the_one_of_a_proxy() -> None:
    message = BITBUCKET_CLOUD.say(*BITBUCKET_CLOUD.push("main"), id="the host's")
    assert bitbucket.read(message.headers | {"x-request-id": "a proxy's"}, message.body).id == "the host's"


def test_a_cloud_repository_is_known_by_its_name_or_its_page() -> None:
    for key in ("links", "full_name"):
        repository = {name: value for name, value in CLOUD_REPOSITORY.items() if name != key}
        assert "https://bitbucket.org/acme/tea" in read("repo:push", {"repository": repository}).repo_urls


def data_center(page: str, *clone: str, key: str = "ACME") -> set[str]:
    links = {"self": [{"href": page}], "clone": [{"href": href} for href in clone]}
    repository = DATA_CENTER_REPOSITORY | {"links": links, "project": {"key": key}}
    return set(read("repo:refs_changed", {"repository": repository}).repo_urls)


def test_the_https_url_is_made_from_the_page_if_only_ssh_is_offered() -> None:
    ssh = "ssh://git@bits.example.org:7999/acme/tea.git"
    page = "https://bits.example.org/projects/ACME/repos/tea"
    assert data_center(f"{page}/browse", ssh) == {ssh, page, "https://bits.example.org/scm/acme/tea.git"}


def test_the_https_url_keeps_a_path_prefix_and_works_for_personal_repositories() -> None:
    assert "https://example.org/bits/scm/~mia/tea.git" in data_center(
        "https://example.org/bits/users/mia/repos/tea/browse", key="~MIA"
    )


def test_a_link_that_is_not_a_text_is_left_out() -> None:
    links = {
        "self": [{"href": 3}, {"href": {}}, 3],
        "clone": [{"href": None}, {"href": "https://bits.example.org/tea.git"}],
    }
    repository = DATA_CENTER_REPOSITORY | {"links": links}
    assert read("repo:refs_changed", {"repository": repository}).repo_urls == ("https://bits.example.org/tea.git",)


def test_a_pull_request_names_its_target_repository() -> None:
    fork = copy.deepcopy(DATA_CENTER_REPOSITORY) | {"links": {"clone": [{"href": "https://bits.example.org/fork.git"}]}}
    refs = {"fromRef": {"repository": fork}, "toRef": {"repository": DATA_CENTER_REPOSITORY}}
    assert set(read("pr:merged", {"pullRequest": refs}).repo_urls) == BITBUCKET_DATA_CENTER.repo_urls


def test_a_changed_repository_has_its_new_urls() -> None:
    payload = {"old": {"slug": "coffee"}, "new": DATA_CENTER_REPOSITORY}
    assert set(read("repo:modified", payload).repo_urls) == BITBUCKET_DATA_CENTER.repo_urls


def test_a_key_and_a_slug_without_a_server_are_refused() -> None:
    repository = {"slug": "tea", "project": {"key": "ACME"}}
    with pytest.raises(MalformedDelivery, match="names no repository with a URL"):
        read("repo:refs_changed", {"repository": repository, "changes": [data_center_change("main")]})
