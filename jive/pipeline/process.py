"""A scan: fetch the head of the tracked branch, read what is new there, apply it, and tell."""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import peewee

from jive.db import connection, database_now, first_line
from jive.errors import DatabaseUnavailable, JiveError, NotFound, ScanFailed
from jive.events import Envelope
from jive.keys import make_webhook_secret
from jive.models import Artifact, Project, WebhookEvent
from jive.models.enums import ArtifactType
from jive.pipeline.apply import CONFIG_FILES, Beginning, Findings, apply, begin, reading
from jive.pipeline.mirrors import mirror_of
from jive.pipeline.publish import publish
from jive.scanner.bmad_config import Places, is_config, read_places
from jive.scanner.checkout import Mirror
from jive.scanner.classify import is_document
from jive.scanner.document import Document, read_document
from jive.scanner.folder import Progress, read_folder, repository_url

Change = Literal["created", "updated", "deleted"]
MAX_CONFIG_FILES = 50
ATTEMPTS = 5  # at a scan that another one overtakes each time

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScanResult:
    """What a scan did.

    Attributes:
        project: the project that it was applied to.
        counts: how many documents of each type the project has now.
        changes: how many were created, updated and deleted.
        warnings: what could not be read as it should, each with its path.
        told: whether Redis took the events.
    """

    project: Project
    counts: dict[ArtifactType, int]
    changes: dict[Change, int]
    warnings: tuple[str, ...]
    told: bool


def scan_project(project_id: uuid.UUID, progress: Progress = lambda done, total: None) -> ScanResult:
    """Make a project hold the documents that its branch's head holds; safe to repeat and to run at once.

    Raises:
        NotFound: the project is gone.
        ScanFailed, RepositoryRefused: the artifacts are as they were; every delivery that waited for this scan
            has one attempt more and the reason.
        DatabaseUnavailable: nothing was changed.
    """
    with connection():
        began_at = database_now()
        try:
            return _scan(project_id, lambda beginning: _find(beginning, progress))
        except Exception as exc:
            _count_failure(project_id, began_at, exc)
            raise


def _scan(project_id: uuid.UUID, find: Callable[[Beginning], Findings]) -> ScanResult:
    """Begin, find and apply, again whenever another scan was applied meanwhile; then tell."""
    for _ in range(ATTEMPTS):
        beginning = begin(project_id)
        findings = find(beginning)
        events = apply(beginning, findings)
        if events is not None:
            return _finish(beginning.project, findings, events)
    raise ScanFailed(f"Other scans of this project came first, {ATTEMPTS} times")


def _count_failure(project_id: uuid.UUID, until: datetime, exc: Exception) -> None:
    """Let the project, and the deliveries that waited for its scan, know why it failed."""
    if isinstance(exc, peewee.OperationalError | peewee.InterfaceError | DatabaseUnavailable | NotFound):
        return  # the store is away, and the deliveries wait for it
    reason = str(exc) if isinstance(exc, JiveError) else f"{type(exc).__name__}: {first_line(exc)}"
    final = isinstance(exc, JiveError) and not exc.retryable
    WebhookEvent.count_failure(project_id, until, reason, final=final)
    Project.update(scan_error=reason).where(Project.id == project_id).execute()


def _find(beginning: Beginning, progress: Progress) -> Findings:
    project = beginning.project
    with mirror_of(project) as mirror:
        head = mirror.fetch(project.branch)
        if head is None:  # a repository without commits has no documents
            return Findings(None, {}, [], present=())
        return _find_changes(project, mirror, head, progress) or _find_all(project, mirror, head, progress)


