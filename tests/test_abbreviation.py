"""The glossary: shipped once, the school's from then on, edited by IT and DSL."""

import pytest

from models import TABLES, Abbreviation, Event
from models.shelf import proof

pytestmark = pytest.mark.both


def test_it_edits_the_glossary_and_nobody_below(cast, school):
    page = cast.ira.get("/set-up/")
    assert "Glossary" in page.text_only
    page = cast.ira.get("/abbreviation/new/")
    page = cast.ira.post(
        "/abbreviation/new/",
        {"short": "OPAL", "meaning": "outdoor play and learning", "source": "Our school"},
    )
    assert "Saved: OPAL." in page.text_only
    made = Abbreviation.get(Abbreviation.short == "OPAL")
    assert Event.last(made, "abbreviation:add").by == school.ira
    path = f"/abbreviation/edit/?id={made.id}"
    cast.ira.get(path)
    cast.ira.post(path, {"version": "1", "short": "OPAL", "meaning": "play outdoors"})
    assert Abbreviation.meanings()["OPAL"] == "play outdoors"
    assert Event.last(made, "abbreviation:edit").by == school.ira
    assert cast.dave.get("/abbreviation/").status_code == 403
    assert cast.carol.post(path, {"short": "OPAL", "meaning": "x"}).status_code == 403
    proof.history(TABLES)


def test_no_abbreviation_stands_there_twice(cast, school):
    count = Abbreviation.select().count()
    cast.ira.get("/abbreviation/new/")
    page = cast.ira.post("/abbreviation/new/", {"short": "DSL", "meaning": "something else"})
    assert page.status_code == 422 and "There is already one" in page.text_only
    assert "something else" in page.text and Abbreviation.select().count() == count > 60


def test_what_is_shipped_comes_once_and_leaves_alone_what_the_school_has(school):
    ours = Abbreviation.get(Abbreviation.short == "SLT")
    ours.short, ours.meaning = "SaLT", "speech therapy"
    ours.save()
    Abbreviation.update(key=None).where(Abbreviation.short == "OT").execute()
    count = Abbreviation.select().count()
    Abbreviation.ship()
    assert Abbreviation.select().count() == count
    assert Abbreviation.meanings()["SaLT"] == "speech therapy"


def test_a_text_is_explained_with_plurals_and_with_what_was_retired(school):
    retired = Abbreviation.get(Abbreviation.short == "LAC")
    retired.retired = True
    retired.save()
    assert "LAC" not in Abbreviation.meanings()
    found = Abbreviation.used_in(
        "The DSL’s note: two TAs took him to A&E.", None, "A LAC review/PEP; DSLX is nobody."
    )
    assert [short for short, _meaning in found] == ["A&E", "DSL", "LAC", "PEP", "TA"]
    assert dict(found)["TA"] == "teaching assistant"
    assert Abbreviation.used_in("", None) == []
