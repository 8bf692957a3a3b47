"""Each step four ways: works, wrong person, wrong moment, twice; and twenty at once for Trigger,
Begin and Complete.
"""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from admin_views.rails.reading import Reading
from models import TABLES, Assignee, Document, Event, Incident, Log, Notice, Refused, Tracker, db
from models.case.incident import ABOUT
from models.shelf import proof

from .conftest import answer_all, fill_in, report
from .person import Person

REASON = {"reason": "Because the social worker said so on the telephone."}
UNTOLD = REASON | {"untold": "The local authority tells them."}


def alert(school):
    return report(school)


def no_alert(school):
    return report(school, alert=False)


def decided_not(school):
    return report(school).not_notifiable(reason="Below the threshold.", by=school.mark)


def triggered(school):
    return Log.trigger(report(school), school.mark)


def begun(school):
    log = triggered(school)
    Tracker.begin(log, school.carol)
    return Log.get_by_id(log.id)


def ready(school):
    log = begun(school)
    fill_in(log, school.alice)
    answer_all(log.tracker.get(), school.carol)
    return log


def completed(school):
    return ready(school).complete(by=school.mark)


# verb: (page, right moment, wrong moment, right person, wrong person, what is typed, status after)
STEPS = {
    "log:trigger": ("incident", alert, no_alert, "mark", "carol", {}, "triggered"),
    "incident:not_notifiable": (
        "incident",
        alert,
        no_alert,
        "mark",
        "dave",
        REASON,
        "not notifiable",
    ),
    "incident:reconsider": ("incident", decided_not, alert, "mark", "carol", REASON, "to decide"),
    "incident:raise_alert": ("incident", no_alert, alert, "dave", "connor", REASON, "to decide"),
    "incident:withdraw_alert": ("incident", alert, no_alert, "mark", "dave", REASON, "no alert"),
    "tracker:begin": ("log", triggered, begun, "carol", "connor", {}, "tracking"),
    "log:complete": ("log", ready, triggered, "mark", "carol", {}, "completed"),
    "log:complete_anyway": ("log", triggered, completed, "alice", "mark", UNTOLD, "completed"),
    "log:reopen": ("log", completed, begun, "bob", "mark", REASON, "tracking"),
}
LABELS = {
    "log:trigger": ">Trigger notification<", "incident:not_notifiable": ">Not notifiable<", "incident:reconsider": ">Reconsider<",
    "incident:raise_alert": ">Change the answer to Yes</button>", "incident:withdraw_alert": ">Change the answer to No</button>",
    "tracker:begin": ">Begin safeguarding tracker</button>", "log:complete": ">Complete</button>",
    "log:complete_anyway": ">Complete anyway<", "log:reopen": ">Reopen</button>",
}  # fmt: skip


def state(record):
    fresh = type(record).get_by_id(record.id)
    return (
        fresh.status,
        Event.select()
        .where(
            Event.verb.not_in(
                ["incident:read", "log:read", "section:read", "record:refused", "user:signed_in"]
            )
        )
        .count(),
        Notice.select().count(),
        Log.select().count(),
    )


@pytest.mark.both
@pytest.mark.parametrize("verb", STEPS)
def test_works(verb, school, cast):
    page, right, _wrong, person, _other, typed, after = STEPS[verb]
    record, person = right(school), getattr(cast, person)
    assert LABELS[verb] in person.get(f"/{page}/details/?id={record.id}").text, (
        "the button is there"
    )
    assert person.press(verb, record, page, **typed).status_code == 200
    fresh = type(record).get_by_id(record.id)
    assert fresh.status == after
    event = Event.select().where(Event.verb == verb).order_by(Event.id.desc()).get()
    assert event.by == person.user and event.detail.get("reason", "") == typed.get("reason", "")
    told = {notice.user_id for notice in Notice.select().where(Notice.event == event)}
    log = Log.get_or_none(Log.incident == event.incident)
    assert told == ({row.user_id for row in Assignee.of(log)} if log else set()), (
        "everyone assigned is emailed, nobody else"
    )
    assert proof.history(TABLES)


