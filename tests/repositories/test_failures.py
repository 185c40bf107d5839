"""What a failed git command means: which failures cost the mirror, and what they say."""

import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from jive.errors import ScanFailed
from jive.repositories.access import Policy
from jive.repositories.failures import explain, has_outside_cause
from jive.repositories.git import GitFailed
from jive.repositories.mirror import Mirror
from jive.repositories.url import parse
from tests.repositories.mirrors import LOCALHOST, contents, head_after, packs
from tests.repositories.programs import fail_over_ssh, only_on_path, wrap_git, wrap_git_children
from tests.repositories.remotes import Gateway, Remote, certify

HUNG_UP = "fatal: the remote end hung up unexpectedly\n"
NO_ACCESS_OR_REPOSITORY = (
    "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n"
    "and the repository exists.\n"
)


@pytest.mark.parametrize(
    "stderr",
    [
        "ssh -oBatchMode=yes: 1: ssh: not found\n",
        "sh: 1: ssh: not found\n",
        "sh: ssh: not found\n",
        "bash: line 1: ssh: command not found\n",
        "zsh:1: command not found: ssh\n",
        "error: cannot run ssh: No such file or directory\nfatal: unable to fork\n",
        "error: cannot exec ssh: No such file or directory\nfatal: unable to fork\n",
        "error: cannot spawn ssh: No such file or directory\nfatal: unable to fork\n",
    ],
)
def test_a_missing_ssh_client_is_reported_and_costs_no_mirror(stderr: str) -> None:
    failure = GitFailed("fetch", stderr)
    assert has_outside_cause(failure)
    error = explain(failure, parse("git@github.com:example/jive.git"), Policy())
    assert "this machine has no ssh client; install openssh-client" in str(error)


def test_a_host_without_git_is_not_a_machine_without_ssh() -> None:
    failure = GitFailed("fetch", "bash: git-upload-pack: command not found\n" + NO_ACCESS_OR_REPOSITORY)
    assert has_outside_cause(failure)
    error = explain(failure, parse("git@example.com:jive.git"), Policy())
    assert str(error).endswith("bash: git-upload-pack: command not found")


@pytest.mark.parametrize(
    ("stderr", "says"),
    [
        ("fatal: write error: No space left on device\nfatal: index-pack failed\n", "disk of this machine is full"),
        ("error: unable to create temporary file: Read-only file system\n", "cannot be written"),
        ("error: cannot fork() for git-remote-https: Resource temporarily unavailable\n", "short of memory"),
        ("error: cannot create async thread: Resource temporarily unavailable\n", "short of memory"),
        ("error: cannot create standard output pipe: Too many open files\nfatal: unable to fork\n", "open files"),
        ("error: --shallow-file died of signal 9\nfatal: index-pack failed\n", "short of memory"),
        ("Killed\n" + NO_ACCESS_OR_REPOSITORY, "short of memory"),
        ("fatal: unable to access 'https://x/': Could not resolve proxy: y\n", "Could not resolve proxy: y"),
        ("fatal: unable to access 'https://x/': Could not resolve host: x\n", "Could not resolve host: x"),
        ("fatal: unable to access 'https://x/': SSL certificate problem: expired\n", "certificate problem: expired"),
        ("fatal: unable to access 'https://x/': Operation too slow. Less\n", "almost nothing for 60 s"),
        ("error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly\n" + HUNG_UP, "curl 92 HTTP/2 stream 5"),
        ("error: RPC failed; HTTP 500 curl 22 x\nfatal: expected 'acknowledgments'\n", "RPC failed; HTTP 500"),
        ("error: 5510 bytes of body are still expected\nfatal: early EOF\n", "5510 bytes of body"),
        ("fetch-pack: unexpected disconnect\nfatal: early EOF\nfatal: index-pack failed\n", "unexpected disconnect"),
        ("fatal: remote-curl: bad line length character: o\n" + HUNG_UP, "bad line length"),
        ("fatal: protocol error: bad pack header\n", "bad pack header"),
        ("fatal: expected flush after ref listing\n", "expected flush"),
        (HUNG_UP, "hung up unexpectedly"),
        ("ssh: connect to host x port 22: No route to host\n" + NO_ACCESS_OR_REPOSITORY, "No route to host"),
        ("kex_exchange_identification: read: x\n" + NO_ACCESS_OR_REPOSITORY, "kex_exchange_identification"),
        ("remote: fatal: No space left on device\n" + HUNG_UP, "remote: fatal: No space left"),
    ],
)
def test_a_failure_of_this_machine_or_the_remote_costs_no_mirror_and_says_why(stderr: str, says: str) -> None:
    failure = GitFailed("fetch", stderr)
    assert has_outside_cause(failure)
    error = explain(failure, parse("https://github.com/example/jive"), Policy())
    assert str(error).startswith("https://github.com/example/jive cannot be fetched: ")
    assert says in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "stderr",
    [
        "",
        "fatal: not a git repository: '/srv/mirror.git'\n",
        "fatal: bad shallow line: nonsense\n",
        "fatal: bad config line 2 in file /srv/mirror.git/config\n",
        "error: packfile /srv/mirror.git/objects/pack/pack-1.pack does not match index\n",
        "error: cannot lock ref 'refs/jive/head': unable to resolve reference 'refs/jive/head': reference broken\n",
        "fatal: bad object 1234\n" + HUNG_UP,  # printed by the upload-pack of a local remote, which git left
        "error: index-pack died of signal 7\nfatal: index-pack failed\n",
        "fatal: index-pack failed\n",
        "fatal: mismatched algorithms: client sha1; server sha256\n",
    ],
)
def test_a_failure_that_a_damaged_mirror_can_cause_recreates_it(stderr: str) -> None:
    assert not has_outside_cause(GitFailed("fetch", stderr))


