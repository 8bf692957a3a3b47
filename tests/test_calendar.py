"""Secret calendar addresses: days and no other word, without a session; dead when another is made,
when they are ended, and when somebody leaves.
"""

import re
from datetime import timedelta

import icalendar
import pytest

from models import Calendar, Case, Event, Notice, Share, Task, User, visible
from models.access import calendar
from models.access.accounts import edit_person
from models.case.incident import ABOUT
from models.case.owed import owed_of
from models.case.triage import MONITOR
from models.ground.clock import at, now
from models.ground.settings import settings

from .conftest import contact, report, run, triage
from .person import Person


def give(school, incident, what="Ring the mother", owner=None, days=3):
    return Task.give(
        incident,
        school.carol,
        what=what,
        owner=owner or school.alice,
        due_on=now().date() + timedelta(days=days),
        visible=visible,
    )


def ask(school, token, **kwargs):
    """What a calendar gets: it has no session and no cookie."""
    return school.app.test_client().get(f"/calendar/{token}.ics", **kwargs)


def days(answer):
    return [event.decoded("dtstart") for event in icalendar.Calendar.from_ical(answer.data).events]


def make(person):
    """Press the button on Your account; returns the page and the token on it."""
    person.get("/account/")
    page = person.post("/account/calendar/")
    return page, re.search(r'/calendar/([\w-]{43})\.ics"', page.text)[1]


@pytest.mark.both
def test_from_the_button_to_the_calendar(cast, school, incident):
    task = give(school, incident)
    give(school, incident, "Not hers", owner=school.mark)
    page, token = make(cast.alice)
    assert f'value="{settings.url}/calendar/{token}.ics"' in page.text
    assert "It is shown only now" in page.text_only
    assert token not in cast.alice.get("/account/").text, "shown once"
    assert token not in str(list(Calendar.select().dicts())), "only a hash of it is kept"
    assert all(token not in str(event.payload) for event in Event.select())
    told = Notice.select().order_by(Notice.id.desc()).first()
    assert told.user == school.alice and token not in told.body, "and she is told that there is one"
    answer = ask(school, token)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    assert answer.headers["Cache-Control"] == "private"
    assert "Set-Cookie" not in answer.headers
    assert days(answer) == [task.due_on], "her own"
    assert "SUMMARY:Safeguarding Tracker: something is due" in answer.text
    assert f"URL:{settings.url}/\r\n" in answer.text
    assert ask(school, token).text.split("DTSTAMP")[0] == answer.text.split("DTSTAMP")[0], (
        "the same entry at each asking"
    )
    task.done(effect="She comes on Friday.", by=school.alice)
    assert days(ask(school, token)) == []


def test_the_days_of_cases_and_the_hours_of_duties_stand_in_it_too(cast, school):
    with at(now()):
        first, second = report(school), report(school)
        ahead = {"review_on": now().date() + timedelta(days=9), "decision": MONITOR}
        triage(school, first, school.alice, opens=True, **ahead)
        triage(school, second, school.carol, **ahead)
        case, soon = Case.get(), now().date() + timedelta(days=20)
        hers, carols = make(cast.alice)[1], make(cast.carol)[1]
        assert days(ask(school, hers)) == [ahead["review_on"]], "of the case that she leads"
        assert days(ask(school, carols)) == [ahead["review_on"]], "in no case: whoever decided"
        case.monitor(until=soon, reason="Calmer.", by=school.alice)
        assert sorted(days(ask(school, hers))) == [ahead["review_on"], soon]
        triage(school, first, school.carol)
        assert days(ask(school, hers)) == [soon], "a later decision stands"
        Case.get().close_anyway(reason="She left.", by=school.alice)
        assert days(ask(school, hers)) == []
        triage(school, second, school.carol, decision="LADO")
        [owes] = owed_of(school.alice, visible)
        for token in (hers, carols):
            assert days(ask(school, token)) == [owes.due_at.replace(microsecond=0)], "the team’s"
        dave = make(cast.dave)[1]
        assert days(ask(school, dave)) == [], "who reported it learns nothing of the decision"
        uids = {line for line in ask(school, hers).text.split() if line.startswith("UID")}
        contact(school, second, body="LADO", kind="Referral")
        assert len(uids) == 1 and days(ask(school, hers)) == [], "done"


def test_it_holds_no_word_of_a_case(cast, school):
    incident = report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    task = give(school, incident, "Ring the LADO")
    triage(school, incident, school.alice, opens=True, decision="LADO")
    _page, token = make(cast.alice)
    text = ask(school, token).text
    assert text.count("BEGIN:VEVENT") == 2, "her task, and the duty"
    for word in (
        "LADO", "Ring", "Zofia", "INC-", "Alice", "alice", "Bob", "Carol", "task", "incident",
        settings.school, f"id={task.id}",
    ):  # fmt: skip
        assert word not in text, word
    lines = {
        line.partition(":")[0].partition(";")[0] for line in text.replace("\r\n ", "").split("\r\n")
    }
    assert lines - {""} == {
        "BEGIN", "END", "VERSION", "PRODID", "X-WR-CALNAME", "REFRESH-INTERVAL", "UID", "DTSTAMP",
        "DTSTART", "SUMMARY", "URL", "CLASS", "TRANSP",
    }  # fmt: skip


