"""The keys that encrypt secrets at rest, and the secrets of webhooks."""

import base64
import os
import tempfile
from pathlib import Path


def make() -> str:
    """Return a new Fernet key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def make_webhook_secret() -> str:
    """Return a new webhook secret in the form of GitLab's signing tokens, which every Git host takes."""
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def make_file(path: Path) -> bool:
    """Write a new key to `path`, readable by its owner alone, unless the file exists; return whether it was written.

    Safe when many processes do it at once: the file appears whole, and the first one stays.
    """
    # A random name: processes in containers that share a volume may have the same process id.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as file:
        file.write(make() + "\n")
        file.flush()
        try:
            os.link(file.name, path)
        except FileExistsError:
            return False
    return True
