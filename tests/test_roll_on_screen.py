"""The roll imported on the screen: choose, match, look, press; by people, and against them."""

import re
import time
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest

import app as application
from models import Child, Event, Refused, Role, Roll, RollColumns, User, db, now
from models.ground.clock import at
from models.shelf import roll as rules
from models.shelf import upload

from .conftest import handed_in, report
from .faults import killed_at, whole
from .test_queries import counted
from .test_roll import HEADING, four, listed, rows

OWN = ["Kennung", "Rufname", "Familie", "Geboren", "Stufe"]  # headings that nobody knows


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(rules, "PAUSE", 0)


def choose(person, content, name="pupils.csv", **more):
    """Step 1, as a browser sends it."""
    person.get("/roll/new/")
    return person.post("/roll/new/", {"file": (BytesIO(content), name)} | more)


def opened_with(page):
    """The hidden fields of the form on a page."""
    return {
        name: unescape(found[1])
        for name in ("version", "opened")
        if (found := re.search(rf'name="{name}" value="([^"]*)"', page.text))
    }


def match(person, roll, **columns):
    """Step 2: the columns, as they are matched already but for what is given."""
    page = person.get(f"/roll/edit/?id={roll.id}")
    sent = dict.fromkeys(upload.FIELDS, "") | (columns or roll.columns)
    return person.post(f"/roll/edit/?id={roll.id}", opened_with(page) | sent)


def latest():
    return Roll.select().order_by(Roll.id.desc()).get()


def press(person, roll, **more):
    """Step 4, with what the page shows."""
    page = person.get(f"/roll/details/?id={roll.id}")
    seen = re.search(r'name="seen"[^>]*value="([^"]*)"', page.text)
    return person.press("roll:take", roll, **({"seen": seen[1] if seen else ""} | more))


def looked_at(person, content, **columns):
    """Steps 1 and 2, and what the server's own process does: the list to be confirmed."""
    choose(person, content)
    match(person, latest(), **columns)
    upload.go_on()
    return latest()


def imported(person, content, **more):
    roll = looked_at(person, content)
    press(person, roll, **more)
    upload.go_on()
    return latest()


def test_ira_imports_the_roll_and_imports_it_again(cast, school):
    content, before = listed(rows(60)), Child.select().count()
    page = choose(cast.ira, content)
    assert "Match the columns" in page.text_only and "Geboren" not in page.text
    assert re.search(r'name="date_of_birth".*?selected[^>]*>Date of birth<', page.text, re.S)
    assert "Zofia" in page.text_only, "the first rows help to match"
    page = match(cast.ira, latest())
    assert "The file is being read" in page.text_only and Child.select().count() == before
    upload.go_on()
    page = cast.ira.get(f"/roll/details/?id={latest().id}")
    assert "New 60 are added" in page.text_only and "Nothing is saved yet" in page.text_only
    page = press(cast.ira, latest())
    assert "0 of 60 done" in page.text_only and Child.select().count() == before
    upload.go_on()
    page = cast.ira.get(f"/roll/details/?id={latest().id}")
    assert "What was done" in page.text_only and Child.select().count() == before + 60
    assert not list(upload.folder().iterdir()), "the file is gone"
    added = Event.select().where(Event.verb == "child:add", Event.by == school.ira)
    assert added.count() == 60 and whole()
    head = Event.select().where(Event.verb == "child:add").count()
    roll = looked_at(cast.ira, content)
    page = press(cast.ira, roll)
    assert page.status_code == 409 and "There is nothing to import" in page.text_only
    assert Event.select().where(Event.verb == "child:add").count() == head, "no doubles"


def test_the_history_says_who_what_and_how_many(cast, school):
    roll = imported(cast.ira, listed(rows(3)))
    begun = Event.last(roll, "roll:take")
    assert begun.by == school.ira and begun.detail["sha256"] == roll.digest
    assert begun.detail["expected"]["added"] == 3 and begun.detail["record"] == "pupils.csv"
    done = Event.last(roll, "roll:finish")
    assert done.by is None and "3 added, 0 corrected" in done.sentence
    assert "3 added" in cast.alice.get("/event/").text_only


