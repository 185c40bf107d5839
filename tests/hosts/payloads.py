"""Small payloads of each Git host, one for each kind of event, and the speakers that send them."""

from jive.hosts import bitbucket, github, gitlab
from tests.hosts.speaker import Payload, Speaker, sha256_hex, signing_token

ZEROS = "0" * 40
COMMIT = "6dcb09b5b57875f334f61aebed695e2e4193db5e"

GITHUB_REPOSITORY = {
    "id": 7,
    "full_name": "acme/tea",
    "default_branch": "trunk",
    "url": "https://api.github.com/repos/acme/tea",
    "html_url": "https://github.com/acme/tea",
    "clone_url": "https://github.com/acme/tea.git",
    "ssh_url": "git@github.com:acme/tea.git",
    "git_url": "git://github.com/acme/tea.git",
}


def github_push(ref: str, after: str = COMMIT) -> tuple[str, Payload]:
    is_deletion = after == ZEROS
    return "push", {
        "ref": ref,
        "before": COMMIT,
        "after": after,
        "deleted": is_deletion,
        "head_commit": None if is_deletion else {"id": after, "message": "Grüße, 世界"},
        "commits": [],
        "repository": GITHUB_REPOSITORY,
    }


GITHUB = Speaker(
    name="github",
    host=github,
    id_header="x-github-delivery",
    event_header="x-github-event",
    signature_header="x-hub-signature-256",
    sign=sha256_hex("x-hub-signature-256"),
    push=lambda branch: github_push(f"refs/heads/{branch}"),
    tag=github_push("refs/tags/v1"),
    deletion=github_push("refs/heads/gone", ZEROS),
    other=("ping", {"zen": "Half measures are as bad as nothing at all.", "repository": GITHUB_REPOSITORY}),
    nameless=("ping", {"zen": "Speak like a human.", "organization": {"login": "acme"}}),
    event_type="push",
    repo_urls=frozenset(
        {
            "https://github.com/acme/tea",
            "https://github.com/acme/tea.git",
            "git@github.com:acme/tea.git",
            "git://github.com/acme/tea.git",
        }
    ),
    default_branch="trunk",
)

GITLAB_PROJECT = {
    "id": 15,
    "name": "Tee & Größe",
    "web_url": "https://git.example.org/acme/sub/tea",
    "git_ssh_url": "git@git.example.org:acme/sub/tea.git",
    "git_http_url": "https://git.example.org/acme/sub/tea.git",
    "path_with_namespace": "acme/sub/tea",
    "default_branch": "trunk",
    "homepage": "https://git.example.org/acme/sub/tea",
    "url": "git@git.example.org:acme/sub/tea.git",
    "ssh_url": "git@git.example.org:acme/sub/tea.git",
    "http_url": "https://git.example.org/acme/sub/tea.git",
}


def gitlab_push(ref: str, after: str = COMMIT) -> tuple[str, Payload]:
    kind = "tag_push" if ref.startswith("refs/tags/") else "push"
    return "Tag Push Hook" if kind == "tag_push" else "Push Hook", {
        "object_kind": kind,
        "event_name": kind,
        "ref": ref,
        "before": COMMIT,
        "after": after,
        "checkout_sha": None if after == ZEROS else after,
        "project": GITLAB_PROJECT,
        "repository": {"name": "tea", "homepage": GITLAB_PROJECT["homepage"], "url": GITLAB_PROJECT["url"]},
        "commits": [],
    }


GITLAB = Speaker(
    name="gitlab",
    host=gitlab,
    id_header="webhook-id",
    event_header="x-gitlab-event",
    signature_header="webhook-signature",
    sign=signing_token,
    push=lambda branch: gitlab_push(f"refs/heads/{branch}"),
    tag=gitlab_push("refs/tags/v1"),
    deletion=gitlab_push("refs/heads/gone", ZEROS),
    other=("Merge Request Hook", {"object_kind": "merge_request", "project": GITLAB_PROJECT, "changes": []}),
    nameless=("Subgroup Hook", {"event_name": "subgroup_create", "full_path": "acme/sub", "group_id": 10}),
    event_type="push",
    repo_urls=frozenset(
        {
            "https://git.example.org/acme/sub/tea",
            "https://git.example.org/acme/sub/tea.git",
            "git@git.example.org:acme/sub/tea.git",
        }
    ),
    default_branch="trunk",
)

