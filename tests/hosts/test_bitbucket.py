"""Bitbucket alone: pushes with several changes, and where Data Center puts a repository and its addresses."""

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


def test_clouds_changes_name_each_branch_that_moved_once() -> None:
    changes = (
        {"old": cloud_ref("main"), "new": cloud_ref("main")},
        {"old": cloud_ref("gone"), "new": None},
        {"old": None, "new": cloud_ref("v1", "tag")},
        {"old": None, "new": cloud_ref("größe")},
        {"old": cloud_ref("main"), "new": cloud_ref("main")},
    )
    assert read(*cloud_push(*changes)).branches == ("main", "größe")


def test_data_centers_changes_name_each_branch_that_moved_once() -> None:
    changes = (
        data_center_change("main"),
        data_center_change("gone", "DELETE"),
        data_center_change("v1", "ADD", "TAG"),
        data_center_change("größe", "ADD"),
        data_center_change("main"),
    )
    assert read(*data_center_push(*changes)).branches == ("main", "größe")


def test_a_push_that_changes_nothing_names_no_branch() -> None:
    assert read(*cloud_push()).branches == read(*data_center_push()).branches == ()


def test_clouds_id_goes_before_one_that_a_proxy_wrote() -> None:
    message = BITBUCKET_CLOUD.say(*BITBUCKET_CLOUD.push("main"), id="the host's")
    assert bitbucket.read(message.headers | {"x-request-id": "a proxy's"}, message.body).id == "the host's"


def test_a_cloud_repository_is_found_by_its_name_or_by_its_page() -> None:
    for key in ("links", "full_name"):
        repository = {name: value for name, value in CLOUD_REPOSITORY.items() if name != key}
        assert "https://bitbucket.org/acme/tea" in read("repo:push", {"repository": repository}).repo_urls


def data_center(page: str, *clone: str, key: str = "ACME") -> set[str]:
    links = {"self": [{"href": page}], "clone": [{"href": href} for href in clone]}
    repository = DATA_CENTER_REPOSITORY | {"links": links, "project": {"key": key}}
    return set(read("repo:refs_changed", {"repository": repository}).repo_urls)


def test_the_https_address_is_made_where_only_ssh_is_offered() -> None:
    ssh = "ssh://git@bits.example.org:7999/acme/tea.git"
    page = "https://bits.example.org/projects/ACME/repos/tea"
    assert data_center(f"{page}/browse", ssh) == {ssh, page, "https://bits.example.org/scm/acme/tea.git"}


def test_the_https_address_is_right_below_a_path_and_for_a_person() -> None:
    assert "https://example.org/bits/scm/~mia/tea.git" in data_center(
        "https://example.org/bits/users/mia/repos/tea/browse", key="~MIA"
    )


def test_a_link_that_is_no_text_is_left_out() -> None:
    links = {
        "self": [{"href": 3}, {"href": {}}, 3],
        "clone": [{"href": None}, {"href": "https://bits.example.org/tea.git"}],
    }
    repository = DATA_CENTER_REPOSITORY | {"links": links}
    assert read("repo:refs_changed", {"repository": repository}).repo_urls == ("https://bits.example.org/tea.git",)


def test_a_pull_request_names_the_repository_that_it_goes_to() -> None:
    fork = copy.deepcopy(DATA_CENTER_REPOSITORY) | {"links": {"clone": [{"href": "https://bits.example.org/fork.git"}]}}
    refs = {"fromRef": {"repository": fork}, "toRef": {"repository": DATA_CENTER_REPOSITORY}}
    assert set(read("pr:merged", {"pullRequest": refs}).repo_urls) == BITBUCKET_DATA_CENTER.repo_urls


def test_a_repository_that_was_changed_is_named_as_it_is_now() -> None:
    payload = {"old": {"slug": "coffee"}, "new": DATA_CENTER_REPOSITORY}
    assert set(read("repo:modified", payload).repo_urls) == BITBUCKET_DATA_CENTER.repo_urls


def test_a_key_and_a_slug_without_a_server_are_refused() -> None:
    repository = {"slug": "tea", "project": {"key": "ACME"}}
    with pytest.raises(MalformedDelivery, match="names no repository with a URL"):
        read("repo:refs_changed", {"repository": repository, "changes": [data_center_change("main")]})