@pytest.mark.parametrize("verb", STEPS)
def test_wrong_person(verb, school, cast):
    page, right, _wrong, _person, other, typed, _after = STEPS[verb]
    record, other = right(school), getattr(cast, other)
    seen = other.get(f"/{page}/details/?id={record.id}")
    assert seen.status_code == 404 or LABELS[verb] not in seen.text, "the button is absent"
    before = state(record)
    refused = other.press(verb, record, page, **typed)
    assert refused.status_code in (403, 404) and state(record) == before
    assert Event.last(record, "record:refused").by == other.user, "the refusal is written down"


@pytest.mark.parametrize("verb", STEPS)
def test_wrong_moment(verb, school, cast):
    page, _right, wrong, person, _other, typed, _after = STEPS[verb]
    record, person = wrong(school), getattr(cast, person)
    before = state(record)
    answer = person.press(verb, record, page, **typed)
    assert (
        answer.status_code == (200 if verb == "tracker:begin" else 409) and state(record) == before
    )
    if typed:
        assert typed["reason"] in answer.text, "what was typed is given back"


@pytest.mark.parametrize("verb", STEPS)
def test_twice(verb, school, cast):
    page, right, _wrong, person, _other, typed, after = STEPS[verb]
    record, person = right(school), getattr(cast, person)
    person.get("/")
    person.press(verb, record, page, **typed)
    before = state(record)
    again = person.press(verb, record, page, **typed)
    assert state(record) == before and before[0] == after
    if verb in ("log:trigger", "tracker:begin"):
        assert again.status_code == 200 and "/log/details/" in again.request.path, (
            "pressed again it lands on what was made"
        )
    else:
        assert again.status_code == 409 and f"“{after}”" in again.text


@pytest.mark.parametrize("verb", [verb for verb in STEPS if STEPS[verb][5]])
def test_without_a_reason_nothing_happens(verb, school, cast):
    page, right, _wrong, person, _other, _typed, _after = STEPS[verb]
    record, person = right(school), getattr(cast, person)
    person.get("/")
    before = state(record)
    answer = person.press(verb, record, page, reason="  ")
    assert (
        answer.status_code == 422
        and "Give the reason." in answer.text
        and "Nothing was saved yet" in answer.text
        and state(record) == before
    )


@pytest.mark.both
@pytest.mark.parametrize("verb", ["log:trigger", "tracker:begin", "log:complete"])
def test_twenty_at_once(verb, school, cast):
    page, right, _wrong, person, _other, _typed, after = STEPS[verb]
    record = right(school)
    signed_in = getattr(cast, person)
    cookie = signed_in.client.get_cookie("session").value

    def press(_number):
        one = Person(school.app, signed_in.user)
        one.client.set_cookie("session", cookie)
        one.token = signed_in.token
        return one.client.post(f"/{page}/action/", data=sent).status_code

    sent = {
        "csrf_token": signed_in.token,
        "action": verb,
        "rowid": record.id,
        "seen": getattr(record, "seen", ""),
        "kind": "Other serious event",
    }
    db.close()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(press, range(20)))
    db.connect()
    assert set(answers) <= {302, 409} and 302 in answers
    assert Event.select().where(Event.verb == verb).count() == 1
    assert (type(record).get_by_id(record.id).status, Log.select().count()) == (after, 1)
    assert Tracker.select().count() == (verb != "log:trigger") and Document.select().count() == (
        verb == "log:complete"
    )
    assert proof.history(TABLES) == Event.select().count()


def test_an_alert_no_incident_offers_neither(school, cast):
    incident = no_alert(school)
    page = cast.mark.get(f"/incident/details/?id={incident.id}").text
    assert (
        "Trigger notification" not in page
        and ">Not notifiable<" not in page
        and "Change the answer to Yes" in page
    )


