"""Reading on a bad day: a disk that takes nothing shuts nobody out of what is saved, and the
history learns of it all the same.
"""

import re
import shutil
from datetime import timedelta

import pytest
from peewee import OperationalError

import app as application
from models import Attachment, Draft, Event, Incident, Log, Section, Tracker, db, look
from models.ground.clock import at, now
from models.history import looks

from .conftest import settle
from .faults import fill, post_office, read_only, small_disk, small_files, whole

pytestmark = pytest.mark.both


@pytest.fixture
def case(school, incident):
    Attachment.add(incident, school.dave, "note.txt", b"A note.")
    log = Log.trigger(incident, school.mark)
    Tracker.begin(log, school.carol)
    return log


def read_everything(person, log):
    """Open each kind of page; gives the verbs that the history must have of it, in their order."""
    section = Section.select().first()
    for path in ("/", "/incident/", "/log/", "/event/"):
        assert person.get(path).status_code == 200, path
    assert "Red mark" in person.get(f"/incident/details/?id={log.incident_id}").text
    assert "OFS-" in person.get(f"/log/details/?id={log.id}").text
    assert person.get(f"/section/edit/?id={section.id}").status_code == 200
    assert person.get(f"/incident/file/?id={Attachment.get().id}").data == b"A note."
    assert person.get(f"/log/pdf/?id={log.id}").data.startswith(b"%PDF")
    return ["incident:read", "log:read", "section:read", "attachment:read", "log:pdf"]


def looked(after):
    return [
        event.verb
        for event in Event.select().where(Event.id > after, Event.verb.in_(SAID)).order_by(Event.id)
    ]


SAID = ("incident:read", "log:read", "section:read", "attachment:read", "log:pdf", "record:refused")


def judge(school, cast, case, caplog, make_room):
    """The disk takes nothing: everything is read, nothing saved; once there is room, the history
    has each read with its own time.
    """
    before, moment = Event.head().id, now()
    said = read_everything(cast.alice, case)
    with at(moment + timedelta(minutes=15)):
        assert cast.alice.get("/incident/").status_code == 200
    with at(moment + timedelta(minutes=30)):
        assert cast.alice.lands("/incident/") == "/incident/", (
            "she was active a quarter of an hour ago, though nobody could note it"
        )
    assert cast.dina.get(f"/incident/details/?id={case.incident_id}").status_code == 404, (
        "whether it exists is not told by the disk"
    )
    assert (
        f"log:read of log {case.id} by user {school.alice.id}" in caplog.text
        and "Red mark" not in caplog.text
    )
    page = cast.alice.press("incident:amend", case.incident, text="Seen again.")
    assert page.status_code == 507 and "Nothing was saved yet" in page.text_only
    db.close()
    make_room()
    db.connect()
    assert Event.head().id == before
    with at(moment + timedelta(hours=1)):
        look("log:read", case, school.mark)
    assert looked(before) == [*said, "record:refused", "log:read"]
    first = Event.select().where(Event.id > before).order_by(Event.id).first()
    assert (
        first.by == school.alice and first.detail["address"] == "127.0.0.1" and moment <= first.at
    )
    assert (
        first.detail["read_at"] >= moment.isoformat()
        and "while nothing could be written" in first.sentence
    )
    assert not looks.WAITING and whole()


def moved(school, folder):
    """The school's data in another folder, open, with what `flask serve` keeps open."""
    db.close()
    shutil.copytree(
        school.folder, folder, ignore=shutil.ignore_patterns("*-wal", "*-shm"), dirs_exist_ok=True
    )
    settle(folder)


@pytest.fixture
def back(school):
    """Afterwards the school is where it was."""
    yield
    db.close()
    settle(school.folder)
    db.connect()


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("disk", [small_disk, small_files])
def test_a_full_disk_shuts_out_no_reader(school, cast, case, caplog, tmp_path, back, disk):
    for person in (cast.alice, cast.dina):
        person.get("/")
    with disk(tmp_path / "small", 16_000_000):
        moved(school, tmp_path / "small")
        db.connect()
        Event.head()
        judge(school, cast, case, caplog, fill(tmp_path / "small"))
        db.close()


@pytest.mark.only("sqlite")
def test_a_disk_that_became_read_only_shuts_out_no_reader(
    school, cast, case, caplog, tmp_path, back
):
    for person in (cast.alice, cast.dina):
        person.get("/")
    (tmp_path / "readable").mkdir()
    moved(school, tmp_path / "readable")
    with read_only(tmp_path / "readable") as make_room:
        db.connect()
        judge(school, cast, case, caplog, make_room)
        db.close()


def full(*args, **kwargs):
    raise OperationalError("database or disk is full")


