"""Words are spelled as the text that they are compared with is normalized."""

from jive.documents import vocabulary
from jive.documents.markdown import plain


def test_headings_can_equal_the_words_for_them() -> None:
    words = vocabulary.STATUS | vocabulary.STORY_SECTIONS | set(vocabulary.CHANGE_LOG)
    assert {word for word in words if plain(word) != word} == set()


def test_labels_and_titles_can_equal_the_words_for_them() -> None:
    words = {*vocabulary.FIELDS, *vocabulary.COLUMNS, *vocabulary.STORY_WORDS, *vocabulary.EPIC_WORDS}
    assert {word for word in words if word.casefold().strip() != word} == set()
