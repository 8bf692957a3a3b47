"""What is looked after daily, and what people see of it: the daily email, the page History,
warnings.
"""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from peewee import OperationalError

import app as application
from models import TABLES, Attachment, Child, Draft, Event, Log, Notice, Receipt, Refused, db
from models.ground.clock import at, now
from models.shelf import proof, upkeep

from .conftest import report
from .faults import post_office, whole


def test_the_result_is_kept_and_shown(cast, signed):
    proof.verify(TABLES)
    page = cast.alice.get("/event/")
    assert (
        "Last checked on" in page.text_only
        and "Events, with their anchors, records and emails, all fit" in page.text_only
    )
    Attachment.get().path.write_bytes(b"Another note.")
    with pytest.raises(Refused):
        proof.verify(TABLES)
    for person in (cast.alice, cast.ira):
        assert "The file of attachment 1 is damaged" in person.get("/event/").text_only
        assert "Something does not fit" in person.get("/").text_only


def test_it_sees_how_it_stands_and_no_record(cast, signed):
    Notice.update(attempts=3, problem="SMTPRecipientsRefused 452").execute()
    page = cast.ira.get("/event/")
    assert (
        "452" in page.text_only
        and "alice@thornley.example" in page.text_only
        and "No backup has been made yet" in page.text_only
    )
    for secret in ("OFS-", "INC-", "Zofia", "Red mark", "Who did what"):
        assert secret not in page.text, secret
    assert "Who did what" in cast.alice.get("/event/").text_only


def test_level_5_read_who_did_what_but_for_what_is_about_them(cast, school):
    from models.case.incident import ABOUT

    closed = report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    cast.dave.get(f"/incident/details/?id={closed.id}")
    assert closed.reference in cast.alice.get("/event/?what=Changes").text
    assert "was refused" in cast.alice.get("/event/?what=Refusals").text_only
    assert closed.reference not in cast.bob.get("/event/").text
    assert "signed in" not in cast.alice.get("/event/?what=Exports").text_only


@pytest.mark.both
def test_a_history_without_end_is_not_counted_to_its_end(cast, school, log, monkeypatch):
    assert "Numbers" not in cast.alice.get("/event/").text_only, "one window holds all"
    monkeypatch.setattr("admin_views.event.WINDOW", 3)
    page = cast.alice.get("/event/")
    assert Event.select().count() > 6 and "3 events" in page.text_only
    page = cast.alice.get("/event/", query_string={"numbers": "4 to 6"})
    assert (
        "3 events" in page.text_only
        and Event.get_by_id(5).sentence in page.text_only
        and ">4 to 6</option>" in page.text
    )
    for strange in ("4 to 7", "x"):
        assert (
            "3 events" in cast.alice.get("/event/", query_string={"numbers": strange}).text_only
        ), "the latest, as without"


@pytest.mark.both
def test_a_kept_line_is_compared_on_the_page(cast, school, incident):
    head = Event.head()
    for line in (
        f"history {head.hash}",
        f"history {head.id} {head.hash}",
    ):  # older papers have the number
        assert "It fits" in cast.alice.get("/event/", query_string={"anchor": line}).text_only
    assert (
        "Tell the DSL and IT today"
        in cast.alice.get(
            "/event/", query_string={"anchor": f"history {head.id} {'0' * 64}"}
        ).text_only
    )


@pytest.mark.both
def test_level_5_get_the_head_once_a_day(school, incident):
    moment = now().replace(hour=12)
    with at(moment):
        assert upkeep.daily(TABLES) and not upkeep.daily(TABLES)
    letters = list(Notice.select().join(Event).where(Event.verb == "event:anchor"))
    head = Event.get_by_id(Event.latest("event:anchor").id - 1)
    assert {letter.email for letter in letters} == {
        "alice@thornley.example",
        "bob@thornley.example",
    }
    assert (
        f"history {head.hash}" in letters[0].body
        and "all fit" in letters[0].body
        and incident.reference not in letters[0].body
    )
    with at(moment + timedelta(days=1)):
        assert upkeep.daily(TABLES)
    assert whole()