def test_what_waits_is_written_by_the_deliverer_and_once(app, school, cast, case, monkeypatch):
    cast.alice.get("/")
    before, write = Event.head().id, Event.write
    monkeypatch.setattr(Event, "write", full)
    assert (
        cast.alice.get(f"/log/details/?id={case.id}").status_code == 200 and len(looks.WAITING) == 1
    )
    with pytest.raises(OperationalError):
        looks.catch_up()
    assert len(looks.WAITING) == 1, "it still waits"
    monkeypatch.setattr(Event, "write", write)
    with post_office(app):
        for _round in range(2):
            application.deliver(app)
    assert looked(before) == ["log:read"] and whole()


def test_a_record_that_is_gone_holds_up_none_of_the_others(school, case, monkeypatch):
    before, write = Event.head().id, Event.write
    monkeypatch.setattr(Event, "write", full)
    gone = Attachment(id=999, incident=case.incident)
    look("attachment:read", gone, school.alice)
    look("log:read", case, school.alice)
    monkeypatch.setattr(Event, "write", write)
    looks.catch_up()
    assert looked(before) == ["log:read"] and not looks.WAITING


def test_more_than_can_wait_stops_reading(school, cast, case, monkeypatch):
    cast.alice.get("/")
    monkeypatch.setattr(looks, "MOST", 2)
    monkeypatch.setattr(Event, "write", full)
    assert [cast.alice.get(f"/log/details/?id={case.id}").status_code for _again in range(3)] == [
        200,
        200,
        507,
    ]


def test_a_change_still_waits_for_its_history(school, case, monkeypatch):
    monkeypatch.setattr(Event, "write", full)
    with pytest.raises(OperationalError), db.atomic():
        look("log:read", case, school.alice)
    assert not looks.WAITING


# what is said of it


def test_a_page_that_cannot_follow_does_not_say_that_nothing_was_saved(
    app, school, cast, answers, monkeypatch
):
    """Saved, and then the disk is full: the page that the answer leads to cannot be shown."""
    cast.dave.get("/incident/new/")
    monkeypatch.setattr("admin_views.rails.writing.look", full)
    page = cast.dave.post("/incident/new/", answers)
    assert (
        page.status_code == 507
        and "Nothing was" not in page.text_only
        and "What was saved before is still saved" in page.text_only
    )
    assert Incident.select().count() == 1


@pytest.mark.parametrize(
    ("problem", "code"),
    [(OSError(28, "No space left on device"), 507), (ValueError("A red mark"), 500)],
)
def test_an_answer_that_breaks_after_the_commit_says_that_it_is_saved_and_where(
    app, school, cast, answers, monkeypatch, caplog, problem, code
):
    cast.dave.get("/incident/new/")
    save = app.session_interface.save_session

    def breaks(*args):
        monkeypatch.setattr(app.session_interface, "save_session", save)
        raise problem

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(app.session_interface, "save_session", breaks)
    page = cast.dave.post("/incident/new/", answers, follow=False)
    assert (
        page.status_code == code
        and "What you sent is saved" in page.text_only
        and "Nothing was" not in page.text_only
    )
    assert (
        f"/incident/details/?id={Incident.get().id}" in page.text
        and answers["what_happened"] not in page.text
    )
    assert (
        "A red mark" not in page.text + caplog.text
        and f"problem {re.search('<code>(.+?)</code>', page.text)[1]}" in caplog.text
    )


def test_a_draft_that_is_kept_is_not_called_unsaved_either(app, school, cast, answers, monkeypatch):
    cast.dave.get("/incident/new/")
    save = app.session_interface.save_session

    def breaks(*args):
        monkeypatch.setattr(app.session_interface, "save_session", save)
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(app.session_interface, "save_session", breaks)
    page = cast.dave.post("/incident/new/", answers | {"draft": "keep"}, follow=False)
    assert (
        page.status_code == 507
        and "What you sent is saved" in page.text_only
        and Draft.select().count() == 1
    )


def test_a_page_that_is_wrong_on_our_side_says_nothing_of_saving_when_nothing_was_sent(
    app, cast, incident, monkeypatch
):
    cast.mark.get("/")
    monkeypatch.setattr("admin_views.incident.IncidentView.about", lambda *args: 1 / 0)
    page = cast.mark.get(f"/incident/details/?id={incident.id}")
    assert (
        page.status_code == 500
        and "Nothing was saved" not in page.text_only
        and "still saved" in page.text_only
    )


@pytest.mark.only("postgresql")
def test_a_commit_whose_answer_is_lost_is_called_neither_saved_nor_not(
    cast, school, answers, monkeypatch
):
    cast.dave.get("/incident/new/")
    commit, calls = type(db.obj).commit, []

    def lost(self):
        commit(self)
        if Incident.select().exists() and not calls:
            calls.append(1)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(type(db.obj), "commit", lost)
    page = cast.dave.post("/incident/new/", answers)
    assert (
        page.status_code == 503
        and "may be saved or not" in page.text_only
        and "Nothing was" not in page.text_only
    )
    assert Incident.select().count() == 1
