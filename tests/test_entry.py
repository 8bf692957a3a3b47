"""Entries by hand: added with a scan, never changed, withdrawn with a reason; by the right people."""

from datetime import UTC, date, datetime, timedelta

import pytest
from peewee import DatabaseError

from models import Child, Entry, Event, Refused, Relation, Scan, now, visible
from models.ground.clock import at
from models.shelf import backup, proof

from .conftest import SECRET
from .person import form_of
from .test_attachment import photograph
from .test_hints import sent

FORM = {
    "headline": "Father left the home", "happened_on": "2025-03-01", "period": "March 2025",
    "text": "Two pages of the infants’ school.", "source": "Earlier school", "origin": "Thornley Infants",
    "pages": "3 and 4", "significant": "yes",
}  # fmt: skip


def add(school, **more):
    values = {
        "happened_on": date(2025, 3, 1), "headline": "Father left the home", "text": "Two pages.",
        "source": "Earlier school",
    }  # fmt: skip
    return Entry.add(school.child, school.carol, **values | more)


@pytest.mark.both
def test_an_entry_from_the_form_to_the_chronology(cast, school):
    cast.carol.get("/entry/new/?child=1")
    page = cast.carol.post("/entry/new/?child=1", FORM | {"headline": "", "period": "x" * 61})
    assert page.status_code == 422 and "Two pages of the infants" in page.text, "the text stays"
    scanned = {"files": (io_of(b"Page three."), "page 3.txt")}
    page = cast.carol.post("/entry/new/?child=1", FORM | scanned)
    text = page.text_only
    assert "March 2025" in text and "Father left the home" in text and "significant" in text
    assert "Thornley Infants · pages 3 and 4 · Carol Vaughan-Ŵyn · entered" in text
    entry = Entry.get()
    page = cast.alice.get(f"/entry/details/?id={entry.id}")
    assert "Two pages of the infants’ school." in page.text_only and "page 3.txt" in page.text_only
    got = cast.alice.get(f"/entry/file/?id={Scan.get().id}")
    assert got.data == b"Page three." and "attachment" in got.headers["Content-Disposition"]
    assert Event.last(entry, "entry:add").by == school.carol
    assert Event.last(entry, "entry:read").by == school.alice
    assert Event.last(Scan.get(), "scan:read").by == school.alice


@pytest.mark.parametrize(
    ("typed", "until", "first", "last", "said"),
    [
        ("3/2025", "", date(2025, 3, 1), date(2025, 3, 31), "March 2025"),
        ("2024", "", date(2024, 1, 1), date(2024, 12, 31), "2024"),
        ("Sept 2024", "11/2024", date(2024, 9, 1), date(2024, 11, 30), "September 2024 to November 2024"),
        ("24/11/2024", "2025", date(2024, 11, 24), date(2025, 12, 31), "24 November 2024 to 2025"),
        ("2/2024", "7/3/2024", date(2024, 2, 1), date(2024, 3, 7), "February 2024 to 7 March 2024"),
        ("24/11/2024", "", date(2024, 11, 24), None, None),
        ("2026", "", date(2026, 1, 1), date(2026, 11, 24), "2026"),
    ],
)  # fmt: skip
def test_a_month_or_a_year_is_enough(cast, school, typed, until, first, last, said):
    with at(datetime(2026, 11, 24, 15, tzinfo=UTC)):
        cast.carol.get("/entry/new/?child=1")
        form = FORM | {"happened_on": typed, "until": until, "period": ""}
        page = cast.carol.post("/entry/new/?child=1", form)
    entry = Entry.get()
    assert (entry.happened_on, entry.until, entry.period) == (first, last, said)
    assert (said or "24 November 2024") in page.text_only


def test_what_the_source_says_stands_and_what_is_no_date_comes_back(cast, school):
    cast.carol.get("/entry/new/?child=1")
    for typed, why in (
        ("13/2025", "There is no month 13."), ("Easter 2025", "“easter” is no month."), ("12/2099", "in the future"),
        ("1066", "The year 1066 cannot be right."), ("30/2/2025", "There is no 30 February"), ("soon", "3/2025 or 2025"),
    ):  # fmt: skip
        page = cast.carol.post("/entry/new/?child=1", FORM | {"happened_on": typed})
        assert page.status_code == 422 and why in page.text_only, typed
        assert f'value="{typed}"' in page.text and not Entry.select().exists()
    backwards = FORM | {"happened_on": "3/2025", "until": "2024"}
    assert "before it began" in cast.carol.post("/entry/new/?child=1", backwards).text_only
    cast.carol.post("/entry/new/?child=1", FORM | {"happened_on": "2025", "period": "Easter 2025"})
    assert (Entry.get().happened_on, Entry.get().period) == (date(2025, 1, 1), "Easter 2025")