CLOUD_REPOSITORY = {
    "type": "repository",
    "full_name": "acme/tea",
    "links": {
        "self": {"href": "https://api.bitbucket.org/2.0/repositories/acme/tea"},
        "html": {"href": "https://bitbucket.org/acme/tea"},
    },
    "mainbranch": {"type": "branch", "name": "trunk"},
}


def cloud_ref(name: str, type: str = "branch") -> Payload:
    return {"type": type, "name": name, "target": {"hash": COMMIT}}


def cloud_push(*changes: Payload) -> tuple[str, Payload]:
    return "repo:push", {"push": {"changes": list(changes)}, "repository": CLOUD_REPOSITORY}


BITBUCKET_CLOUD = Speaker(
    name="bitbucket-cloud",
    host=bitbucket,
    id_header="x-request-uuid",
    event_header="x-event-key",
    signature_header="x-hub-signature",
    sign=sha256_hex("x-hub-signature"),
    push=lambda branch: cloud_push({"old": None, "new": cloud_ref(branch)}),
    tag=cloud_push({"old": None, "new": cloud_ref("v1", "annotated_tag")}),
    deletion=cloud_push({"old": cloud_ref("gone"), "new": None, "closed": True}),
    other=("pullrequest:created", {"pullrequest": {"id": 1}, "repository": CLOUD_REPOSITORY}),
    nameless=("project:updated", {"project": {"key": "TEA"}}),
    event_type="repo:push",
    repo_urls=frozenset(
        {"https://bitbucket.org/acme/tea", "https://bitbucket.org/acme/tea.git", "git@bitbucket.org:acme/tea.git"}
    ),
    default_branch="trunk",
)

DATA_CENTER_REPOSITORY = {
    "slug": "tea",
    "name": "Tee & Größe",
    "project": {"key": "ACME", "links": {"self": [{"href": "https://bits.example.org/projects/ACME"}]}},
    "links": {
        "clone": [
            {"href": "ssh://git@bits.example.org:7999/acme/tea.git", "name": "ssh"},
            {"href": "https://bits.example.org/scm/acme/tea.git", "name": "http"},
        ],
        "self": [{"href": "https://bits.example.org/projects/ACME/repos/tea/browse"}],
    },
}


def data_center_change(name: str, type: str = "UPDATE", ref_type: str = "BRANCH") -> Payload:
    ref_id = f"refs/{'heads' if ref_type == 'BRANCH' else 'tags'}/{name}"
    return {"ref": {"id": ref_id, "displayId": name, "type": ref_type}, "refId": ref_id, "type": type}


def data_center_push(*changes: Payload) -> tuple[str, Payload]:
    return "repo:refs_changed", {"changes": list(changes), "repository": DATA_CENTER_REPOSITORY}


BITBUCKET_DATA_CENTER = Speaker(
    name="bitbucket-data-center",
    host=bitbucket,
    id_header="x-request-id",
    event_header="x-event-key",
    signature_header="x-hub-signature",
    sign=sha256_hex("x-hub-signature"),
    push=lambda branch: data_center_push(data_center_change(branch)),
    tag=data_center_push(data_center_change("v1", "ADD", "TAG")),
    deletion=data_center_push(data_center_change("gone", "DELETE")),
    other=("pr:opened", {"pullRequest": {"id": 1, "toRef": {"repository": DATA_CENTER_REPOSITORY}}}),
    nameless=("diagnostics:ping", {"test": True}),
    event_type="repo:refs_changed",
    repo_urls=frozenset(
        {
            "ssh://git@bits.example.org:7999/acme/tea.git",
            "https://bits.example.org/scm/acme/tea.git",
            "https://bits.example.org/projects/ACME/repos/tea",
        }
    ),
    default_branch=None,
)
