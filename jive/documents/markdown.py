"""The outline of a Markdown text: its headings, and its text without code and comments."""

import re
from dataclasses import dataclass
from typing import NamedTuple

MAX_TITLE_CHARS = 500
MAX_HEADINGS = 5_000

# Patterns begin with a line feed and repeat possessively, so that a search never backtracks within a line.
_FENCE_LINE = re.compile(r"\n[ \t]*+(`{3,}+|~{3,}+)([^\n]*+)")
_MARKED_LINE = re.compile(
    r"\n(?: {0,3}(#{1,6})[ \t]++([^\n]++)"  # a heading: groups 1 and 2
    r"|[ \t]*+(?:(`{3,}+|~{3,}+)([^\n]*+)|<!--))"  # a fence: groups 3 and 4; or the start of a comment: no group
)
_UNDERLINED = re.compile(r"\n([^\s#>|=-][^\n]*+)\n=++[ \t]*+(?:\n|\Z)")
_REMARK = re.compile(r"[(\uff08]")
_NUMBERING = re.compile(r"[\W\d_]+")


class Heading(NamedTuple):
    """A heading, and the offsets in `Outline.text` at which its line begins and ends."""

    level: int
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Outline:
    """The headings of a Markdown text, and the text without code and comments; it begins with a line feed."""

    text: str
    headings: list[Heading]

    def section(self, index: int) -> str:
        """Return the text between the heading with this index and the next heading of any level."""
        following = self.headings[index + 1 : index + 2]
        return self.text[self.headings[index].end : following[0].start if following else len(self.text)]

    def first_lines(self, count: int, max_chars: int) -> list[str]:
        """Return at most `count` lines from the top, cut off after `max_chars` characters in all."""
        return self.text[:max_chars].split("\n", count + 1)[1 : count + 1]


def read_outline(body: str) -> Outline:
    """Return the outline of `body`, Markdown whose lines end with a line feed alone.

    A code fence may be indented by any width, as in nested lists. An unclosed fence hides the rest of the text, as it
    does on the pages of Git hosts. Fences within a fence of Markdown nest: agents write them so, though CommonMark
    ends the outer fence at the first closing one.
    """
    text = f"\n{body}"
    headings: list[Heading] = []
    kept: list[str] = []
    kept_chars = position = begin = 0
    while match := _MARKED_LINE.search(text, position):
        line = match.start()
        position = match.end()
        if match.lastindex == 2:
            if len(headings) < MAX_HEADINGS and (title := _without_hashes(match[2].strip())):
                start = kept_chars + line - begin
                headings.append(Heading(len(match[1]), title, start, start + position - line))
            continue
        if match.lastindex:
            fence = _opened(match[3], match[4])
            if not fence:
                continue
            position = _end_of_fence(text, position, fence)
        else:
            end = text.find("-->", position)
            position = len(text) if end < 0 else end + 3
        kept.append(text[begin:line])
        kept_chars += line - begin
        begin = position
    if not kept:
        return Outline(text, headings)
    kept.append(text[begin:])
    return Outline("".join(kept), headings)


class _Fence(NamedTuple):
    mark: str
    nests: bool


def _opened(mark: str, info: str) -> _Fence | None:
    """Return the fence that a line opens, or None if it is code within a line."""
    if mark[0] == "`" and "`" in info:
        return None
    return _Fence(mark, info.strip()[:3].lower() in ("md", "mdx", "mar"))


def _end_of_fence(text: str, position: int, fence: _Fence) -> int:
    """Return the offset after the closing line of `fence`, or the length of `text` if it is not closed."""
    open_ = [fence]
    for match in _FENCE_LINE.finditer(text, position):
        mark, info = match.groups()
        if mark.startswith(open_[-1].mark) and not info.strip():
            open_.pop()
            if not open_:
                return match.end()
        elif open_[-1].nests and (inner := _opened(mark, info)):
            open_.append(inner)
    return len(text)


def _without_hashes(text: str) -> str:
    """Return a heading without its closing hashes; those of `C#` belong to the text."""
    if text.endswith("#"):
        shorn = text.rstrip("#")
        text = shorn.rstrip() if not shorn or shorn[-1] in " \t" else text
    return text[:MAX_TITLE_CHARS]


def title_of(outline: Outline) -> Heading | None:
    """Return the first heading, or an underlined one if there is no other; None if there is neither."""
    if outline.headings:
        return outline.headings[0]
    match = _UNDERLINED.search(outline.text, 0, 8 * MAX_TITLE_CHARS) if "\n=" in outline.text else None
    text = match[1].strip()[:MAX_TITLE_CHARS] if match else ""
    return Heading(1, text, match.start(), match.end()) if match else None


def plain(heading: str) -> str:
    """Return a heading normalized for comparison: `3. **Acceptance Criteria** (AC):` is `acceptance criteria`."""
    text = heading.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = _REMARK.split(text, maxsplit=1)[0].rstrip(" *:\N{FULLWIDTH COLON}")
    numbering = _NUMBERING.match(text)
    return text[numbering.end() :] if numbering else text