def test_the_daily_email_says_when_something_does_not_fit(school, signed):
    Attachment.get().path.write_bytes(b"Another note.")
    assert upkeep.daily(TABLES)
    assert "SOMETHING DOES NOT FIT" in Notice.select().order_by(Notice.id.desc()).first().body


@pytest.mark.both
def test_two_workers_send_the_daily_email_once(school, monkeypatch):
    """The other worker gets there while this one is still checking."""
    verify = proof.verify

    def slow(tables):
        monkeypatch.setattr(proof, "verify", verify)
        assert upkeep.daily(tables)
        return verify(tables)

    monkeypatch.setattr(proof, "verify", slow)
    assert not upkeep.daily(TABLES)
    assert Event.select().where(Event.verb == "event:anchor").count() == 1


def test_the_daily_email_goes_out_although_the_check_cannot_be_run(school, monkeypatch, caplog):
    monkeypatch.setattr(proof, "findings", lambda *args: 1 / 0)
    assert upkeep.daily(TABLES) and not upkeep.daily(TABLES)
    assert "THE CHECK COULD NOT BE RUN" in Notice.select().order_by(Notice.id.desc()).first().body


@pytest.mark.both
def test_receipts_and_drafts_are_forgotten_after_a_month(school):
    with at(now().replace(year=2025)):
        Receipt.keep("old", school.dave, [], "/")
        Draft.keep(school.dave, "/incident/new/", [("topic", "Never finished")])
    Receipt.keep("new", school.dave, [], "/")
    Draft.keep(school.dina, "/incident/new/", [("topic", "In the middle of it")])
    assert upkeep.daily(TABLES)
    assert [receipt.token for receipt in Receipt.select()] == ["new"]
    assert [draft.user for draft in Draft.select()] == [school.dina]


def test_the_day_of_the_daily_email_is_the_schools(school):
    with at(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)):  # 23:30 in London
        assert upkeep.daily(TABLES)
    with at(datetime(2026, 7, 1, 23, 30, tzinfo=UTC)):  # the next day there
        assert upkeep.daily(TABLES)


def test_a_clock_that_was_ahead_silences_neither_the_check_nor_the_warnings(cast, school):
    moment = now()
    with at(moment + timedelta(days=400)):  # IT set the wrong year, and sees it a minute later
        assert upkeep.daily(TABLES)
        Event.write("event:backup", Event(), None)
        Log.trigger(report(school), school.mark)
    with at(moment):
        assert upkeep.daily(TABLES) and not upkeep.daily(TABLES), "once, not at each round"
        found = list(upkeep.warnings(moment, upkeep.latest()))
        assert any(
            "The last good backup" in sentence and "has not come yet" in sentence
            for sentence in found
        )
        assert not any("The last check" in sentence for sentence in found), "it was made again"
        sent = []
        Notice.deliver(sent.append)
        assert any("OFS" in letter.body for letter in sent), (
            "an email queued then does not wait for a year"
        )
    with at(moment + timedelta(days=1)):
        assert upkeep.daily(TABLES) and whole()


def test_two_machines_whose_clocks_differ_by_seconds_send_one_daily_email(school):
    with at(datetime(2026, 7, 1, 23, 0, 1, tzinfo=UTC)):
        assert upkeep.daily(TABLES)
    with at(datetime(2026, 7, 1, 22, 59, 59, tzinfo=UTC)):
        assert not upkeep.daily(TABLES)


def test_a_deliverer_that_died_is_warned_of_after_a_quarter_of_an_hour(app, cast, school, incident):
    quarter, moment = timedelta(minutes=15), now()

    def warned(later):
        return any(
            "Nothing is being delivered" in sentence
            for sentence in upkeep.warnings(moment + later, upkeep.latest())
        )

    Log.trigger(incident, school.mark)
    assert not warned(timedelta(minutes=1)) and warned(quarter * 2), (
        "nobody ever delivered, and an email waits"
    )
    with post_office(app), at(moment):
        application.deliver(app)
    assert not warned(quarter) and warned(quarter + timedelta(seconds=1))
    assert warned(timedelta(days=-1)), "its clock was ahead, and it is dead"
    with at(moment + quarter * 2):
        for person in (cast.ira, cast.alice):
            assert "Nothing is being delivered" in person.get("/").text_only