def test_changing_the_answer_is_an_addendum_with_the_reason(school, cast):
    incident = no_alert(school)
    page = cast.dave.press("incident:raise_alert", incident, reason="The mother telephoned.")
    assert "changed from No to Yes. The mother telephoned." in page.text_only
    fresh = Incident.get_by_id(incident.id)
    assert (fresh.safeguarding_alert, fresh.alert) == (False, True), (
        "what was submitted stays as it was"
    )


def test_an_addendum_is_added_and_what_was_submitted_stays(school, cast):
    incident = alert(school)
    page = cast.dave.press("incident:amend", incident, text="She had the same mark on Tuesday.")
    assert (
        "She had the same mark on Tuesday." in page.text_only
        and incident.what_happened in page.text_only
    )
    assert cast.dina.press("incident:amend", incident, text="Me too").status_code == 404, (
        "Dina does not see Dave's report"
    )
    assert cast.dave.press("incident:amend", incident, text="").status_code == 422


def test_complete_is_refused_with_links_to_what_is_missing(school, cast):
    log = begun(school)
    page = cast.mark.press("log:complete", log)
    for text, record, anchor in log.missing():
        assert (
            text in page.text_only
            and f'href="/{record.noun()}/edit/?id={record.id}#{anchor}"' in page.text
        )
    assert Log.get().status == "tracking"


def test_nobody_signs_what_they_have_not_seen(school, cast):
    """Mark looks at the log; Carol saves a section and Dave adds to the incident; Mark presses
    Complete on the page that he has open.
    """
    log = ready(school)
    section = log.tracker.get().in_order()[1]
    form = re.search(
        r'name="seen"[^>]*value="([^"]+)"', cast.mark.get(f"/log/details/?id={log.id}").text
    ).group(1)
    section.save_answers(
        section.answers | {section.questions[0]["id"]: "She said something else."}, school.carol
    )
    log.incident.amend(text="Seen again at lunch.", by=school.dave)
    cast.dave.get(f"/incident/details/?id={log.incident_id}")  # a reading is no change
    page = cast.mark.press("log:complete", log, seen=form)
    assert (
        page.status_code == 409
        and Log.get().status == "tracking"
        and not Document.select().exists()
    )
    assert (
        "changed while you were looking" in page.text_only
        and "Carol Vaughan-Ŵyn saved a section" in page.text_only
    )
    assert (
        f'href="/section/edit/?id={section.id}' in page.text
        and "Dave Pritchard added to the incident" in page.text_only
    )
    for seen in ("", "x" * 64):
        assert (
            cast.mark.press("log:complete", log, seen=seen).status_code in (409, 422)
            and Log.get().status == "tracking"
        )
    again = re.search(r'name="seen"[^>]*value="([^"]+)"', page.text).group(1)
    assert (
        cast.mark.press("log:complete", log, seen=again).status_code == 200
        and Log.get().status == "completed"
    )


def test_what_is_saved_while_the_page_is_read_is_not_signed_unseen(school, cast, monkeypatch):
    """Alice saves the log in the moment between the reading of it and the drawing of the page."""
    log, read = ready(school), Reading.get_one
    cast.mark.get("/")

    def meanwhile(view, id):
        record = read(view, id)
        monkeypatch.setattr(Reading, "get_one", read)
        Log.get_by_id(log.id).edit(school.alice, summary="Nothing was seen.")
        return record

    monkeypatch.setattr(Reading, "get_one", meanwhile)
    page = cast.mark.get(f"/log/details/?id={log.id}")
    assert Log.get().summary == "Nothing was seen."
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', page.text).group(1)
    assert (
        cast.mark.press("log:complete", log, seen=seen).status_code == 409
        and Log.get().status == "tracking"
    )


def test_complete_anyway_is_asked_as_well_what_was_seen(school, cast):
    log = begun(school)
    seen = log.seen
    log.incident.amend(text="Seen again at lunch.", by=school.dave)
    page = cast.alice.press("log:complete_anyway", log, seen=seen, **UNTOLD)
    assert page.status_code == 409 and REASON["reason"] in page.text, "the reason is given back"
    assert cast.alice.press("log:complete_anyway", log, **UNTOLD).status_code == 200


