"""The roll: a list of children from the school’s own system, with all that such lists get wrong."""

import csv
import subprocess
import sys
from datetime import date, timedelta
from io import StringIO

import pytest

import app as application
from models import Child, Event, Refused
from models.ground.database import sqlite
from models.ground.settings import settings
from models.shelf import roll

from .conftest import report
from .faults import killed_at, whole
from .test_house_rules import HERE

HEADING = ["UPN", "Forename", "Surname", "Date of birth", "Year group", "Leaving date"]
NAMES = [
    ("Zofia", "Łukasiewicz"),
    ("Ngũgĩ", "wa Kamau"),
    ("花子", "山田"),
    ("Siôn", "Ŵyn"),
    ("Mei-Ling", "O’Hara"),
    ("Ọlá", "Adébáyọ̀"),
]


def rows(count):
    for number in range(count):
        forename, surname = NAMES[number % len(NAMES)]
        born = date(2010, 1, 1) + timedelta(days=number % 3000)
        yield [
            f"B{number:011}{'AZ'[number % 2]}",
            forename,
            f"{surname} {number}",
            f"{born:%d/%m/%Y}",
            f"Year {number % 13}",
            "",
        ]


def listed(table, heading=HEADING):
    text = StringIO()
    csv.writer(text).writerows([heading, *table])
    return ("\ufeff" + text.getvalue()).encode()


WRONG = [
    (3, "", "date of birth is missing"),
    (3, "31/02/2013", "not a date"),
    (3, "01/01/2999", "in the future"),
    (0, "B123", "UPN is not a letter"),
    (0, "B00000000000A", "of row 2"),
    (2, "", "name is missing"),
    (2, "x" * 130, "longer than 120"),
    (1, "Zo\0fia", "no letter"),
    (4, "a year of a very long name", "longer than 20"),
    (5, "soon", "leaving date is not a date"),
]


def spoilt(count, number):
    """A list with `number` wrong rows spread over it, and what is to be said of each: {row:
    words}.
    """
    table, said = list(rows(count)), {}
    for index in range(number):
        place, (cell, text, words) = (index + 1) * count // (number + 1), WRONG[index % len(WRONG)]
        table[place][cell] = text
        said[place + 2] = words
    return table, said


