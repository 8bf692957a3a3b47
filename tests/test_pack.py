"""Packs: the facts of a referral on paper for one named recipient, without the names that are not
for them.
"""

import re
from datetime import timedelta
from io import BytesIO

import pytest
from peewee import DatabaseError
from pypdf import PdfReader

from models import Child, Event, Pack, Refused, Relation
from models.case import hiding
from models.case.hiding import hide
from models.case.incident import ABOUT
from models.case.pack import families
from models.ground.clock import now
from models.ground.settings import settings
from models.ground.words import bare
from models.history.paper import to_pdf

from .conftest import contact, fits, report
from .test_queries import counted


@pytest.fixture
def told(school):
    """What happened between Zofia and Ngũgĩ, told to MASH; 山田 花子 is on the list and mentioned."""
    Relation.relate(
        school.child, school.carol, kind="Mother", name="Helena Łukasiewicz", responsible=True, reached="07700 900 001", household=True
    )  # fmt: skip
    Relation.relate(school.children[1], school.carol, kind="Mother", name="Wanjiru Kamau")
    incident = report(
        school,
        others=[(school.children[1], "Alleged to have caused harm")],
        what_happened="Zofia Łukasiewicz said that NGUGI WA KAMAU pulled her. Ngũgĩ laughed. Kamau’s friend 山田 花子さん saw it.",
        child_words="“He, Ngugi, pulled me.”",
        immediate_action="Helena Łukasiewicz was rung. Wanjiru Kamau was not.",
    )
    return contact(
        school, incident, body="MASH", kind="Referral", person="Ann Pryce, duty social worker", answers={"9": "Ngũgĩ wa Kamau follows her."}
    )  # fmt: skip


def made(school, told, **more):
    asked = {"recipient": "Ann Pryce", "asked": "An assessment of Ngũgĩ wa Kamau, too."}
    return Pack.pack(told, **asked | {"others": False} | more, by=school.carol)


def words(pack):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", pack.words[pack.words.index("<body") :]))


def test_the_facts_are_there_and_no_other_child(school, told):
    said = words(made(school, told))
    for fact in (
        "Zofia Łukasiewicz", "17 January 2013", "Year 6", "A123456789000", "Helena Łukasiewicz", "Mother, lives with the child",
        "07700 900 001", "pulled her", "pulled me", "An assessment of another child", "Thornley Beck School", "Referral to MASH",
    ):  # fmt: skip
        assert fact in said, fact
    for name in ("Ngũgĩ", "NGUGI", "Ngugi", "Kamau", "山田", "花子", "Wanjiru"):
        assert name not in said, name
    assert "another child laughed" in said and "another adult was not" in said
    assert "Another child: alleged to have caused harm" in said


def test_it_says_whether_whom_and_when_a_dsl_was_spoken_to(school):
    spoken = {"told_dsl": True, "told_whom": "Alice Brennan, DSL", "told_dsl_at": now()}
    of = report(school, noticed_at=now() - timedelta(hours=1), **spoken)
    said = words(made(school, contact(school, of, body="MASH", kind="Referral")))
    assert "Spoken to a DSL Yes" in said and "To whom Alice Brennan, DSL" in said


def test_they_are_named_when_it_is_ticked(school, told):
    said = words(made(school, told, others=True))
    assert "Ngũgĩ wa Kamau, Year 7, born 17 February 2013: alleged to have caused harm" in said
    assert "山田 花子さん saw it" in said


def test_the_tick_is_one_press_and_written_down(cast, school, told):
    cast.carol.get("/")
    typed = {"recipient": "Ann Pryce", "asked": "An assessment."}
    cast.carol.press("contact:pack", told, **typed, others="Name them in this pack")
    page = cast.carol.get(f"/contact/details/?id={told.id}")
    assert "other children are named" in page.text_only and Pack.get().others
    event = Event.select().where(Event.verb == "contact:pack").get()
    assert "Other children are named." in event.sentence
    assert cast.carol.press("contact:pack", told, **typed, others="all").status_code == 422


def test_the_warning_names_whom_of_another_family(cast, school, told):
    assert families(told, school.carol) == ["Ngũgĩ wa Kamau", "山田 花子", "Wanjiru Kamau"]
    page = cast.carol.get(f"/contact/details/?id={told.id}")
    assert "Of another family, and mentioned here: Ngũgĩ wa Kamau; 山田 花子" in page.text_only
    Relation.relate(school.child, school.carol, kind="Brother", other=school.children[1])
    assert "Ngũgĩ wa Kamau" not in families(told, school.carol), "a brother is of this family"
    assert "Kamau" not in words(made(school, told)), "and is left out all the same"


