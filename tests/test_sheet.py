"""The emergency sheet: for each Level 5 their own, encrypted, nightly, never in plain on disk."""

import io
import stat
import sys
from datetime import date, timedelta

import pypdf
import pytest

import app as application
from models import Event, Incident, Relation, Role, Share, Sheet, UserRole, visible
from models.case.child import Flag
from models.case.incident import ABOUT
from models.ground.clock import now
from models.ground.settings import settings
from models.shelf import sheet as module
from models.shelf import upkeep

from . import poppler
from .conftest import guidance, report, triage

WORDS = "four words that do not belong"


@pytest.fixture
def known(school):
    """Zofia has an open case and a mother; Ngũgĩ is on a plan; the case of Hanako is about Bob."""
    guidance()
    triage(school, report(school), opens=True)
    Relation.relate(
        school.child, school.carol, kind="Mother", name="Helena Marsh-Iwu", reached="01632 960555"
    )
    Flag.flag(
        school.children[1], school.carol, kind="Child protection plan", since=date(2026, 1, 5), told="Yes"
    )  # fmt: skip
    about = report(school, child=school.children[2], adults=[(school.bob, ABOUT)])
    triage(school, about, opens=True)
    return school


def read(content, password=WORDS):
    """The words of a sheet, by a reader that is none of ours."""
    return poppler.run("pdftotext", "-upw", password, "-enc", "UTF-8", "-", "-", pdf=content).decode()  # fmt: skip


def choose(person, words=WORDS, again=None):
    person.get("/sheet/")
    return person.post("/sheet/edit/", {"passphrase": words, "once_more": again or words})


def test_chosen_made_at_night_and_opened_elsewhere(cast, known):
    assert "comes within a few minutes" in choose(cast.alice).text_only
    assert Sheet.make_due(visible) == 1 and Sheet.make_due(visible) == 0, "one a day"
    answer = cast.alice.get("/sheet/file/")
    assert answer.mimetype == "application/pdf" and answer.headers["Cache-Control"] == "no-store"
    text = read(answer.data)
    for word in (
        "Zofia Łukasiewicz", "Helena Marsh-Iwu", "01632 960555", "Open case", "Child protection plan", "Ngũgĩ wa Kamau",
        "01632 960100", "Children’s social care (MASH), 01632 960123", "for Alice Brennan", "Siôn" not in text and "Emergency sheet",
        "multi-agency safeguarding hub", "People in this paper",
    ):  # fmt: skip
        assert word and word in text, word
    assert "red mark" not in text.lower(), "no account of what happened"
    assert Event.get(Event.verb == "sheet:make").record == Sheet.get().id
    assert Event.get(Event.verb == "sheet:read").by == known.alice


def test_encrypted_whole_and_by_nothing_but_the_passphrase(known):
    Sheet.choose(known.alice, WORDS)
    Sheet.make_due(visible)
    content = Sheet.get().path.read_bytes()
    for word in ("Zofia", "Kasiewicz", "Helena", "960555", "Emergency sheet", "Thornley"):
        assert word.encode() not in content and word.encode("utf-16-be") not in content
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert reader.is_encrypted and not reader.decrypt("") and not reader.decrypt("four words")
    assert reader.decrypt(WORDS) and reader._encryption.V == 5 and reader._encryption.R == 6
    assert "AESV3" in str(reader._encryption.StmF) and len(reader._encryption._key) == 32
    assert stat.S_IMODE(Sheet.get().path.stat().st_mode) == 0o600
    row = str(Sheet.select().dicts().get())
    assert WORDS not in row and "words" not in row, "not even the passphrase is kept"


def test_no_plain_text_of_it_is_ever_on_disk(known):
    Sheet.choose(known.alice, WORDS)
    written, watching = [], [True]

    def hook(event, args):
        if watching and event == "open" and isinstance(args[0], str | bytes):
            mode, flags = args[1], args[2]
            if (mode and set(mode) & set("wax+")) or (flags or 0) & 3:
                written.append(str(args[0]))

    sys.addaudithook(hook)
    Sheet.make_due(visible)
    watching.clear()
    own = [name for name in written if "/sheets/" in name]
    assert own and all(name.endswith((".part", "sheets")) for name in own)
    other = [n for n in written if n not in own and not n.endswith((".db", "-wal", "-shm", "secret.key"))]  # fmt: skip
    assert not [name for name in other if "null" not in name], other
    for file in settings.folder.rglob("*"):
        if file.is_file() and "sheets" in file.parts:
            assert b"Zofia" not in file.read_bytes() and file.suffix == ".pdf"


