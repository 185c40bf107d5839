"""The statuses of stories and decisions of QA gates, and the phrases that people write for them."""

import re
from typing import Literal

DocumentStatus = Literal[
    # stories, in the order in which they progress
    "Backlog",
    "Draft",
    "Approved",
    "InProgress",
    "Review",
    "Done",
    # stories that do not progress
    "Blocked",
    "Deferred",
    "Cancelled",
    # gates
    "PASS",
    "CONCERNS",
    "FAIL",
    "WAIVED",
]


def _by_phrase(phrases: dict[DocumentStatus, tuple[str, ...]]) -> dict[str, DocumentStatus]:
    return {
        phrase.replace(" ", ""): status
        for status, lines in phrases.items()
        for line in lines
        for phrase in line.split(", ")
    }


_STORY = _by_phrase(
    {
        "Backlog": ("backlog, todo, to do, not started, open, new, бэклог, 待办, 未着手, 할 일",),
        "Draft": (
            "draft, drafted, drafting, proposed, proposal, planned, pending approval, awaiting approval",
            "entwurf, brouillon, borrador, rascunho, bozza, черновик, 草稿, 草案, 下書き, ドラフト, 초안",
        ),
        "Approved": (  # includes ready-for-dev of BMAD 6: approved, and not begun
            "approved, ready, ready for dev, ready for development, ready for implementation, ready for work",
            "ready to start, ready to implement, ready to develop, contexted, accepted, validated",
            "genehmigt, freigegeben, approuvé, approuvée, validé, validée, prêt, prête, aprobado, aprobada",
            "aprovado, aprovada, approvato, утверждено, утверждена, утвержден, одобрено, одобрена",
            "готово к разработке, 已批准, 已审批, 批准, 承認済み, 承認, 승인됨, 승인",
        ),
        "InProgress": (
            "in progress, wip, started, in development, in dev, developing, implementing, in implementation",
            "active, doing, ongoing, in arbeit, in bearbeitung, en cours, en progreso, en curso, em andamento",
            "em progresso, in corso, в работе, в процессе, в разработке",
            "进行中, 开发中, 実装中, 進行中, 作業中, 진행 중",
        ),
        "Review": (
            "review, in review, ready for review, under review, needs review, pending review, awaiting review",
            "ready for qa, qa, in qa, testing, in testing, ready for testing, ready for test",
            "ready for verification, ready for code review, code review, in code review, implemented",
            "implementation complete, development complete, dev complete, ready for merge, ready for deployment",
            "ready for release, ready for done, changes requested, in prüfung, bereit für review, en revue",
            "prêt pour revue, prête pour revue, en revisión, em revisão, in revisione, на ревью, на проверке",
            "готово к ревью, готова к ревью, готово к проверке, 待审查, 待评审, 审查中, 评审中",
            "レビュー中, レビュー待ち, 검토 중",
        ),
        "Done": (
            "done, complete, completed, finished, closed, merged, released, shipped, deployed, delivered, resolved",
            "qa passed, qa approved, fertig, erledigt, abgeschlossen, terminé, terminée, fini, finie, hecho",
            "terminado, terminada, completado, completada, concluído, concluída, feito, completato, fatto",
            "готово, готова, выполнено, выполнена, завершено, завершена, сделано",
            "完成, 已完成, 完了, 완료, 완료됨",
        ),
        "Blocked": (
            "blocked, blocker, blockiert, bloqué, bloquée, bloqueado, bloqueada, bloccato, заблокировано",
            "заблокирована, 阻塞, 已阻塞, ブロック中, 차단됨",
        ),
        "Deferred": (
            "deferred, postponed, on hold, paused, parked, zurückgestellt, reporté, reportée, pospuesto, adiado",
            "rinviato, отложено, отложена, 推迟, 延期, 保留, 보류",
        ),
        "Cancelled": (
            "cancelled, canceled, abandoned, rejected, obsolete, superseded, deprecated, archived, wont do",
            "wont fix, dropped, duplicate, removed, not needed, abgebrochen, annulé, annulée, cancelado, cancelada",
            "annullato, отменено, отменена, отклонено, 已取消, 取消, キャンセル, 취소, 취소됨",
        ),
    }
)
_GATE = _by_phrase(
    {
        "PASS": ("pass, passed",),
        "CONCERNS": ("concerns, concern, pass with concerns, passed with concerns",),
        "FAIL": ("fail, failed",),
        "WAIVED": ("waived, waive",),
    }
)
_MAX_WORDS = 5
_MAX_CHARS = 500

_ARROW = re.compile(r"→|➜|⟶|=>|->")
_NOTE = re.compile(r"[(\uff08[{,;:|]| [\u2013\u2014-]+ |\. |<")
_WORD = re.compile(r"[^\W_]+")


def story_status(text: str) -> DocumentStatus | None:
    """Return the status that `text`, written by hand, stands for; None if it is not a known phrase."""
    return _look_up(text, _STORY)


def gate_decision(text: str) -> DocumentStatus | None:
    """Return the QA gate's decision that `text` stands for; None if it is not a known phrase."""
    return _look_up(text, _GATE)


def _look_up(text: str, known: dict[str, DocumentStatus]) -> DocumentStatus | None:
    """Return what the longest known phrase at the start of `text`, before any note, stands for.

    In "Draft → Done" the part after the last arrow counts.
    """
    last = _ARROW.split(text[:_MAX_CHARS])[-1]
    start = _WORD.search(last)
    if not start:
        return None
    stated = _NOTE.split(last[start.start() :], maxsplit=1)[0].casefold()
    words = _WORD.findall(stated.replace("'", "").replace("\u2019", ""))[:_MAX_WORDS]
    least = 2 if words[0] == "ready" and len(words) > 1 else 1  # "ready for ..." depends on what follows
    candidates = ("".join(words[:count]) for count in range(len(words), least - 1, -1))
    return next((known[candidate] for candidate in candidates if candidate in known), None)
