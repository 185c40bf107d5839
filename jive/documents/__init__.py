"""Documents: bytes in, `Document` out. Imports nothing else of JIVE.

document.py       the entry point: read one document
places.py         where a repository keeps its documents
bmad_config.py    what the BMAD method's own configuration says of that
kind.py           what kind of document a file is
gate.py           QA gates
story.py          stories
markdown.py       headings and sections
frontmatter.py    YAML, of front matter and of gates
metadata.py       version, author and time
changelog.py      change logs in documents
status.py         the states of stories and gates
dependencies.py   the files that a document refers to
vocabulary.py     the words for all this, in ten languages
"""