def test_columns_are_matched_once_and_remembered(cast, school):
    table = [["E00000000001A", "Mei", "Tan", "01/02/2014", "Year 5"]]
    columns = {
        "upn": "Kennung",
        "forename": "Rufname",
        "surname": "Familie",
        "date_of_birth": "Geboren",
    }
    choose(cast.ira, listed(table, OWN))
    assert latest().columns == {}, "nothing is guessed"
    match(cast.ira, latest(), **columns, year="Stufe")
    upload.go_on()
    press(cast.ira, latest())
    upload.go_on()
    assert Child.get(Child.name == "Mei Tan").year == "Year 5"
    page = choose(cast.carol, listed(table, OWN[::-1]))
    assert latest().columns == columns | {"year": "Stufe"}, "for everybody, in any order"
    assert page.text.count("selected") >= 5
    choose(cast.ira, listed(table, [*OWN[:4], "Klasse"]))
    assert latest().columns == {}, "other headings are another list"


@pytest.mark.parametrize(
    ("columns", "field", "sentence"),
    [
        ({"name": "Rufname"}, "date_of_birth", "where the date of birth stands"),
        ({"date_of_birth": "Geboren"}, "name", "where the name stands"),
        ({"date_of_birth": "Geboren", "forename": "Rufname"}, "surname", "a name has both parts"),
        ({"date_of_birth": "Geboren", "name": "Rufname", "surname": "Familie"}, "name", "either"),
        ({"date_of_birth": "Rufname", "name": "Rufname"}, "name", "more than once"),
        ({"date_of_birth": "Geburt", "name": "Rufname"}, "date_of_birth", "is not on the list"),
    ],
)
def test_columns_that_cannot_be_matched_so(cast, school, columns, field, sentence):
    choose(cast.ira, listed([["E00000000001A", "Mei", "Tan", "01/02/2014", "5"]], OWN))
    page = match(cast.ira, latest(), **columns)
    assert (
        page.status_code == 422 and sentence in page.text_only and f'href="#{field}"' in page.text
    )
    assert latest().status == "to match" and "selected" in page.text, "what was chosen stays"
    with pytest.raises(Refused) as refused:
        latest().match_columns(columns)
    assert field in refused.value.errors


def test_wrong_people(cast, school):
    """Without the permission: no page. With it: nobody but the person whose file it is."""
    roll = handed_in(school.ira)
    for person in (cast.dave, cast.connor, cast.grace):
        for door in ("/roll/", "/roll/new/", *mine(roll)):
            assert person.get(door).status_code == 403
        assert choose(person, listed(rows(1))).status_code == 403
    for person in (cast.alice, cast.carol):
        assert "pupils.csv" not in person.get("/roll/").text
        for door in mine(roll):
            page = person.get(door)
            assert page.status_code == 404 and "Okafor" not in page.text
        for verb in ("roll:take", "roll:drop"):
            answer = person.press(verb, roll, seen=roll.found["digest"])
            assert answer.status_code == 404 and Roll.get_by_id(roll.id).status == "to confirm"
        with pytest.raises(Refused, match="Only the person who chose"):
            Roll.get_by_id(roll.id).take(by=person.user, seen=roll.found["digest"])
    assert Event.last(roll, "record:refused").by == school.carol, "it is written down"


def mine(roll):
    return [f"/roll/{door}/?id={roll.id}" for door in ("details", "edit", "file")]


def test_ira_reads_no_record_and_nobody_but_those_in_the_file(cast, school):
    """What the preview says is about the roll and the file; a child with a case looks like any."""
    report(school)
    zofia = school.child
    table = [[zofia.upn, "Zofia Maria Łukasiewicz", "17/01/2013", "Year 6"]]
    roll = looked_at(cast.ira, listed(table, ["UPN", "Name", "DOB", "Year"]))
    page = cast.ira.get(f"/roll/details/?id={roll.id}")
    assert "Zofia Maria" in page.text_only and "INC-" not in page.text
    assert "→" not in page.text and "Full name" in page.text_only, "which field, not what it held"
    for other in school.children[1:]:
        assert other.name not in page.text, "not in the file of hers"
    for path in ("/child/", f"/child/details/?id={zofia.id}", "/incident/"):
        assert cast.ira.get(path).status_code == 403
    handed = looked_at(cast.carol, listed(table, ["UPN", "Name", "DOB", "Year"]))
    page = cast.carol.get(f"/roll/details/?id={handed.id}")
    assert "Zofia Łukasiewicz → Zofia Maria Łukasiewicz" in page.text_only