def test_the_warning_costs_the_same_in_a_large_school(school, told, monkeypatch):
    """Neither the text is read, nor the database asked, once more for each child on the list."""
    read, plain, costs = [], hiding.letters, []
    monkeypatch.setattr(hiding, "letters", lambda text: read.append(text) or plain(text))
    families(told, school.carol)  # and what the record keeps is there
    for number in range(200):
        if number in (0, 199):
            read.clear()
            with counted() as statements:
                assert families(told, school.carol)[:2] == ["Ngũgĩ wa Kamau", "山田 花子"]
            costs.append((len(read), len(statements)))
        Child.create(name=f"Pupil Number{number}", date_of_birth=school.child.date_of_birth)
    assert costs[0] == costs[1]


def test_made_fetched_and_written_down(cast, school, told):
    cast.carol.get("/")
    page = cast.carol.press(
        "contact:pack", told, recipient="Ann Pryce, duty social worker", asked="An assessment."
    )
    assert "Copy for Ann Pryce, duty social worker" in page.text_only
    pack, event = Pack.get(), Event.select().where(Event.verb == "contact:pack").get()
    assert event.detail["recipient"] == pack.recipient and event.detail["sha256"] == pack.digest
    assert "for a recipient" in event.sentence and "Ann Pryce" in event.sentence
    answer = cast.carol.get(f"/contact/copy/?id={pack.id}")
    assert answer.mimetype == "application/pdf"
    reader = PdfReader(BytesIO(answer.data))
    for sheet in reader.pages:
        assert "Copy for Ann Pryce" in sheet.extract_text(), "on each page"
        assert pack.digest[:32] in sheet.extract_text(), "and the digest that the history has"
    look = Event.select().where(Event.verb == "contact:pdf").get()
    assert look.by == school.carol and look.detail["recipient"] == pack.recipient


def test_each_page_says_for_whom_it_is(school, told):
    long = contact(
        school, told.incident, body="MASH", kind="Referral", advice="A long advice. " * 900
    )
    pack = made(school, long)
    sheets = PdfReader(BytesIO(to_pdf(pack.words))).pages
    assert len(sheets) > 2 and all("Copy for Ann Pryce" in one.extract_text() for one in sheets)


@pytest.mark.parametrize("recipient", ["Ann and Tom", "Ann; Tom", "Ann & Tom"])
def test_one_copy_is_for_one_person(school, told, recipient):
    with pytest.raises(Refused) as refused:
        made(school, told, recipient=recipient)
    assert "one person" in refused.value.errors["recipient"] and not Pack.select().exists()


def test_wrong_person_wrong_moment_twice(cast, school, told):
    typed = {"recipient": "Ann Pryce", "asked": "An assessment."}
    cast.dave.get("/")
    assert cast.dave.press("contact:pack", told, **typed).status_code == 403
    cast.connor.get("/")
    assert cast.connor.press("contact:pack", told, **typed).status_code == 403
    note = contact(school, told.incident)
    cast.carol.get("/")
    page = cast.carol.press("contact:pack", note, **typed)
    assert page.status_code == 409 and "made from a referral" in page.text_only
    assert ">Make the pack<" not in cast.carol.get(f"/contact/details/?id={note.id}").text
    assert cast.carol.press("contact:pack", told, recipient="", asked="").status_code == 422
    assert not Pack.select().exists()
    cast.carol.get("/")
    for _time in range(2):
        cast.carol.press("contact:pack", told, **typed)
    assert Pack.select().count() == 2, "another press makes another copy, each written down"
    assert Event.select().where(Event.verb == "contact:pack").count() == 2


@pytest.fixture
def waiting(school, told, monkeypatch):
    """A copy that Carol made in a school where a second person approves."""
    monkeypatch.setattr(settings, "pack_sign_off", True)
    return made(school, told)