def test_complete_anyway_keeps_what_was_missing(school, cast):
    log = begun(school)
    page = cast.alice.press("log:complete_anyway", log, **UNTOLD)
    assert "Summary for Ofsted" in page.text_only and REASON["reason"] in page.text_only
    assert Event.last(log, "log:complete_anyway").detail["missing"]


def test_a_log_completed_without_a_tracker_reopens_as_open(school):
    log = triggered(school)
    log.complete_anyway(reason="Triggered by mistake.", by=school.alice)
    assert log.reopen(reason="It was not a mistake.", by=school.bob).status == "open"


def test_a_completed_log_is_read_only_at_every_door(school, cast):
    log = completed(school)
    section = log.tracker.get().in_order()[0]
    cast.carol.get("/")
    before = state(log)
    assert (
        cast.carol.post(
            f"/log/edit/?id={log.id}", {"version": log.version, "setting": "Elsewhere"}
        ).status_code
        == 422
    )
    answer = cast.carol.post(
        f"/section/edit/?id={section.id}",
        {"version": section.version, f"q{section.questions[0]['id']}": "Typed in vain"},
    )
    assert answer.status_code == 409 and "Typed in vain" in answer.text, "the text is given back"
    assert cast.carol.get(f"/section/edit/?id={section.id}").text.count('method="post"') == 2, (
        "only Hide and Sign out are left to press"
    )
    for direct in (
        lambda: log.edit(school.alice, setting="Elsewhere"),
        lambda: log.assign([school.connor], school.alice),
    ):
        with pytest.raises(Refused, match="read-only"):
            direct()
    with pytest.raises(Refused, match="read-only"):
        section.save_answers({}, school.carol)
    with pytest.raises(Exception, match="sealed"):
        Log.update(summary="Changed in the database").where(Log.id == log.id).execute()
    assert state(log) == before


def test_a_level_5_whom_the_concern_is_about_is_not_assigned(school):
    incident = report(school, adults=[(school.bob, ABOUT)])
    log = Log.trigger(incident, school.mark)
    assert [row.user.name for row in Assignee.of(log)] == ["Alice Brennan"]
    with pytest.raises(Refused) as refused:
        log.assign([school.bob], school.alice)
    assert "Bob Adeyemi cannot be assigned" in refused.value.errors["assigned"]


def test_only_people_whose_role_may_see_logs_are_assigned(school, cast, log):
    page = cast.alice.get(f"/log/edit/?id={log.id}").text
    assert f'name="assigned" value="{school.connor.id}"' in " ".join(
        page.split()
    ) and f'name="assigned" value="{school.dave.id}"' not in " ".join(page.split())
    with pytest.raises(Refused) as refused:
        log.assign([school.dave], school.alice)
    assert "Dave Pritchard may not see Ofsted logs" in refused.value.errors["assigned"]
    log.assign([school.connor], school.alice)
    log.assign([school.connor], school.alice)
    assert Notice.select().where(Notice.user == school.connor).count() == 1, (
        "assigned once, emailed once"
    )
    log.assign([], school.alice)
    assert [row.user.name for row in Assignee.of(log)] == ["Alice Brennan", "Bob Adeyemi"], (
        "Level 5 stay"
    )
    assert cast.connor.get(f"/log/details/?id={log.id}").status_code == 404, (
        "taken off, he no longer sees it"
    )


def test_what_was_done_is_said_in_a_plain_sentence(school, cast):
    incident = alert(school)
    page = cast.mark.press("incident:not_notifiable", incident, **REASON)
    assert f"{incident}: you decided that it is not notifiable." in page.text_only
    assert "It is now" not in page.text_only


def test_the_address_of_a_step_opened_again_leads_to_the_list(school, cast):
    assert cast.mark.lands("/incident/action/") == "/incident/"
    assert cast.dave.lands("/task/action/") == "/task/"
