"""What the modules of the hosts share: texts, headers, forms, JSON, branches, URLs and signatures."""

import hashlib
import hmac
from typing import Any

import pytest

from jive.errors import MalformedDelivery
from jive.hosts import base


@pytest.mark.parametrize("value", [None, 3, [], "", " \n", "a\0b", "a\nb", "a\x85b", "\ud800", "x" * 2049])
def test_a_value_that_cannot_be_stored_is_no_text(value: Any) -> None:
    assert base.text(value) is None


@pytest.mark.parametrize("value", ["a", " a ", "größe 設計 🚀", "x" * 2048])
def test_a_text_that_can_be_stored_is_returned_unchanged(value: str) -> None:
    assert base.text(value) == value


def test_the_first_header_that_is_present_counts() -> None:
    headers = {"x-second": "2", "x-third": "3"}
    assert base.header(headers, "X-First", "X-Second", "X-Third") == "2"
    with pytest.raises(MalformedDelivery, match="The header X-First or X-Fourth is missing"):
        base.header(headers, "X-First", "X-Fourth")
    with pytest.raises(MalformedDelivery, match="The header X-Second is empty, longer than 255 characters"):
        base.header({"x-second": "", "x-third": "3"}, "X-Second", "X-Third")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"payload=", b""),
        (b"payload=a+b%20c%2B%3D%25", b"a b c+=%"),
        (b"payload=%7b%22%7D", b'{"}'),
        (b"payload=a=b", b"a=b"),
        (b"payload=%C3%A9\xc3\xa9", "éé".encode()),
    ],
)
def test_the_field_of_a_form_is_decoded(body: bytes, value: bytes) -> None:
    assert base.form_field(body, "payload") == value


@pytest.mark.parametrize("body", [b"", b"other=1", b"payload=1&other=2", b"payload=1&payload=2", b"{}"])
def test_a_form_with_another_field_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedDelivery, match="not one with the single field payload"):
        base.form_field(body, "payload")


def test_half_of_a_surrogate_pair_is_no_reason_to_refuse_json() -> None:
    assert base.json_object(b'{"a": "\\ud83d", "b": 1, "b": 2}') == {"a": "\ud83d", "b": 2}


def test_a_value_is_found_in_nested_objects_or_is_none() -> None:
    value = {"a": {"b": [1], "c": None}}
    assert base.dig(value, "a", "b") == [1]
    assert base.dig(value) == value
    for keys in (("x",), ("a", "x"), ("a", "b", "0"), ("a", "c", "d")):
        assert base.dig(value, *keys) is None
    assert base.items(base.dig(value, "a", "b")) == [1]
    assert base.items(base.dig(value, "a")) == []


@pytest.mark.parametrize(
    ("change", "branch"),
    [
        ({"ref": "refs/heads/a/b", "after": "1" * 40}, "a/b"),
        ({"ref": "refs/heads/main"}, "main"),
        ({"ref": "refs/heads/main", "after": ""}, "main"),
        ({"ref": "refs/heads/main", "after": "0" * 40}, None),
        ({"ref": "refs/heads/main", "after": "0" * 64}, None),
        ({"ref": "refs/tags/v1", "after": "1" * 40}, None),
        ({"ref": 3}, None),
        (None, None),
    ],
)
def test_a_change_gives_the_branch_that_it_moved(change: Any, branch: str | None) -> None:
    assert base.moved_branch(change) == branch


def test_a_delivery_has_a_limited_number_of_different_urls() -> None:
    urls = [f"https://example.com/{number // 2}" for number in range(1000)]
    delivery = base.delivery(id="1", event_type="push", repo_urls=[None, *urls], branches=["a", 3, "a"])
    assert delivery.repo_urls == tuple(f"https://example.com/{number}" for number in range(base.MAX_URLS))
    assert (delivery.branches, delivery.default_branch) == (("a",), None)
    with pytest.raises(MalformedDelivery, match="this push event names no repository with a URL"):
        base.delivery(id="1", event_type="push", repo_urls=[None, 3, "\0"])


def test_a_signature_is_the_hmac_of_the_body_with_the_secret() -> None:
    signature = "sha256=" + hmac.new("größe".encode(), b"body", hashlib.sha256).hexdigest()
    assert base.is_sha256_signature("größe", signature, b"body")
    for secret, given, body in (
        ("größe", signature, b"body "),
        ("x", signature, b"body"),
        ("größe", signature.upper(), b"body"),
        ("größe", None, b"body"),
        ("", "sha256=" + hmac.new(b"", b"body", hashlib.sha256).hexdigest(), b"body"),
    ):
        assert not base.is_sha256_signature(secret, given, body)
