"""Questions to the reporter: asked, answered as an addendum, withdrawn; and never to, or by,
somebody else.
"""

from datetime import timedelta

import pytest

from models import (
    TABLES,
    Addendum,
    Clarification,
    Event,
    Incident,
    Log,
    Notice,
    Refused,
    Share,
    User,
    visible,
)
from models.case.incident import ABOUT
from models.ground.clock import at, now
from models.shelf import proof

from .conftest import report

WRIST = "Which wrist was it?"


def soon(days=2):
    return now().date() + timedelta(days=days)


@pytest.fixture
def asked(school, incident):
    return Clarification.ask(incident, school.carol, WRIST, soon())


@pytest.mark.both
def test_from_the_incident_to_the_answer_in_the_browser(cast, school, incident):
    page = cast.carol.get(f"/incident/details/?id={incident.id}")
    assert "Ask the reporter" in page.text_only
    page = cast.carol.get(f"/clarification/new/?incident={incident.id}")
    assert "Dave Pritchard, Teacher of geography reported it" in page.text_only
    form = {"question": WRIST, "answer_by": soon().isoformat()}
    page = cast.carol.post(f"/clarification/new/?incident={incident.id}", form)
    assert WRIST in page.text_only and "Dave Pritchard is emailed" in page.text_only
    told = Notice.select().order_by(Notice.id.desc()).first()
    assert told.user == school.dave and "wrist" not in told.subject + told.body, "a neutral email"
    home = cast.carol.get("/").text_only
    assert "Waiting for answers" in home and WRIST in home, "it waits for somebody else"
    home = cast.dave.get("/")
    assert f"Carol Vaughan-Ŵyn asks: {WRIST}" in home.text_only and "Answer" in home.text_only
    question = Clarification.get()
    page = cast.dave.get(f"/clarification/details/?id={question.id}")
    assert WRIST in page.text_only and "Send the answer" in page.text_only
    page = cast.dave.press("clarification:answer", question, text="The left one.")
    assert "Your answer was added" in page.text_only and "The left one." in page.text_only
    addendum = Addendum.get()
    assert addendum.by == school.dave and addendum.text == f"Asked “{WRIST}” The left one."
    assert Clarification.get().addendum == addendum
    page = cast.carol.get(f"/incident/details/?id={incident.id}").text_only
    assert "The left one." in page and "answered" in page, "both stand on the incident's page"
    told = Notice.select().order_by(Notice.id.desc()).first()
    assert told.user == school.carol and "left" not in told.body
    assert WRIST not in cast.dave.get("/").text_only + cast.carol.get("/").text_only
    assert Event.last(question, "clarification:answer").by == school.dave
    assert proof.history(TABLES) == Event.select().count(), "the history vouches for both rows"


def test_nobody_else_answers(cast, school, asked):
    for person in (cast.dina, cast.connor):
        person.get("/")
        assert person.press("clarification:answer", asked, text="Me").status_code == 404
    page = cast.mark.press("clarification:answer", asked, text="I know it")
    assert page.status_code == 409 and "the person who reported it" in page.text_only
    assert "Send the answer" not in cast.mark.get(f"/clarification/details/?id={asked.id}").text
    Share.share(asked.incident, school.connor, "He drives her home.", school.mark)
    assert cast.connor.get(f"/incident/details/?id={asked.incident_id}").status_code == 200
    assert cast.connor.get(f"/clarification/details/?id={asked.id}").status_code == 404, (
        "whom it is shared with sees the incident, not what its reporter is asked"
    )
    assert WRIST not in cast.connor.get(f"/incident/details/?id={asked.incident_id}").text
    assert cast.dave.press("clarification:withdraw", asked, reason="No").status_code == 403
    assert cast.dave.get(f"/clarification/new/?incident={asked.incident_id}").status_code == 403
    assert cast.ira.get(f"/clarification/details/?id={asked.id}").status_code == 403
    assert Clarification.get().status == "asked" and not Addendum.select().exists()


def test_wrong_moment_and_twice(cast, school, asked):
    cast.dave.get("/")
    cast.dave.press("clarification:answer", asked, text="The left one.")
    page = cast.dave.press("clarification:answer", asked, text="No, the right one")
    assert page.status_code == 409 and "No, the right one" in page.text, "the text is given back"
    page = cast.carol.press("clarification:withdraw", asked, reason="Too late")
    assert page.status_code == 409 and Addendum.select().count() == 1


