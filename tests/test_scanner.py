"""The virus scanner: what it finds is left out, what it has yet to look at is kept and handed out
to nobody, and a report is never refused because it is away.
"""

from datetime import timedelta
from io import BytesIO

import pytest

from models import Attachment, Entry, Event, Held, Incident, Quarantine, Scan, settings
from models.case import scanner
from models.case.attachment import Kept
from models.case.scanner import Away, asked
from models.ground.clock import at, now
from models.shelf import upkeep

from .clamd import EICAR, clamd
from .conftest import report
from .person import form_of
from .test_attachment import photograph
from .test_hints import sent

LATER = timedelta(minutes=6)


@pytest.fixture
def running(school, monkeypatch):
    with clamd() as (one, address):
        monkeypatch.setattr(settings, "clamd", address)
        yield one


@pytest.fixture
def away(school, monkeypatch):
    """A scanner that the settings name, and that nobody started."""
    with clamd() as (_one, address):
        pass
    monkeypatch.setattr(settings, "clamd", address)


def attach(person, answers, *files):
    person.get("/incident/new/")
    chosen = [(BytesIO(content), name) for name, content in files]
    return person.post(
        "/incident/new/", answers | {"files": chosen}, content_type="multipart/form-data"
    )


def test_what_the_scanner_finds_is_left_out_and_the_rest_comes_back(cast, school, answers, running):
    page = attach(cast.dave, answers, ("virus.txt", EICAR), ("note.txt", b"A note."))
    assert page.status_code == 422 and not Incident.select().exists()
    assert "“virus.txt” was left out: the virus scanner found" in page.text_only
    assert "Win.Test.EICAR_HDB-1" in page.text_only
    assert answers["what_happened"] in page.text and "note.txt 1 kB Leave out" in page.text_only
    assert [one.name for one in Held.select()] == ["note.txt"]
    page = cast.dave.post(form_of(page), sent(page))
    assert "Saved as INC-" in page.text_only
    assert [row.name for row in Attachment.select()] == ["note.txt"]
    assert running.seen[-1] == b"A note." and not Quarantine.select().exists()


def test_what_was_held_before_the_scanner_knew_it_is_left_out_too(cast, school, answers, running):
    cast.dave.get("/incident/new/")
    page = cast.dave.post(
        "/incident/new/?draft=mine", {"files": (BytesIO(EICAR), "virus.txt"), "draft": "1"}
    )
    assert "virus.txt" in page.text_only and not running.seen
    page = cast.dave.post("/incident/new/?draft=mine", answers)
    assert page.status_code == 422 and "“virus.txt” was left out" in page.text_only
    assert not Held.select().exists()
    assert "Saved as INC-" in cast.dave.post("/incident/new/?draft=mine", answers).text_only


def test_a_file_comes_in_pieces_and_by_a_socket_of_the_machine(tmp_path, monkeypatch):
    long = b"A long note. " * 20_000
    with clamd(tmp_path / "clamd.ctl") as (one, address):
        monkeypatch.setattr(settings, "clamd", address)
        assert asked(long) == "" and one.seen == [long]
        one.says = b"INSTREAM size limit exceeded. ERROR"
        with pytest.raises(Away):
            asked(long)


def test_a_report_is_saved_while_the_scanner_is_away_and_its_file_waits(
    cast, school, answers, away
):
    page = attach(cast.dave, answers, ("note.txt", b"A note."), ("wrist.jpg", photograph()))
    assert "Saved as INC-" in page.text_only and "not yet scanned" in page.text_only
    note, wrist = Attachment.select().order_by(Attachment.id)
    assert note.read() == b"A note.", "it is kept"
    for path in (f"?id={note.id}", f"?id={wrist.id}", f"?id={wrist.id}&original=1"):
        page = cast.alice.get(f"/incident/file/{path}")
        assert page.status_code == 409 and "waits for the virus scanner" in page.text_only
    assert not Event.select().where(Event.verb.startswith("attachment:read")).exists()
    drawn = cast.alice.get(f"/incident/file/?id={wrist.id}&look=1")
    assert drawn.status_code == 200 and drawn.mimetype == "image/jpeg", "drawn anew"
    assert (
        "waits for the virus scanner"
        in cast.alice.get(f"/attachment/details/?id={note.id}").text_only
    )


