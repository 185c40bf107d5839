"""`jive seed`: a sample project, to try JIVE without a repository."""

from jive.db import connection
from jive.documents.document import read_document
from jive.errors import ProjectExists
from jive.keys import make_webhook_secret
from jive.models import Project
from jive.models.enums import ProjectSource, WebhookSource
from jive.pipeline.apply import DocumentChanges, apply, begin

REPO_URL = "https://github.com/example/jive"
CONFIG = {
    "prdFile": "docs/prd.md",
    "prdSharded": False,
    "architectureFile": "docs/architecture.md",
    "devStoryLocation": "docs/stories",
    "qaLocation": "docs/qa",
}
DOCUMENTS = {
    "docs/prd.md": "# Lending library PRD\n\nMembers borrow books, return them, and reserve what is out.\n",
    "docs/architecture.md": "# Lending library architecture\n\nOne service, one database, one queue of reminders.\n",
    "docs/stories/1.1.borrow.md": "# Story 1.1: Borrow a book\n\n## Status\n\nDone\n",
    "docs/stories/1.2.reserve.md": "# Story 1.2: Reserve a book\n\n## Status\n\nDraft\n",
    "docs/qa/gates/1.1-borrow.yml": "story: '1.1'\nstory_title: Borrow a book\ngate: PASS\n",
}


def seed() -> tuple[Project, int]:
    """Add the sample project with its documents; return it, and how many of its documents changed.

    Safe to repeat: the second time, none change.

    Raises:
        ProjectExists: another project has the sample's URL; nothing was written.
    """
    with connection():
        made = {
            "repo_url": REPO_URL,
            "name": "JIVE sample",
            "source": ProjectSource.SAMPLE,
            "host": WebhookSource.GITHUB,
            "webhook_secret": make_webhook_secret(),
            "config": CONFIG,
        }
        Project.insert(made).on_conflict("IGNORE").execute()
        project = Project.select(Project.id, Project.name, Project.source).where(Project.has_url(REPO_URL)).get()
        if project.source is not ProjectSource.SAMPLE:
            raise ProjectExists(f"The project {project.name} has the sample's URL, {REPO_URL}; it was left alone")
        start = begin(project.id)
        documents = [(read_document(path, text.encode()), path) for path, text in DOCUMENTS.items()]
        changes = DocumentChanges(ProjectSource.SAMPLE, None, {}, documents, present=DOCUMENTS.keys())
        return start.project, len(apply(start, changes) or ())
