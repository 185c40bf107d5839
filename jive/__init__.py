"""JIVE knows what AI agents write into git repositories.

`docs/architecture.md` is the map of the package; `jive.pipeline` is the path that a document takes.
"""

__version__ = "0.2.0"
