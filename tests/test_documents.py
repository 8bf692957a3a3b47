"""Documents are proved against the tree: a path that they name is there."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
DOCUMENTS = [HERE / "README.md", HERE / "CONTRIBUTING.md", *sorted(HERE.glob("docs/*.md"))]
# A name in backticks that begins with one of our folders, or is a file of the top or of a kind of ours.
ROOMS = r"models|admin_views|templates|tests|static|docs|\.ci"
OURS = re.compile(rf"`((?:{ROOMS})/[\w./-]*|[\w.-]+\.(?:py|md|toml|lock))`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_path_that_a_document_names_is_there(document):
    named = set(OURS.findall(document.read_text(encoding="utf-8")))
    lost = sorted(name for name in named if not (HERE / name).exists())
    assert not lost, f"{document.name} names {lost}: correct the document, or bring the file back"


def test_this_finds_paths():
    text = "`models/case/log.py`, `tests/browser/`, `app.py`, `log:complete`, `signing.pem`"
    assert OURS.findall(text) == ["models/case/log.py", "tests/browser/", "app.py"]
    assert len(OURS.findall(DOCUMENTS[0].read_text(encoding="utf-8"))) > 20, "README names many"
