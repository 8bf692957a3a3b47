"""Fields that nobody has answered are drawn once: never an older list, label or word, and nothing
that a person typed.
"""

import re

import pytest

from admin_views.rails import drawn
from models import Abbreviation, Choice, Feedback, Guidance, Incident, Question, User
from models.ground.composed import LONGEST

from .conftest import guidance, referral, report
from .test_queries import counted

NEW = re.compile(r'name="(csrf_token|once|draft)" value="[^"]*"|draft=[\w-]+|data-token="[^"]*"')


def plain(page):
    """The forms of a page, without what is another one each time."""
    shown = NEW.sub("", "".join(re.findall("<form.*?</form>", page.text, re.DOTALL)))
    return re.sub(r"\d\d:\d\d", "", shown)


@pytest.fixture
def forms(school, log, tracker, case):
    """The pages with forms: new ones, and a record with its steps."""
    more = report(school)
    contact = referral(school, more)
    return [
        *("/incident/new/", "/incident/new/?small=1", "/child/new/", "/setting/new/", "/role/new/"),
        *("/guidance/new/", "/template/new/", "/choice/new/", "/abbreviation/new/", "/user/new/"),
        *(
            f"/{noun}/new/?incident={more.id}"
            for noun in ("task", "contact", "triage", "attachment")
        ),
        *(
            f"/{noun}/new/?child={more.child_id}"
            for noun in ("entry", "flag", "relation", "school")
        ),
        f"/incident/details/?id={more.id}",
        f"/contact/details/?id={contact.id}",
        f"/log/details/?id={log.id}",
        f"/log/edit/?id={log.id}",
        *(f"/section/edit/?id={one.id}" for one in tracker.in_order()[:5]),
    ]


def test_a_page_is_the_same_drawn_anew_and_drawn_once(cast, forms, monkeypatch):
    for path in forms:
        drawn.kept.clear()
        person = cast.ira if path.startswith(("/user/", "/role/")) else cast.alice
        first, again = person.get(path), person.get(path)
        assert first.status_code == 200 and "<form" in first.text, path
        with monkeypatch.context() as patch:
            patch.setattr(drawn, "drawn_from", lambda field: None)
            anew = person.get(path)
        assert plain(first) == plain(again) == plain(anew), path
    assert drawn.kept, "what was compared was kept"


def test_what_is_edited_is_on_the_next_page(cast, school):
    """A choice, a kind of injury, the words beside the form, and who is on the team."""
    new = "/incident/new/"
    for _time in range(2):
        page = cast.dave.get(new).text
    assert "Boat shed" not in page and "Graze of" not in page and "Ring the bell" not in page
    Choice.create(list="place", name="Boat shed", position=1)
    row = Choice.create(list="kind of injury or mark", name="Graze of the knee", position=1)
    page = cast.dave.get(new).text
    assert (
        '<option value="Boat shed">' in page
        and page.count("<option>Graze of the knee</option>") == 2
    )
    Choice.update(name="Graze of the elbow").where(Choice.id == row.id).execute()
    page = cast.dave.get(new).text
    assert "Graze of the knee" not in page and "Graze of the elbow" in page
    incident = report(school)
    path = f"/incident/details/?id={incident.id}"
    assert "Graze of the elbow" in cast.alice.get(path).text
    Choice.update(retired=True).where(Choice.id == row.id).execute()
    assert "Graze of the elbow" not in cast.alice.get(path).text
    assert "Graze of the elbow" not in cast.dave.get(new).text
    made = guidance(text="Ring the bell.")
    assert "Ring the bell." in cast.dave.get(new).text
    Guidance.update(text="Ring twice.", duty="01632 960199").where(Guidance.id == made.id).execute()
    page = cast.dave.get(new).text
    assert "Ring twice." in page and "01632 960199" in page and "Ring the bell" not in page
    assert "Deputy DSL" in page
    User.update(job_title="Lead for safety").where(User.id == school.carol.id).execute()
    assert "Lead for safety" in cast.dave.get(new).text
    User.update(active=False).where(User.id == school.carol.id).execute()
    assert "Lead for safety" not in cast.dave.get(new).text


def test_a_word_of_the_glossary_is_known_at_once(cast, answers):
    sent = answers | {"what_happened": "The QZX of the class saw it.", "hints": "once"}
    cast.dave.get("/incident/new/")
    assert "QZX" in cast.dave.post("/incident/new/", sent).text
    Abbreviation.create(short="QZX", meaning="Quiet zone")
    page = cast.dave.post("/incident/new/", sent)
    assert "Saved as INC-" in page.text_only and Incident.select().count() == 1


def test_a_question_that_is_edited_is_asked_in_its_new_words(cast):
    question = Question.select().order_by(Question.id).first()
    path = f"/question/edit/?id={question.id}"
    before = cast.alice.get(path).text
    field = next(one for one in ("help", "text") if getattr(question, one))
    Question.update(**{field: "Said otherwise"}).where(Question.id == question.id).execute()
    assert "Said otherwise" not in before and "Said otherwise" in cast.alice.get(path).text


def test_nothing_that_is_typed_and_no_name_is_kept(cast, school, answers):
    drawn.kept.clear()
    typed = answers | {"what_happened": "Seen by the boat shed", "place": "", "topic": "Quay"}
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", typed)
    assert page.status_code == 422 and "Seen by the boat shed" in page.text
    assert cast.dave.get("/incident/new/").status_code == 200
    assert cast.alice.get(f"/incident/details/?id={report(school).id}").status_code == 200
    assert cast.carol.get("/task/new/?incident=1").status_code == 200
    whole = "".join(map(str, drawn.kept.values())) + repr(list(drawn.kept))
    assert "body-map" in whole and "Classroom" in whole
    names = [one.name for one in (*school.children, school.dave, school.alice)]
    told = [word for word in (*names, "boat shed", "Quay", 'value="yes" checked') if word in whole]
    assert told == []


def test_a_draft_that_cannot_be_read_yet_is_its_writers(cast):
    drawn.kept.clear()
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", {"told_dsl_at": "31/02 or so", "draft": "1"})
    assert "31/02 or so" in page.text
    assert "31/02 or so" not in cast.carol.get("/incident/new/").text
    page = cast.dave.post("/incident/new/", {"told_dsl_at": "the day after", "draft": "1"})
    assert "the day after" in page.text and "31/02 or so" not in page.text


def test_it_keeps_no_more_than_it_says(cast, monkeypatch):
    monkeypatch.setattr(drawn, "MOST", 5)
    drawn.kept.clear()
    page = cast.dave.get("/incident/new/")
    assert page.status_code == 200 and len(drawn.kept) == 5


def test_a_query_asks_of_as_many_as_it_is_given(school, cast):
    from models.case.owed import adults
    from models.case.triage import Triage

    rows = [
        report(school, adults=[(school.bob, "The concern is about this adult")]) for _ in range(3)
    ]
    ids = [one.id for one in rows]
    for some in ([], ids[:1], ids, ids[::-1], [*ids, *range(900, 900 + LONGEST)]):
        assert adults(some) == set(some) & set(ids)
        assert Triage.decided(some) == []
    assert Feedback.ids_of(ids[0]) == []
    with counted() as statements:
        adults(ids)
    assert len(statements) == 1 and statements[0].count("?") + statements[0].count("%s") == 5
