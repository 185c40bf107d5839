"""Documents: bytes in, `Document` out. Imports nothing else of JIVE.

document.py       read one document: the entry point
places.py         where a repository keeps its documents
bmad_config.py    what the BMAD method's own configuration adds to the places
kind.py           what kind of document a file is
story.py          what makes a story, and its status
gate.py           QA gates
markdown.py       headings and sections
frontmatter.py    front matter, and YAML
metadata.py       version, author and creation time
changelog.py      change logs in documents
status.py         the known statuses of stories, and decisions of gates
dependencies.py   the files that a document refers to
vocabulary.py     words for the parts of documents, in ten languages
"""