@pytest.mark.parametrize(
    ("number", "is_outside"),
    [(signal.SIGKILL, True), (signal.SIGTERM, True), (signal.SIGBUS, False), (signal.SIGSEGV, False)],
)
def test_only_a_signal_that_somebody_sent_is_no_sign_of_damage(number: int, is_outside: bool) -> None:
    assert has_outside_cause(GitFailed("fetch", "", signal=number)) == is_outside
    assert has_outside_cause(GitFailed("fetch", HUNG_UP, signal=number)) == is_outside


def test_without_ssh_a_fetch_says_so_and_keeps_the_mirror(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = head_after(remote, mirror, {"a.md": b"1"})
    kept = packs(tmp_path / "mirror.git")
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    only_on_path(tmp_path / "bin", monkeypatch, "git", "sh")
    over_ssh = Mirror(tmp_path / "mirror.git", "git@localhost:example/jive.git", LOCALHOST)
    with pytest.raises(ScanFailed, match="no ssh client; install openssh-client"):
        over_ssh.fetch(None)
    assert packs(tmp_path / "mirror.git") == kept
    assert contents(over_ssh, commit) == {"a.md": b"1"}


def test_an_ssh_that_fails_for_an_unknown_reason_costs_no_mirror(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = head_after(remote, mirror, {"a.md": b"1"})
    fail_over_ssh(tmp_path / "bin", monkeypatch, "Bad owner or permissions on /root/.ssh/config")
    over_ssh = Mirror(tmp_path / "mirror.git", "git@localhost:example/jive.git", LOCALHOST)
    with pytest.raises(ScanFailed, match="Bad owner or permissions"):
        over_ssh.fetch(None)
    assert contents(over_ssh, commit) == {"a.md": b"1"}


KILLS = {
    "git is killed": '[ "$1" = fetch ] && kill -KILL $$',
    "git runs out of file descriptors": '[ "$1" = fetch ] && ulimit -n 6',
    "git runs out of memory": '[ "$1" = fetch ] && ulimit -v 9000',
    "git fails in an unknown way": '[ "$1" = fetch ] && { echo "fatal: the moon is full" >&2; exit 128; }',
    "git dies of a bus error": '[ "$1" = fetch ] && kill -BUS $$',
}


@pytest.mark.parametrize("kill", KILLS)
def test_a_fetch_that_fails_on_this_machine_keeps_the_mirror(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, kill: str
) -> None:
    old = head_after(remote, mirror, {"a.md": b"1"})
    kept = packs(tmp_path / "mirror.git")
    new = remote.commit({"a.md": b"2"})
    with monkeypatch.context() as patch:
        wrap_git(tmp_path / "bin", patch, f'{KILLS[kill]}\nexec "$REAL" "$@"')
        with pytest.raises(ScanFailed, match=r"remote\.git cannot be fetched: "):
            mirror.fetch(None)
    assert packs(tmp_path / "mirror.git") == kept
    assert contents(mirror, old) == {"a.md": b"1"}
    assert mirror.fetch(None) == new
    assert {place.name for place in tmp_path.glob("mirror.git*")} == {"mirror.git"}


@pytest.mark.parametrize("victim", ["index-pack", "pack-objects", "upload-pack"])
def test_a_killed_child_of_git_costs_no_mirror(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    remote.allow_filters()
    old = head_after(remote, mirror, {"a.md": b"1"})
    contents(mirror, old)
    kept = packs(tmp_path / "mirror.git")
    remote.commit({f"{number}/a.md": b"%d" % number for number in range(100)})
    script = f'case "$*" in *{victim}*) kill -KILL $$;; esac\nexec "$REAL" "$@"'
    wrap_git_children(tmp_path / "libexec", monkeypatch, script)
    with pytest.raises(ScanFailed, match=r"remote\.git cannot be fetched: "):
        mirror.fetch(None)
    assert packs(tmp_path / "mirror.git") == kept


@pytest.mark.parametrize(("command", "call"), [("ls-tree", "files"), ("ls-tree", "exists"), ("cat-file", "blobs")])
def test_a_killed_git_that_reads_the_mirror_does_not_cost_it(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, command: str, call: str
) -> None:
    head_after(remote, mirror, {"docs/a.md": b"0"})
    commit = head_after(remote, mirror, {"docs/a.md": b"1"})  # a recreated mirror would have one pack
    files = mirror.files(commit)
    kept = packs(tmp_path / "mirror.git")
    calls: dict[str, Callable[[], object]] = {
        "files": lambda: mirror.files(commit),
        "exists": lambda: mirror.exists(commit, ["docs/a.md"]),
        "blobs": lambda: list(mirror.blobs(files.values())),
    }
    with monkeypatch.context() as patch:
        wrap_git(tmp_path / "bin", patch, f'[ "$1" = {command} ] && kill -KILL $$\nexec "$REAL" "$@"')
        with pytest.raises(ScanFailed, match=f"git {command} was ended by signal 9"):
            calls[call]()
    shutil.rmtree(remote.folder)
    assert packs(tmp_path / "mirror.git") == kept
    assert contents(mirror, commit) == {"docs/a.md": b"1"}


def test_a_killed_tidy_costs_no_mirror(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = head_after(remote, mirror, {"a.md": b"1"})
    wrap_git(tmp_path / "bin", monkeypatch, '[ "$1" = pack-objects ] && kill -KILL $$\nexec "$REAL" "$@"')
    with pytest.raises(ScanFailed, match="short of memory"):
        mirror.tidy()
    assert contents(mirror, commit) == {"a.md": b"1"}


def test_a_connection_that_breaks_in_the_middle_of_a_pack_costs_no_mirror(
    tmp_path: Path, served: tuple[type[Gateway], str]
) -> None:
    gateway, base = served
    remote = Remote(tmp_path / "served/org/repo.git")
    old = remote.commit({"a.md": b"1"})
    mirror = Mirror(tmp_path / "m.git", f"{base}/org/repo.git", LOCALHOST)
    assert mirror.fetch(None) == old
    kept = packs(tmp_path / "m.git")
    new = remote.commit({"big.bin": bytes(range(256)) * 4 + random.Random(1).randbytes(300_000)})
    gateway.cuts_packs = True
    with pytest.raises(ScanFailed, match=r"RPC failed|body are still expected"):
        mirror.fetch(None)
    assert packs(tmp_path / "m.git") == kept
    assert contents(mirror, old) == {"a.md": b"1"}
    gateway.cuts_packs = False
    assert mirror.fetch(None) == new


def test_a_server_with_an_untrusted_certificate_costs_no_mirror(
    tmp_path: Path, served: tuple[type[Gateway], str], certificate: Path
) -> None:
    commit = Remote(tmp_path / "served/org/repo.git").commit({"a.md": b"1"})
    mirror = Mirror(tmp_path / "m.git", f"{served[1]}/org/repo.git", LOCALHOST)
    assert mirror.fetch(None) == commit
    certify(certificate)  # git trusts another one now
    with pytest.raises(ScanFailed, match="certificate"):
        mirror.fetch(None)
    assert contents(mirror, commit) == {"a.md": b"1"}


def test_a_proxy_that_cannot_be_reached_costs_no_mirror(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = head_after(remote, mirror, {"a.md": b"1"})
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "")
    over_https = Mirror(tmp_path / "mirror.git", "https://localhost/example/jive.git", LOCALHOST)
    with pytest.raises(ScanFailed, match="Could not resolve proxy"):
        over_https.fetch(None)
    assert contents(over_https, commit) == {"a.md": b"1"}


def test_a_machine_without_git_keeps_the_mirror(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = head_after(remote, mirror, {"a.md": b"1"})
    with monkeypatch.context() as patch:
        only_on_path(tmp_path / "bin", patch, "sh")
        with pytest.raises(ScanFailed, match="git is not installed"):
            mirror.fetch(None)
        with pytest.raises(ScanFailed, match="git is not installed"):
            mirror.files(commit)
        with pytest.raises(ScanFailed, match="git is not installed"):
            mirror.tidy()
    shutil.rmtree(remote.folder)
    assert contents(mirror, commit) == {"a.md": b"1"}


def test_a_limit_is_named_in_the_error() -> None:
    url, policy = parse("https://github.com/example/jive"), Policy(timeout_s=3, max_total_bytes=5_000)
    assert "longer than the 3 s" in str(explain(GitFailed("fetch", "", timed_out=True), url, policy))
    assert "larger than the 5,000 bytes" in str(explain(GitFailed("fetch", "", too_large=True), url, policy))