@pytest.mark.long
def test_ten_thousand_rows_with_37_bad_ones_cut_off_half_way_and_run_twice(school, monkeypatch):
    count = (
        10_000 if sqlite() else 2_000
    )  # there it took three minutes of twenty, with the same result
    table, said = spoilt(count, 37)
    content, before = listed(table), Child.select().count()
    monkeypatch.setattr(roll, "PAUSE", 0)
    half = content[: content.index(b",", len(content) // 2)]
    _done, bad = roll.take(half)
    assert "the list may be cut off here" in bad[-1]
    assert 0.4 * count < Child.select().count() < 0.6 * count
    done, bad = roll.take(content)
    assert Child.select().count() == before + count - 37 and len(bad) == 37
    for (row, words), line in zip(said.items(), bad, strict=True):
        assert line.startswith(f"Row {row} was not taken: ") and words in line, line
    head = Event.head().id
    done, again = roll.take(content)
    assert (
        done
        == [
            "Children added: 0.",
            "Children corrected: 0.",
            f"Children as they were: {count - 37:,}.",
        ]
        and again == bad
    )
    assert (
        Event.head().id == head
        and Event.select().where(Event.verb == "child:add").count() == 4 + count - 37
        and whole()
    )


def test_killed_half_way_it_is_done_again(school):
    content, before = listed(rows(250)), Child.select().count()
    assert killed_at(1_000, lambda: roll.take(content))
    there = Child.select().count() - before
    assert 0 < there < 250 and there % roll.BATCH == 0 and whole(), "whole batches"
    roll.take(content)
    assert Child.select().count() == before + 250 and whole()


def test_a_child_is_known_by_upn_or_by_name_and_date_of_birth(school):
    zofia = school.child
    born = f"{zofia.date_of_birth:%Y-%m-%d}"
    table = [
        [zofia.upn, "Zofia Maria Łukasiewicz", born, "Year 8"],
        ["", "Siôn Ŵyn", "17/04/2013", "Year 10"],
    ]
    done, bad = roll.take(listed(table, ["UPN", "Name", "DOB", "Year"]), by=school.alice)
    assert done[1] == "Children corrected: 2." and not bad
    assert (
        Child.get_by_id(zofia.id).name == "Zofia Maria Łukasiewicz"
        and Child.get(Child.name == "Siôn Ŵyn").upn == "A123456789003"
    )
    event = Event.last(zofia, "child:edit")
    assert (
        event.by == school.alice
        and event.detail["changed"]["name"] == ["Zofia Łukasiewicz", "Zofia Maria Łukasiewicz"]
        and whole()
    )


def test_a_child_who_was_renamed_is_not_taken_over_under_the_old_name(school):
    zofia, born = school.child, f"{school.child.date_of_birth:%d/%m/%Y}"
    table = [[zofia.upn, "Zofia Nowak", born, "Year 8"], ["", "Zofia Łukasiewicz", born, "Year 9"]]
    done, bad = roll.take(listed(table, SHORT))
    assert done[:2] == ["Children added: 1.", "Children corrected: 1."] and not bad
    assert (
        Child.get_by_id(zofia.id).name == "Zofia Nowak"
        and Child.get_by_id(zofia.id).year == "Year 8"
    )
    assert roll.take(listed(table, SHORT))[0][2] == "Children as they were: 2."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda row, following: [*row[:5], "20/07/2026"], "would have left"),
        (lambda row, following: ["", following[1], following[2], *row[3:]], "are not in the list"),
        (lambda row, following: ["C" + row[0][1:], *row[1:]], "would get a UPN who had none"),
    ],
    ids=["leaving date", "names", "first UPN"],
)
def test_a_column_that_slipped_where_no_upn_tells(school, change, sentence):
    table = [["", *row[1:]] for row in rows(60)]
    roll.take(listed(table))
    table = list(rows(60)) if "UPN" in sentence else table
    wrong = [
        change(row, following) for row, following in zip(table, table[1:] + table[:1], strict=True)
    ]
    before = Event.head().id
    with pytest.raises(Refused, match=sentence):
        roll.take(listed(wrong))
    assert Event.head().id == before, "nothing was saved"
    assert not roll.take(listed(wrong), sure=True)[1]


def four():
    return [
        [child.upn, child.name, f"{child.date_of_birth:%d/%m/%Y}", child.year]
        for child in Child.select().order_by(Child.id)
    ]


@pytest.mark.parametrize("column", [0, 1, 2], ids=["UPN", "name", "date of birth"])
def test_a_list_in_which_a_column_slipped_changes_nobody(school, column):
    before, table = four(), four()
    slipped = [row[column] for row in table]
    for row, cell in zip(table, slipped[1:] + slipped[:1], strict=True):
        row[column] = cell
    with pytest.raises(Refused, match="a column has slipped"):
        roll.take(listed(table, SHORT))
    _done, bad = roll.take(listed(table, SHORT), sure=True)
    assert four() == before or column == 2, bad


SHORT = ["UPN", "Name", "DOB", "Year"]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            ["A123456789000", "Siôn Ŵyn", "17/04/2013", "Year 9"],
            "the name and date of birth another’s",
        ),
        (
            ["A123456789000", "Zofia Nowak", "18/04/2013", "Year 9"],
            "another name and another date of birth",
        ),
        (["A123456789000", "Mei-Ling O’Hara", "17/01/2013", "Year 9"], "with no word in common"),
        (["C12345678900A", "Zofia Łukasiewicz", "17/01/2013", "Year 9"], "with another UPN"),
    ],
)
def test_a_row_that_contradicts_what_is_here_is_for_a_person_to_decide(school, row, sentence):
    before = four()
    _done, bad = roll.take(listed([row], SHORT))
    assert len(bad) == 1 and sentence in bad[0] and four() == before