def io_of(content):
    from io import BytesIO

    return BytesIO(content)


def test_it_never_changes_and_is_withdrawn_with_a_reason(cast, school):
    entry = add(school)
    with pytest.raises(DatabaseError, match="never changes"):
        Entry.update(text="Something else.").where(Entry.id == entry.id).execute()
    assert cast.carol.get(f"/entry/edit/?id={entry.id}").status_code == 404, "no such door"
    cast.carol.get(f"/entry/details/?id={entry.id}")
    assert cast.carol.press("entry:withdraw", entry, reason="").status_code == 422
    page = cast.carol.press("entry:withdraw", entry, reason="It is of another child.")
    assert "<del>" in page.text and "withdrawn: It is of another child." in page.text_only
    page = cast.carol.get(f"/entry/details/?id={entry.id}")
    assert "Withdrawn by Carol Vaughan-Ŵyn" in page.text_only
    page = cast.carol.press("entry:withdraw", entry, reason="Twice")
    assert page.status_code == 409 and "already" in page.text_only
    assert Entry.get().withdrawn_why == "It is of another child."


def test_the_wrong_person(cast, school):
    entry = add(school, files=[("a.txt", b"A.")])
    for person in (cast.dave, cast.connor, cast.grace, cast.ira):
        for path in ("/entry/new/?child=1", f"/entry/details/?id={entry.id}"):
            assert person.get(path).status_code == 403
        assert person.get(f"/entry/file/?id={Scan.get().id}").status_code == 403
        assert person.press("entry:withdraw", entry, reason="x").status_code == 403
        assert not visible(Entry, person.user).exists() and not visible(Scan, person.user).exists()
    Relation.relate(school.child, school.alice, kind="Cousin", user=school.carol)
    for path in (f"/entry/details/?id={entry.id}", "/entry/new/?child=1"):
        assert cast.carol.get(path).status_code == 404, "though she entered it"
    assert cast.carol.get(f"/entry/file/?id={Scan.get().id}").status_code == 404


def test_what_cannot_be_is_refused_with_a_sentence(cast, school):
    tomorrow = now().date() + timedelta(days=2)
    for values, field in (
        ({"happened_on": tomorrow}, "happened_on"),
        ({"happened_on": date(1850, 1, 1)}, "happened_on"),
        ({"until": date(2025, 2, 1)}, "until"),
        ({"files": [("a.exe", b"MZ\0\0")]}, "files"),
    ):
        with pytest.raises(Refused) as refused:
            add(school, **values)
        assert field in refused.value.errors and not Entry.select().exists()
        assert not Scan.select().exists(), "nothing of it stays"
    cast.carol.get("/entry/new/?child=1")
    page = cast.carol.post("/entry/new/?child=1", FORM | {"source": "nowhere"})
    assert page.status_code == 422 and "not on the list" in page.text_only
    assert cast.carol.get("/entry/new/").status_code == 404, "an entry is about a child"
    assert Child.select().count() == 4


def test_a_photograph_is_handed_out_without_where_it_was_taken(cast, school):
    add(school, files=[("scan.png", photograph("PNG"))])
    got = cast.alice.get(f"/entry/file/?id={Scan.get().id}")
    assert got.status_code == 200 and got.data.startswith(b"\x89PNG")


@pytest.mark.only("sqlite")
def test_a_scan_is_backed_up_and_checked(school, vault):
    from models import TABLES

    entry = add(school, files=[("a.txt", b"A page.")])
    done = backup.make(vault, SECRET, TABLES)
    scan = Scan.get()
    assert list(vault.glob(f"attachments/*/{scan.sha256}")) and done and entry
    assert proof.files() == 1
    scan.path.write_bytes(b"Another page.")
    with pytest.raises(Refused, match=f"scan {scan.id} is damaged"):
        proof.files()


def test_a_scan_that_was_chosen_comes_back_with_the_form(cast, school):
    path = f"/entry/new/?child={school.child.id}"
    page = cast.carol.get(path)
    page = cast.carol.post(form_of(page), {"files": (io_of(b"Page three."), "page.txt")})
    assert page.status_code == 422 and "page.txt 1 kB Leave out" in page.text_only
    page = cast.carol.post(form_of(page), sent(page) | FORM)
    assert page.status_code == 200 and Scan.get().read() == b"Page three."
