"""What the modules of all hosts have in common, for each way that a host sends deliveries."""

import json

import pytest

from jive.errors import MalformedDelivery
from jive.hosts import HOSTS, Delivery
from jive.models.enums import WebhookSource
from tests.hosts.conftest import SPEAKERS
from tests.hosts.speaker import NOW, SECRET, Message, Speaker


def read(speaker: Speaker, message: Message) -> Delivery:
    return speaker.host.read(message.headers, message.body)


def is_signed(speaker: Speaker, message: Message, secret: str = SECRET) -> bool:
    return speaker.host.is_signed(secret, message.headers, message.body, NOW)


def test_every_registered_host_is_tested_here() -> None:
    assert {id(host) for host in HOSTS.values()} == {id(speaker.host) for speaker in SPEAKERS}
    assert {name.upper(): host.source for name, host in HOSTS.items()} == {source: source for source in WebhookSource}


def test_a_push_gives_all_fields_of_a_delivery(speaker: Speaker) -> None:
    delivery = read(speaker, speaker.say(*speaker.push("main"), id="4c5ecbd0-15a9"))
    assert (delivery.id, delivery.event_type) == ("4c5ecbd0-15a9", speaker.event_type)
    assert (delivery.branches, delivery.default_branch) == (("main",), speaker.default_branch)
    assert set(delivery.repo_urls) == speaker.repo_urls


def test_no_url_occurs_twice(speaker: Speaker) -> None:
    urls = read(speaker, speaker.say(*speaker.push("main"))).repo_urls
    assert len(urls) == len(set(urls))


@pytest.mark.parametrize("branch", ["größe/設計-🚀", "a.b/c_d@e", "refs/heads/x"])
def test_a_branch_keeps_its_name(speaker: Speaker, branch: str) -> None:
    assert read(speaker, speaker.say(*speaker.push(branch))).branches == (branch,)


def test_escaped_and_plain_json_are_equal(speaker: Speaker) -> None:
    event, payload = speaker.push("größe/設計-🚀")
    escaped = json.dumps(payload).encode()
    headers = speaker.send(event, escaped).headers | {"content-type": "application/json"}
    assert speaker.host.read(headers, escaped).branches == ("größe/設計-🚀",)


@pytest.mark.parametrize("kind", ["tag", "deletion", "other"])
def test_an_event_that_moves_no_branch_names_only_its_repository(speaker: Speaker, kind: str) -> None:
    delivery = read(speaker, speaker.say(*getattr(speaker, kind)))
    assert delivery.branches == ()
    assert set(delivery.repo_urls) >= speaker.repo_urls


def test_an_event_that_is_not_a_push_gives_no_branch_even_with_the_payload_of_one(speaker: Speaker) -> None:
    event, payload = speaker.other
    assert read(speaker, speaker.say(event, speaker.push("main")[1] | payload)).branches == ()


def test_a_payload_without_a_repository_is_refused(speaker: Speaker) -> None:
    with pytest.raises(MalformedDelivery, match="names no repository"):
        read(speaker, speaker.say(*speaker.nameless))


@pytest.mark.parametrize("which", ["id_header", "event_header"])
@pytest.mark.parametrize("value", [None, "", "  ", "x" * 256, "a\x00b", "a\nb", "a\x85b", "a\ud800b"])
def test_an_id_or_event_that_cannot_be_stored_is_refused(speaker: Speaker, which: str, value: str | None) -> None:
    message, name = speaker.say(*speaker.push("main")), getattr(speaker, which)
    del message.headers[name]
    if value is not None:
        message.headers[name] = value
    with pytest.raises(MalformedDelivery, match=f"(?i)header .*{name}"):
        read(speaker, message)


def test_an_id_of_255_characters_is_accepted(speaker: Speaker) -> None:
    assert read(speaker, speaker.say(*speaker.push("main"), id="x" * 255)).id == "x" * 255


