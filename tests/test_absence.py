"""Absence, read in from the school's own system: as often as wanted, errors by row."""

from datetime import date

import pytest

from models import Absence, Child, Event, Refused, Setting, now
from models.case.absence import in_words
from models.ground.clock import at
from models.shelf import absences

from .conftest import fits, run

LIST = """UPN,Date,Session,Code
A123456789000,05/01/2026,AM,I
A123456789000,05/01/2026,PM,I
a123456789000,06/01/2026,AM,/
A123456789000,06/01/2026,PM,E
A123456789001,2026-01-06,PM,Something else
"""


def take(text):
    return absences.take(text.encode())


def test_the_list_of_one_home_leaves_the_children_of_another_alone(app, school, tmp_path):
    runner = app.test_cli_runner()
    beck, fell = (
        Setting.create(name=name, urn="1", address="A", telephone="1", retired=False)
        for name in ("Beck House", "Fell View")
    )
    for child, home in zip(school.children, (beck, fell), strict=False):
        child.setting = home
        child.save()
    file = tmp_path / "absence.csv"
    file.write_text(LIST)
    result = runner.invoke(args=["absence", str(file), "--home", "Beck House"])
    assert "Row 6 was not taken: this child is of another school or home." in result.output
    assert {row[0] for row in stands()} == {school.children[0].id}
    twin = {"name": school.children[1].name, "setting": beck}
    Child.create(**twin, date_of_birth=school.children[1].date_of_birth, year="7")
    named = f"Name,Date of birth,Date,Code,Half days\n{twin['name']},17/02/2013,07/01/2026,I,1\n"
    file.write_text(named)
    result = runner.invoke(args=["absence", str(file), "--home", "Beck House"])
    assert "Days of absence added: 1." in result.output, "of two of one name that of the home"
    result = runner.invoke(args=["absence", str(file), "--home", "Nowhere"])
    assert "There is no school or home called Nowhere." in result.output


def stands():
    return [
        (row.child_id, row.on.isoformat(), row.half_days, row.kind)
        for row in Absence.select().order_by(Absence.child, Absence.on)
    ]


@pytest.mark.both
def test_a_list_is_taken_in_and_again_without_doubles(school):
    done, bad = take(LIST)
    assert not bad and done[0] == "Days of absence added: 3."
    rows = [
        (1, "2026-01-05", 2, "Illness"),
        (1, "2026-01-06", 1, "Suspended or permanently excluded"),
        (2, "2026-01-06", 1, "Something else"),
    ]
    assert stands() == rows, "who was present is left out"
    head = Event.head().id
    done, bad = take(LIST)
    assert done == [
        "Days of absence added: 0.",
        "Days of absence corrected: 0.",
        "Days of absence as they were: 3.",
    ]
    assert stands() == rows and Event.head().id == head, "nothing was changed, nothing is said"
    done, bad = take(LIST.replace("05/01/2026,PM,I", "05/01/2026,PM,/"))
    assert done[1] == "Days of absence corrected: 1." and stands()[0][2] == 1
    fits()


def test_by_name_and_date_of_birth_and_by_number_of_half_days(school):
    text = (
        "Name;DOB;Date;Half days;Reason\n"
        "zofia łukasiewicz;17/01/2013;12/01/2026;2;I\n"
        "Siôn Ŵyn;17/04/2013;12/01/2026;1;N\n"
        "Siôn Ŵyn;17/04/2013;13/01/2026;;N\n"
    )
    done, bad = take(text)
    assert not bad and done[0] == "Days of absence added: 3."
    assert [row[2] for row in stands()] == [2, 1, 2]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("A999999999999,05/01/2026,AM,I", "no child here"),
        ("A123456789000,05/13/2026,AM,I", "not a date"),
        ("A123456789000,,AM,I", "the date is missing"),
        ("A123456789000,05/01/2199,AM,I", "in the future"),
        ("A123456789000,05/01/2026,XX,I", "neither AM nor PM"),
        ("A123456789000,05/01/2026,AM,", "the code is missing"),
        ("A123456789000,05/01/2026,AM", "3 cells"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_taken(school, row, why):
    done, bad = take(f"{LIST}{row}\n")
    assert len(bad) == 1 and bad[0].startswith("Row 7 was not taken") and why in bad[0]
    assert done[0] == "Days of absence added: 3."


def test_what_is_no_such_list_is_refused_whole(school):
    for text in ("", "Name,Date\n", "UPN;Code\nA;I\n", '"unclosed', "\0\0\0"):
        with pytest.raises(Refused):
            take(text)
    assert not Absence.select().exists()


def test_in_words_for_this_term(school):
    take(LIST)
    with at(now().replace(year=2026, month=2, day=1)):
        said = in_words(Absence.this_term(school.child))
        assert (said["half_days"], said["most"], said["weekday"]) == (3, 2, "Mondays")
        assert said["since"] == "1 January 2026" and said["kinds"][0] == "Illness: 2"
        assert in_words(Absence.this_term(school.children[2])) is None
    with at(now().replace(year=2026, month=10, day=1)):
        assert in_words(Absence.this_term(school.child)) is None, "another term"


def test_it_cases_no_name_in_the_history_but_the_child(school):
    take(LIST)
    events = list(Event.select().where(Event.verb == "child:absence"))
    assert {event.record for event in events} == {1, 2}
    assert all(event.sentence.startswith("The system read in absence") for event in events)


def test_the_command(app, school, tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(LIST + "x,05/01/2026,AM,I\n", encoding="utf-8")
    result = app.test_cli_runner().invoke(args=["absence", str(file)])
    assert result.exit_code == 1 and "Row 7 was not taken" in result.output
    assert "Days of absence added: 3." in result.output
    assert Absence.select().where(Absence.on == date(2026, 1, 5)).count() == 1 and run