def test_giving_it_waits_for_nobody(school):
    from models.permissions import opens

    assert not opens("roll:take")
    for name in ("Safeguarding team", "Manager", "DSL", "Head", "IT"):
        assert "roll:take" in Role.get(Role.name == name).permissions
    for name in ("Staff", "Contributor", "Governor"):
        assert "roll:take" not in Role.get(Role.name == name).permissions


def test_wrong_moments(cast, school):
    choose(cast.ira, listed(rows(3)))
    roll = latest()
    assert cast.ira.press("roll:take", roll).status_code == 409, "before it was looked at"
    match(cast.ira, roll)
    assert cast.ira.press("roll:take", roll).status_code == 409, "before it was read"
    upload.go_on()
    assert press(cast.ira, roll, seen="0" * 64).status_code == 409, "another preview"
    assert press(cast.ira, roll).status_code == 200
    assert match(cast.ira, roll).status_code in (409, 422) and latest().status == "importing"
    assert cast.ira.press("roll:drop", roll).status_code == 409
    upload.go_on()
    assert latest().status == "imported" and press(cast.ira, roll).status_code == 409
    assert Event.select().where(Event.verb == "roll:take").count() == 1
    assert (
        "page" not in cast.ira.get(f"/roll/details/?id={roll.id}").text_only.partition("Import")[0]
    )


def test_pressed_twice_and_sent_twice(cast, school):
    cast.ira.get("/roll/new/")
    for _time in range(2):
        cast.ira.post(
            "/roll/new/", {"file": (BytesIO(listed(rows(2))), "pupils.csv"), "once": "abc"}
        )
    assert Roll.select().count() == 1
    match(cast.ira, latest())
    upload.go_on()
    seen, before = latest().found["digest"], Child.select().count()
    answers = [cast.ira.press("roll:take", latest(), seen=seen).status_code for _time in range(2)]
    assert answers == [200, 409]
    upload.go_on(), upload.go_on()
    assert Child.select().count() == before + 2
    with pytest.raises(Refused, match="only while it is"):
        latest().take(by=school.ira, seen=seen)


def test_thrown_away(cast, school):
    roll = looked_at(cast.ira, listed(rows(2)))
    page = cast.ira.press("roll:drop", roll)
    assert "was thrown away" in page.text_only and not list(upload.folder().iterdir())
    assert Event.last(roll, "roll:drop").by == school.ira and latest().found is None
    assert cast.ira.press("roll:drop", roll).status_code == 409
    with pytest.raises(Refused, match="Only the person who chose"):
        handed_in(school.ira).drop(by=school.carol)


def test_rows_with_errors_are_left_out_told_and_downloaded(cast, school):
    table = list(rows(8))
    table[1][3], table[2][1], table[3][0] = "30/02/2013", '=HYPERLINK("x")', "B12"
    table[4][1], table[5][4] = "Zo\nfia", "x" * 30
    table.append(["", "Sam", "Okafor", "", "", ""])
    roll = looked_at(cast.ira, listed(table))
    page = cast.ira.get(f"/roll/details/?id={roll.id}")
    for words in (
        "Row 3 Date of birth The date of birth is not a date such as 22/11/2013.",
        "The name begins with “=”: it may be a formula.",
        "Row 5 UPN The UPN is not a letter",
        "Row 7 Year group The year is longer than 20 letters",
    ):
        assert words in page.text_only, words
    assert "New 4 are added" in page.text_only
    file = cast.ira.get(f"/roll/file/?id={roll.id}")
    assert file.mimetype == "text/csv" and "rows-not-taken" in file.headers["Content-Disposition"]
    assert len(file.text.splitlines()) == 6 and file.text.startswith("\ufeffRow,Column")
    press(cast.ira, roll)
    upload.go_on()
    assert latest().counts["added"] == 4 and len(latest().bad) == 5
    assert Child.get(Child.name.startswith("Zo fia")), "a line break in a cell is a space"