def test_each_holds_what_its_reader_may_read(cast, known):
    Sheet.choose(known.alice, WORDS), Sheet.choose(known.bob, WORDS)
    assert Sheet.make_due(visible) == 2
    hers = read(cast.alice.get("/sheet/file/").data)
    his = read(cast.bob.get("/sheet/file/").data)
    assert "山田 花子" in hers and "山田 花子" not in his and "Zofia" in his
    with pytest.raises(Exception, match="pdftotext"):
        read(Sheet.get(Sheet.user == known.bob).path.read_bytes(), "another passphrase here")


def test_what_was_shut_since_it_was_made_is_not_handed_out(cast, known):
    Sheet.choose(known.bob, WORDS)
    Sheet.make_due(visible)
    Share.name_adult(Incident.get(), known.bob, "The child said so.", known.mark)
    answer = cast.bob.get("/sheet/file/")
    assert answer.status_code == 409 and "made anew" in answer.text_only
    assert not Sheet.get().path.exists() and Sheet.make_due(visible) == 1
    assert "Open case" not in read(cast.bob.get("/sheet/file/").data)


@pytest.mark.parametrize("who", ["ira", "dave", "carol", "mark", "grace"])
def test_nobody_but_a_level_5_has_one(cast, known, who):
    person = getattr(cast, who)
    person.get("/")
    assert person.get("/sheet/").status_code == 403 == person.get("/sheet/file/").status_code
    answer = person.post("/sheet/edit/", {"passphrase": WORDS, "once_more": WORDS})
    assert answer.status_code == 403 and not Sheet.select().exists()


def test_a_passphrase_that_will_not_do(cast, known):
    from .person import PASSWORD

    for words, again, said in (
        ("short", None, "12 characters or more"),
        (WORDS, WORDS + "x", "not the same"),
        (PASSWORD, None, "what you sign in with"),
        ("", None, "Choose a passphrase"),
        ("four words\x00that do", None, "no reader of PDFs"),
    ):
        page = choose(cast.alice, words, again)
        assert page.status_code == 422 and said in page.text_only
    assert not Sheet.select().exists()


def test_another_passphrase_and_the_old_one_opens_nothing(known):
    Sheet.choose(known.alice, WORDS)
    Sheet.make_due(visible)
    Sheet.choose(known.alice, "quite another passphrase")
    assert not Sheet.get().path.exists() and Sheet.make_due(visible) == 1
    content = Sheet.get().path.read_bytes()
    assert "Zofia" in read(content, "quite another passphrase")
    assert not pypdf.PdfReader(io.BytesIO(content)).decrypt(WORDS)


def test_who_is_no_level_5_any_more_has_none(known):
    Sheet.choose(known.alice, WORDS)
    Sheet.make_due(visible)
    path = Sheet.get().path
    UserRole.delete().where(UserRole.user == known.alice).execute()
    UserRole.create(user=known.alice, role=Role.get(Role.name == "Staff"))
    assert path.exists() and Sheet.make_due(visible) == 0 and not path.exists()


def test_each_night_anew_and_one_that_fails_holds_up_none(known, monkeypatch):
    Sheet.choose(known.alice, WORDS), Sheet.choose(known.bob, WORDS)
    Sheet.make_due(visible)
    day = now() + timedelta(days=1)
    monkeypatch.setattr(module, "now", lambda: day)
    real, broken = module.gather, known.alice

    def gather(by, seen):
        if by == broken:
            raise ValueError("Zofia")
        return real(by, seen)

    monkeypatch.setattr(module, "gather", gather)
    assert Sheet.make_due(visible) == 1
    made = {row.user: row.made_at.date() for row in Sheet.select()}
    assert (made[known.alice], made[known.bob]) == (now().date(), day.date())
    monkeypatch.setattr(module, "now", lambda: day + timedelta(days=3))
    late = [one.user for one in Sheet.late()]
    assert late == [known.alice, known.bob]
    assert any("emergency sheets could not be made" in said for said in upkeep.warnings(now(), upkeep.latest()))  # fmt: skip


def test_the_delivery_makes_it(known, monkeypatch):
    Sheet.choose(known.alice, WORDS)
    monkeypatch.setitem(application.soon, "digest", 0)
    monkeypatch.setattr(application, "send", lambda notice: ())
    application.deliver(known.app)
    assert "Zofia" in read(Sheet.get().path.read_bytes())
