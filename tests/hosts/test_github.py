"""GitHub only: form-encoded deliveries, two signature headers, and events that are not pushes."""

import hashlib
import hmac

import pytest

from jive.errors import MalformedDelivery
from jive.hosts import github
from tests.hosts.payloads import GITHUB, GITHUB_REPOSITORY
from tests.hosts.speaker import NOW, SECRET, as_form, sha256_hex

FORM = {"content-type": "application/x-www-form-urlencoded", "x-github-delivery": "d", "x-github-event": "push"}


def test_a_sha1_signature_never_counts() -> None:
    message = GITHUB.say(*GITHUB.push("main"))
    del message.headers["x-hub-signature-256"]
    sha1 = "sha1=" + hmac.new(SECRET.encode(), message.body, hashlib.sha1).hexdigest()
    for headers in ({"x-hub-signature": sha1}, {"x-hub-signature-256": sha1}):
        assert not github.is_signed(SECRET, message.headers | headers, message.body, NOW)


def test_the_sha256_signature_under_the_sha1_header_does_not_count() -> None:
    message = GITHUB.say(*GITHUB.push("main"))
    message.headers["x-hub-signature"] = message.headers.pop("x-hub-signature-256")
    assert not github.is_signed(SECRET, message.headers, message.body, NOW)


def test_a_secret_that_is_not_ascii_signs_as_utf_8() -> None:
    message = GITHUB.say(*GITHUB.push("main"), secret="größe-設計")
    assert github.is_signed("größe-設計", message.headers, message.body, NOW)


def test_the_signature_of_a_form_covers_its_raw_bytes() -> None:
    form = as_form(GITHUB.push("a b+c&d=e")[1])
    headers = FORM | sha256_hex("x-hub-signature-256")(SECRET, FORM, form)
    assert github.is_signed(SECRET, headers, form, NOW)
    assert github.read(headers, form).branches == ("a b+c&d=e",)


@pytest.mark.parametrize(
    "form", [b"", b"payload", b"other=%7B%7D", b"payload=%7B%7D&payload=%7B%7D", b"a=b&payload=%7B%7D"]
)
def test_a_form_without_its_one_field_is_refused(form: bytes) -> None:
    with pytest.raises(MalformedDelivery, match=r"form|empty"):
        github.read(FORM, form)


def test_a_form_with_unescaped_characters_is_read() -> None:
    form = b'payload={"repository":{"html_url":"https://github.com/acme/tea?a=41"}}'
    assert github.read(FORM, form).repo_urls == ("https://github.com/acme/tea?a=41",)


def test_a_push_with_deleted_set_is_a_deletion() -> None:
    event, payload = GITHUB.push("gone")
    message = GITHUB.say(event, payload | {"deleted": True})
    assert github.read(message.headers, message.body).branches == ()


def test_json_that_claims_to_be_a_form_is_refused() -> None:
    message = GITHUB.say(*GITHUB.push("main"))
    with pytest.raises(MalformedDelivery, match="form"):
        github.read(message.headers | FORM, message.body)


def test_a_create_event_names_no_branch_because_its_push_does() -> None:
    payload = {"ref": "refs/heads/new", "ref_type": "branch", "repository": GITHUB_REPOSITORY}
    message = GITHUB.say("create", payload)
    assert github.read(message.headers, message.body).branches == ()


def test_the_address_in_the_api_is_not_a_repository_url() -> None:
    message = GITHUB.say("push", {"repository": {"url": "https://api.github.com/repos/acme/tea"}})
    with pytest.raises(MalformedDelivery, match="names no repository"):
        github.read(message.headers, message.body)
