"""When emails come: at once, once a day in one, and not in the hours that a person chose."""

import re
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

import app as application
from models import (
    VOCABULARY,
    Event,
    Incident,
    Log,
    Notice,
    Refused,
    Share,
    Task,
    Tracker,
    User,
    db,
    visible,
)
from models.access.accounts import choose_emails
from models.case.incident import ABOUT
from models.ground.clock import at, now
from models.history.notice import DIGEST, SUBJECT, URGENT
from models.shelf import digest

from .conftest import report, triage
from .faults import killed_at, post_office, whole

both = pytest.mark.both  # where engines differ: who claims what, and what a crash leaves

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday
MORNING = datetime(2026, 11, 25, 7, 30, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def inbox(app):
    with post_office(app) as office:
        yield office


@pytest.fixture
def monday(school):
    """Everything of the tests happens at noon on a Tuesday, unless they say otherwise."""
    with at(NOON):
        yield school


def post(app, moment, inbox=None):
    """What the deliverer does at `moment`; the emails that went, as (to, text)."""
    with at(moment), app.app_context():
        digest.gather(visible)
        before = len(inbox.letters)
        Notice.deliver(application.send)
        return [
            (letter["To"].split("@")[0], "\n".join(letter.get_content().splitlines()))
            for letter in inbox.letters[before:]
        ]


def begun(school):
    """A log whose tracker Carol began: one urgent email each, and one that can wait."""
    log = Log.trigger(report(school), school.mark)
    Tracker.begin(log, school.carol)
    return Log.get_by_id(log.id)


def state():
    return [
        (n.user.name.split()[0], n.event.verb, n.status)
        for n in Notice.select().order_by(Notice.id)
    ]


@both
def test_one_email_a_day_tells_of_all_that_could_wait(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, False, None, None)
    log = begun(school)
    assert [to for to, text in post(app, NOON, inbox)] == ["alice", "bob", "bob"], (
        "a notification triggered is urgent, and Bob chose nothing"
    )
    with at(NOON + MINUTE):
        log.assign([school.connor, school.alice, school.bob], school.mark)
    assert post(app, MORNING - MINUTE, inbox) and not post(app, MORNING - MINUTE, inbox)
    assert ("Alice", "tracker:begin", "waiting") in state()
    [(to, text)] = post(app, MORNING, inbox)
    assert to == "alice" and inbox.letters[-1]["Subject"] == SUBJECT
    assert (
        f"Carol Vaughan-Ŵyn began the safeguarding tracker.\nReference: {log.reference}\nhttp://127.0.0.1:5000/log/details/?id={log.id}\n"
        in text
    )
    assert "triggered" not in text and "tracking" not in text and "Zofia" not in text
    assert ("Alice", "tracker:begin", "sent") in state() and ("Alice", DIGEST, "sent") in state()
    assert whole()
    assert not post(app, MORNING + MINUTE, inbox) and not post(app, MORNING + DAY, inbox), "once"


def test_what_comes_after_the_email_of_the_day_waits_for_the_next(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, False, None, None)
    log = begun(school)
    post(app, NOON, inbox)
    assert not post(app, NOON + 2 * MINUTE, inbox), "it is past 07:30, and it came after"
    assert len(post(app, MORNING, inbox)) == 1
    with at(MORNING + MINUTE):
        log.complete_anyway(reason="Because.", by=school.alice)
    assert [to for to, text in post(app, MORNING + 2 * MINUTE, inbox)] == ["bob"]
    [(to, text)] = post(app, MORNING + DAY, inbox)
    assert to == "alice" and "began" not in text
    assert "completed the log although something was missing" in text and "Because" not in text


@both
def test_an_adult_named_meanwhile_is_told_nothing(app, cast, monday, inbox):
    school = monday
    choose_emails(school.bob, True, False, None, None)
    choose_emails(school.alice, True, False, None, None)
    log = begun(school)
    other = begun(school)
    post(app, NOON, inbox)
    Share.name_adult(log.incident, school.bob, "It is he.", school.mark)
    [(to, text)] = post(app, NOON + MINUTE, inbox)
    assert (to, "adult" in text) == ("alice", False), "urgent, and it does not say what kind it is"
    told = dict(post(app, MORNING, inbox))
    assert log.reference not in told["bob"] and other.reference in told["bob"]
    assert log.reference in told["alice"] and other.reference in told["alice"]
    assert ("Bob", "tracker:begin", "withheld") in state() and whole()
    bobs = Notice.select().join(Event).where(Event.verb == DIGEST, Notice.user == school.bob).get()
    page = cast.bob.get(f"/notice/details/?id={bobs.id}")
    assert other.reference in page.text_only and log.reference not in page.text_only
    Share.name_adult(other.incident, school.bob, "This one, too.", school.mark)
    page = cast.bob.get(f"/notice/details/?id={bobs.id}")
    assert (
        "Nothing of it may be seen any more" in page.text_only and other.reference not in page.text
    )


def test_that_others_had_an_email_of_the_day_is_told_to_nobody(app, cast, monday, inbox):
    """To the adult whom the only case is about, it would say that there is one."""
    school = monday
    choose_emails(school.alice, True, False, None, None)
    incident = report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    Tracker.begin(Log.trigger(incident, school.mark), school.carol)
    post(app, NOON, inbox)
    assert len(post(app, MORNING, inbox)) == 1
    alices = Notice.select().join(Event).where(Event.verb == DIGEST).get()
    for page in (
        "/event/",
        "/event/?what=Changes",
        "/event/?what=The+installation",
        "/notice/",
        "/",
    ):
        text = cast.bob.get(page).text_only
        assert "a day’s emails" not in text and "delivered an email" not in text, page
    assert cast.bob.get(f"/notice/details/?id={alices.id}").status_code == 404
    assert cast.carol.get(f"/notice/details/?id={alices.id}").status_code == 404, (
        "it is Alice’s own"
    )
    assert "The emails of a day, in one" in cast.alice.get("/notice/").text_only


def test_nothing_left_to_tell_is_not_sent(app, monday, inbox):
    school = monday
    choose_emails(school.bob, True, False, None, None)
    log = begun(school)
    post(app, NOON, inbox)
    Share.name_adult(log.incident, school.bob, "It is he.", school.mark)
    post(app, NOON, inbox)
    assert not post(app, MORNING, inbox)
    assert [s for s in state() if s[0] == "Bob" and s[2] != "sent"] == [
        ("Bob", "tracker:begin", "withheld"), ("Bob", DIGEST, "withheld")
    ]  # fmt: skip
    assert whole() and not post(app, MORNING + MINUTE, inbox)


def test_who_is_named_while_an_email_cannot_be_delivered_does_not_get_it(app, monday, inbox):
    school = monday
    inbox.addresses["bob@thornley.example"] = "452 Mailbox full"
    log = Log.trigger(report(school), school.mark)
    post(app, NOON, inbox)
    Share.name_adult(log.incident, school.bob, "It is he.", school.mark)
    inbox.addresses.clear()
    assert [to for to, text in post(app, NOON + DAY, inbox)] == ["alice"]
    assert ("Bob", "log:trigger", "withheld") in state() and whole()
    assert Event.select().where(Event.verb == "notice:withhold").get().incident == log.incident_id


def test_the_deliverer_gathers_by_itself(app, monday, inbox, monkeypatch):
    monkeypatch.setattr(application, "soon", {})
    choose_emails(monday.alice, True, False, None, None)
    begun(monday)
    post(app, NOON, inbox)
    with at(MORNING):
        application.deliver(app)
    assert ("Alice", DIGEST, "sent") in state() and ("Alice", "tracker:begin", "sent") in state()


@both
def test_two_deliverers_at_once_send_one(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, False, None, None)
    begun(school)
    post(app, NOON, inbox)

    def work():
        with at(MORNING), app.app_context(), db.connection_context():
            digest.gather(visible)
            Notice.deliver(application.send)

    before = len(inbox.letters)
    threads = [Thread(target=work) for _one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(inbox.letters) == before + 1 and whole()
    assert Event.select().where(Event.verb == DIGEST).count() == 1


@both
def test_killed_at_each_statement_it_is_sent_once(app, monday, inbox):
    """Whatever is half done is done again, and the email keeps its id."""
    school = monday
    choose_emails(school.alice, True, True, None, None)
    log = begun(school)
    log.tracker.get().in_order()[0].save_answers({}, school.carol)
    post(app, NOON, inbox)
    before = len(inbox.letters)

    def work():
        with at(moment), app.app_context():
            digest.gather(visible)
            Notice.deliver(application.send)

    killed, moment = 0, MORNING
    while killed_at(killed, work):
        killed, moment = killed + 1, moment + timedelta(minutes=6)  # past the lease of the dead one
        assert whole()
    assert (
        killed > 20
        and not Notice.select().where(Notice.status.in_(("waiting", "gathered"))).exists()
    )
    assert len(set(inbox.ids[before:])) == 1 and len(inbox.letters) > before
    assert Event.select().where(Event.verb == DIGEST).count() == 1
    for letter in inbox.letters[before:]:
        assert "began the safeguarding tracker" in letter.get_content()
        assert "saved section 1." in letter.get_content()


def test_refused_for_good_it_fails_visibly_and_can_be_tried_again(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, False, None, None)
    begun(school)
    post(app, NOON, inbox)
    inbox.addresses["alice@thornley.example"] = "550 No such person"
    assert not post(app, MORNING, inbox)
    assert ("Alice", DIGEST, "failed") in state() and (
        "Alice",
        "tracker:begin",
        "gathered",
    ) in state()
    assert whole() and Notice.stuck().count() == 1
    inbox.addresses.clear()
    with at(MORNING + MINUTE):
        assert Notice.retry(school.ira) == 1
    assert len(post(app, MORNING + 2 * MINUTE, inbox)) == 1
    assert ("Alice", "tracker:begin", "sent") in state() and whole()


def test_after_a_restore_nothing_is_gathered_until_a_level_5_releases(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, False, None, None)
    begun(school)
    post(app, NOON, inbox)
    Event.write("event:restore", Event(), None)
    assert not post(app, MORNING, inbox) and ("Alice", "tracker:begin", "waiting") in state()
    Notice.release(by=school.bob)
    assert len(post(app, MORNING + DAY, inbox)) == 1 and whole()


def test_a_choice_taken_back_sends_what_waits_at_once(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, False, None, None)
    begun(school)
    post(app, NOON, inbox)
    choose_emails(school.alice, False, False, None, None)
    [(to, text)] = post(app, NOON, inbox)
    assert to == "alice" and "began" in text and not post(app, MORNING, inbox) and whole()


# hours in which none is sent


@pytest.mark.parametrize(
    ("begin", "end", "moment", "quiet"),
    [
        ("18:00", "07:30", "2026-11-24T17:59", False),
        ("18:00", "07:30", "2026-11-24T18:00", True),
        ("18:00", "07:30", "2026-11-25T00:00", True),
        ("18:00", "07:30", "2026-11-25T07:29", True),
        ("18:00", "07:30", "2026-11-25T07:30", False),
        ("09:00", "15:00", "2026-11-25T12:00", True),
        ("09:00", "15:00", "2026-11-25T15:00", False),
        ("09:00", "15:00", "2026-11-25T08:59", False),
        ("18:00", "07:30", "2026-07-01T17:00", True),  # 18:00 in London
        ("18:00", "07:30", "2026-07-01T06:30", False),  # 07:30 there
        ("00:30", "01:30", "2026-10-25T00:15", True),  # 01:15 of the first clock
        ("00:30", "01:30", "2026-10-25T00:45", False),
        ("01:15", "01:45", "2026-03-29T01:20", False),  # 02:20: these hours were not there
    ],
)  # fmt: skip
def test_the_hours_are_those_of_the_clock_in_london(begin, end, moment, quiet):
    person = User(quiet_from=begin, quiet_until=end)
    assert person.quiet(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is quiet


@pytest.mark.parametrize(
    ("until", "moment", "due"),
    [
        (None, "2026-11-25T07:29", "2026-11-24T07:30"),
        (None, "2026-11-25T07:30", "2026-11-25T07:30"),
        (None, "2026-07-01T06:30", "2026-07-01T06:30"),  # 07:30 in London
        ("09:00", "2026-11-28T10:00", "2026-11-28T09:00"),  # a Saturday like any day
        (None, "2026-03-29T06:29", "2026-03-28T07:30"),  # the night had 23 hours
        (None, "2026-03-29T06:30", "2026-03-29T06:30"),
        (None, "2026-10-25T07:29", "2026-10-24T06:30"),  # and this one 25
        (None, "2026-10-25T07:30", "2026-10-25T07:30"),
        ("01:30", "2026-10-25T00:30", "2026-10-25T00:30"),  # there twice: at the first
        ("01:30", "2026-10-25T01:30", "2026-10-25T00:30"),
        ("01:30", "2026-03-29T01:30", "2026-03-29T01:30"),  # not there: at what stands for it
    ],
)  # fmt: skip
def test_when_the_email_of_the_day_is_due(until, moment, due):
    moment, due = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (moment, due))
    assert User(quiet_until=until).daily_due(moment) == due


@pytest.mark.parametrize("night", ["2026-10-24T20:00", "2026-03-28T20:00", "2026-11-24T20:00"])
def test_quiet_hours_over_midnight_hold_what_can_wait_and_nothing_else(app, school, inbox, night):
    evening = datetime.fromisoformat(night).replace(tzinfo=UTC)
    with at(evening):
        choose_emails(school.alice, False, False, "18:00", "7.30")
        log = begun(school)
    end = User.get_by_id(school.alice.id).daily_due(evening + DAY)
    assert [to for to, text in post(app, evening, inbox)] == ["alice", "bob", "bob"]
    assert not post(app, evening + timedelta(hours=5), inbox) and not post(app, end - MINUTE, inbox)
    [(to, text)] = post(app, end, inbox)
    assert to == "alice" and log.reference in text and not post(app, end + MINUTE, inbox)
    assert whole()


def test_the_email_of_the_day_comes_at_the_end_of_the_quiet_hours(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, False, "16:00", "09:15")
    begun(school)
    post(app, NOON, inbox)
    assert not post(app, MORNING, inbox)
    assert len(post(app, MORNING.replace(hour=9, minute=15), inbox)) == 1 and whole()


def test_what_is_urgent_comes_in_the_quiet_hours(app, cast, monday, inbox):
    """Whatever somebody at an unlocked screen chooses in another's name."""
    from models import Device, Emergency, Proposal, Role
    from models.access.proposal import tell
    from models.shelf import upkeep

    school = monday
    choose_emails(school.alice, True, True, "00:00", "23:59")
    incident = report(school, adults=[(school.dina, ABOUT)])
    log = Log.trigger(incident, school.mark)
    Share.name_adult(incident, school.dave, "He, too.", school.mark)
    Share.clear_adult(incident, school.dave, "By mistake.", by=school.bob)
    Emergency.begin(school.connor, "A child is at risk.")
    Proposal.make(school.ira, "grant", user=school.dave, role=Role.get(Role.name == "Manager"))
    Device.tell(school.carol, "Firefox on Windows")
    tell(school.dave, school.ira, "something")
    upkeep.daily([])
    Notice.announce("incident:alarm", incident, None, [school.alice])
    Event.write("incident:read", incident, school.grace)
    Tracker.begin(log, school.carol)
    post(app, NOON, inbox)
    alices = {n.event.verb: n.status for n in Notice.select().where(Notice.user == school.alice)}
    assert alices == dict.fromkeys([*URGENT, "emergency:begin", "proposal:make", "user:new_browser", "user:told", "event:anchor"], "sent") | {"tracker:begin": "waiting"}  # fmt: skip
    assert set(URGENT) <= set(VOCABULARY)


# which sections were saved


@both
def test_sections_saved_are_told_once_a_day_to_those_who_chose_it(app, monday, inbox):
    school = monday
    log = begun(school)
    sections = log.tracker.get().in_order()
    sections[4].save_answers({}, school.carol)  # before she chose: not told
    choose_emails(school.alice, False, True, None, None)
    for section in (sections[2], sections[0], sections[2]):
        section.save_answers({}, school.carol)
    sections[1].save_answers({}, school.alice)  # her own
    post(app, NOON, inbox)
    assert not post(app, MORNING - MINUTE, inbox)
    [(to, text)] = post(app, MORNING, inbox)
    assert to == "alice"
    assert (
        f"Carol Vaughan-Ŵyn saved sections 1, 3.\nReference: {log.reference}\nhttp://127.0.0.1:5000/log/details/?id={log.id}\n"
        in text
    )
    assert sections[0].title not in text and text.count("saved") == 1
    assert not post(app, MORNING + MINUTE, inbox)
    with at(MORNING + MINUTE):
        sections[3].save_answers({}, school.mark)
    assert not post(app, MORNING + 2 * MINUTE, inbox)
    [(to, text)] = post(app, MORNING + 3 * DAY, inbox)  # the machine was off meanwhile
    assert "Mark Kowalczyk saved section 4." in text and "Carol" not in text and whole()


def test_restricted_sections_are_told_only_to_those_who_may_read_them(app, monday, inbox):
    school = monday
    log = begun(school)
    log.assign([school.alice, school.bob, school.connor], school.mark)
    choose_emails(school.connor, False, True, None, None)
    choose_emails(school.alice, False, True, None, None)
    sections = log.tracker.get().in_order()
    closed = next(section for section in sections if section.restricted)
    closed.save_answers({}, school.mark)
    post(app, NOON, inbox)
    told = dict(post(app, MORNING, inbox))
    assert set(told) == {"alice"} and f"saved section {closed.position}." in told["alice"]
    with at(MORNING + MINUTE):
        closed.save_answers({}, school.mark)
        sections[0].save_answers({}, school.mark)
    told = dict(post(app, MORNING + DAY, inbox))
    assert (
        "saved section 1." in told["connor"] and f"sections 1, {closed.position}." in told["alice"]
    )


def test_sections_of_logs_of_others_are_told_to_nobody(app, monday, inbox):
    """Carol may read every log, and is assigned to none; Connor was taken off; Bob is the adult."""
    school = monday
    log = begun(school)
    log.assign([school.connor], school.mark)
    for person in (school.carol, school.connor, school.bob, school.dave):
        choose_emails(person, False, True, None, None)
    log.tracker.get().in_order()[0].save_answers({}, school.mark)
    log.assign([], school.mark)
    Share.name_adult(log.incident, school.bob, "It is he.", school.mark)
    post(app, NOON, inbox)
    assert not post(app, MORNING, inbox) and not Event.select().where(Event.verb == DIGEST).exists()


# clocks


def test_a_clock_that_was_ahead_leaves_nothing_out_and_tells_nothing_twice(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, True, None, None)
    log = begun(school)
    post(app, NOON, inbox)
    with at(NOON + 400 * DAY):  # IT set the wrong year, and sees it a minute later
        log.tracker.get().in_order()[0].save_answers({}, school.carol)
    [(to, text)] = post(app, NOON + 400 * DAY, inbox)
    assert "began the safeguarding tracker" in text and "saved" not in text
    with at(NOON + 5 * MINUTE):
        Log.get_by_id(log.id).complete_anyway(reason="Because.", by=school.bob)
    [(to, text)] = post(app, NOON + 5 * MINUTE, inbox)
    assert to == "bob"
    [(to, text)] = post(app, MORNING, inbox)
    assert "saved section 1." in text and "although" in text and "began" not in text
    assert (
        not post(app, MORNING + MINUTE, inbox) and not post(app, MORNING + DAY, inbox) and whole()
    )


def test_a_clock_that_goes_back_an_hour_sends_no_second_one(app, monday, inbox):
    school = monday
    choose_emails(school.alice, True, False, None, None)
    log = begun(school)
    post(app, NOON, inbox)
    assert len(post(app, MORNING + 30 * MINUTE, inbox)) == 1
    with at(MORNING - MINUTE):
        Log.get_by_id(log.id).complete_anyway(reason="Because.", by=school.bob)
    assert not [to for to, _text in post(app, MORNING + MINUTE, inbox) if to == "alice"]
    assert len(post(app, MORNING + DAY, inbox)) == 1 and whole()


# the page, and what is kept


def test_everybody_chooses_on_their_own_page(cast, monday):
    school = monday
    page = cast.connor.get("/account/")
    assert "once a day, in one email" in page.text and "sections of my logs" in page.text_only
    assert "sections of my logs" not in cast.dave.get("/account/").text_only, (
        "he is assigned to none"
    )
    sent = {
        "daily": "once a day, in one email",
        "progress": "yes",
        "quiet_from": "18:00",
        "quiet_until": "7.30",
    }
    page = cast.connor.post("/account/emails/", sent)
    assert "Saved. What is urgent" in page.text_only and 'value="07:30"' in page.text
    connor = User.get_by_id(school.connor.id)
    assert (connor.daily, connor.progress, connor.quiet_from, connor.quiet_until) == (
        True,
        True,
        "18:00",
        "07:30",
    )
    event = Event.last(connor, "user:choose")
    assert event.by == connor and set(event.detail["changed"]) == {
        "daily",
        "progress",
        "quiet_from",
        "quiet_until",
    }
    cast.connor.post("/account/emails/", sent)
    assert Event.last(connor, "user:choose") == event, "chosen twice, noted once"
    cast.dave.post("/account/emails/", {"daily": "at once", "progress": "yes"})
    assert User.get_by_id(school.dave.id).progress is None
    cast.connor.post(
        "/account/emails/",
        {"daily": "at once", "progress": "no", "quiet_from": "", "quiet_until": ""},
    )
    connor = User.get_by_id(school.connor.id)
    assert (connor.daily, connor.progress, connor.quiet_from, connor.quiet_until) == (
        None,
    ) * 4 and whole()


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("24:00", "07:00", "This is not a time of day"),
        ("18:00", "7pm", "This is not a time of day"),
        ("18:00\n", "07:60", "This is not a time of day"),
        ("١٨:٠٠", "07:00", "This is not a time of day"),
        ("18:00", "", "Give both times, or neither"),
        ("", "07:00", "Give both times, or neither"),
        ("8:00", "08.00", "These are the same time"),
    ],
)
def test_times_that_are_none_are_told_and_given_back(cast, school, begin, end, said):
    cast.alice.get("/account/")
    page = cast.alice.post(
        "/account/emails/",
        {"daily": "at once", "progress": "no", "quiet_from": begin, "quiet_until": end},
    )
    assert page.status_code == 422 and said in page.text_only and f'value="{end}"' in page.text
    assert User.get_by_id(school.alice.id).quiet_from is None
    with pytest.raises(Refused):
        choose_emails(school.alice, False, False, begin, end)