@pytest.mark.parametrize("name", ["a\x00b", "a\ud800b", "a\nb", "", " ", "x" * 2049])
def test_a_branch_that_cannot_be_stored_is_left_out(speaker: Speaker, name: str) -> None:
    event, payload = speaker.push(name)
    body = json.dumps(payload).encode()
    headers = speaker.send(event, body).headers | {"content-type": "application/json"}
    assert speaker.host.read(headers, body).branches == ()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" ", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"ref": "\xe9"}', "not UTF-8"),
        ('{"ref": 1}'.encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"null", "not an object"),
        (b"[]", "not an object"),
        (b'"push"', "not an object"),
        (b"1e999", "not an object"),
        (b'{"a": NaN}', "NaN is not a number in JSON"),
        (b'{"a": -Infinity}', "not a number in JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": ' + b"[" * 200_000, "too deeply"),
        (b'{"a":' * 200_000, "too deeply"),
        (b"{}", "names no repository"),
        (b'{"repository": null, "project": []}', "names no repository"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else value,
)
def test_a_body_that_is_not_a_payload_is_refused_with_the_reason(speaker: Speaker, body: bytes, says: str) -> None:
    headers = speaker.send(speaker.push("main")[0], b"{}").headers | {"content-type": "application/json"}
    with pytest.raises(MalformedDelivery, match=says):
        speaker.host.read(headers, body)


def test_the_last_value_of_a_repeated_key_counts(speaker: Speaker) -> None:
    event, payload = speaker.push("main")
    body = json.dumps(payload)
    twice = f'{{"repository": 1, "project": 2, {body[1:]}'.encode()
    headers = speaker.send(event, twice).headers | {"content-type": "application/json"}
    assert speaker.host.read(headers, twice).branches == ("main",)


@pytest.mark.parametrize("oddity", [r'"\ud83d"', "1e999", "9" * 400, "-0.0", "[" * 500 + "]" * 500])
def test_an_odd_value_that_is_not_used_does_no_harm(speaker: Speaker, oddity: str) -> None:
    event, payload = speaker.push("main")
    body = f'{{"oddity": {oddity}, {json.dumps(payload)[1:]}'.encode()
    headers = speaker.send(event, body).headers | {"content-type": "application/json"}
    assert speaker.host.read(headers, body).branches == ("main",)


def test_a_signed_delivery_is_verified(speaker: Speaker) -> None:
    for event in (speaker.push("größe"), speaker.tag, speaker.deletion, speaker.other, speaker.nameless):
        assert is_signed(speaker, speaker.say(*event))


@pytest.mark.parametrize("secret", ["", "whsec_", SECRET[:-1], SECRET + "A", SECRET.lower(), " ", "\ud800", "größe"])
def test_another_secret_verifies_nothing(speaker: Speaker, secret: str) -> None:
    assert not is_signed(speaker, speaker.say(*speaker.push("main")), secret)


def test_an_empty_secret_verifies_nothing_even_if_it_signed(speaker: Speaker) -> None:
    message = speaker.say(*speaker.push("main"), secret="")
    assert not is_signed(speaker, message, "")


@pytest.mark.parametrize(
    "value", [None, "", " ", ",", "sha256=", "v1,", "größe", "設計", "\ud800", "\x00", "=" * 100_000, "v1, " * 20_000]
)
def test_a_header_that_is_not_a_signature_verifies_nothing(speaker: Speaker, value: str | None) -> None:
    message = speaker.say(*speaker.push("main"))
    del message.headers[speaker.signature_header]
    if value is not None:
        message.headers[speaker.signature_header] = value
    assert not is_signed(speaker, message)


def test_a_valid_signature_that_was_changed_verifies_nothing(speaker: Speaker) -> None:
    message = speaker.say(*speaker.push("main"))
    right = message.headers[speaker.signature_header]
    for wrong in (f"{right},{right}", right[:-1], right + "=", right.swapcase()):
        message.headers[speaker.signature_header] = wrong
        assert not is_signed(speaker, message)


def test_without_headers_nothing_is_verified_or_read(speaker: Speaker) -> None:
    assert not speaker.host.is_signed(SECRET, {}, b"{}", NOW)
    with pytest.raises(MalformedDelivery, match="missing"):
        speaker.host.read({}, b"{}")
