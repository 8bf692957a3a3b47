"""Bad days for people: the disk is full, the database is held or away, many save at once. What they
typed comes back, and is saved once.
"""

import re
import sqlite3
import threading
import time
from contextlib import closing
from html import unescape

import pytest
from peewee import OperationalError

from models import Attachment, Document, Event, Incident, Log, Section, User, db, transaction
from models.ground import database
from models.ground.database import connect
from models.ground.settings import settings

from . import engine
from .conftest import report, settle
from .faults import small_disk, small_files, whole

pytestmark = pytest.mark.both


def typed(page):
    """The form of the page that gives the text back, as its button sends it."""
    form = re.search(r"<form.*?</form>", page.text, re.S).group()
    fields = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form)) | dict(
        re.findall(r'name="([^"]*)" rows="\d+">([^<]*)', form)
    )
    return {unescape(name): unescape(value) for name, value in fields.items()}


def once(page):
    return re.search(r'name="once" value="([^"]+)"', page.text).group(1)


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("disk", [small_disk, small_files])
def test_a_full_disk_gives_the_text_back_and_recovers_without_a_restart(
    app, school, cast, answers, tmp_path, disk
):
    cast.dave.get("/")
    folder = tmp_path / "small"
    with disk(folder, 16_000_000) as make_room:
        db.close()
        (folder / "safeguarding.db").write_bytes((school.folder / "safeguarding.db").read_bytes())
        settle(folder)
        db.connect()
        saved = 0
        for number in range(2_000):
            sent = answers | {
                "topic": str(number),
                "what_happened": "A long text. " * 2_000,
                "once": once(cast.dave.get("/incident/new/")),
            }
            page = cast.dave.post("/incident/new/", sent)
            if page.status_code != 200:
                break
            saved += 1
        assert (
            page.status_code == 507
            and "The disk is full" in page.text_only
            and "Nothing was saved" in page.text_only
        )
        assert typed(page)["what_happened"].strip() == sent["what_happened"].strip() and saved > 5
        assert Incident.select().count() == saved, "every acknowledged one, and no other"
        make_room()
        page = cast.dave.post("/incident/new/", typed(page))
        assert page.request.path == "/incident/details/" and Incident.select().count() == saved + 1
        assert whole()
        db.close()
        settle(school.folder)
        db.connect()


@pytest.mark.long
def test_a_writer_that_holds_the_database_for_30_seconds_costs_patience_and_no_text(
    cast, school, answers
):
    sent = answers | {
        "once": once(cast.dave.get("/incident/new/")),
        "what_happened": "Typed while “somebody” held <everything> up.",
    }
    db.close()
    with closing(Holder()) as holder:
        release = threading.Timer(30, holder.close)
        release.start()
        again, pages = sent, 0
        while (begun := time.monotonic()) and (
            page := cast.dave.post("/incident/new/", again)
        ).status_code != 200:
            assert 9 < time.monotonic() - begun < 29, "it waited as long as promised"
            assert (
                page.status_code == 503
                and page.headers["Retry-After"]
                and typed(page)["what_happened"] == sent["what_happened"]
            )
            assert (
                "sqlite" not in page.text.lower()
                and "locked" not in page.text.lower()
                and "psycopg" not in page.text.lower()
            )
            again, pages = typed(page), pages + 1
        release.join()
    assert 2 <= pages <= 3 and page.request.path == "/incident/details/"
    db.connect(reuse_if_open=True)
    for _ in range(3):
        assert cast.dave.post("/incident/new/", again).request.path == "/incident/details/"
    assert (
        Incident.select().count() == 1
        and Incident.get().what_happened == sent["what_happened"]
        and whole()
    )


class Holder:
    """A writer that holds the lock until it is closed."""

    def __init__(self):
        if engine.current().name == "sqlite":
            self.connection = sqlite3.connect(
                settings.folder / "safeguarding.db", isolation_level=None, check_same_thread=False
            )
            self.connection.execute("BEGIN IMMEDIATE")
        else:
            import psycopg

            self.connection = psycopg.connect(settings.database)
            self.connection.execute("SELECT pg_advisory_xact_lock(7202611)")

    def close(self):
        self.connection.close()