@both
def test_a_choice_changed_behind_the_systems_back_is_found(school):
    User.update(daily=True).where(User.id == school.alice.id).execute()
    with pytest.raises(Refused, match=f"user {school.alice.id} is not what the history says"):
        whole()


def test_sent_emails_say_what_each_was_about(cast, log, school):
    assert (
        f"Mark Kowalczyk triggered the notification: {log.reference}."
        in cast.alice.get("/notice/").text_only
    )
    with at(now()):
        from models.access.signin import Device

        Device.tell(school.carol, "Firefox on Windows")
    text = cast.carol.get("/notice/").text_only
    assert "About your account." in text and SUBJECT not in text
    assert f"triggered the notification: {log.reference}." in text, "she may read the log"
    assert "About your account." not in cast.alice.get("/notice/").text_only


def test_every_email_of_the_demonstration_has_the_one_subject_and_no_child(demo_school):
    own = {"user:told"}  # asked for by the person: an invitation, a new passphrase
    from models import Child

    names = [word for child in Child.select() for word in child.name.split() if len(word) > 3]
    kinds = set()
    for notice in Notice.select(Notice, Event).join(Event):
        kinds.add(notice.event.verb)
        assert notice.subject == SUBJECT or notice.event.verb in own, (
            f"{notice.event.verb}: give it SUBJECT; a subject is read over a shoulder"
        )
        found = [word for word in names if f" {word} " in notice.body]
        assert not found, f"{notice.event.verb} names a child: {found}"
        for status in (*Log.STATUSES, *Incident.STATUSES):
            said = re.search(rf": {status}\b(?! http)", notice.body)  # “open http…” is no status
            assert not said, f"{notice.event.verb} says a status"
    assert len(kinds) > 3


@both
def test_the_day_reminds_of_what_is_due_in_numbers(app, cast, monday, inbox):
    school = monday
    choose_emails(school.carol, True, False, "", "")
    incident = report(school)
    triage(school, incident, opens=True)
    due = {"owner": school.carol, "due_on": now().date(), "visible": visible}
    Task.give(incident, school.carol, what="Ring the mother", **due)
    letters = dict(post(app, MORNING + 30 * DAY, inbox))
    text = letters["carol"]
    assert "1 task of yours is due." in text and "1 case of yours is one to look at." in text
    assert "Zofia" not in text and "CASE-" not in text and "mother" not in text
    assert "carol" not in dict(post(app, MORNING + 30 * DAY + MINUTE, inbox)), "once a day"
