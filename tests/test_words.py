"""How the pages read: plurals, headings, and no word that only a machine says."""

import re

import pytest

from models import User, demo
from models.ground.words import capital, counted, plural

from .person import Person

EXCEPTIONS = {  # all others take an s, and no noun that ends otherwise is forgotten here
    "body": "bodies",
    "child": "children",
    "copy": "copies",
    "entry": "entries",
    "note to an author": "notes to an author",
    "person": "people",
    "policy": "policies",
    "school or home": "schools and homes",
}
LOWER = [  # whose records are called by words in small letters
    "/task/details/?id=9",
    "/triage/details/?id=38",
    "/clarification/details/?id=1",
    "/entry/details/?id=1",
    "/extract/details/?id=1",
    "/choice/edit/?id=87",
    "/proposal/details/?id=1",
]


@pytest.fixture
def at_demo(demo_school):
    """Somebody of the fictional school, signed in: at_demo("alice")."""
    return lambda name: Person(demo_school, User.get(User.email == f"{name}@demo.example")).sign_in(
        demo.PASSWORD
    )


def views(app):
    return [view for view in app.extensions["admin"][0]._views if hasattr(view, "model")]


def test_every_noun_has_its_plural(app):
    """A new noun whose plural is no plain s is written in EXCEPTIONS, and formed by `plural`."""
    nouns = {view.one for view in views(app)} | {"thing", "half day", "sign-off", "PDF", "line"}
    for noun in nouns:
        assert plural(noun) == EXCEPTIONS.get(noun, f"{noun}s"), (
            f"“{plural(noun)}”: name it in PLURALS of models/ground/words.py, or in EXCEPTIONS here"
        )
    assert not set(EXCEPTIONS) - nouns, "a noun that is no more"


@pytest.mark.parametrize(
    "number, noun, said",
    [
        (0, "body", "0 bodies"),
        (1, "body", "1 body"),
        (7, "person", "7 people"),
        (2, "half day", "2 half days"),
        (3, "note to an author", "3 notes to an author"),
        (2, "address", "2 addresses"),
        (1204, "email", "1,204 emails"),
    ],
)
def test_a_number_with_its_noun(number, noun, said):
    assert counted(number, noun) == said


def test_lists_count_in_english(demo_school, at_demo):
    for who, path, said in [
        ("alice", "/profile/", "15 bodies"),
        ("ira", "/user/", "9 people"),
        ("alice", "/setting/", "0 schools and homes"),
        ("alice", "/feedback/", "1 note to an author"),
        ("alice", "/child/", "17 children"),
        ("alice", "/template/", "1 template"),
        ("dave", "/notice/", "1 email"),
    ]:
        assert said in at_demo(who).get(path).text_only, path


def test_a_capital_begins_a_heading_and_changes_nothing_else():
    assert capital("task about INC-2026-0007") == "Task about INC-2026-0007"
    assert capital("LADO") == "LADO" and capital("") == "" and capital("ŵyn") == "Ŵyn"


def labels(view):
    """(name, label) of each column that the list, the page or the form of a view shows."""
    names = {*(view.column_list or ()), *(view.page_columns or ()), *(view.form_columns or ())}
    return [(name, view.get_column_name(name)) for name in sorted(names)]


def test_every_row_and_column_has_a_label_with_a_capital(app):
    for view in views(app):
        for name, label in labels(view):
            assert label and label[0] == label[0].upper(), (
                f"{view.noun}.{name} is labelled “{label}”: give its field a verbose_name"
            )


def test_no_list_has_two_columns_of_one_name(app):
    for view in views(app):
        said = [view.get_column_name(name) for name in view.column_list or ()]
        assert len(said) == len(set(said)), f"{view.noun} has two columns of one name: {said}"


def test_headings_begin_with_a_capital(demo_school, at_demo):
    alice = at_demo("alice")
    for path in LOWER:
        page = alice.get(path)
        for place in ("h1", "title"):
            found = re.search(rf"<{place}[^>]*>(.+?)<", page.text, re.S)[1].strip()
            assert found[0] == found[0].upper(), f"{path}: {place} is “{found}”"
        here = re.search(r'aria-current="page">(?!.*aria-current="page">)(.+?)<', page.text, re.S)[
            1
        ]
        assert here[0] == here[0].upper(), f"{path}: the last crumb is “{here}”"
