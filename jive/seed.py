"""`jive seed`: a sample project, to look at JIVE without a repository at hand."""

from jive.db import connection
from jive.keys import make_webhook_secret
from jive.models import Project
from jive.pipeline.apply import Findings, apply, begin
from jive.scanner.document import read_document

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


def plant() -> tuple[Project, int]:
    """Make the sample project hold the sample documents; return it and how many changes that took: 0 the next time."""
    with connection():
        made = {"repo_url": REPO_URL, "name": "JIVE sample", "webhook_secret": make_webhook_secret(), "config": CONFIG}
        Project.insert(made).on_conflict("IGNORE").execute()
        beginning = begin(Project.get(Project.has_url(REPO_URL)).id)
        documents = [(read_document(path, text.encode()), path) for path, text in DOCUMENTS.items()]
        events = apply(beginning, Findings(None, {}, documents, present=DOCUMENTS.keys(), settles=False))
        return beginning.project, len(events or ())
