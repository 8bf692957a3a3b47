"""Every fault there is a name for, injected for real; after each, everything acknowledged is there
once and fits.
"""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

import app as application
from models import (
    TABLES,
    Attachment,
    Document,
    Event,
    Incident,
    Log,
    Notice,
    Refused,
    Tracker,
    User,
    db,
)
from models.ground.clock import at, now
from models.ground.settings import settings
from models.shelf import proof, upkeep

from . import engine
from .conftest import answer_all, fill_in, report, settle
from .faults import killed_at, post_office, whole
from .test_house_rules import HERE

pytestmark = pytest.mark.both

# the process dies


def to_begin(school):
    return Tracker.begin(Log.trigger(report(school), school.mark), school.carol)


def to_complete(school):
    tracker = to_begin(school)
    fill_in(tracker.log, school.alice)
    answer_all(tracker, school.carol)
    return tracker.log


STEPS = {
    "report": (lambda school: None, lambda school, _none: report(school, topic="Once")),
    "trigger": (report, lambda school, incident: Log.trigger(incident, school.mark)),
    "begin": (
        lambda school: Log.trigger(report(school), school.mark),
        lambda school, log: Tracker.begin(log, school.carol),
    ),
    "complete": (to_complete, lambda school, log: Log.get_by_id(log.id).complete(by=school.mark)),
    "paper": (
        lambda school: to_complete(school).complete(by=school.mark),
        lambda school, log: Document.finish(),
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_every_statement_a_step_is_done_whole_or_not_at_all(school, step):
    prepare, act = STEPS[step]
    record = prepare(school)
    before = Event.select().count()
    for number in range(1_000):
        if not killed_at(number, lambda: act(school, record)):
            break
        assert Event.select().count() == before or step == "paper", (
            f"killed at statement {number}, something of it was kept"
        )
        if step not in ("paper",):
            Document.finish()
            whole() if step != "complete" else proof.history(TABLES)
    assert number > 2, "it was killed at least three times"
    Document.finish()
    assert whole() and Event.select().count() > before


def test_killed_at_every_statement_an_email_is_sent_and_marked(app, school):
    Log.trigger(report(school), school.mark)
    with post_office(app) as office, app.app_context():
        number, moment, killed = 0, now(), 0
        while Notice.select().where(Notice.status == "waiting").exists():
            moment += timedelta(minutes=6)  # longer than a dead worker's hold

            def act(moment=moment):
                with at(moment):
                    Notice.deliver(application.send)

            killed += killed_at(number % 40, act)
            number += 1
        assert killed >= 5
        assert set(office.ids) == {notice.message_id for notice in Notice.select()}, "none is lost"
        assert all(notice.sent_at for notice in Notice.select()) and whole()


# mail


def deliver(app, minutes=0):
    with app.app_context(), at(now() + timedelta(minutes=minutes)):
        return Notice.deliver(application.send)


def test_a_mail_server_with_moods(app, school):
    """Greylisted, full, dropped after it was taken: each letter arrives, and a doubled one says by
    its id that it is one.
    """
    Log.trigger(report(school), school.mark)
    with post_office(app) as office:
        office.moods = ["busy", "full", "drop", "ok", "busy"]
        for minutes in (0, 3, 15, 60, 300):
            deliver(app, minutes)
        assert (
            set(office.ids) == {notice.message_id for notice in Notice.select()}
            and len(office.ids) == 3
        )
        assert {notice.status for notice in Notice.select()} == {"sent"}


def test_one_refused_address_does_not_hold_up_the_other(app, school, cast):
    Log.trigger(report(school), school.mark)
    with post_office(app) as office:
        office.addresses["alice@thornley.example"] = "550 Unknown"
        assert deliver(app) == 1
    assert (
        "could not be delivered" in cast.ira.get("/").text_only
        and "550" in cast.ira.get("/event/").text_only
    )
    assert whole()


def test_two_workers_at_once_send_each_letter_once(app, school):
    for number in range(10):
        Log.trigger(report(school, topic=str(number)), school.mark)
    with post_office(app) as office:
        gate, total = threading.Barrier(4), []

        def work():
            with app.app_context(), db.connection_context():
                gate.wait()
                total.append(Notice.deliver(application.send))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(total) == 20 == len(office.ids) == len(set(office.ids))
    assert whole()


def test_a_slow_worker_does_not_speak_for_the_one_that_took_over(school):
    Log.trigger(report(school), school.mark)
    slow = Notice.select().first()
    assert slow.claim()
    with at(now() + timedelta(minutes=6)):
        quick = Notice.get_by_id(slow.id)
        assert quick.claim() and quick.attempt(lambda notice: None)

    def late(notice):
        raise TimeoutError

    slow.attempt(late)
    assert Notice.get_by_id(slow.id).status == "sent"


# the disk is full, the database is busy or away


# many at once


START = "import app; print(app.secret()); app.prepare()"


def test_four_processes_that_start_at_once_on_an_empty_machine_agree(school, tmp_path):
    folder = tmp_path / "new"
    settle(folder)
    db.close()
    environment = {
        "SAFEGUARDING_DATA": str(folder),
        "DATABASE_URL": settings.database,
        "PATH": "/usr/bin:/bin",
    }
    started = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", START], cwd=HERE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]  # fmt: skip
    answers = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0] * 4, answers
    assert len({out for out, _err in answers}) == 1, "one key"
    db.connect()
    from models import Choice, Role, Template

    shipped = len(list((HERE / "models/templates").glob("*.toml")))
    assert Role.select().count() == 11 and Template.select().count() == shipped
    assert (
        Choice.select().count() == len({(row.list, row.name) for row in Choice.select()})
        and whole()
    )
    db.close()
    engine.current().drop(folder)
    settle(school.folder)
    db.connect()


# files, clocks, people


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")],
    ids=["missing", "corrupt"],
)
def test_a_spoiled_attachment_stops_nothing_but_itself(cast, school, incident, spoil):
    good, bad = (
        Attachment.add(incident, school.dave, name, name.encode())
        for name in ("good.txt", "bad.txt")
    )
    spoil(bad.path)
    assert "bad.txt" in cast.mark.get(f"/incident/details/?id={incident.id}").text_only
    page = cast.mark.get(f"/incident/file/?id={bad.id}")
    assert page.status_code == 409 and "Ask IT to restore it from a backup" in page.text_only
    assert cast.mark.get(f"/incident/file/?id={good.id}").data == b"good.txt"
    log = Log.trigger(incident, school.mark)
    assert log.paper() and cast.mark.get("/incident/").status_code == 200
    with pytest.raises(Refused, match=f"attachment {bad.id}"):
        whole()


