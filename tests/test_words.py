"""How the pages read: plurals, headings, and no word that only a machine says."""

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
    "school or home": "schools and homes",
}


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
        ("ira", "/user/", "7 people"),
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
