"""Documents to measure with: each different, and as compressible as prose, because Postgres compresses them."""

import random

PROSE = (
    "the a of and to in is that it for as with on by when which must should not be each every one "
    "agent story criteria system service user request response error token secret project artifact "
    "webhook event queue worker retry limit cache schema migration index column table transaction "
    "lock session signature delivery branch commit document version dependency requirement "
    "architecture decision status conflict channel message payload handler listener subscribe publish "
    "verify store read write update delete record sweep scan path folder title owner review deploy "
    "container health probe deadline timeout backoff metric log trace audit permission role scope "
    "policy default setting given then where before after while until without within returns raises "
    "keeps sends takes shows finds starts stops"
)
WORDS = PROSE.split()


def document(seed: int, size_bytes: int = 4096) -> str:
    """Return a Markdown document of exactly `size_bytes` bytes; the same seed gives the same document."""
    chance = random.Random(seed)
    parts = [f"---\nversion: {seed % 7}.{seed % 10}\nstatus: draft\n---\n\n# {_words(chance, 5).title()}\n"]
    size = 0
    while size < size_bytes:
        parts.append(_block(chance))
        size += len(parts[-1])
    return "\n".join(parts)[:size_bytes]


def _block(chance: random.Random) -> str:
    kind = chance.randrange(6)
    if kind == 0:
        return f"## {chance.randrange(1, 9)}.{chance.randrange(1, 20)} {_words(chance, 4).capitalize()}\n"
    if kind == 1:
        return "".join(f"- [ ] {_words(chance, 9)} (#{chance.randrange(900)})\n" for _ in range(4))
    if kind == 2:
        return f"```python\ndef {_words(chance, 2).replace(' ', '_')}() -> int: ...\n```\n"
    return " ".join(f"{_words(chance, chance.randrange(7, 16)).capitalize()}." for _ in range(4)) + "\n"


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(WORDS, k=count))