def test_withdrawn_with_a_reason(cast, school, asked):
    cast.carol.get("/")
    assert cast.carol.press("clarification:withdraw", asked, reason=" ").status_code == 422
    cast.carol.press("clarification:withdraw", asked, reason="The nurse knew.")
    assert Clarification.get().status == "withdrawn" and WRIST not in cast.dave.get("/").text_only
    assert Event.last(asked, "clarification:withdraw").detail["reason"] == "The nurse knew."
    assert cast.dave.press("clarification:answer", asked, text="Left").status_code == 409


def test_an_answer_left_out_or_a_past_day_is_told(cast, school, incident, asked):
    cast.dave.get("/")
    page = cast.dave.press("clarification:answer", asked, text="  ")
    assert page.status_code == 422 and "Write your answer." in page.text_only
    form = {"question": WRIST, "answer_by": soon(-1).isoformat()}
    page = cast.carol.post(f"/clarification/new/?incident={incident.id}", form)
    assert page.status_code == 422 and "This day is past" in page.text_only and WRIST in page.text


def test_a_reporter_who_cannot_answer_is_not_asked(cast, school, incident):
    form = {"question": WRIST, "answer_by": soon().isoformat()}
    own = report(school, by=school.carol)
    page = cast.carol.post(f"/clarification/new/?incident={own.id}", form)
    assert page.status_code == 422 and "You reported it yourself" in page.text_only
    assert "Ask the reporter" not in cast.carol.get(f"/incident/details/?id={own.id}").text_only
    User.update(active=False).where(User.id == school.dave.id).execute()
    page = cast.carol.post(f"/clarification/new/?incident={incident.id}", form)
    assert page.status_code == 422 and "Dave Pritchard has left" in page.text_only
    User.update(active=True).where(User.id == school.dave.id).execute()
    Share.name_adult(incident, school.dave, "The child said so.", school.mark)
    page = cast.carol.post(f"/clarification/new/?incident={incident.id}", form)
    assert page.status_code == 422 and "The concern is about Dave Pritchard" in page.text_only
    assert not Clarification.select().exists()


def test_named_or_gone_meanwhile_the_reporter_cannot_answer(cast, school, asked):
    cast.dave.get("/")
    gone = User.get_by_id(school.dave.id)
    gone.active = False
    with pytest.raises(Refused, match="Dave Pritchard has left"):
        Clarification.get_by_id(asked.id).answer(text="Left", by=gone)
    Share.name_adult(Incident.get(), school.dave, "The child said so.", school.mark)
    with pytest.raises(Refused, match="The concern is about Dave Pritchard"):
        Clarification.get_by_id(asked.id).answer(text="Left", by=school.dave)
    assert WRIST not in cast.dave.get("/").text_only
    assert cast.dave.press("clarification:answer", asked, text="Left").status_code == 404
    assert Clarification.get_by_id(asked.id).recipients() == [], "nor is he emailed"
    assert Clarification.get().status == "asked"


def test_the_adult_whom_it_is_about_sees_none_of_it(cast, school):
    incident = report(school, adults=[(school.bob, ABOUT)])
    asked = Clarification.ask(incident, school.carol, "What did Mr Adeyemi say?", soon())
    assert not visible(Clarification, school.bob).exists()
    pages = "".join(cast.bob.get(path).text for path in ("/", "/clarification/", "/event/"))
    assert "Mr Adeyemi say" not in pages and incident.reference not in pages
    assert cast.bob.get(f"/clarification/details/?id={asked.id}").status_code == 404
    assert cast.bob.get(f"/clarification/new/?incident={incident.id}").status_code == 404


def test_overdue_is_marked_for_whoever_asked(cast, school, asked):
    with at(now() + timedelta(days=3)):
        for path in ("/", f"/incident/details/?id={asked.incident_id}", "/clarification/"):
            page = cast.carol.get(path)
            assert "1 day late" in page.text_only and "chip late" in page.text, path
        assert "1 day late" in cast.dave.get("/").text_only


def test_what_was_answered_stands_on_the_paper(school, asked):
    asked.answer(text="The left one.", by=school.dave)
    log = Log.trigger(Incident.get(), school.mark)
    assert "The left one." in log.paper(restricted=True) and WRIST in log.paper(restricted=True)
