"""The adult whom a concern is about, Level 5: at no door, list, search, count or page is there a
word of it, nor of its being there.
"""

import re

import pytest

from models import Draft, Event, Incident, Involved, Log, Notice, Refused, Share, User, db, visible
from models.case.incident import ABOUT, CLEARED
from models.ground.record import Base, NoIncident
from models.policy import VISIBLE, sees, who_sees

from .conftest import report

pytestmark = pytest.mark.both


@pytest.fixture
def about_bob(school, full):
    """All that a school can hold about a case, and it is about Bob, the head."""
    Share.name_adult(Incident.get(), school.bob, "The child said so.", school.mark)
    return Incident.get()


def test_no_model_shows_a_row_of_the_case_to_the_adult_whom_it_is_about(school, about_bob):
    """Each model that is of an incident, by the one rule; a new one is in this walk by being
    there.
    """
    bob, alice = User.get_by_id(school.bob.id), User.get_by_id(school.alice.id)
    for model in Base.every():
        if isinstance(model.belongs, NoIncident):
            assert model in VISIBLE or model.noun() not in ("notice", "event"), model
            continue
        of_it = [row.id for row in model.select() if row.its_incident() == about_bob.id]
        assert of_it, f"{model.noun()}: nothing to be hidden, so nothing is shown by this"
        seen = visible(model, bob).where(model.id.in_(of_it))
        assert not seen.exists(), (
            f"{model.noun()}: Bob sees {seen.count()} of {len(of_it)} rows of the case about him"
        )
        assert visible(model, alice).where(model.id.in_(of_it)).count() == len(of_it), model.noun()


def test_a_row_that_leads_to_no_incident_is_nobodys_and_not_everybodys(school, incident):
    event = Event.write("incident:read", incident, school.alice)
    assert visible(Event, school.bob).where(Event.id == event.id).exists()
    for column in (Event.incident,):
        found = Event.select().where(sees(school.bob, column), Event.incident.is_null())
        assert not found.exists(), (
            "what has no incident is let through by its own rule only, never by this one"
        )


PAGES = [
    "/",
    "/incident/",
    "/log/",
    "/notice/",
    "/event/",
    "/child/",
    "/user/",
    "/proposal/",
    "/account/",
]


def words_of(case):
    log = Log.get(Log.incident == case)
    return [case.reference, log.reference, case.what_happened, case.topic, "OFS-", "INC-"]


def test_bob_reads_no_word_of_it_on_any_page_list_search_or_csv(cast, school, about_bob):
    words, bob = words_of(about_bob), cast.bob
    lists = [f"{page}?search={term}" for page in PAGES for term in ("INC", "OFS", "wrist", "Zofia")]
    filters = [
        "/incident/?status=triggered",
        "/log/?status=completed",
        "/event/?what=Changes",
        "/event/?what=Refusals",
        "/notice/?status=sent",
    ]
    for path in [
        *PAGES,
        *lists,
        *filters,
        "/incident/export/csv/",
        "/log/export/csv/",
        "/child/details/?id=1",
    ]:
        text = bob.get(path).get_data(as_text=True)
        text = re.sub(r'(value|href)="[^"]*"', "", text)  # what he typed himself
        assert not [word for word in words if word in text], path
    for model, door in ((Incident, "incident"), (Log, "log"), (Notice, "notice")):
        for row in model.select():
            if row.its_incident() == about_bob.id:
                assert bob.get(f"/{door}/details/?id={row.id}").status_code == 404, (
                    f"{door} {row.id}"
                )


def test_what_was_refused_does_not_tell_him_that_it_is_there(cast, school, about_bob):
    """The finding: a named Level 5, refused an email at the door, read on her History page that it
    had been refused, with its subject.
    """
    notice = Notice.select().join(Event).where(Event.incident == about_bob.id).first()
    before = Event.head().id
    for path in (
        f"/notice/details/?id={notice.id}",
        "/notice/details/?id=4711",
        f"/log/details/?id={Log.get().id}",
        "/log/details/?id=4711",
    ):
        assert cast.bob.get(path).status_code == 404
    refusals = list(Event.select().where(Event.id > before, Event.verb == "record:refused"))
    assert len(refusals) == 4, (
        "written whether there is such a record or not: the number of events tells nothing"
    )
    text = cast.bob.get("/event/?what=Refusals").text_only
    assert "refused a record" not in text, "his own refusals are shown to others only"
    text = cast.alice.get("/event/?what=Refusals").text_only
    assert text.count("was refused a record") == 4, "to Alice, who sees the case, all four"
    Share.name_adult(report(school, by=school.dina), school.alice, "Another case.", school.mark)
    assert cast.alice.get("/event/?what=Refusals").text_only.count("was refused a record") == 2, (
        "named herself, only those of cases that she sees"
    )