def test_a_heading_that_is_a_formula_stays_one_only_here(cast, school):
    roll = looked_at(
        cast.ira,
        listed([["Mei Tan", "30/02/2014"]], ["Name", "=1+1"]),
        name="Name",
        date_of_birth="=1+1",
    )
    line = cast.ira.get(f"/roll/file/?id={roll.id}").text.splitlines()[1]
    assert line.startswith("2,'=1+1,"), line


def test_doubtful_rows_are_for_a_person_and_nobody_is_merged(cast, school):
    before = four()
    table = [["C12345678900A", "Zofia Łukasiewicz", "17/01/2013", "Year 9"]]
    roll = looked_at(cast.ira, listed(table, ["UPN", "Name", "DOB", "Year"]))
    page = cast.ira.get(f"/roll/details/?id={roll.id}")
    assert "For a person to decide" in page.text_only and "with another UPN" in page.text_only
    assert "a person" in cast.ira.get(f"/roll/file/?id={roll.id}").text
    assert press(cast.ira, roll).status_code == 409 and four() == before


def roll_of_60(cast):
    imported(cast.ira, listed(rows(60)))
    for child in Child.select().where(~Child.upn.startswith("B")):
        changed = child.set(left_on=now().date())
        child.save()
        Event.write("child:edit", child, None, changed)


@pytest.mark.parametrize("column", [5, 1, 0], ids=["leaving date", "name", "UPN"])
def test_a_column_that_slipped_saves_nothing_unless_said(cast, school, column):
    roll_of_60(cast)
    table = list(rows(60))
    cells = [row[column] for row in table]
    for row, cell in zip(table, cells[1:] + cells[:1], strict=True):
        row[column] = "20/07/2026" if column == 5 else cell
    if column == 1:
        table = [[row[0], "Slipped", *row[2:]] for row in table]
        for row in table:
            row[2] += "x"
    roll = looked_at(cast.ira, listed(table))
    head = four()
    page = cast.ira.get(f"/roll/details/?id={roll.id}")
    assert roll.found["odd"] and "A column may have slipped" in page.text_only
    page = press(cast.ira, roll)
    assert page.status_code == 409 and "Say that the list is right" in page.text_only
    assert latest().status == "to confirm" and four() == head
    if column == 5:
        press(cast.ira, roll, sure="I have looked at the file: it is right")
        upload.go_on()
        assert latest().counts["corrected"] == 60
        assert Event.last(roll, "roll:take").detail["sure"] is True


LEFT = {"leavers": "Mark them as left, from today"}


def test_those_not_in_the_file_leave_only_if_carol_says_so(cast, school):
    roll_of_60(cast)
    table = list(rows(50))
    content = listed([*table[:-1], [*table[-1][:4], "Year 1", ""]])
    roll = looked_at(cast.ira, content)
    page = cast.ira.get(f"/roll/details/?id={roll.id}")
    gone = Child.get(Child.upn == list(rows(60))[55][0])
    assert "On the roll, not in the file 10" in page.text_only and gone.name not in page.text
    press(cast.ira, roll, **LEFT)
    upload.go_on()
    assert latest().counts["left"] == 0 and not Child.get_by_id(gone.id).left_on, "not for Ira"
    with pytest.raises(Refused, match="nothing to import"):
        own = looked_at(cast.ira, content)  # nor where the form is not asked
        own.take(by=school.ira, seen=own.found["digest"], leavers=[LEFT["leavers"]])
    roll = looked_at(cast.carol, content)
    assert gone.name in cast.carol.get(f"/roll/details/?id={roll.id}").text
    assert press(cast.carol, roll).status_code == 409, "unticked there is nothing to do"
    press(cast.carol, roll, **LEFT)
    upload.go_on()
    assert latest().counts["left"] == 10 and Child.get_by_id(gone.id).left_on == now().date()
    event = Event.last(gone, "child:edit")
    assert event.by == school.carol and event.detail["reason"] == "Not in the list."
    assert Child.on_roll().where(Child.id == gone.id).exists() and whole(), "until the day is over"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: listed(rows(30)), "may be a part of it"),
        (lambda: listed([*rows(50), ["x"]]), "does not even say whom it is about"),
        (lambda: listed(rows(50)) + b"B0", "does not even say whom it is about"),
        (
            lambda: listed([*rows(50), ["B12", "Sam", "", "01/02/2014", "", ""]]),
            "does not even say whom it is about",
        ),
    ],
    ids=["a part", "a broken row", "cut off", "half a name"],
)
def test_nobody_is_said_to_have_left_by_half_a_list(cast, school, content, words):
    roll_of_60(cast)
    roll = looked_at(cast.carol, content())
    page = cast.carol.get(f"/roll/details/?id={roll.id}")
    assert (
        words in page.text_only and roll.found["absent"] == [] and LEFT["leavers"] not in page.text
    )
    press(cast.carol, roll, **LEFT)
    upload.go_on()
    assert Child.select().where(Child.left_on.is_null(False)).count() == 4


