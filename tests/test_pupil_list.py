"""The list of children as school systems write it: codes, titles, headings, dates; and what it
holds besides, named.
"""

from datetime import date

import pytest

from models import Child, Refused
from models.shelf import roll

from .test_roll import four, listed

LINES = (
    "UPN;Legal Forename;Legal Surname;Date of Birth;Year taught "
    "in\r\nA123456789003;Siôn;Ŵyn;17/04/2013;Year 10\r\n"
)


@pytest.mark.parametrize(
    "code", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_a_list_is_read_in_whatever_it_was_saved(school, code):
    lines = LINES.replace("Ŵ", "W") if code == "cp1252" else LINES
    done, bad = roll.take(lines.encode(code))
    sion = Child.get_by_id(school.children[3].id)
    assert done[1] == "Children corrected: 1." and not bad and sion.year == "Year 10"
    assert sion.name == ("Siôn Wyn" if code == "cp1252" else "Siôn Ŵyn")


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode()[: LINES.encode().index("Ŵ".encode()) + 1],
        LINES.encode().replace(b"Si", b"\xe9"),
        LINES.encode("utf-16")[:-3],
        b"Name,DOB\nZo\x81,x",
    ],
    ids=["UTF-8 cut in a letter", "UTF-8 with a damaged byte", "UTF-16 cut in a letter", "neither"],
)
def test_a_list_of_damaged_letters_is_not_taken_for_another_code(school, content):
    before = four()
    with pytest.raises(Refused, match="neither in UTF-8 nor"):
        roll.take(content)
    assert four() == before


def test_a_letter_that_was_lost_in_saving_renames_nobody(school):
    before = four()
    _done, bad = roll.take(b"UPN,Name,DOB\nA123456789000,Zofia ?ukasiewicz,17/01/2013\n")
    assert "a letter was lost when the list was saved" in bad[0] and four() == before


@pytest.mark.parametrize(
    "written",
    [
        "3 May 2014",
        "03 may 2014",
        "03/05/2014 00:00:00",
        "03/05/2014 00:00",
        "3/5/2014",
        "2014-05-03T00:00:00.000",
        "03-May-2014",
        "03.05.2014",
    ],
)
def test_a_date_is_understood_as_systems_write_it(school, written):
    assert not roll.take(listed([["Sam Okafor", written]], ["Name", "D.O.B."]))[1]
    assert Child.get(Child.name == "Sam Okafor").date_of_birth == date(2014, 5, 3)


@pytest.mark.parametrize(
    ("written", "year"),
    [("6", "Year 6"), ("06", "Year 6"), ("13", "Year 13"), ("14", "14"), ("R", "R")],
)
def test_a_bare_number_is_the_year_it_means(school, written, year):
    table = listed([["Sam Okafor", "03/05/2014", written]], ["Name", "DOB", "Year"])
    assert not roll.take(table)[1]
    assert Child.get(Child.name == "Sam Okafor").year == year


@pytest.mark.parametrize(
    "written", ["02/05/2014 23:00:00", "05/13/2014", "41762", "3 Mai 2014", "03/05/14"]
)
def test_a_date_that_could_be_another_is_refused(school, written):
    _done, bad = roll.take(listed([["Sam Okafor", written]], ["Name", "D.O.B."]))
    assert "is not a date such as" in bad[0] and Child.select().count() == 4


MIS = [
    "Adno",
    "UPN",
    "Legal Surname",
    "Legal Forename",
    "Preferred Surname",
    "Preferred Forename",
    "Name",
    "DOB",
    "Year taught in",
    "Shoe size",
    "Leaving date",
    "",
]


def test_titles_and_the_columns_of_a_school_system_are_understood_or_named(school):
    titles = [
        ["Thornley Beck School"],
        ["Pupils, on roll", "", "printed 24/11/2026"],
        [],
        ["sep=,", "a title of\ntwo lines"],
    ]
    child = [
        "004711",
        "E12345678901A",
        "Okafor",
        "Samuel",
        "Okafor",
        "Sam",
        "Sam Okafor",
        "03/05/2014 00:00:00",
        "7",
        "38",
        "",
        "x",
    ]
    done, bad = roll.take(
        listed([*titles[1:], MIS, child, [*child[:7], "soon", *child[8:]]], titles[0])
    )
    assert bad == ["Row 7 was not taken: the date of birth is not a date such as 22/11/2013."], (
        "numbered as in the spreadsheet"
    )
    assert done[0] == "Children added: 1." and done[3:] == [
        "Known, and not kept here: Adno; Preferred Surname; Preferred Forename; Name.",
        "Not understood, and left out: Shoe size; column 12, which has no heading. If one of "
        "them is a name, date of birth, UPN, year or leaving date, rename it.",
    ]
    sam = Child.get(Child.upn == "E12345678901A")
    assert (
        sam.name == "Samuel Okafor"
        and sam.year == "Year 7"
        and sam.date_of_birth == date(2014, 5, 3)
    )


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        (["Name", "Forename", "Surname", "DOB"], "A"), (["Name", "Legal Forename", "Legal Surname", "DOB"], "B C"), (["Legal name", "Legal Forename", "Legal Surname", "DOB"], "A"),
        (["Preferred name", "First name", "Last name", "Date_of_birth"], "B C"), (["Name", "Legal Forename", "Surname", "DOB"], "A"),
    ],
)  # fmt: skip
def test_the_legal_name_counts(school, heading, name):
    done, bad = roll.take(listed([["A", "B", "C", "03/05/2014"]], heading))
    assert (
        not bad
        and Child.get(Child.date_of_birth == date(2014, 5, 3)).name == name
        and "not kept here: " in done[3]
    )


def test_a_list_with_preferred_names_only_is_none(school):
    with pytest.raises(Refused, match="must name the columns"):
        roll.take(
            listed(
                [["Sam", "Okafor", "03/05/2014"]],
                ["Preferred forename", "Preferred surname", "DOB"],
            )
        )