@pytest.mark.only("postgresql")
def test_a_restarted_server_costs_one_page_and_no_text(cast, school, answers, monkeypatch):
    sent = answers | {"once": once(cast.dave.get("/incident/new/"))}
    event_write = Event.write.__func__
    calls = []

    def restart(cls, verb, *args, **kwargs):
        if verb == "incident:report" and not calls:
            calls.append(verb)
            engine.current().restart()
        return event_write(cls, verb, *args, **kwargs)

    monkeypatch.setattr(Event, "write", classmethod(restart))
    page = cast.dave.post("/incident/new/", sent)
    assert page.status_code == 503 and typed(page)["what_happened"] == sent["what_happened"]
    db.close()
    db.connect()
    assert not Incident.select().exists()
    assert cast.dave.post("/incident/new/", typed(page)).request.path == "/incident/details/"
    assert Incident.select().count() == 1 and whole()


@pytest.mark.only("postgresql")
def test_connections_that_are_kept_open_cost_nothing_when_the_server_restarts(
    app, school, cast, answers
):
    db.close()
    connect(engine.current().pooled(school.folder))
    sent = answers | {"once": once(cast.dave.get("/incident/new/"))}
    cast.mark.get("/")
    with db.connection_context():  # two of them idle, then
        assert cast.dave.get("/").status_code == 200
    threads = [threading.Thread(target=cast.mark.get, args=("/",)) for _again in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.current().restart()
    for _again in range(3):
        assert cast.dave.post("/incident/new/", sent).request.path == "/incident/details/", (
            "a connection that died is not handed out"
        )
    connect(settings.database)
    with db.connection_context():
        assert Incident.select().count() == 1 and whole()
    db.connect()


def test_trouble_tells_strangers_nothing_and_repeats_no_passphrase(app, school, monkeypatch):
    from .person import Person

    stranger = Person(app, school.dave)
    stranger.get("/login")
    monkeypatch.setattr(
        User, "select", lambda *args: (_ for _ in ()).throw(OperationalError("database is locked"))
    )
    page = stranger.post("/login", {"email": school.dave.email, "password": "a secret phrase"})
    assert (
        page.status_code == 503
        and "a secret phrase" not in page.text
        and school.dave.email not in page.text
    )


def test_files_are_asked_for_again(cast, answers, monkeypatch):
    from io import BytesIO

    cast.dave.get("/incident/new/")

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.case.attachment.put", full)
    page = cast.dave.post(
        "/incident/new/",
        answers | {"files": (BytesIO(b"A note."), "note.txt")},
        content_type="multipart/form-data",
    )
    assert (
        page.status_code == 507
        and "Please choose them again, before you press Try again: note.txt" in page.text_only
    )
    assert not Incident.select().exists() and answers["immediate_action"] in page.text
    monkeypatch.undo()
    page = cast.dave.post(
        "/incident/new/",
        typed(page) | {"files": (BytesIO(b"A note."), "note.txt")},
        content_type="multipart/form-data",
    )
    assert (
        page.request.path == "/incident/details/"
        and "note.txt" in page.text
        and Attachment.select().count() == 1
    )


def test_a_button_pressed_on_a_bad_day_can_be_pressed_again(cast, incident, monkeypatch):
    trigger = Log.trigger

    def away(*args, **kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr(Log, "trigger", away)
    page = cast.mark.press("log:trigger", incident)
    assert page.status_code == 503 and "Nothing was saved yet" in page.text_only
    monkeypatch.setattr(Log, "trigger", trigger)
    assert (
        cast.mark.post("/incident/action/", typed(page)).request.path == "/log/details/"
        and Log.select().count() == 1
    )


def test_fifty_people_saving_at_once_all_succeed(app, school):
    gate, troubles = threading.Barrier(50), []

    def save(number):
        try:
            with db.connection_context():
                gate.wait()
                incident = report(school, topic=str(number))
                Log.trigger(incident, school.mark)
        except Exception as problem:
            troubles.append(problem)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles and Incident.select().count() == Log.select().count() == 50 and whole()


def test_writers_of_one_process_queue_and_are_told_when_it_takes_too_long(school, monkeypatch):
    monkeypatch.setattr(database, "WAIT", 0.1)
    holds, done = threading.Event(), threading.Event()

    def hold():
        with db.connection_context(), transaction():
            holds.set()
            done.wait()

    first = threading.Thread(target=hold)
    first.start()
    holds.wait()
    with pytest.raises(OperationalError, match="locked"):
        report(school)
    monkeypatch.setattr(database, "WAIT", 10)
    second = threading.Timer(0.2, done.set)
    second.start()
    assert report(school).id and not database.writers.locked() and Incident.select().count() == 1
    for thread in (first, second):
        thread.join()
    with pytest.raises(ZeroDivisionError), transaction(), transaction():
        raise ZeroDivisionError
    assert not database.writers.locked() and report(school).id and whole()


def test_a_queue_that_moves_is_waited_for_however_long_it_is(school, monkeypatch):
    """Fifteen who each take a tenth of a second, where the patience with one is a second: the
    machine is busy, and nothing is stuck.
    """
    monkeypatch.setattr(database, "WAIT", 1)
    gate, done, troubles = threading.Barrier(15), [], []

    def slow():
        try:
            with db.connection_context():
                gate.wait()
                with transaction():
                    time.sleep(0.1)
                    done.append(1)
        except OperationalError as problem:
            troubles.append(problem)

    threads = [threading.Thread(target=slow) for _one in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 15 and not troubles


def test_when_another_process_holds_the_database_nobody_waits_for_all_before_them(
    school, monkeypatch
):
    """Eight who come one after another, each of whom it holds up for half a second: the last does
    not wait for four.
    """
    monkeypatch.setattr(database, "WAIT", 0.5)
    db.close()
    connect(settings.database)
    waited = []

    def held_up(number):
        time.sleep(number / 10)
        begun = time.monotonic()
        with db.connection_context(), pytest.raises(OperationalError), transaction():
            pass
        waited.append(time.monotonic() - begun)

    with closing(Holder()):
        threads = [threading.Thread(target=held_up, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(waited) == 8 and max(waited) < 2.2, (
        "half a second for their turn, and as much for the other process"
    )
    db.connect()


def test_two_in_different_sections_never_meet(cast, school, tracker):
    first, second = tracker.in_order()[:2]
    for person, section in ((cast.carol, first), (cast.alice, second)):
        person.get(f"/section/edit/?id={section.id}")
    for person, section in ((cast.carol, first), (cast.alice, second)):
        question = next(q for q in section.questions if q["kind"] == "long text")
        page = person.post(
            f"/section/edit/?id={section.id}",
            {"version": section.version, f"q{question['id']}": f"By {person.user}."},
        )
        assert page.status_code == 200 and "Saved" in page.text_only
    assert {
        str(section.saved_by) for section in Section.select().where(Section.saved_at.is_null(False))
    } == {"Carol Vaughan-Ŵyn", "Alice Brennan"}


def test_signed_off_while_another_types_gives_the_text_back(cast, school, ready):
    section = ready.tracker.first().in_order()[0]
    cast.carol.get(f"/section/edit/?id={section.id}")
    ready.complete(by=school.mark)
    question = next(q for q in section.questions if q["kind"] == "long text")
    page = cast.carol.post(
        f"/section/edit/?id={section.id}",
        {"version": section.version, f"q{question['id']}": "Typed until the last moment."},
    )
    assert (
        page.status_code in (409, 422)
        and "Typed until the last moment." in page.text
        and "Nothing was saved" in page.text_only
    )
    Document.finish()
    assert whole()
