"""Need to know: shares, adults whom it is about, emergency access, and who can see a record."""

from datetime import timedelta

import pytest

from models import (
    Attachment,
    Document,
    Emergency,
    Event,
    Incident,
    Log,
    Notice,
    Refused,
    Share,
    User,
    visible,
    who_sees,
)
from models.case.incident import ABOUT
from models.ground.clock import at, now

from .conftest import report

pytestmark = pytest.mark.both


def test_share_with_a_named_person_and_withdraw(cast, school, incident):
    assert cast.dina.get(f"/incident/details/?id={incident.id}").status_code == 404
    cast.mark.get("/")
    page = cast.mark.press(
        "incident:share", incident, person="Dina El-Sayed", reason="She is the form tutor."
    )
    assert "is shared" in page.text_only and "shared by Mark Kowalczyk" in page.text_only
    assert cast.dina.get(f"/incident/details/?id={incident.id}").status_code == 200
    assert (
        cast.mark.press(
            "incident:share", incident, person="Dina El-Sayed", reason="Again"
        ).status_code
        == 409
    )
    assert (
        cast.carol.press(
            "incident:share", incident, person="Connor Ó Briain", reason="x"
        ).status_code
        == 403
    )
    for wrong in ({"person": "Nobody", "reason": "x"}, {"person": "dina el sayed", "reason": ""}):
        assert cast.mark.press("incident:share", incident, **wrong).status_code == 422
    cast.mark.press("incident:unshare", incident, person=school.dina.label)
    assert cast.dina.get(f"/incident/details/?id={incident.id}").status_code == 404
    verbs = [event.verb for event in Event.of_incident(incident.id)]
    assert "incident:share" in verbs and "incident:unshare" in verbs
    assert Share.select().count() == 1, "kept"


def test_an_adult_whom_the_concern_is_about_cannot_be_shared_with(cast, school):
    incident = report(school, adults=[(school.dina, ABOUT)])
    cast.mark.get("/")
    assert (
        "cannot be shared with Dina"
        in cast.mark.press("incident:share", incident, person="Dina El-Sayed", reason="x").text_only
    )


def test_the_last_level_5_cannot_be_named_away(school, incident):
    Share.name_adult(incident, school.bob, "Said the child.", by=school.mark)
    with pytest.raises(Refused, match="chair of governors"):
        Share.name_adult(incident, school.alice, "Said the child.", by=school.mark)


def test_an_adult_named_later_is_shut_out_from_then_on(cast, school, log):
    log.assign([school.connor], school.alice)
    incident = log.incident
    assert cast.connor.get(f"/log/details/?id={log.id}").status_code == 200
    assert (
        cast.carol.press(
            "incident:name_adult", incident, person="Connor Ó Briain", reason="x"
        ).status_code
        == 403
    )
    cast.mark.get("/")
    assert (
        cast.mark.press(
            "incident:name_adult", incident, person="Connor Ó Briain", reason=" "
        ).status_code
        == 422
    )
    page = cast.mark.press(
        "incident:name_adult", incident, person="Connor Ó Briain", reason="The child said so."
    )
    assert "is shut to them" in page.text_only and "The concern is about Connor" in page.text_only
    assert cast.connor.get(f"/log/details/?id={log.id}").status_code == 404
    assert (
        cast.mark.press(
            "incident:name_adult", incident, person="Connor Ó Briain", reason="Again"
        ).status_code
        == 409
    )
    before = Notice.select().where(Notice.user == school.connor).count()
    log.complete_anyway(reason="For the test.", by=school.alice)
    assert Notice.select().where(Notice.user == school.connor).count() == before, (
        "and no longer emailed"
    )


def test_emergency_access_is_for_reading(cast, school, log, tracker):
    section = tracker.in_order()[0]
    Emergency.begin(school.connor, "Nobody answers.")
    assert cast.connor.get(f"/section/edit/?id={section.id}").status_code == 200
    assert (
        cast.connor.post(
            f"/section/edit/?id={section.id}",
            {"version": section.version, f"q{section.questions[0]['id']}": "x"},
        ).status_code
        == 403
    )


