"""A scan: fetch the head of the tracked branch, read what changed, apply it, and publish the events."""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import peewee

from jive.db import connection, database_now, first_line
from jive.documents.bmad_config import is_config, read_places
from jive.documents.document import Document, read_document
from jive.documents.places import Places, is_document
from jive.errors import DatabaseUnavailable, JiveError, NotFound, RepositoryRefused, ScanFailed
from jive.events import Envelope
from jive.models import Artifact, Project, WebhookEvent
from jive.models.enums import ArtifactType, ProjectSource
from jive.pipeline.apply import CONFIG_FILES, DocumentChanges, ScanStart, apply, begin, rules_hash
from jive.pipeline.mirrors import mirror_of
from jive.pipeline.publish import publish
from jive.repositories.mirror import Mirror

Change = Literal["created", "updated", "deleted"]
Progress = Callable[[int, int], None]  # called with how many documents have been read, and how many there are to read

MAX_CONFIG_FILES = 50
MAX_RESTARTS = 5  # of one scan, because another one was applied first

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanResult:
    """What a scan did.

    Attributes:
        project: the scanned project, as it stood when the scan began.
        counts: how many documents of each type the project has now, zeros included.
        changes: how many documents were created, updated and deleted.
        warnings: what could not be read as intended; each begins with the path.
        published: whether Redis took the events; if not, a sweep publishes them.
    """

    project: Project
    counts: dict[ArtifactType, int]
    changes: dict[Change, int]
    warnings: tuple[str, ...]
    published: bool


def scan_project(project_id: uuid.UUID, progress: Progress = lambda done, total: None) -> ScanResult:
    """Make a project's artifacts equal the documents at the head of its branch.

    Safe to repeat, and to run at the same time in several processes.

    Raises:
        NotFound: the project does not exist.
        ScanFailed, RepositoryRefused: the artifacts are unchanged; the attempt and its reason were counted on every
            delivery that was pending when the scan began.
        DatabaseUnavailable: nothing was changed.
    """
    with connection():
        began_at = database_now()
        try:
            return run_scan(project_id, lambda start: _read_remote(start, progress))
        except Exception as exc:
            _count_failure(project_id, began_at, exc)
            raise


def run_scan(project_id: uuid.UUID, read: Callable[[ScanStart], DocumentChanges]) -> ScanResult:
    """Begin a scan, `read`, apply and publish; start over if another scan was applied meanwhile.

    Raises:
        NotFound: the project does not exist.
        ScanFailed: other scans were applied first, too often; this one changed nothing.
    """
    for _ in range(MAX_RESTARTS):
        start = begin(project_id)
        changes = read(start)
        events = apply(start, changes)
        if events is not None:
            return _finish(start.project, changes, events)
    raise ScanFailed(f"Other scans of the project were applied first, {MAX_RESTARTS} times in a row")


def _finish(project: Project, changes: DocumentChanges, events: Sequence[Envelope]) -> ScanResult:
    published = publish(project.id, events)
    counts = Counter(event.payload["change"] for event in events)
    logger.info("scanned %s: %d changes", project.repo_url, len(events))
    return ScanResult(
        project=project,
        counts=Artifact.count_by_type(project.id),
        changes={"created": counts["created"], "updated": counts["updated"], "deleted": counts["deleted"]},
        warnings=tuple(warning for document, _ in changes.documents for warning in document.warnings),
        published=published,
    )


def _count_failure(project_id: uuid.UUID, until: datetime, exc: Exception) -> None:
    """Record why a scan failed: in the project, and in its deliveries that were pending when the scan began."""
    if isinstance(exc, peewee.OperationalError | peewee.InterfaceError | DatabaseUnavailable | NotFound):
        return  # Postgres cannot be reached, or has no such project: there is nothing to write to
    reason = str(exc) if isinstance(exc, JiveError) else f"{type(exc).__name__}: {first_line(exc)}"
    final = isinstance(exc, JiveError) and not exc.retryable
    WebhookEvent.count_failure(project_id, until, reason, final=final)
    # The sample is never scanned, so nothing would ever clear its error.
    has_scans = Project.source != ProjectSource.SAMPLE
    Project.update(scan_error=reason).where(Project.id == project_id, has_scans).execute()