def test_a_second_person_reads_and_approves_where_the_school_wants_that(cast, school, waiting):
    path, copy = f"/contact/details/?id={waiting.contact_id}", f"/contact/copy/?id={waiting.id}"
    page = cast.carol.get(path)
    assert "waits for approval" in page.text_only and copy not in page.text
    refused = cast.carol.get(copy)
    assert refused.status_code == 409 and "another person has to approve it" in refused.text_only
    assert "pack for Ann Pryce" not in cast.carol.get("/").text_only
    assert "pack for Ann Pryce" in cast.alice.get("/").text_only
    page = cast.alice.get(path)
    assert "Read the copy for Ann Pryce" in page.text_only and "Approve this copy" in page.text_only
    assert "An assessment of another child, too." in page.text_only, "what is approved is read"
    assert cast.alice.get(copy).status_code == 409, "not even by whoever is to approve it"
    assert not Event.select().where(Event.verb == "contact:pdf").exists()
    page = cast.alice.press("contact:approve_pack", waiting.contact, pack=str(waiting.id))
    assert "is approved" in page.text_only and "approved by Alice Brennan" in page.text_only
    event = Event.select().where(Event.verb == "contact:approve_pack").get()
    assert event.by == school.alice and event.detail["sha256"] == waiting.digest
    assert Pack.get().words == waiting.words
    assert cast.carol.get(copy).mimetype == "application/pdf"
    assert "pack for Ann Pryce" not in cast.alice.get("/").text_only
    fits()


def test_approving_wrong_person_wrong_moment_twice(cast, school, told, waiting):
    which = {"pack": str(waiting.id)}
    assert "Approve this copy" not in cast.carol.get(f"/contact/details/?id={told.id}").text_only
    assert cast.carol.press("contact:approve_pack", told, **which).status_code == 403
    with pytest.raises(Refused, match="Another person than the one who made it"):
        Pack.approve_pack(told, waiting, by=school.carol)
    for wrong in ("", "0", "x", "99"):
        page = cast.mark.press("contact:approve_pack", told, pack=wrong)
        assert page.status_code == 422, wrong
    assert cast.dave.press("contact:approve_pack", told, **which).status_code == 403
    assert Pack.get().status == "waits"
    Pack.approve_pack(told, waiting, by=school.mark)
    assert cast.alice.press("contact:approve_pack", told, **which).status_code in (409, 422)
    with pytest.raises(Refused):
        Pack.approve_pack(told, waiting, by=school.alice)
    mine = made(school, told)
    both = Pack.pack(told, recipient="Tom Reed", asked="Help.", others=False, by=school.mark)
    page = cast.mark.press("contact:approve_pack", told, pack=str(both.id))
    assert page.status_code == 422, "his own is not among those that wait for him"
    with pytest.raises(Refused, match="does not wait for you"):
        Pack.approve_pack(told, both, by=school.mark)
    assert [one.status for one in Pack.select().order_by(Pack.id)] == ["approved", "waits", "waits"]
    assert mine.approved_by is None and Pack.get_by_id(waiting.id).approved_by == school.mark


def test_nobody_named_in_it_approves_and_the_words_never_change(cast, school, waiting):
    other = report(school, adults=[(school.bob, ABOUT)])
    shut = made(school, contact(school, other, body="MASH", kind="Referral"))
    assert (
        cast.bob.press("contact:approve_pack", shut.contact, pack=str(shut.id)).status_code == 404
    )
    assert "pack for" in cast.bob.get("/").text_only, "of the other one he may"
    assert str(other) not in cast.bob.get("/").text_only
    for field, value in (("words", "Other."), ("recipient", "Tom"), ("by", school.bob)):
        with pytest.raises(DatabaseError):
            Pack.update(**{field: value}).execute()


def test_without_the_setting_nothing_waits(school, told):
    assert made(school, told).status is None


@pytest.mark.parametrize(
    "text, name, left",
    [
        ("Siôn pushed.", "Siôn", "X pushed."),
        ("Sio\u0302n pushed.", "Siôn", "X pushed."),
        ("SION’s bag", "Siôn", "X’s bag"),
        ("Zion and Sionne", "Siôn", "Zion and Sionne"),
        ("O'Reilly, OREILLY and O’Reilly", "O’Reilly", "X, X and X"),
        ("el sayed, El-Sayed\nEl\nSayed", "El-Sayed", "X, X\nX"),
        ("Đặng Thị Hoà, dang thi hoa", "Đặng Thị Hoà", "X, X"),
        ("山田花子さん", "山田 花子", "Xさん"),
        ("Si\u00adon, Si\u200bôn and \u2060Siôn", "Siôn", "X, X and \u2060X"),  # pasted from a page
        ("_Siôn_, Siôn¹ and Siôn2", "Siôn", "_X_, X¹ and X2"),
        ("نگار‌ان", "نگار‌ان", "X"),
        ("", "Siôn", ""),
    ],
)
def test_a_name_is_left_out_however_it_is_typed(text, name, left):
    assert hide(text, {bare(name): "X"}) == left