def test_a_child_of_a_row_with_an_error_is_not_missing(cast, school):
    roll_of_60(cast)
    table = list(rows(60))
    table[0][3], table[1][0], table[2] = "30/02/2013", "B12", ["", *table[2][1:3], "", "", ""]
    assert looked_at(cast.carol, listed(table)).found["absent"] == []


def test_killed_half_way_it_goes_on_where_it_stood(cast, school):
    roll = looked_at(cast.ira, listed(rows(250)))
    press(cast.ira, roll)
    before = Child.select().count()
    assert killed_at(1_200, upload.go_on)
    there = Child.select().count() - before
    assert 0 < there < 250 and there == latest().upto == latest().counts["added"] and whole()
    page = cast.ira.get(f"/roll/details/?id={roll.id}")
    assert f"{there} of 250 done" in page.text_only
    upload.go_on()
    assert Child.select().count() == before + 250 and latest().counts["added"] == 250 and whole()
    assert Event.select().where(Event.verb == "roll:finish").count() == 1


def test_two_import_at_once_and_the_second_looks_again(cast, school):
    first = looked_at(cast.ira, listed(rows(20)))
    second = looked_at(cast.carol, listed(rows(25)))
    press(cast.ira, first), press(cast.carol, second)
    before = Child.select().count()
    upload.go_on(), upload.go_on()
    first, second = Roll.get_by_id(first.id), Roll.get_by_id(second.id)
    assert first.status == "imported" and second.status == "to confirm"
    assert second.found["counts"] == {"added": 5, "corrected": 0, "as they were": 20}
    assert "has changed since you looked" in cast.carol.get(f"/roll/details/?id={second.id}").text
    press(cast.carol, second)
    upload.go_on()
    assert Child.select().count() == before + 25


def test_two_processes_import_one_list_once(cast, school):
    press(cast.ira, looked_at(cast.ira, listed(rows(150))))
    one, other = latest(), latest()
    lines, _bad = one.parsed()
    assert one.batch(lines) is True and other.batch(lines) is None
    other.proceed(time.monotonic() + 60)
    assert latest().upto == 100, "whoever is late leaves it to the other"
    one.proceed(time.monotonic() + 60), one.finish()
    assert latest().counts["added"] == 150
    assert Event.select().where(Event.verb == "roll:finish").count() == 1


def test_a_round_ends_so_that_emails_leave(cast, school, monkeypatch):
    press(cast.ira, looked_at(cast.ira, listed(rows(350))))
    ticks = iter(range(10_000))
    monkeypatch.setattr(upload.time, "monotonic", lambda: next(ticks) * 4)
    upload.go_on()
    assert 0 < latest().upto < 350 and latest().status == "importing"
    for _round in range(9):
        upload.go_on()
    assert latest().status == "imported"


def test_who_may_not_any_more_imports_nothing(cast, school):
    press(cast.ira, looked_at(cast.ira, listed(rows(5))))
    User.update(active=False).where(User.id == school.ira.id).execute()
    before = Child.select().count()
    upload.go_on()
    assert latest().status == "stopped" and Child.select().count() == before
    assert not list(upload.folder().iterdir())