def test_if_every_level_5_is_named_the_form_says_where_to_go(cast, school, answers):
    cast.dave.get("/incident/new/")
    rows = {
        "adults-rows": "2",
        "adults-0-name": school.alice.label,
        "adults-0-part": ABOUT,
        "adults-1-name": school.bob.label,
        "adults-1-part": ABOUT,
    }
    page = cast.dave.post("/incident/new/", answers | rows)
    assert (
        page.status_code == 422
        and "chair of governors" in page.text_only
        and "LADO" in page.text_only
        and Incident.select().count() == 0
    )


def test_emergency_access_for_24_hours_loudly(cast, school, incident):
    assert cast.connor.get(f"/incident/details/?id={incident.id}").status_code == 404
    cast.connor.get("/account/")
    assert cast.connor.post("/account/emergency/", {"reason": " "}).status_code == 422
    page = cast.connor.post(
        "/account/emergency/", {"reason": "A child is missing and nobody answers."}
    )
    assert "Every Level 5 has been told" in page.text_only
    assert cast.connor.get(f"/incident/details/?id={incident.id}").status_code == 200
    assert {notice.user.name for notice in Notice.select()} == {"Alice Brennan", "Bob Adeyemi"}
    assert cast.connor.post("/account/emergency/", {"reason": "Again"}).status_code == 409
    assert cast.dave.post("/account/emergency/", {"reason": "Me too"}).status_code in (400, 403)
    assert (
        "emergency access until" in cast.mark.get(f"/incident/details/?id={incident.id}").text_only
    )
    about = report(school, adults=[(school.connor, ABOUT)])
    assert cast.connor.get(f"/incident/details/?id={about.id}").status_code == 404, (
        "never one about them"
    )
    with at(now() + timedelta(hours=24, minutes=1)):
        assert not visible(Incident, User.get_by_id(school.connor.id)).exists()


def test_who_can_see_this_is_what_the_policy_says(school):
    cases = [
        report(school),
        report(school, by=school.dina, adults=[(school.alice, ABOUT)]),
        report(school, by=school.connor),
    ]
    log = Log.trigger(cases[0], school.mark)
    log.assign([school.connor], school.alice)
    Share.share(cases[1], school.dave, "He teaches her.", by=school.mark)
    Emergency.begin(school.connor, "Nobody answers.")
    for incident in cases:
        said = {person.name for person, _reasons in who_sees(incident)}
        true = {
            user.name
            for user in User.select()
            if visible(Incident, user).where(Incident.id == incident.id).exists()
        }
        assert said == true, incident
        assert all(reasons for _person, reasons in who_sees(incident))


def test_who_can_see_this_is_on_each_record_page(cast, school, log):
    for page in (f"/incident/details/?id={log.incident_id}", f"/log/details/?id={log.id}"):
        text = cast.alice.get(page).text_only
        assert "Who can see this, and why" in text and "Dave Pritchard – reported it" in text


def test_every_read_and_refusal_is_an_event(cast, school, log):
    cast.carol.get(f"/log/details/?id={log.id}")
    cast.connor.get(f"/log/details/?id={log.id}")
    cast.dina.get(f"/incident/details/?id={log.incident_id}")
    assert (
        Event.last(log, "log:read").by == school.carol
        and Event.last(log, "record:refused").by == school.connor
    )
    assert Event.last(log.incident, "record:refused").by == school.dina
    ready = Attachment.add(log.incident, school.dave, "note.txt", b"A note.")
    log.complete_anyway(reason="For the test.", by=school.alice)
    for path, record in (
        (f"/incident/file/?id={ready.id}", ready),
        (f"/log/copy/?id={Document.get().id}", Document.get()),
    ):
        assert (
            cast.connor.get(path).status_code == 404
            and Event.last(record, "record:refused").by == school.connor
        )
    assert (
        "Dina El-Sayed was refused a record"
        in cast.alice.get(f"/incident/details/?id={log.incident_id}").text_only
    )