def test_the_deliverer_asks_again_and_then_it_is_handed_out(cast, school, monkeypatch):
    monkeypatch.setattr(settings, "clamd", "127.0.0.1:1")
    row = Attachment.add(report(school), school.dave, "note.txt", b"A note.")
    with at(now() + LATER):
        Kept.look()
        assert Quarantine.get().tried_at > Quarantine.get().since, "still away"
    with clamd() as (one, address):
        monkeypatch.setattr(settings, "clamd", address)
        Kept.look()
        assert not one.seen, "not asked without a pause"
        with at(now() + 2 * LATER):
            Kept.look()
    assert one.seen == [b"A note."] and not Quarantine.select().exists()
    assert cast.alice.get(f"/incident/file/?id={row.id}").data == b"A note."


@pytest.mark.both
def test_what_is_found_later_is_kept_handed_out_to_nobody_and_in_the_history(
    cast, school, monkeypatch
):
    monkeypatch.setattr(settings, "clamd", "127.0.0.1:1")
    row = Attachment.add(report(school), school.dave, "virus.txt", EICAR)
    entry = Entry.add(
        school.child, school.carol, [("virus.txt", EICAR)], happened_on=now().date(),
        headline="A page", text="A page.", source="Earlier school",
    )  # fmt: skip
    with clamd() as (_one, address), at(now() + LATER):
        monkeypatch.setattr(settings, "clamd", address)
        Kept.look()
    assert Quarantine.get().found == "Win.Test.EICAR_HDB-1"
    for record, verb in ((row, "attachment:infected"), (entry.scans.get(), "scan:infected")):
        assert Event.last(record, verb).detail["found"] == "Win.Test.EICAR_HDB-1"
    for path in (f"/incident/file/?id={row.id}", f"/incident/file/?id={row.id}&original=1",
                 f"/entry/file/?id={Scan.get().id}"):  # fmt: skip
        assert cast.alice.get(path).status_code == 409
    assert row.read() == EICAR, "what was attached is kept"
    monkeypatch.setattr(settings, "clamd", None)
    assert cast.alice.get(f"/incident/file/?id={row.id}").status_code == 409, "nor without one"


def test_a_scanner_that_was_mistaken_is_asked_again_each_day(cast, school, running):
    row = Attachment.add(report(school), school.dave, "note.txt", b"A note.")
    running.says = b"Heuristic.Wrong FOUND"
    for days in (0, 1, 2):
        with at(now() + LATER + timedelta(days=days)):
            Kept.look(), Kept.look()
    assert len(running.seen) == 3, "once a day"
    assert Event.select().where(Event.verb == "attachment:infected").count() == 1
    running.says = None
    with at(now() + LATER + timedelta(days=4)):
        Kept.look()
    assert Event.last(row, "attachment:cleared") and not Quarantine.select().exists()
    assert cast.alice.get(f"/incident/file/?id={row.id}").data == b"A note."


def test_without_a_scanner_nothing_waits(cast, school, answers):
    page = attach(cast.dave, answers, ("note.txt", b"A note."))
    assert "not yet scanned" not in page.text_only and not Quarantine.select().exists()
    Quarantine.hold(Attachment.get().sha256)
    assert cast.dave.get(f"/incident/file/?id={Attachment.get().id}").status_code == 200


def test_it_is_told_that_the_scanner_is_silent_and_of_what_it_found(school, monkeypatch):
    monkeypatch.setattr(settings, "clamd", "127.0.0.1:1")
    Quarantine.hold("ab" * 32)

    def told():
        return [one for one in upkeep.warnings(now(), upkeep.latest()) if "scanner" in one]

    assert told() == []
    with at(now() + 2 * LATER):
        (said,) = told()
        assert "does not answer" in said
        Quarantine.get().settle("Win.Test")
        (said,) = told()
        assert "found something" in said


def test_a_scanner_that_says_nothing_is_waited_for_no_longer_than_is_patient(
    running, cast, school, answers, monkeypatch, caplog
):
    running.hang = True
    monkeypatch.setattr(scanner, "PATIENCE", 0.3)
    begun = now()
    page = attach(cast.dave, answers, ("one.txt", b"One."), ("two.txt", b"Two."))
    assert "Saved as INC-" in page.text_only and now() - begun < timedelta(seconds=5)
    assert Quarantine.select().count() == 2
    assert len(caplog.records) == 1, "the second would wait as long for nothing"


def test_the_scanner_is_never_asked_while_others_wait_to_write(
    cast, school, answers, running, monkeypatch
):
    from models import db

    within = []
    monkeypatch.setattr(scanner, "asked", lambda content: within.append(db.in_transaction()) or "")
    attach(cast.dave, answers, ("note.txt", b"A note."))
    assert within == [False] and Attachment.select().count() == 1