def _read_remote(start: ScanStart, progress: Progress) -> DocumentChanges:
    project = start.project
    if project.source is ProjectSource.SAMPLE:
        raise RepositoryRefused(f"{project.name} is the sample project, which has no repository to scan")
    with mirror_of(project) as mirror:
        head = mirror.fetch(project.branch)
        if head is None:  # a repository without commits has no documents
            return DocumentChanges(ProjectSource.REMOTE, None, {}, [], present=())
        return _read_changed(project, mirror, head, progress) or _read_all(project, mirror, head, progress)


def _read_changed(project: Project, mirror: Mirror, head: str, progress: Progress) -> DocumentChanges | None:
    """Read the documents that changed since the last scan; return None if the whole tree must be compared."""
    changes = mirror.changes(project.head, head) if project.head else None
    if changes is None:
        return None
    changed, gone = changes
    if any(map(is_config, changed)) or any(map(is_config, gone)):
        return None
    places, config, _ = _read_config(mirror, project.config.get(CONFIG_FILES, {}))
    if project.rules_hash != rules_hash(config):
        return None
    wanted = {path: blob_id for path, blob_id in changed.items() if is_document(path, places)}

    def exist(paths: Collection[str]) -> set[str]:
        return mirror.exists(head, paths)

    documents = _read_documents(mirror, wanted, places, exist, progress)
    return DocumentChanges(ProjectSource.REMOTE, head, config, documents, gone=gone)


def _read_all(project: Project, mirror: Mirror, head: str, progress: Progress) -> DocumentChanges:
    """Compare the whole tree with the artifacts, and read every document whose blob id differs."""
    files = mirror.files(head)
    config_files = dict([item for item in sorted(files.items()) if is_config(item[0])][:MAX_CONFIG_FILES])
    places, config, warnings = _read_config(mirror, config_files)
    for warning in warnings:
        logger.warning("%s: %s", project.repo_url, warning)
    present = {path: blob_id for path, blob_id in files.items() if is_document(path, places)}
    known = known_blob_ids(project, config)
    wanted = {path: blob_id for path, blob_id in present.items() if known.get(path) != blob_id}
    documents = _read_documents(mirror, wanted, places, lambda paths: files.keys() & paths, progress)
    return DocumentChanges(ProjectSource.REMOTE, head, config, documents, present=present.keys())


def known_blob_ids(project: Project, config: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the blob id of each artifact by path; empty if they were read by other rules and must be read again."""
    return Artifact.blob_ids(project.id) if project.rules_hash == rules_hash(config) else {}


def _read_config(mirror: Mirror, files: Mapping[str, str]) -> tuple[Places, dict[str, Any], tuple[str, ...]]:
    """Return where the repository keeps its documents, the same as the project's config, and warnings."""
    contents = dict(mirror.blobs(files.values()))
    known = {path: contents[blob_id] for path, blob_id in files.items()}
    places, warnings = read_places({path: data for path, data in known.items() if data is not None})
    return places, dict(places.config) | ({CONFIG_FILES: dict(files)} if files else {}), warnings


def _read_documents(
    mirror: Mirror,
    wanted: Mapping[str, str],
    places: Places,
    exist: Callable[[Collection[str]], set[str]],
    progress: Progress,
) -> list[tuple[Document, str]]:
    paths: dict[str, list[str]] = {}
    for path, blob_id in sorted(wanted.items()):
        paths.setdefault(blob_id, []).append(path)
    documents = []
    for blob_id, data in mirror.blobs(paths):
        for path in paths[blob_id]:
            document = read_document(path, data, places, lambda target: bool(exist({target})))
            documents.append((document, blob_id))
            for warning in document.warnings:
                logger.warning("%s", warning)
            progress(len(documents), len(wanted))
    return documents
