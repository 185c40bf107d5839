"""The folder of a bare repository: made whole, locked, swept, measured and thrown away."""

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
    """Keep the folder to this thread alone, by a lock on `<folder>.lock` that the system drops when it dies.

    A git that outlives its killed parent is not held off. It can do no harm but to make the next fetch take an older
    head for the newest, until the fetch after that.

    Raises:
        ScanFailed: another one held it until the deadline, or the place cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        file = _beside(folder, "lock").open("ab")
    except OSError as exc:
        raise ScanFailed(f"{folder.parent} cannot be written: {exc.strerror}") from exc
    with file:
        while not _take(file.fileno()):
            if time.monotonic() >= deadline:
                raise ScanFailed("Another scan of this repository did not end in time")
            time.sleep(LOCK_POLL_S)  # a blocking flock() knows no time limit
        yield


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(f"{folder.name}.{ending}")


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make(folder: Path, deadline: float, object_format: str = "sha1") -> None:
    """Make an empty repository in `folder`, in one step, unless something is there.

    Raises:
        ScanFailed: it cannot be made.
    """
    if (folder / "HEAD").is_file():
        return
    discard(folder)
    unfinished = _beside(folder, "new")
    shutil.rmtree(unfinished, ignore_errors=True)
    words = ("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}")
    Git(unfinished).run(*words, deadline=deadline)
    unfinished.rename(folder)


def discard(folder: Path) -> None:
    """Throw the folder away; what a killed process leaves of it is never taken for a repository."""
    gone = _beside(folder, "gone")
    shutil.rmtree(gone, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def remove(folder: Path) -> None:
    """Throw the folder away, with everything beside it, for good.

    Raises:
        ScanFailed: it is in use.
    """
    with locked(folder, deadline=time.monotonic()):
        discard(folder)
        shutil.rmtree(_beside(folder, "new"), ignore_errors=True)
        _beside(folder, "lock").unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed git processes left: locks, which would stop the next one, and unfinished packs."""
    for parent, _, names in os.walk(folder / "refs"):
        _remove(Path(parent), (name for name in names if name.endswith(".lock")))
    _remove(folder, (name for name in _names(folder) if name.endswith(".lock")))
    _remove(folder, (name for name in _names(folder) if name.startswith("shallow_")))
    packs = folder / "objects/pack"
    _remove(packs, (name for name in _names(packs) if name.startswith(("tmp_", ".tmp-"))))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # three of these stand before every fetch
    except (FileNotFoundError, NotADirectoryError):
        return []


def _remove(folder: Path, names: Iterator[str]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)


def size_of_packs(folder: Path) -> int:
    """Return how many bytes of the disk the repository's objects take."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder / "objects/pack") as entries:
        return sum(entry.stat().st_size for entry in entries)
    return 0


def number_of_packs(folder: Path) -> int:
    """Return how many packs the objects lie in; each one makes every git process a little slower."""
    return sum(name.endswith(".pack") for name in _names(folder / "objects/pack"))


def forget_shallow(folder: Path, commit: str) -> None:
    """Leave `commit` as the only one without parents; git adds one at every fetch, and sends them all each time."""
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
    """Put what `ref` still reaches into one pack, and remove all else.

    `git gc` would do, but it never drops an object that came in a pack with blobs left out.

    Raises:
        GitFailed: the packs are as they were.
    """
    packs = folder / "objects/pack"
    words = ("pack-objects", "--quiet", "--revs", "--missing=allow-any", str(packs / "pack"))
    name = Git(folder).run(*words, deadline=deadline, given=f"{ref}\n".encode()).decode().strip()
    (packs / f"pack-{name}.promisor").touch()  # without the mark, missing blobs count as damage
    for other in _names(packs):
        if not other.startswith(f"pack-{name}."):
            (packs / other).unlink(missing_ok=True)
