"""YAML is read as text, within limits; front matter is split from the body."""

import pytest

from jive.documents.frontmatter import MAX_DEPTH, MAX_YAML_CHARS, BrokenYaml, read_yaml, split_front_matter


def test_scalars_stay_text() -> None:
    text = (
        "version: 1.10\ndate: 2026-05-08\nyes: no\nbig: 0x1_000\nnone: null\nempty:\nquoted: 'null'\nlist: [1.0, ~]\n"
    )
    assert read_yaml(text) == {
        "version": "1.10",
        "date": "2026-05-08",
        "yes": "no",
        "big": "0x1_000",
        "none": None,
        "empty": None,
        "quoted": "null",
        "list": ["1.0", None],
    }


def test_characters_that_postgres_does_not_store_are_replaced() -> None:
    assert read_yaml('a: "x\\0y"\n"b\\0": 1\n') == {"a": "x\ufffdy", "b\ufffd": "1"}


def test_the_last_of_equal_keys_counts() -> None:
    assert read_yaml("a: 1\na: 2\n") == {"a": "2"}


def test_keys_that_are_not_text_are_left_out() -> None:
    assert read_yaml("? [1, 2]\n: 3\n? {a: b}\n: 4\n{{name}}: 5\nc: 6\n") == {"c": "6"}


def test_tags_are_ignored_and_aliases_are_none() -> None:
    text = "a: !!python/object/apply:os.system [ls]\nb: &b {x: 1}\nc: *b\nd: &d [*d]\n"
    assert read_yaml(text) == {"a": ["ls"], "b": {"x": "1"}, "c": None, "d": [None]}


def test_only_the_first_document_is_read() -> None:
    assert read_yaml("---\na: 1\n---\nb: [broken\n") == {"a": "1"}


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "a: 'x",
        "a:\n\tb: c",
        "a: b: c",
        'a: "\\x"',
        'a: "\\ud800"',
        "a: \x01",
        "[" * (MAX_YAML_CHARS - 1),
        "{" * (MAX_YAML_CHARS - 1),
        "- " * 30_000,
        "? " * 30_000,
        "x" * (MAX_YAML_CHARS + 1),
    ],
)
def test_broken_deep_or_large_yaml_is_refused(text: str) -> None:
    with pytest.raises(BrokenYaml, match=r"\w"):
        read_yaml(text)


def test_the_depth_of_collections_is_limited() -> None:
    assert read_yaml("[" * MAX_DEPTH + "x" + "]" * MAX_DEPTH)
    with pytest.raises(BrokenYaml, match="deeper than 40 levels"):
        read_yaml("[" * (MAX_DEPTH + 1) + "x" + "]" * (MAX_DEPTH + 1))


def test_aliases_do_not_multiply_values() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefg", "bcdefgh", strict=True)
    ]
    assert read_yaml("\n".join(lines))["h"] == [None] * 9


@pytest.mark.parametrize("end", ["---", "---  ", "..."])
def test_front_matter_ends_with_a_rule_or_dots(end: str) -> None:
    front = split_front_matter(f"---\na: b\n{end}\nbody\n")
    assert (front.values, front.body, front.problem) == ({"a": "b"}, "body\n", None)


@pytest.mark.parametrize(
    "text",
    [
        "# Title\n---\na: b\n---\n",
        "---\na: b\n",
        "---\njust a line\n---\nbody\n",
        "---\n# Title\n---\nbody\n",
        "---\n- a\n- b\n---\nbody\n",
        "----\na: b\n---\n",
        "",
        "---",
    ],
)
def test_text_without_a_mapping_at_the_top_is_body(text: str) -> None:
    front = split_front_matter(text)
    assert (front.values, front.body, front.problem) == ({}, text, None)


def test_broken_front_matter_is_left_out_of_the_body() -> None:
    front = split_front_matter("---\ntitle: [x\n# no heading\n---\n# Title\n")
    assert (front.values, front.body) == ({}, "# Title\n")
    assert front.problem is not None
