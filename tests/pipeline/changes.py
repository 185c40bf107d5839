"""What a scan might have read, without a repository."""

from jive.documents.document import Document, read_document
from jive.events import Envelope
from jive.models import Project
from jive.models.enums import ProjectSource
from jive.pipeline.apply import DocumentChanges, apply, begin


def documents(**texts: bytes) -> list[tuple[Document, str]]:
    """Return documents in docs/ by the stem of their names, each with a blob id that follows its text."""
    return [(read_document(f"docs/{stem}.md", data), data.hex()) for stem, data in sorted(texts.items())]


def changes(source: ProjectSource = ProjectSource.REMOTE, head: str | None = None, **texts: bytes) -> DocumentChanges:
    """Return the changes of a scan that read a whole tree with these documents."""
    return _whole_tree(source, head, documents(**texts))


def _whole_tree(source: ProjectSource, head: str | None, found: list[tuple[Document, str]]) -> DocumentChanges:
    return DocumentChanges(source, head, {}, found, present=[document.path for document, _ in found])


def scan(project: Project, **texts: bytes) -> list[Envelope]:
    """Apply a scan that read exactly these documents, and return its events."""
    events = apply(begin(project.id), _whole_tree(ProjectSource.REMOTE, None, documents(**texts)))
    assert events is not None
    return events
