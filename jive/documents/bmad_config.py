"""Configuration files of the BMAD method in a repository, and the places that they name.

Version 4 has `.bmad-core/core-config.yaml`. Version 6 has one file per module below `_bmad/` (early releases: `bmad/`
or `.bmad/`), and since 6.6 also `config.toml`, with the team's overrides below `custom/`. Only files at the root of the
repository count. Keys that are not listed here are ignored.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from jive.documents.frontmatter import BrokenYaml, read_yaml
from jive.documents.places import TOOL_FOLDERS, DocumentType, Places

MAX_CONFIG_BYTES = 131_072
MAX_LISTED = 100  # items of one list
MAX_PATH_CHARS = 500
MAX_MAPPINGS = 2_000  # in one file


class _Key(NamedTuple):
    """What the value of a key is, and the type of the documents there; None if their names decide."""

    shape: Literal["file", "files", "folder", "text", "texts", "flag"]
    type: DocumentType | None = None


# A configured folder of such a name is refused. `build` and `vendor` are allowed: a team may keep its documents there.
_REFUSED_FOLDERS = frozenset(name for name in TOOL_FOLDERS if name.startswith((".", "_"))) | {
    "bmad",
    "bmad-core",
    "node_modules",
}
_KEYS = {
    # version 4
    "prdFile": _Key("file", "PRD"),
    "prdVersion": _Key("text"),
    "prdSharded": _Key("flag"),
    "prdShardedLocation": _Key("folder", "PRD"),
    "epicFilePattern": _Key("text"),
    "architectureFile": _Key("file", "ARCHITECTURE"),
    "architectureVersion": _Key("text"),
    "architectureSharded": _Key("flag"),
    "architectureShardedLocation": _Key("folder", "ARCHITECTURE"),
    "devStoryLocation": _Key("folder", "STORY"),
    "qaLocation": _Key("folder", "QA"),
    "customTechnicalDocuments": _Key("files"),
    "devLoadAlwaysFiles": _Key("texts"),
    # version 6, which renamed `dev_story_location` to `sprint_artifacts` and later to `implementation_artifacts`
    "outputFolder": _Key("folder"),
    "planningArtifacts": _Key("folder"),
    "implementationArtifacts": _Key("folder", "STORY"),
    "sprintArtifacts": _Key("folder", "STORY"),
    "devEphemeralLocation": _Key("folder", "STORY"),
    "solutioningArtifacts": _Key("folder"),
    "creativeArtifacts": _Key("folder"),
    "designArtifacts": _Key("folder"),
    "projectKnowledge": _Key("folder"),
    "techDocs": _Key("folder"),
    "testArtifacts": _Key("folder", "QA"),
    "testDesignOutput": _Key("folder", "QA"),
    "testReviewOutput": _Key("folder", "QA"),
    "traceOutput": _Key("folder", "QA"),
}
_CONFIG = re.compile(
    r"\.?bmad-core/core-config\.ya?ml|(?:_bmad|\.bmad|bmad)/(?:[^/]{1,100}/)?config(?:\.user)?\.(?:ya?ml|toml)"
)


def is_config(path: str) -> bool:
    """Return whether the file at `path` is a configuration file that `read_places` reads."""
    return "bmad" in path[:6] and _CONFIG.fullmatch(path) is not None


def read_places(files: Mapping[str, bytes]) -> tuple[Places, tuple[str, ...]]:
    """Return the places that configuration files name, and warnings about what was ignored; each begins with a path.

    If files give a key different values, all of these places count, and `Places.config` holds the value of the most
    specific file: version 6 overrides version 4, the module `bmm` the others, the team's files the installer's, and
    `.user.` files all of them.

    Args:
        files: the content of each configuration file, by its path.
    """
    warnings: list[str] = []
    config: dict[str, Any] = {}
    typed_files: dict[str, DocumentType | None] = {}
    typed_folders: dict[str, DocumentType | None] = {}
    bases: dict[str, None] = {}
    for path in sorted(files, key=_precedence):
        found = dict(_known(_parse(path, files[path], warnings)))
        for key, value in found.items():
            kept = _checked_value(path, key, value, found.get("outputFolder"), warnings)
            if kept is None:
                continue
            config[key] = kept
            known = _KEYS[key]
            if known.shape == "folder":
                folder = f"{kept}/"
                bases[folder] = None
                typed_folders[folder.lower()] = typed_folders.get(folder.lower()) or known.type
            elif known.shape in ("file", "files"):
                typed_files |= {file.lower(): known.type for file in ([kept] if known.shape == "file" else kept)}
    folders = dict(sorted(typed_folders.items(), key=lambda item: (-item[0].count("/"), item[0])))
    return Places(config, typed_files, folders, tuple(bases)), tuple(warnings)


def _precedence(path: str) -> tuple[int, str]:
    """Return a key that sorts files by precedence; later ones override earlier ones."""
    folder, _, name = path.rpartition("/")
    module = folder.partition("/")[2]
    rank = {"": 1, "core": 2, "bmm": 4, "custom": 5}.get(module, 3)
    return (0 if name.startswith("core-config") else rank + 10 * (".user." in name), path)


def _parse(path: str, data: bytes, warnings: list[str]) -> Any:
    if len(data) > MAX_CONFIG_BYTES:
        warnings.append(f"{path}: {len(data):,} bytes, but at most {MAX_CONFIG_BYTES:,} are read; ignored")
        return None
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    try:
        return tomllib.loads(text) if path.endswith(".toml") else read_yaml(text)
    except (BrokenYaml, ValueError, RecursionError) as exc:
        warnings.append(f"{path}: not valid configuration ({str(exc) or type(exc).__name__}); ignored")
        return None


def _known(parsed: Any) -> Iterator[tuple[str, Any]]:
    """Yield known keys, in camelCase, and their values, at any depth; outer ones come last and override inner ones."""
    mappings = [parsed] if isinstance(parsed, dict) else []
    for mapping in mappings:  # the list grows while it is iterated: breadth first
        mappings += [value for value in mapping.values() if isinstance(value, dict)][: MAX_MAPPINGS - len(mappings)]
    for mapping in reversed(mappings):
        for key, value in mapping.items():
            if (name := re.sub(r"_([a-z])", lambda match: match[1].upper(), key)) in _KEYS:
                yield name, value


def _checked_value(path: str, key: str, value: Any, output: Any, warnings: list[str]) -> Any:
    """Return a value as `Places.config` stores it, or None if it cannot be used; a bad path is warned of."""
    shape = _KEYS[key].shape
    if shape in ("files", "texts"):
        items = value[:MAX_LISTED] if isinstance(value, list) else []
        texts = [item for item in items if isinstance(item, str) and item.isprintable()]
        if shape == "texts":
            return [text[:MAX_PATH_CHARS] for text in texts] or None
        kept = [found for text in texts if (found := _inside(path, key, text, output, warnings))]
        return kept or None
    if shape == "flag":
        return {"true": True, "yes": True, "false": False, "no": False}.get(str(value).lower())
    if not isinstance(value, str) or not value.strip():
        return None
    if shape == "text":
        return value[:MAX_PATH_CHARS] if value.isprintable() else None
    return _inside(path, key, value, output, warnings)


def _inside(path: str, key: str, value: str, output: Any, warnings: list[str]) -> str | None:
    """Return a configured path, relative to the root; None, with a warning, if it is not below the root."""
    text = value.strip().replace("\\", "/")
    if isinstance(output, str) and key != "outputFolder":
        text = text.replace("{output_folder}", output.strip().replace("\\", "/"))
    rooted = re.sub(r"^\$?\{project[-_]root\}/*", "", text)
    parts = _parts(rooted)
    problem = None
    if len(value) > MAX_PATH_CHARS or not text.isprintable():
        problem = "is not a path"
    elif re.match(r"/|~|[A-Za-z]:", rooted) or parts is None:
        problem = "is outside the repository"
    elif "{" in rooted:
        problem = "contains an unknown placeholder"
    elif not parts:
        problem = "is the whole repository"
    elif _KEYS[key].shape == "folder" and parts[-1] in _REFUSED_FOLDERS:
        problem = "is a tool's folder"
    if problem or not parts:
        warnings.append(f"{path}: {key} {value[:100]!r} {problem}; ignored")
        return None
    return "/".join(parts)


def _parts(text: str) -> list[str] | None:
    """Return the parts of a relative path with `.` and `..` resolved, or None if it leaves its root."""
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return parts
