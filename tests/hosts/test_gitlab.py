"""GitLab only: signing tokens and secret tokens, ids, and system and group hooks."""

import base64
from datetime import timedelta

import pytest

from jive.hosts import Delivery, gitlab
from tests.hosts.payloads import COMMIT, GITLAB, GITLAB_PROJECT, ZEROS, gitlab_push
from tests.hosts.speaker import NOW, SECRET, Message, Payload, signing_token


def push() -> Message:
    return GITLAB.say(*GITLAB.push("main"))


def read(event: str, payload: Payload) -> Delivery:
    message = GITLAB.say(event, payload)
    return gitlab.read(message.headers, message.body)


def is_signed(message: Message, secret: str = SECRET, late_s: float = 0) -> bool:
    return gitlab.is_signed(secret, message.headers, message.body, NOW + timedelta(seconds=late_s))


@pytest.mark.parametrize(("late_s", "is_right"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_a_signature_is_valid_within_five_minutes_of_its_time(late_s: int, is_right: bool) -> None:
    assert is_signed(push(), late_s=late_s) is is_right


def test_one_valid_signature_among_several_is_enough() -> None:
    message = push()
    right = message.headers["webhook-signature"]
    wrong = "v1," + base64.b64encode(bytes(32)).decode()
    message.headers["webhook-signature"] = f"{wrong} v2,abc  v1a,{right} {right} {wrong}"
    assert is_signed(message)
    message.headers["webhook-signature"] = f"{wrong} v2,{right.removeprefix('v1,')} {right},"
    assert not is_signed(message)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
@pytest.mark.parametrize(
    "value", [None, "", "0", "other", "1772366401", "1772366400.0", " 1772366400", "\uff11772366400"]
)
def test_the_signature_covers_the_id_and_the_time(name: str, value: str | None) -> None:
    message = push()
    assert message.headers["webhook-timestamp"] == "1772366400"
    del message.headers[name]
    if value is not None:
        message.headers[name] = value
    assert not is_signed(message)


def test_a_time_of_any_length_is_no_error() -> None:
    message = push()
    message.headers["webhook-timestamp"] = "9" * 10_000
    assert not is_signed(message)


def test_a_signature_covers_the_body() -> None:
    message = push()
    assert not is_signed(Message(message.headers, message.body + b" "))


def test_a_token_without_its_prefix_is_the_same_key() -> None:
    assert is_signed(push(), SECRET.removeprefix("whsec_"))


@pytest.mark.parametrize("secret", ["not base64!", "whsec_größe", "whsec_====", "YWJj\n", "abcde"])
def test_a_secret_that_is_not_base64_verifies_no_signature(secret: str) -> None:
    message = push()
    message.headers.update(signing_token(base64.b64encode(secret.encode()).decode(), message.headers, message.body))
    assert not is_signed(message, secret)


def test_a_secret_without_a_key_verifies_nothing_that_an_empty_key_signed() -> None:
    message = push()
    message.headers.update(signing_token("whsec_", message.headers, message.body))
    for secret in ("whsec_", "not base64!", ""):
        assert not is_signed(message, secret)


def test_a_signature_over_an_empty_id_verifies_nothing() -> None:
    assert not is_signed(GITLAB.say(*GITLAB.push("main"), id=""))


def test_a_wrong_signature_is_not_outweighed_by_the_right_token() -> None:
    message = push()
    for signature in ("", "v1,AAAA"):
        message.headers.update({"x-gitlab-token": SECRET, "webhook-signature": signature})
        assert not is_signed(message)


def test_a_valid_signature_counts_beside_another_token() -> None:
    message = push()
    message.headers["x-gitlab-token"] = "the plain token of the same hook"
    assert is_signed(message)


def test_a_secret_token_has_no_time_limit_and_may_be_any_text() -> None:
    secret = "größe 設計"
    assert gitlab.is_signed(secret, {"x-gitlab-token": secret}, b"", NOW + timedelta(days=9))
    assert not gitlab.is_signed(secret, {"x-gitlab-token": "größe"}, b"", NOW)


def test_the_signed_id_has_precedence_then_the_one_that_retries_keep() -> None:
    message, names = push(), ("webhook-id", "idempotency-key", "x-gitlab-webhook-uuid", "x-gitlab-event-uuid")
    message.headers.update({name: name for name in names})
    for name in names:
        assert gitlab.read(message.headers, message.body).id == name
        del message.headers[name]


def test_a_system_hook_names_its_event_in_the_payload() -> None:
    delivery = read("System Hook", gitlab_push("refs/heads/main")[1])
    assert (delivery.event_type, delivery.branches) == ("push", ("main",))
    delivery = read("System Hook", {"event_name": "project_update", "project": GITLAB_PROJECT})
    assert (delivery.event_type, delivery.branches) == ("project_update", ())


def test_a_repository_update_names_each_branch_that_moved() -> None:
    refs = {"refs/heads/main": COMMIT, "refs/heads/b/c": COMMIT, "refs/heads/gone": ZEROS, "refs/tags/v1": COMMIT}
    changes = [{"before": ZEROS, "after": after, "ref": ref} for ref, after in refs.items()]
    payload = {"event_name": "repository_update", "changes": [*changes, changes[0]], "project": GITLAB_PROJECT}
    assert read("System Hook", payload).branches == ("main", "b/c")


def test_changes_of_another_event_give_no_branch() -> None:
    changes = [{"before": ZEROS, "after": COMMIT, "ref": "refs/heads/main"}]
    payload = {"object_kind": "merge_request", "changes": changes, "project": GITLAB_PROJECT}
    assert read("Merge Request Hook", payload).branches == ()


def test_without_the_name_of_the_event_in_the_payload_the_header_counts() -> None:
    payload = {"ref": "refs/heads/main", "project": {"web_url": "https://git.example.org/acme/tea"}}
    delivery = read("Push Hook", payload)
    assert (delivery.event_type, delivery.branches) == ("push", ("main",))
    assert read("Merge Request Hook", payload).event_type == "merge_request"


def test_the_repository_may_be_in_the_deprecated_field_only() -> None:
    payload = {"object_kind": "build", "repository": {"git_ssh_url": "git@git.example.org:acme/tea.git"}}
    assert read("Job Hook", payload).repo_urls == ("git@git.example.org:acme/tea.git",)


def test_a_push_without_checkout_sha_is_a_deletion() -> None:
    event, payload = gitlab_push("refs/heads/gone")
    assert read(event, payload | {"checkout_sha": None}).branches == ()
    assert read(event, payload | {"after": "0" * 64}).branches == ()
