"""The keys that encrypt secrets at rest."""

import base64
import os
import tempfile
from pathlib import Path


def make() -> str:
    """Return a new key: 32 random bytes in URL-safe base64, which is what Fernet takes."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def make_webhook_secret() -> str:
    """Return a new secret for a webhook: the form that GitLab's signing tokens have, and good for every host."""
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def make_file(path: Path) -> bool:
    """Write a new key to `path`, for its owner alone, unless the file exists; return whether it was written.

    Safe when many start at once: the file appears whole, and the first one stands.
    """
    # A name that nobody else has: processes in containers that share a volume may have the same number.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as file:
        file.write(make() + "\n")
        file.flush()
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
    return True