def test_a_deliverer_that_fails_at_each_round_is_none(app, school, monkeypatch):
    monkeypatch.setattr(Notice, "deliver", lambda send: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        application.deliver(app)
    assert upkeep.heard() is None


def words_of(app, **headers):
    answer = app.test_client().get("/healthz", headers=headers)
    return answer.status_code, answer.json


def test_a_monitor_is_told_how_it_stands_and_no_record(app, school, incident, monkeypatch):
    before = Event.head().id
    assert words_of(app) == (
        503,
        {"database": "ok", "deliverer": "silent", "disk": "ok", "check": "late"},
    )
    application.deliver(app)
    assert words_of(app) == (
        200,
        {"database": "ok", "deliverer": "ok", "disk": "ok", "check": "ok"},
    )
    before = Event.head().id
    with at(now() + timedelta(minutes=16)):
        assert words_of(app)[1]["deliverer"] == "silent"
    Event.write("event:verify", Event(), None, problem="The incident 1 is gone.")
    assert words_of(app) == (
        503,
        {"database": "ok", "deliverer": "ok", "disk": "ok", "check": "failed"},
    )
    monkeypatch.setattr(upkeep.shutil, "disk_usage", lambda path: SimpleNamespace(free=1))
    assert words_of(app)[1]["disk"] == "full"
    assert Event.head().id == before + 1, "asking writes nothing"
    answer = app.test_client().get("/healthz", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400 and b"database" not in answer.data


@pytest.mark.both
def test_a_monitor_is_told_when_the_database_is_away(app, school, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection refused to secret-host")

    db.close()
    monkeypatch.setattr(type(db.obj), "connect", away)
    status, words = words_of(app)
    monkeypatch.undo()
    assert status == 503 and words["database"] == "away" and words["check"] == "unknown"


def test_it_is_warned_on_the_home_page(cast, school):
    assert "No backup has been made yet" in cast.ira.get("/").text_only
    assert "No backup" not in cast.carol.get("/").text_only


@pytest.mark.both
def test_unusually_many_reads_are_told_to_another_level_5(school, monkeypatch):
    """Mark opens five cases a day; then, before he leaves, thirty. Alice reads many every day, and
    nobody is told of that.
    """
    monkeypatch.setattr("models.shelf.upkeep.FLOOR", 10)
    cases = [report(school) for _ in range(30)]
    moment = now()

    def day(number, **opened):
        with at(moment + timedelta(days=number)):
            for name, many in opened.items():
                for case in cases[:many]:
                    Event.write("incident:read", case, getattr(school, name))
                    Event.write("incident:read", case, getattr(school, name))  # twice is once
            upkeep.watch()
            upkeep.watch()
            upkeep.daily(TABLES)

    def told():
        found = (
            Notice.select().join(Event).where(Event.verb == "user:many_reads").order_by(Notice.id)
        )
        return [(notice.user.name, notice.event.record) for notice in found]

    for number in range(3):
        day(number, mark=5, alice=10, bob=9)
    assert told() == []
    day(3, mark=30, alice=30)
    assert told() == [("Alice Brennan", school.mark.id), ("Bob Adeyemi", school.mark.id)], (
        "Alice’s thirty are three times her ten"
    )
    day(4, bob=30)
    assert told()[2:] == [("Alice Brennan", school.bob.id)], "another Level 5, not Bob himself"
    body = Notice.select().join(Event).where(Event.verb == "user:many_reads").get().body
    assert (
        "Mark Kowalczyk, Pastoral manager has opened far more records" in body
        and "INC" not in body
        and "30" not in body
    )
    day(5, mark=30)
    assert len(told()) == 3, "what was once a day is a habit, and has been told"
    children = [
        Child.create(name=f"Ada Ọlá {number}", date_of_birth=date(2014, 1, 1))
        for number in range(30)
    ]
    with at(moment + timedelta(days=6)):
        for child in children:
            Event.write("child:add", child, None)
            Event.write("child:read", child, school.carol)
        upkeep.watch()
    assert told()[3:] == [(one, school.carol.id) for one in ("Alice Brennan", "Bob Adeyemi")], (
        "a child’s page holds what every incident about the child says"
    )
    assert whole()
