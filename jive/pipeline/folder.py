"""A scan of a folder: read the documents of a checked-out repository, with changes that are not committed."""

import logging
import uuid
from pathlib import Path
from typing import Any

from jive.db import connection
from jive.documents.bmad_config import is_config, read_places
from jive.documents.document import MAX_CONTENT_BYTES, Document, read_document
from jive.documents.places import TOOL_FOLDERS, is_document
from jive.errors import InvalidValue
from jive.keys import make_webhook_secret
from jive.models import Project
from jive.models.enums import ProjectSource, WebhookSource
from jive.pipeline.apply import DocumentChanges, ScanStart
from jive.pipeline.registry import known_host
from jive.pipeline.scan import Progress, ScanResult, known_blob_ids, run_scan
from jive.repositories import worktree
from jive.repositories.url import parse

logger = logging.getLogger(__name__)


def scan_folder(folder: Path, progress: Progress = lambda done, total: None) -> ScanResult:
    """Make the artifacts of a folder's project equal the documents in the folder.

    The project is the one whose URL the folder was cloned from; if there is none, a folder project is added. Pending
    deliveries stay pending. A remote project stays remote, and its next scan replaces what was read here.

    Raises:
        ScanFailed: a file cannot be read; the artifacts are unchanged.
        DatabaseUnavailable: nothing was changed.
    """

    def read(start: ScanStart) -> DocumentChanges:
        config, documents = _read_documents(folder, progress)
        present = [document.path for document, _ in documents]
        known = known_blob_ids(start.project, config)
        changed = [(document, blob_id) for document, blob_id in documents if known.get(document.path) != blob_id]
        return DocumentChanges(ProjectSource.FOLDER, None, config, changed, present=present)

    with connection():
        return run_scan(_project_of(folder), read)


def _project_of(folder: Path) -> uuid.UUID:
    """Return the id of the folder's project, which is added if there is none."""
    url = worktree.repository_url(folder)
    same_url = Project.select(Project.id).where(Project.has_url(url))
    if same_url.first() is None:
        made = {
            "repo_url": url,
            "name": folder.resolve().name,
            "webhook_secret": make_webhook_secret(),
            "source": ProjectSource.FOLDER,
            "host": _host_of(url),
        }
        # Two processes may both find no project; the second INSERT then does nothing.
        Project.insert(made).on_conflict("IGNORE").execute()
    project_id: uuid.UUID = same_url.clone().get().id
    return project_id


def _host_of(url: str) -> WebhookSource | None:
    try:
        return known_host(parse(url))
    except InvalidValue:  # a checkout's origin may be anything that its user's git understands
        return None


def _read_documents(folder: Path, progress: Progress) -> tuple[dict[str, Any], list[tuple[Document, str]]]:
    """Return where the folder keeps its documents, and the documents with their blob ids, sorted by path."""
    files = worktree.files(folder, TOOL_FOLDERS)
    configs = {path: worktree.read(folder / path, MAX_CONTENT_BYTES)[0] or b"" for path in filter(is_config, files)}
    places, warnings = read_places(configs)
    for warning in warnings:
        logger.warning("%s: %s", folder, warning)
    wanted = sorted(path for path in files if is_document(path, places))
    documents = []
    for path in wanted:
        data, blob_id = worktree.read(folder / path, MAX_CONTENT_BYTES)
        documents.append((read_document(path, data, places, files.__contains__), blob_id))
        progress(len(documents), len(wanted))
    return dict(places.config), documents
