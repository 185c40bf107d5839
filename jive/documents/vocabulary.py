"""The words that documents use for their parts, in ten languages, all in lower case."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split(", "))


_VERSION = ("version, versión, versão, versione, версия", "版本, 版本号, バージョン, 버전")
_AUTHOR = ("author, authors, auteur, auteurs, autor, autorin, autore, автор", "作者, 作成者, 작성자")
_DATE = ("date, datum, fecha, data, дата", "日期, 日付, 날짜")

STATUS = _words(
    "status, story status, current status, statut, estado, stato, статус",
    "状态, ステータス, 状態, 상태",
)

# Labels in the head of a document (`Status: Done`), and the field that each one stands for.
FIELDS = {
    label: field
    for field, labels in {
        "status": STATUS,
        "version": _words("document version, doc version, prd version", *_VERSION),
        "author": _words("created by, written by, prepared by", *_AUTHOR),
        "created": _words(
            "created, created on, created at, creation date, date created, créé le, erstellt, erstellt am, creado",
            "criado em, создано, дата создания",
            "创建日期, 创建时间, 作成日, 작성일",
        ),
        "date": _words(*_DATE),
        "gate": _words("gate, gate decision, gate status, quality gate, decision"),
    }.items()
    for label in labels
}

# Titles of columns in a change log, and the field of `Change` that each one stands for.
COLUMNS = {
    label: column
    for column, labels in {
        "version": _words("ver, ver., v, rev, revision", *_VERSION),
        "author": _words("by, changed by, developer, editor, 変更者", *_AUTHOR),
        "date": _words("일자", *_DATE),
    }.items()
    for label in labels
}

# A change log's heading begins with one of these.
CHANGE_LOG = tuple(
    _words(
        "change log, changelog, change history, revision history, revisions, version history, document history",
        "änderungsprotokoll, änderungshistorie, änderungsverlauf, journal des modifications, historique",
        "registro de cambios, historial, registro de alterações, histórico, registro delle modifiche",
        "журнал изменений, история изменений, история версий",
        "变更日志, 变更记录, 变更历史, 修订记录, 修订历史, 版本历史, 更新日志, 変更履歴, 改訂履歴",
        "변경 이력, 변경 기록, 변경 로그, 개정 이력",
    )
)

# Sections that only a story has.
STORY_SECTIONS = _words(
    "story, user story, story statement, acceptance criteria, acceptance criterion, acs",
    "akzeptanzkriterien, abnahmekriterien, benutzergeschichte",
    "critères d'acceptation, criteres d'acceptation, récit utilisateur, histoire utilisateur",
    "criterios de aceptación, criterios de aceptacion, historia de usuario",
    "critérios de aceitação, criterios de aceitacao, critérios de aceite, história de usuário, história do usuário",
    "criteri di accettazione, storia utente",
    "критерии приемки, критерии приёмки, критерии принятия, история, пользовательская история",
    "验收标准, 验收条件, 接受标准, 用户故事, 故事",
    "受け入れ基準, 受入基準, 受け入れ条件, 受入条件, ユーザーストーリー, ストーリー",
    "인수 조건, 인수 기준, 수용 기준, 승인 기준, 사용자 스토리, 스토리",
)

# With a number or a colon after it, one of these begins the title of a story.
STORY_WORDS = (
    "user story",
    "user-story",
    "story",
    "benutzergeschichte",
    "récit utilisateur",
    "récit",
    "historia de usuario",
    "historia",
    "história de usuário",
    "história",
    "пользовательская история",
    "история",
    "用户故事",
    "故事",
    "ユーザーストーリー",
    "ストーリー",
    "사용자 스토리",
    "스토리",
)
EPIC_WORDS = ("epic", "epics", "эпик", "史诗", "エピック", "에픽")