def test_what_is_shut_to_them_is_not_due(cast, school, incident):
    give(school, incident, owner=school.mark)
    _page, token = make(cast.mark)
    assert len(days(ask(school, token))) == 1
    Share.name_adult(incident, school.mark, "The child said so.", school.alice)
    assert days(ask(school, token)) == []


def test_the_thief_with_an_old_address(cast, school, incident):
    """Made anew, ended, left, come back, or unused for long: an old address opens nothing, and
    nobody learns which of it was the reason.
    """
    give(school, incident)
    unknown = ask(school, "x" * 43)
    assert unknown.status_code == 404

    def dead(token):
        answer = ask(school, token)
        return (answer.status_code, answer.data) == (404, unknown.data)

    _page, first = make(cast.alice)
    _page, second = make(cast.alice)
    assert dead(first) and not dead(second), "another one ends the one before"
    page = cast.alice.post("/account/calendar/", {"end": "1"})
    assert "is ended" in page.text_only and dead(second)
    assert Event.last(school.alice, "user:no_calendar").by == school.alice
    _page, third = make(cast.alice)
    with at(now() + timedelta(days=181)):
        assert dead(third)
    person = User.get_by_id(school.carol.id)
    token = Calendar.make(person)
    assert not dead(token)
    roles = list(person.roles)
    edit_person(person, school.ira, roles, active=False)
    assert dead(token) and Calendar.select().where(Calendar.user == person).count() == 0
    User.update(active=True).where(User.id == person.id).execute()
    assert dead(token), "with whoever comes back, it does not come back"


def test_who_may_not_sign_in_has_no_calendar_however_that_came(school):
    token = Calendar.make(school.alice)
    User.update(active=False).where(User.id == school.alice.id).execute()
    assert ask(school, token).status_code == 404


def test_a_browser_that_is_signed_in_gets_no_more_and_no_cookie(cast, school, incident):
    give(school, incident)
    token = Calendar.make(school.alice)
    for person in (cast.alice, cast.dave):
        answer = person.client.get(f"/calendar/{token}.ics")
        assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    cast.alice.get("/")
    cast.alice.post("/account/hide/", {"path": "/"})
    assert cast.alice.client.get(f"/calendar/{token}.ics").status_code == 200, "no session is asked"


def test_whoever_guesses_waits_and_others_do_not(school):
    token = Calendar.make(school.alice)
    moment = now()
    guesser = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    with at(moment):
        codes = [ask(school, f"guess{number}", **guesser).status_code for number in range(40)]
        assert codes[:30] == [404] * 30 and codes[-1] == 429
        assert ask(school, token, **guesser).status_code == 429, "right or wrong, from there"
        assert ask(school, token).status_code == 200, "from elsewhere as ever"
    with at(moment + timedelta(minutes=3)):
        assert ask(school, token, **guesser).status_code == 200
    with at(moment + timedelta(days=9)):  # a clock that is ahead
        assert [ask(school, "guess", **guesser).status_code for _time in range(40)][-1] == 429
    with at(moment + timedelta(minutes=6)):
        assert ask(school, token, **guesser).status_code == 200, "and put right shuts nobody out"
    calendar.WRONG.clear()
    for minute in range(0, 24 * 60, 15):  # an old address in a calendar that goes on asking
        with at(moment + timedelta(minutes=minute)):
            assert ask(school, "an-old-one").status_code == 404
            assert ask(school, token).status_code == 200


def test_when_a_calendar_asked_is_noted_once_an_hour(cast, school, monkeypatch):
    token = Calendar.make(school.alice)
    assert "no calendar has asked for it yet" in cast.alice.get("/account/").text_only
    ask(school, token)
    seen = Calendar.get().seen_at
    assert seen and "a calendar last asked for it on" in cast.alice.get("/account/").text_only
    with at(seen + timedelta(minutes=30)):
        ask(school, token)
    assert Calendar.get().seen_at == seen
    with at(seen + timedelta(days=170)):
        assert ask(school, token).status_code == 200
    with at(seen + timedelta(days=340)):
        assert ask(school, token).status_code == 200, "one that is used goes on"


def test_who_owns_no_task_has_no_use_for_one(app, cast, school):
    for person in (cast.ira, cast.grace):
        assert "Make a calendar address" not in person.get("/account/").text
        assert person.post("/account/calendar/").status_code == 403
    assert not Calendar.select().exists()
    stranger = Person(app, None)
    stranger.get("/login")
    assert "/login" in stranger.post("/account/calendar/", follow=False).location


def test_an_address_is_made_by_whoever_knows_the_passphrase(cast, school):
    cast.alice.get("/account/")
    with cast.alice.client.session_transaction() as kept:
        kept["fs_paa"] = 0
    page = cast.alice.post("/account/calendar/")
    assert "Your passphrase, please" in page.text_only and not Calendar.select().exists()


def test_a_restore_brings_back_no_address_that_was_ended_since(app, school, vault, elsewhere):
    token = Calendar.make(school.alice)
    assert run(app, "backup", vault).exit_code == 0
    Calendar.end(school.alice, school.alice)
    elsewhere()
    restored = run(app, "restore", vault)
    assert restored.exit_code == 0, restored.output
    assert User.get(User.email == school.alice.email) and not Calendar.select().exists()
    assert ask(school, token).status_code == 404
