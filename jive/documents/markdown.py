"""A Markdown text without its code and its comments, and the headings in it."""

import re
from dataclasses import dataclass
from typing import NamedTuple

MAX_TITLE_CHARS = 500
MAX_HEADINGS = 5_000

# A line feed first, then possessive: the engine skips from line to line, and never goes back in one.
_FENCE_LINE = re.compile(r"\n[ \t]*+(`{3,}+|~{3,}+)([^\n]*+)")
_MARKED_LINE = re.compile(
    r"\n(?: {0,3}(#{1,6})[ \t]++([^\n]++)"  # a heading: groups 1 and 2
    r"|[ \t]*+(?:(`{3,}+|~{3,}+)([^\n]*+)|<!--))"  # a fence: 3 and 4; or the begin of a comment: none
)
_UNDERLINED = re.compile(r"\n([^\s#>|=-][^\n]*+)\n=++[ \t]*+(?:\n|\Z)")
_REMARK = re.compile(r"[(\uff08]")
_NUMBERING = re.compile(r"[\W\d_]+")


class Heading(NamedTuple):
    """A heading, and where in `Outline.text` its line begins and ends."""

    level: int
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Outline:
    """A text without code and comments, which begins with a line feed, and its headings."""

    text: str
    headings: list[Heading]

    def section(self, index: int) -> str:
        """Return the text below the heading with this index, up to the next heading."""
        following = self.headings[index + 1 : index + 2]
        return self.text[self.headings[index].end : following[0].start if following else len(self.text)]

    def first_lines(self, count: int, max_chars: int) -> list[str]:
        """Return so many lines from the top, of at most so many characters in all."""
        return self.text[:max_chars].split("\n", count + 1)[1 : count + 1]


def read_outline(body: str) -> Outline:
    """Read `body`, Markdown whose lines end with a line feed alone, in one pass.

    A fence may be indented as deep as a list is. An unclosed one hides the rest, as it does on the hosts' pages;
    but within a fence of Markdown, fences of their own nest, as agents mean them, and as CommonMark does not.
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
    if mark[0] == "`" and "`" in info:
        return None  # code within a line
    return _Fence(mark, info.strip()[:3].lower() in ("md", "mdx", "mar"))


def _end_of_fence(text: str, position: int, fence: _Fence) -> int:
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
    if text.endswith("#"):
        shorn = text.rstrip("#")
        text = shorn.rstrip() if not shorn or shorn[-1] in " \t" else text
    return text[:MAX_TITLE_CHARS]


def title_of(outline: Outline) -> Heading | None:
    """Return the first heading, underlined ones included."""
    if outline.headings:
        return outline.headings[0]
    match = _UNDERLINED.search(outline.text, 0, 8 * MAX_TITLE_CHARS) if "\n=" in outline.text else None
    text = match[1].strip()[:MAX_TITLE_CHARS] if match else ""
    return Heading(1, text, match.start(), match.end()) if match else None


def plain(heading: str) -> str:
    """Return a heading's text to compare: `3. **Acceptance Criteria** (AC):` becomes `acceptance criteria`."""
    text = heading.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = _REMARK.split(text, maxsplit=1)[0].rstrip(" *:\N{FULLWIDTH COLON}")
    numbering = _NUMBERING.match(text)
    return text[numbering.end() :] if numbering else text
