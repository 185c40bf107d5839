"""Running git: its environment, its output, and how it ends."""

import signal
import time
from pathlib import Path

import pytest

from jive.errors import ScanFailed
from jive.repositories.git import Access, Git, GitFailed, error_line
from jive.repositories.mirror import Mirror
from tests.repositories.mirrors import contents
from tests.repositories.programs import only_on_path, wrap_git
from tests.repositories.remotes import Remote


def in_a_minute() -> float:
    return time.monotonic() + 60


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "remote.git")


def test_git_reads_stdin_and_returns_stdout(remote: Remote, git: Git) -> None:
    remote.commit({"a.md": b"1"})
    assert git.run("cat-file", "--batch-check=%(objecttype)", deadline=in_a_minute(), stdin=b"main\n") == b"commit\n"


def test_a_failure_carries_stderr_without_secrets(remote: Remote, git: Git) -> None:
    with pytest.raises(GitFailed, match=r"git cat-file failed: Not a valid object name \*\*\*$") as failure:
        git.run("cat-file", "-e", "s3cret", deadline=in_a_minute(), access=Access(secrets=("s3cret",)))
    assert "s3cret" not in failure.value.stderr
    assert (failure.value.signal, failure.value.timed_out, failure.value.too_large) == (None, False, False)


def test_git_is_killed_at_the_deadline(
    tmp_path: Path, remote: Remote, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrap_git(tmp_path / "bin", monkeypatch, "sleep 600 & wait")
    with pytest.raises(GitFailed, match="git version took too long") as failure:
        git.run("version", deadline=time.monotonic() + 0.2)
    assert failure.value.timed_out


def test_a_signal_is_reported(tmp_path: Path, remote: Remote, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    wrap_git(tmp_path / "bin", monkeypatch, "kill -KILL $$")
    with pytest.raises(GitFailed, match="git version was ended by signal 9") as failure:
        git.run("version", deadline=in_a_minute())
    assert failure.value.signal == signal.SIGKILL


def test_a_file_larger_than_allowed_is_not_written(tmp_path: Path, remote: Remote, git: Git) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 4_000)
    access = Access(config=(("core.looseCompression", "0"),), max_file_bytes=100_000)
    with pytest.raises(GitFailed, match="too large a file") as failure:
        git.run("hash-object", "-w", str(big), deadline=in_a_minute(), access=access)
    assert failure.value.too_large


def test_a_block_that_raises_kills_git(
    tmp_path: Path, remote: Remote, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrap_git(tmp_path / "bin", monkeypatch, "exec sleep 30")
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError), git.stream("version", deadline=in_a_minute()):
        raise ZeroDivisionError
    assert time.monotonic() - began < 20


def test_a_machine_without_git_is_reported_in_one_line(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.commit({"a.md": b"1"})
    only_on_path(tmp_path / "bin", monkeypatch, "sh")
    with pytest.raises(ScanFailed, match=r"^git is not installed on this machine, or not on PATH; install git$"):
        mirror.fetch(None)


def test_the_users_configuration_and_environment_are_ignored(
    tmp_path: Path, remote: Remote, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = remote.commit({"a.md": b"1"})
    (tmp_path / ".gitconfig").write_text('[url "https://example.com/"]\n\tinsteadOf = file:///\n[core]\n\tabbrev = 4\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {"GIT_DIR": "/x", "GIT_OBJECT_DIRECTORY": "/x", "GIT_CONFIG_COUNT": "7"}.items():
        monkeypatch.setenv(name, value)
    assert mirror.fetch(None) == commit
    assert contents(mirror, commit) == {"a.md": b"1"}


@pytest.mark.parametrize(
    ("stderr", "line"),
    [
        ("warning: x\nfatal: repository 'y' not found\n", "repository 'y' not found"),
        (
            "ERROR: Repository not found.\nfatal: Could not read from remote repository.\n\n"
            "Please make sure you have the correct access rights\nand the repository exists.\n",
            "Repository not found.",
        ),
        ("git@x: Permission denied.\nfatal: Could not read from remote repository.\n", "git@x: Permission denied."),
        (
            "error: RPC failed; curl 56 x\nerror: 9 bytes of body are still expected\nfatal: early EOF\n"
            "fatal: index-pack failed\n",
            "RPC failed; curl 56 x",
        ),
        ("error: cannot run ssh: No such file\nfatal: unable to fork\n", "cannot run ssh: No such file"),
        ("fatal: early EOF\nfatal: index-pack failed\n", "early EOF"),
        ("fatal: a\x1b[31mb\tc\n", "a [31mb c"),
        ("", "git gave no reason"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_the_line_that_explains_a_failure_is_chosen(stderr: str, line: str) -> None:
    assert error_line(stderr) == line