def test_no_number_counts_what_is_hidden(cast, school, about_bob):
    """Neither the head of the history nor the numbers of events stand where they could be compared
    with what is shown.
    """
    head = Event.head()
    for path in ("/event/", "/"):
        text = cast.bob.get(path).text_only
        assert not re.search(rf"\b{head.id:,}\b|\b{head.id}\b", text), path
    hidden = Event.select().where(Event.incident == about_bob.id).order_by(Event.id).first()
    assert not re.search(
        rf"(?<![\d:]){hidden.id}(?![\d:])",
        re.sub(r"\d+:\d+|\d+ \w+ \d{4}", "", cast.bob.get("/event/").text_only),
    )


def test_naming_is_told_to_the_other_level_5_at_once_and_can_be_withdrawn(cast, school):
    """Mark names the head, unseen by all, it was thought: Alice is told at once, sees who did it
    and why, and withdraws it.
    """
    incident = report(school)
    cast.mark.get(f"/incident/details/?id={incident.id}")
    page = cast.mark.press(
        "incident:name_adult", incident, person=school.bob.label, reason="He was there."
    )
    assert (
        page.status_code == 200
        and cast.bob.get(f"/incident/details/?id={incident.id}").status_code == 404
    )
    told = Notice.select().join(Event).where(Event.verb == "incident:name_adult")
    assert [notice.user for notice in told] == [school.alice], (
        "the other Level 5, and not the named one"
    )
    assert "Bob" not in told.get().body and incident.reference in told.get().body
    text = cast.alice.get(f"/incident/details/?id={incident.id}").text_only
    assert "Bob Adeyemi, who see nothing of it" in text and "He was there." in text
    for person in (cast.mark, cast.carol):
        assert person.press(
            "incident:clear_adult", incident, person=school.bob.label, reason="x"
        ).status_code in (403, 409)
    assert (
        cast.alice.press(
            "incident:clear_adult", incident, person=school.bob.label, reason=""
        ).status_code
        == 422
    )
    page = cast.alice.press(
        "incident:clear_adult", incident, person=school.bob.label, reason="He was at a meeting."
    )
    assert "open to them again" in page.text_only
    assert cast.bob.get(f"/incident/details/?id={incident.id}").status_code == 200
    assert (
        cast.alice.press(
            "incident:clear_adult", incident, person=school.bob.label, reason="x"
        ).status_code
        == 409
    ), "once"
    rows = [
        row.part
        for row in Involved.select().where(Involved.incident == incident).order_by(Involved.id)
    ]
    assert rows == [ABOUT, CLEARED], "both stand in the record"
    assert school.bob in [person for person, _why in who_sees(incident)]
    Share.name_adult(incident, school.bob, "After all.", school.mark)
    assert school.bob not in [person for person, _why in who_sees(incident)], (
        "and named again he is shut out again"
    )


def test_an_adult_named_in_the_report_itself_is_told_to_the_other_level_5(school):
    report(school, adults=[(school.bob, ABOUT), (school.bob, ABOUT)])
    told = Notice.select().join(Event).where(Event.verb == "incident:report")
    assert [notice.user for notice in told] == [school.alice]
    Share.clear_adult(Incident.get(), school.bob, "Twice by mistake.", school.alice)
    assert school.bob in [person for person, _why in who_sees(Incident.get())], (
        "named twice, cleared once: cleared"
    )
    with pytest.raises(Refused, match="is not named"):
        Share.clear_adult(Incident.get(), school.bob, "Again.", school.alice)


def test_those_who_only_count_learn_of_no_few(cast, school):
    """A governor who knows of one case must not see it appear, and not see it leave."""
    for _ in range(4):
        report(school)
    text = cast.grace.get("/").text_only
    assert "fewer than 5" in text and " 4 " not in text
    for _ in range(3):
        report(school)
    assert re.search(r"Ofsted: to decide 7\b", cast.grace.get("/").text_only)
    assert Draft.select().count() == 0 and db