def test_the_file_does_not_lie_around(cast, school):
    choose(cast.ira, listed(rows(3)))
    (file,) = upload.folder().iterdir()
    upload.forget()
    assert file.exists()
    with at(now() + timedelta(hours=25)):
        upload.forget()
    assert Roll.select().count() == 0
    stray = upload.folder() / "99.csv"
    stray.write_bytes(b"x")
    for one in (file, stray):
        if one.exists():
            application.os.utime(one, (0, 0))
    upload.forget()
    assert not list(upload.folder().iterdir()), "and what a crash left there goes too"


def test_a_file_that_is_gone_or_another(cast, school):
    roll = looked_at(cast.ira, listed(rows(3)))
    roll.file.write_bytes(listed(rows(4)))
    press(cast.ira, roll)
    upload.go_on()
    assert latest().status == "to match" and "Choose it again" in latest().problem
    latest().file.unlink()
    page = cast.ira.get(f"/roll/edit/?id={roll.id}")
    assert page.status_code == 200 and "is not here any more" in page.text_only
    match(cast.ira, latest())
    upload.go_on()
    assert latest().status == "stopped"


ODD = {
    "xlsx": (b"PK\x03\x04" + b"\0" * 500, "CSV UTF-8 (comma delimited)"),
    "xls": (b"\xd0\xcf\x11\xe0" + b"\0" * 500, "old Excel file"),
    "pdf": (b"%PDF-1.7\n", "a PDF, not a CSV"),
    "nothing": (b"", "must name the columns"),
    "no heading": (b"Mei Tan,01/02/2014,E00000000001A\nSam Okafor,02/02/2014,\n", "No row at the top"),
    "5,000 columns": (b"Name,DOB" + b",x" * 5_000 + b"\n", "more than 200 columns"),
    "bytes": (bytes(range(128, 256)) * 20, "neither in UTF-8 nor"),
    "too large": (b"Name,DOB\n" + b"Mei Tan,01/02/2014\n" * 20_000, "larger than"),
    "one long cell": (b"Name,DOB\n" + b'"' + b"x" * 300_000, "not a whole CSV"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_list_is_answered_with_a_sentence(cast, school, kind, monkeypatch):
    content, sentence = ODD[kind]
    monkeypatch.setattr(upload, "LARGEST", 350_000)
    page = choose(cast.ira, content)
    assert page.status_code == 422 and sentence in page.text_only, page.text_only[:900]
    assert not Roll.select().exists() and not list(upload.folder().glob("*"))


def test_a_list_without_end(cast, school):
    """Empty lines without number: they take no memory, and no time of others."""
    choose(cast.ira, b"Name,DOB\n" + b"\n" * 400_000)
    match(cast.ira, latest())
    upload.go_on()
    assert latest().status == "to match" and "more than 100,000 rows" in latest().problem
    assert latest().problem in cast.ira.get(f"/roll/edit/?id={latest().id}").text


def test_no_file_and_no_column(cast, school):
    page = cast.ira.post("/roll/new/", {})
    assert page.status_code == 422 and "Choose the file." in page.text_only
    page = cast.ira.post("/roll/new/", {"file": "a text"})
    assert page.status_code == 422 and "Choose the file." in page.text_only
    choose(cast.ira, b"Name,DOB,,\nMei Tan,01/02/2014,,\n")
    assert latest().headings == ["Name", "DOB", "no heading (column 3)", "no heading (column 4)"]


def test_headings_that_stand_twice(cast, school):
    content = b"Name,Year,Year,Born\nMei Tan,5,Year 5,01/02/2014\n"
    choose(cast.ira, content)
    assert latest().headings == ["Name", "Year (column 2)", "Year (column 3)", "Born"]
    match(cast.ira, latest(), name="Name", year="Year (column 3)", date_of_birth="Born")
    upload.go_on()
    press(cast.ira, latest())
    upload.go_on()
    assert Child.get(Child.name == "Mei Tan").year == "Year 5"


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_whatever_it_was_saved_in(cast, school, code, delimiter):
    text = "Nachname;Vorname;Geboren\r\nÀlvarez;José;1/2/2014\r\n".replace(";", delimiter)
    columns = {"surname": "Nachname", "forename": "Vorname", "date_of_birth": "Geboren"}
    roll = looked_at(cast.ira, text.encode(code), **columns)
    assert roll.found["added"] == [[2, "José Àlvarez", ""]], roll.problem


def test_names_of_all_alphabets_and_a_file_name_that_is_odd(cast, school):
    names = [
        "Ολυμπία Παπαδάκη",
        "Şükrü Yıldırım",
        "山田 花子",
        "محمد علی",
        "Đặng Thị Hoà",
        "O’Reilly <b>",
    ]
    content = listed([[name, f"0{n}/02/2014"] for n, name in enumerate(names, 1)], ["Name", "DOB"])
    choose(cast.ira, content, name="../../<script>\u202e.csv")
    match(cast.ira, latest())
    upload.go_on()
    page = cast.ira.get(f"/roll/details/?id={latest().id}")
    assert "<script>" not in page.text and "&lt;b&gt;" in page.text
    assert [row[1] for row in latest().found["added"][:5]] == names[:5]
    assert latest().file.parent == upload.folder()


def test_five_lists_a_person(cast, school):
    for _time in range(5):
        choose(cast.ira, listed(rows(1)))
    page = choose(cast.ira, listed(rows(1)))
    assert page.status_code == 422 and "Throw one of them away first" in page.text_only
    assert choose(cast.carol, listed(rows(1))).status_code == 200, "hers are hers"


def test_no_child_is_kept_in_the_row_and_nothing_in_the_log(cast, school, caplog, monkeypatch):
    roll = imported(cast.ira, listed(rows(3)))
    assert roll.found is None and not re.search("Zofia|B0000", str(roll.__data__))

    def broken(*_args):
        raise ValueError(school.child.name)

    handed = looked_at(cast.ira, listed(rows(5)))
    press(cast.ira, handed)
    monkeypatch.setattr(rules, "taken", broken)
    upload.go_on()
    assert latest().status == "to match" and "Tell IT" in latest().problem
    assert "the roll: ValueError" in caplog.text and "Zofia" not in caplog.text


def test_it_is_found_under_set_up_and_done_by_the_server(cast, school):
    assert "Import the roll" in cast.ira.get("/set-up/").text
    assert ">Choose a file</a>" in cast.ira.get("/roll/").text
    for path in ("/child/", "/user/"):
        person = cast.alice if path == "/child/" else cast.ira
        assert f'href="{path}new/"' in person.get(path).text, "each list has its button"
    assert cast.dave.get("/set-up/").status_code == 403
    choose(cast.ira, listed(rows(2)))
    match(cast.ira, latest())
    db.close()
    application.deliver(school.app)
    db.connect(reuse_if_open=True)
    assert latest().status == "to confirm"


def test_the_pages_cost_the_same_however_long_the_list(cast, school):
    costs = []
    for count in (5, 400):
        table = list(rows(count))
        table[2][3] = "never"
        roll = looked_at(cast.carol, listed(table))
        for page in (f"/roll/details/?id={roll.id}", f"/roll/edit/?id={roll.id}", "/roll/"):
            with counted() as statements:
                assert cast.carol.get(page).status_code == 200
            costs.append(len(statements))
        assert len(cast.carol.get(f"/roll/details/?id={roll.id}").data) < 40_000
    assert costs[:3] == costs[3:] and max(costs) <= 20, costs


def test_three_thousand_rows(cast, school):
    """Chosen and pressed at once; the rest is the server's own work, a round at a time."""
    content, begun = listed(rows(3_000)), time.monotonic()
    choose(cast.ira, content)
    match(cast.ira, latest())
    assert time.monotonic() - begun < 5, "nothing slow in a request"
    upload.go_on()
    press(cast.ira, latest())
    before, rounds = Child.select().count(), 0
    while latest().status == "importing":
        upload.go_on()
        rounds += 1
        assert rounds < 60
    assert Child.select().count() == before + 3_000 and latest().counts["added"] == 3_000
    assert RollColumns.select().count() == 1 and latest().headings == HEADING