def test_a_clock_that_goes_back_loses_no_order(school):
    moment = now()
    first = report(school, topic="First")
    with at(moment - timedelta(days=400)):
        second = report(school, topic="Second")
        log = Log.trigger(second, school.mark)
        log.complete_anyway(reason="The clock is wrong.", by=school.alice)
    third = report(school, topic="Third")
    Document.finish()
    assert len({first.reference, second.reference, third.reference}) == 3 and whole()
    assert [event.id for event in Event.select().order_by(Event.id)] == list(
        range(1, Event.select().count() + 1)
    )


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        ((2026, 3, 29, 0, 59), "00:59"),
        ((2026, 3, 29, 1, 0), "02:00"),
        ((2026, 10, 25, 0, 30), "01:30"),
        ((2026, 10, 25, 1, 30), "01:30"),
    ],
)
def test_both_nights_when_the_clocks_change(cast, school, instant, shown):
    moment = datetime(*instant, tzinfo=UTC)
    with at(moment):
        incident = report(school)
        log = Log.trigger(incident, school.mark)
        assert not log.late and log.due_at == moment + timedelta(hours=24), "24 hours are 24 hours"
    assert (
        f"{moment.day} {moment:%B %Y}, {shown}"
        in cast.mark.get(f"/incident/details/?id={incident.id}").text_only
    )
    assert Incident.get_by_id(incident.id).reported_at == moment and whole()


def test_no_level_5_at_all_stops_no_report(school, cast):
    for person in (school.alice, school.bob):
        User.update(active=False).where(User.id == person.id).execute()
        Event.write("user:edit", person, None)
    log = Log.trigger(report(school), school.mark)
    assert (
        not Notice.select().exists()
        and "There is no active Level 5" in cast.mark.get(f"/log/details/?id={log.id}").text_only
    )
    assert upkeep.daily(TABLES) and whole()


@pytest.mark.long
def test_one_poisoned_record_blocks_nothing_of_the_others(app, school, cast):
    """A megabyte, 200 kB without a space, right to left, emoji: the list, the paper and the mail of
    all still work.
    """
    texts = ["Long words. " * 90_000, "x" * 200_000, "مرحبا بالعالم " * 50, "😀" * 3_000]
    logs = [
        Log.trigger(report(school, topic=f"{number}", what_happened=text), school.mark)
        for number, text in enumerate(texts)
    ]
    assert all(log.reference in cast.mark.get("/log/").text for log in logs)
    for log in logs:
        log.complete_anyway(reason="To be printed.", by=school.alice)
    sent = []
    assert Notice.deliver(sent.append) == 16
    assert Document.finish() == 4 and whole()


def test_a_paper_that_cannot_be_made_does_not_hold_up_the_others(school, monkeypatch, caplog):
    from models.history import document

    logs = [Log.trigger(report(school), school.mark) for _ in range(3)]
    for log in logs:
        log.complete_anyway(reason="To be printed.", by=school.alice)
    to_pdf, bad = document.to_pdf, logs[0].reference

    def poisoned(words, seconds):
        if bad in words:
            raise RuntimeError("The PDF could not be made whole")
        return to_pdf(words, seconds)

    monkeypatch.setattr(document, "AGAIN", {})
    monkeypatch.setattr(document, "to_pdf", poisoned)
    assert Document.finish() == 2 and "could not be made" in caplog.text and bad not in caplog.text
    assert Document.select().where(Document.pdf.is_null()).count() == 1
    monkeypatch.setattr(document, "to_pdf", to_pdf)
    assert Document.finish() == 0, "not again at once, which would keep the emails waiting"
    warned = "The PDF of 1 sign-off could not be made yet."
    assert warned not in " ".join(upkeep.warnings(now(), upkeep.latest()))
    with at(now() + timedelta(hours=2)):
        assert warned in " ".join(upkeep.warnings(now(), upkeep.latest()))
        assert Document.finish() == 1 and whole()
        assert warned not in " ".join(upkeep.warnings(now(), upkeep.latest()))