def _find_changes(project: Project, mirror: Mirror, head: str, progress: Progress) -> Findings | None:
    """Read only what changed since the last scan; None when that would not do."""
    changes = mirror.changes(project.head, head) if project.head else None
    if changes is None:
        return None
    changed, gone = changes
    if any(map(is_config, changed)) or any(map(is_config, gone)):
        return None
    places, config, _ = _read_config(mirror, project.config.get(CONFIG_FILES, {}))
    if project.reading != reading(config):
        return None
    wanted = {path: blob_id for path, blob_id in changed.items() if is_document(path, places)}

    def exist(paths: Collection[str]) -> set[str]:
        return mirror.exists(head, paths)

    documents = _read(mirror, wanted, places, exist, progress)
    # What was a document and is a link or a submodule now is told as gone by the mirror.
    return Findings(head, config, documents, gone=gone)


def _find_all(project: Project, mirror: Mirror, head: str, progress: Progress) -> Findings:
    """Read every document whose blob is not the one that was kept."""
    files = mirror.files(head)
    config_files = dict([item for item in sorted(files.items()) if is_config(item[0])][:MAX_CONFIG_FILES])
    places, config, warnings = _read_config(mirror, config_files)
    for warning in warnings:
        logger.warning("%s: %s", project.repo_url, warning)
    present = {path: blob_id for path, blob_id in files.items() if is_document(path, places)}
    kept = _kept_blob_ids(project, config)
    wanted = {path: blob_id for path, blob_id in present.items() if kept.get(path) != blob_id}
    documents = _read(mirror, wanted, places, lambda paths: files.keys() & paths, progress)
    return Findings(head, config, documents, present=present.keys())


def _kept_blob_ids(project: Project, config: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the blobs that need not be read again: none, when they were read by other rules."""
    return Artifact.blob_ids(project.id) if project.reading == reading(config) else {}


def _read_config(mirror: Mirror, files: Mapping[str, str]) -> tuple[Places, dict[str, Any], tuple[str, ...]]:
    contents = dict(mirror.blobs(files.values()))
    known = {path: contents[blob_id] for path, blob_id in files.items()}
    places, warnings = read_places({path: data for path, data in known.items() if data is not None})
    return places, dict(places.config) | ({CONFIG_FILES: dict(files)} if files else {}), warnings


def _read(
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


def scan_folder(folder: Path, progress: Progress = lambda done, total: None) -> ScanResult:
    """Make the project of a checked-out repository hold the documents that the folder holds now.

    The project is found by the URL that the folder was cloned from, and made if there is none. What a later
    push brings replaces it; deliveries that wait for a scan go on waiting.

    Raises:
        ScanFailed, DatabaseUnavailable: the project is as it was.
    """

    def find(beginning: Beginning) -> Findings:
        config, documents = read_folder(folder, progress)
        present = [document.path for document, _ in documents]
        kept = _kept_blob_ids(beginning.project, config)
        changed = [(document, blob_id) for document, blob_id in documents if kept.get(document.path) != blob_id]
        return Findings(None, config, changed, present=present, settles=False)

    with connection():
        return _scan(_project_of(folder).id, find)


def _project_of(folder: Path) -> Project:
    url = repository_url(folder)
    project = Project.get_or_none(Project.has_url(url))
    if project is None:
        # Two may find none at once; the second insert is ignored, whatever index stops it.
        made = {"repo_url": url, "name": folder.resolve().name, "webhook_secret": make_webhook_secret(), "reading": ""}
        Project.insert(made).on_conflict("IGNORE").execute()
        project = Project.get(Project.has_url(url))
    return project


def _finish(project: Project, findings: Findings, events: Sequence[Envelope]) -> ScanResult:
    told = publish(project.id, events)
    changed = Counter(event.payload["change"] for event in events)
    logger.info("scanned %s: %d changes", project.repo_url, len(events))
    return ScanResult(
        project=project,
        counts=Artifact.count_by_type(project.id),
        changes={"created": changed["created"], "updated": changed["updated"], "deleted": changed["deleted"]},
        warnings=tuple(warning for document, _ in findings.documents for warning in document.warnings),
        told=told,
    )
