"""The keys that encrypt secrets at rest."""

import base64
import os
from pathlib import Path


def make() -> str:
    """Return a new key: 32 random bytes in URL-safe base64, which is what Fernet takes."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def make_file(path: Path) -> bool:
    """Write a new key to `path`, for its owner alone, unless the file exists; return whether it was written.

    Safe when many start at once: the file appears whole, and the first one stands.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(make() + "\n")
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return False
    finally:
        unfinished.unlink()
    return True
