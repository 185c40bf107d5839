"""JIVE reads what AI agents write into git repositories, and publishes what changes.

`docs/architecture.md` is the map of the package; `jive.pipeline` is the path that a document takes.
"""

__version__ = "0.2.0"