def test_namesakes_and_spellings(school):
    twins = [
        ["D00000000000A", "Sam Okafor", "01/02/2014", "Year 7"],
        ["D00000000000B", "Sam Okafor", "01/02/2014", "Year 8"],
    ]
    done, bad = roll.take(listed(twins, SHORT))
    assert done[0] == "Children added: 1." and "If they are two children" in bad[0]
    Child.create(
        name="Sam Okafor", date_of_birth=date(2014, 2, 1), upn="D00000000000B", year="Year 8"
    )
    assert roll.take(listed(twins, SHORT))[0][2] == "Children as they were: 2."
    bare = [["", "Sam Okafor", "01/02/2014", "Year 9"], ["", "SIÔN  ŴYN", "17/04/2013", "Year 9"]]
    done, bad = roll.take(listed(bare, SHORT))
    assert "more than one child of this name" in bad[0] and done[:2] == [
        "Children added: 0.",
        "Children corrected: 1.",
    ]
    again = [
        ["A123456789003", "SIÔN ŴYN", "17/04/2013", "Year 9"],
        ["", "Siôn Ŵyn", "17/04/2013", "Year 10"],
    ]
    done, bad = roll.take(listed(again, SHORT))
    assert done[2] == "Children as they were: 1." and "of row 2" in bad[0], (
        "a list that contradicts itself"
    )


def test_people_save_while_a_list_is_taken_in(school):
    """Another process, as the command is: left without a pause it would keep the database to itself
    (SQLite only asks now and then).
    """
    command = (
        "import sys; from models import db; from models.shelf import roll; from "
        f"models.ground.database import connect; connect({settings.database!r}).connect(); "
        "roll.take(sys.stdin.buffer.read())"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", command], cwd=HERE, stdin=subprocess.PIPE
    ) as process:
        process.stdin.write(listed(rows(1_500)))
        process.stdin.close()
        saved, before = 0, Child.select().count()
        while process.poll() is None:
            report(school)
            saved += Child.select().count() > before
        assert process.returncode == 0 and Child.select().count() == before + 1_500
    assert saved > 5 and whole()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "must name the columns"), (b"UPN,Name\r\n", "must name the columns"), ("Name,DOB\nZofia Ł".encode()[:-1], "UTF-8"),
     (b'Name,DOB\n"' + b"x" * 200_000, "not a whole CSV"), (b'Name,DOB,Tutor\nZofia Nowak,01/02/2014,"Mr Smith\nSam Okafor,01/02/2014,x\n', "not a whole CSV")],
    ids=["empty", "no date of birth", "cut in a letter", "a long quotation", "a quotation without end"],
)  # fmt: skip
def test_what_is_no_list_is_refused_whole(school, content, sentence):
    with pytest.raises(Refused, match=sentence):
        roll.take(content)


def test_the_command_names_the_rows_and_ends_with_a_failure(school, tmp_path):
    runner = application.create_app(TESTING=True, SECRET_KEY="x").test_cli_runner()
    table, _said = spoilt(20, 1)
    (tmp_path / "roll.csv").write_bytes(listed(table))
    answer = runner.invoke(args=["children", str(tmp_path / "roll.csv")])
    assert (
        answer.exit_code == 1
        and "Children added: 19." in answer.output
        and "Row 12 was not taken" in answer.output
    )
    assert "Rows not taken: 1. Nothing of them was saved." in answer.output
    (tmp_path / "roll.csv").write_bytes(listed(rows(3)))
    assert runner.invoke(args=["children", str(tmp_path / "roll.csv")]).exit_code == 0
