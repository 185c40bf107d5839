"""The folder of a bare repository: create, lock, clean up, measure, replace and delete it."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from jive.errors import ScanFailed
from jive.repositories.git import Git

LOCK_POLL_S = 0.02


@contextlib.contextmanager
def locked(folder: Path, deadline: float) -> Iterator[None]:
    """Hold an exclusive lock on the folder, against other threads and processes.

    It is a lock on the file `<folder>.lock`, which the system releases when the process ends. It does not stop a git
    process that outlives its killed parent; the worst that one can do is to make the next fetch return an older head,
    until the fetch after that.

    Raises:
        ScanFailed: the lock was held elsewhere until the deadline, or the parent folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = _beside(folder, "lock").open("ab")
    except OSError as exc:
        raise ScanFailed(f"{folder.parent} cannot be written: {exc.strerror}") from exc
    with file:
        while not _try_lock(file.fileno()):
            if time.monotonic() >= deadline:
                raise ScanFailed("Another scan of this repository did not end in time")
            time.sleep(LOCK_POLL_S)  # a blocking flock() has no timeout
        yield


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(f"{folder.name}.{ending}")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make(folder: Path, deadline: float, object_format: str = "sha1") -> None:
    """Create an empty repository in `folder`, unless one is there; anything else in its place is deleted.

    It appears at once and complete. `object_format` is git's: sha1 or sha256.

    Raises:
        ScanFailed: it cannot be created.
    """
    if (folder / "HEAD").is_file():
        return
    discard(folder)
    unfinished = _beside(folder, "new")
    _delete(unfinished)
    arguments = ("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}")
    Git(unfinished).run(*arguments, deadline=deadline)
    unfinished.rename(folder)


def discard(folder: Path) -> None:
    """Delete the folder; if this process is killed meanwhile, nothing that looks like a repository is left."""
    gone = _beside(folder, "gone")
    _delete(gone)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(gone)
    _delete(gone)


def _delete(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


@contextlib.contextmanager
def replacement(folder: Path) -> Iterator[Path]:
    """Yield the path for a new folder, which replaces `folder` when the block ends.

    If the block raises, the new folder is deleted and `folder` is as it was.
    """
    new, gone = _beside(folder, "replacement"), _beside(folder, "gone")
    _delete(new)
    try:
        yield new
    except BaseException:
        _delete(new)
        raise
    _delete(gone)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(gone)
    new.rename(folder)
    _delete(gone)


def remove(folder: Path) -> None:
    """Delete the folder for good, with its lock file and everything unfinished beside it. Safe to repeat.

    Raises:
        ScanFailed: it is locked; nothing was deleted.
    """
    with locked(folder, deadline=time.monotonic()):
        discard(folder)
        for name in _names(folder.parent):
            if name.startswith(f"{folder.name}.") and name != f"{folder.name}.lock":
                _delete(folder.parent / name)
        _beside(folder, "lock").unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Delete what killed git processes left behind: lock files, which would stop the next one, and unfinished packs."""
    for parent, _, names in os.walk(folder / "refs"):
        _remove(Path(parent), (name for name in names if name.endswith(".lock")))
    _remove(folder, (name for name in _names(folder) if name.endswith(".lock")))
    _remove(folder, (name for name in _names(folder) if name.startswith("shallow_")))
    packs = folder / "objects/pack"
    _remove(packs, (name for name in _names(packs) if name.startswith(("tmp_", ".tmp-"))))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # faster; it runs three times before every fetch
    except (FileNotFoundError, NotADirectoryError):
        return []


def _remove(folder: Path, names: Iterator[str]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)


def size_of_packs(folder: Path) -> int:
    """Return the size of the repository's packs in bytes; 0 if there is no repository."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder / "objects/pack") as entries:
        return sum(entry.stat().st_size for entry in entries)
    return 0


def number_of_packs(folder: Path) -> int:
    """Return the number of packs; each one makes every git process a little slower."""
    return sum(name.endswith(".pack") for name in _names(folder / "objects/pack"))


def keep_one_shallow(folder: Path, commit: str) -> None:
    """Keep only `commit` in the list of shallow commits; git adds one per fetch, and sends them all each time."""
    shallow = folder / "shallow"
    try:
        lines = shallow.read_text().split()
    except FileNotFoundError:
        return
    if len(lines) > 1:
        unfinished = _beside(shallow, "new")
        unfinished.write_text(f"{commit}\n" if commit in lines else "")
        unfinished.rename(shallow)


def tidy(folder: Path, ref: str, deadline: float) -> None:
    """Repack the objects that `ref` reaches into one pack, and delete all others.

    `git gc` cannot: it keeps every object of a pack that was fetched with blobs left out.

    Raises:
        GitFailed: the packs are as they were.
    """
    packs = folder / "objects/pack"
    arguments = ("pack-objects", "--quiet", "--revs", "--missing=allow-any", str(packs / "pack"))
    name = Git(folder).run(*arguments, deadline=deadline, stdin=f"{ref}\n".encode()).decode().strip()
    (packs / f"pack-{name}.promisor").touch()  # without this file, git takes missing blobs for damage
    for other in _names(packs):
        if not other.startswith(f"pack-{name}."):
            (packs / other).unlink(missing_ok=True)
