"""The children: what the panel takes of one, which is what the roll takes; and how a form names
one.
"""

import re
from datetime import date, timedelta
from html import unescape

import pytest

from models import Child, Event, Incident, Involved, Refused, User, now
from models.shelf import roll

from .conftest import report
from .test_roll import listed

ZOFIA = {
    "name": "Zofia Nowak",
    "date_of_birth": "2013-05-03",
    "upn": "A12345678901B",
    "year": "Year 7",
    "left_on": "",
}
ODD = [  # what cannot be: the field, what is typed there, what is said at it
    ("upn", "not a UPN", "The UPN is not a letter, eleven digits"),
    ("upn", "O123456789012", "I, O and S are not used"),
    ("upn", "A123456789٠12", "The UPN is not a letter, eleven digits"),
    ("date_of_birth", "2199-01-01", "in the future"),
    ("date_of_birth", "1899-12-31", "before 1900"),
    ("left_on", "2013-05-02", "The leaving date is before the date of birth"),
    ("name", "Zofia\u202eNowak", "The name is longer than 120 letters, or holds what is no letter"),
    ("name", "Zofia\x07Nowak", "holds what is no letter"),
    ("year", "Year\u00ad7", "The year is longer than 20 letters"),
]


@pytest.mark.parametrize(("field", "typed", "sentence"), ODD)
def test_the_panel_and_the_list_refuse_the_same_child(school, cast, field, typed, sentence):
    cast.carol.get("/child/new/")
    page = cast.carol.post("/child/new/", ZOFIA | {field: typed})
    assert page.status_code == 409 or page.status_code == 422
    assert f'id="{field}-wrong"' in page.text and sentence in page.text_only, "at the field"
    row = [(ZOFIA | {field: typed})[name] for name in ZOFIA]
    _done, bad = roll.take(listed([row], ["Name", "DOB", "UPN", "Year", "Left on"]))
    assert sentence.removeprefix("The ") in bad[0]
    assert (
        Child.select().count() == 4
        and not Event.select().where(Event.verb == "child:add", Event.by.is_null(False)).exists()
    )


def test_names_with_joiners_and_a_upn_in_small_letters_are_taken(school, cast):
    for number, name in enumerate(["ශ්‍රීමා පෙරේරා", "میر\u200cحسین", "Zofia\u00a0Nowak"]):
        cast.carol.get("/child/new/")
        page = cast.carol.post(
            "/child/new/", ZOFIA | {"name": name, "upn": f"a12345678901{number}"}
        )
        assert (
            page.status_code == 200 and Child.get(Child.upn == f"A12345678901{number}").name == name
        )
    cast.carol.get("/child/new/")
    assert (
        "already one with this"
        in cast.carol.post("/child/new/", ZOFIA | {"upn": "a123456789011"}).text_only
    )


def test_a_child_who_was_odd_before_is_opened_and_corrected_bit_by_bit(school, cast):
    odd = Child.create(
        name="Sam Okafor", date_of_birth=date(2199, 1, 1), upn="not a UPN", left_on=date(1990, 1, 1)
    )
    path = f"/child/edit/?id={odd.id}"
    assert "not a UPN" in cast.carol.get(path).text

    def save(**values):
        version = Child.get_by_id(odd.id).version
        kept = {
            "name": odd.name,
            "date_of_birth": "2199-01-01",
            "upn": "not a UPN",
            "year": "",
            "left_on": "1990-01-01",
        }
        return cast.carol.post(path, kept | values | {"version": version})

    assert save(year="Year 7").status_code == 200 and Child.get_by_id(odd.id).year == "Year 7", (
        "what is left alone stops nothing"
    )
    page = save(date_of_birth="2013-05-03")
    assert 'id="left_on-wrong"' in page.text, "seen now that there is a date to compare it with"
    assert save(date_of_birth="2013-05-03", left_on="2024-07-20").status_code == 200
    child = Child.get_by_id(odd.id)
    assert child.left_on == date(2024, 7, 20) and child.upn == "not a UPN"


def test_check_is_asked_whoever_saves(school):
    school.child.set(upn="not a UPN")
    with pytest.raises(Refused) as refused:
        school.child.check()
    assert set(refused.value.errors) == {"upn"}


def offered(page):
    """What a form offers as one types, and whatever else it says of a date of birth."""
    return [
        unescape(label) for label in re.findall(r'<option value="([^"]*)"></option>', page.text)
    ]


def test_a_reporter_reads_a_date_of_birth_only_where_two_are_alike(school, cast, answers):
    for year, day in (("Year 6", 3), ("Year 7", 5)):
        Child.create(name="zofia lukasiewicz", date_of_birth=date(2013, 5, day), year=year)
    page = cast.dave.get("/incident/new/")
    first, second = (
        "Zofia Łukasiewicz, Year 6, born 17 January 2013",
        "zofia lukasiewicz, Year 6, born 3 May 2013",
    )
    third, sion = "zofia lukasiewicz, Year 7", "Siôn Ŵyn, Year 9"
    assert {first, second, third, sion} < set(offered(page)) and page.text.count(
        "born "
    ) == 2 * 2, "in the two lists of children"
    for number, (typed, child) in enumerate(((second, 5), (third, 6), (sion, 4))):
        sent = cast.dave.post("/incident/new/", answers | {"child": typed, "once": number})
        assert (
            sent.status_code == 200
            and Incident.select().order_by(Incident.id.desc()).first().child_id == child
        )
    assert (
        "fits more than one child"
        in cast.dave.post("/incident/new/", answers | {"child": "Zofia Łukasiewicz"}).text_only
    )


def test_a_date_of_birth_is_not_found_out_by_trying(school, cast, answers):
    for day in (16, 17, 18):
        page = cast.dave.post(
            "/incident/new/", answers | {"child": f"Siôn Ŵyn, Year 9, born {day} April 2013"}
        )
        assert "fits no child" in page.text_only
        times = {
            "noticed_at": f"2013-04-{day}T12:00",
            "happened": "Not known",
            "happened_at": "",
            "once": day,
        }
        assert cast.dave.post("/incident/new/", answers | times).status_code == 200, (
            "whether or not she was born then"
        )
    with pytest.raises(Refused) as refused:
        report(school, by=school.carol, noticed_at=now() - timedelta(days=9_000))
    assert "was not born then" in refused.value.errors["noticed_at"], (
        "who sees the list of children is told"
    )
    with pytest.raises(Refused) as refused:
        report(school, noticed_at=now() - timedelta(days=9_600))
    assert "26 years" in refused.value.errors["noticed_at"]


def test_the_paper_names_the_child_in_full(school, log):
    paper = log.paper(restricted=True)
    assert "Zofia Łukasiewicz, Year 6, born 17 January 2013" in str(paper)


# found by name: a page carries no list of all children


def roll_of(number):
    """Many children on roll, none of whom is called as anybody of the cast is."""
    rows = [
        {"name": f"Pupil Number{place}", "date_of_birth": date(2013, 1, 1), "year": f"Year {place % 7 + 7}"}
        for place in range(number)
    ]  # fmt: skip
    for start in range(0, number, 500):
        Child.insert_many(rows[start : start + 500]).execute()


def choices(page):
    return [
        unescape(label) for label in re.findall(r'name="child-which" value="([^"]*)"', page.text)
    ]


def test_the_report_form_is_light_with_1500_children(school, cast, answers):
    assert len(offered(cast.dave.get("/incident/new/"))) > 4, "four children are suggested"
    roll_of(1_500)
    page = cast.dave.get("/incident/new/")
    assert len(page.data) <= 45_000 and "Pupil Number7" not in page.text
    assert 'list="child-list"' not in page.text and "Siôn" not in page.text
    assert cast.dave.post("/incident/new/", answers).status_code == 200
    assert Incident.get().child == school.child
    assert len(cast.alice.get(f"/incident/details/?id={Incident.get().id}").data) <= 45_000


def test_whom_a_name_fits_several_of_is_chosen_without_a_script(school, cast, answers):
    roll_of(60)
    for year, day in (("Year 6", 3), ("Year 7", 5)):
        Child.create(name="Sam Okafor", date_of_birth=date(2013, 5, day), year=year)
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | {"child": "sam okafor"})
    assert page.status_code == 422 and "fits more than one child" in page.text_only
    assert choices(page) == ["Sam Okafor, Year 6", "Sam Okafor, Year 7"] and "born" not in page.text
    assert 'value="sam okafor"' in page.text, "what was typed stays"
    typed = answers | {"child": "sam okafor", "child-which": "Sam Okafor, Year 7"}
    page = cast.dave.post("/incident/new/", typed | {"place": ""})
    assert page.status_code == 422 and choices(page) == ["Sam Okafor, Year 7"]
    assert 'value="Sam Okafor, Year 7" checked' in " ".join(page.text.split()), (
        "and so does what was chosen"
    )
    assert cast.dave.post("/incident/new/", typed).status_code == 200
    assert Incident.get().child.date_of_birth == date(2013, 5, 5)


def test_a_choice_counts_only_for_what_is_typed_now(school, cast, answers):
    roll_of(60)
    for year in ("Year 6", "Year 7"):
        Child.create(name="Sam Okafor", date_of_birth=date(2013, 5, 3), year=year)
    cast.dave.get("/incident/new/")
    other = answers | {"child": "okafor", "child-which": "Siôn Ŵyn, Year 9"}
    page = cast.dave.post("/incident/new/", other)
    assert page.status_code == 422 and len(choices(page)) == 2 and not Incident.select().exists()
    wrong = answers | {"child": "Siôn Ŵyn", "child-which": "Sam Okafor, Year 6"}
    assert cast.dave.post("/incident/new/", wrong).status_code == 200
    assert Incident.get().child.name == "Siôn Ŵyn"


def test_a_date_of_birth_tells_apart_only_those_whom_nothing_else_does(school, cast, answers):
    roll_of(60)
    for year, day in (("Year 6", 3), ("Year 7", 5), ("Year 7", 6)):
        Child.create(name="Sam Okafor", date_of_birth=date(2013, 5, day), year=year)
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | {"child": "Okafor"})
    assert choices(page) == [
        "Sam Okafor, Year 6",
        "Sam Okafor, Year 7, born 5 May 2013",
        "Sam Okafor, Year 7, born 6 May 2013",
    ]
    page = cast.dave.post("/incident/new/", answers | {"child": "pupil"})
    assert "Type more of the name" in page.text_only and not choices(page), "sixty are no choice"


def test_another_child_whom_a_name_fits_several_of(school, cast, answers):
    roll_of(60)
    for year in ("Year 6", "Year 7"):
        Child.create(name="Sam Okafor", date_of_birth=date(2013, 5, 3), year=year)
    cast.dave.get("/incident/new/")
    rows = {"others-rows": "1", "others-0-name": "Sam Okafor", "others-0-part": "Witness"}
    page = cast.dave.post("/incident/new/", answers | rows)
    assert page.status_code == 422 and 'name="others-0-which"' in page.text
    rows["others-0-which"] = "Sam Okafor, Year 7"
    page = cast.dave.post("/incident/new/", answers | rows | {"place": ""})
    assert "<option selected>Sam Okafor, Year 7</option>" in page.text
    assert cast.dave.post("/incident/new/", answers | rows).status_code == 200
    assert [row.child.year for row in Involved.of(Incident.get())] == ["Year 7"]


def test_colleagues_are_found_by_name_too_where_they_are_many(school, cast, log):
    User.insert_many(
        [{"name": f"Colleague {number}", "email": f"c{number}@thornley.example"} for number in range(60)]
    ).execute()  # fmt: skip
    page = cast.alice.get(f"/incident/details/?id={log.incident_id}")
    assert "Colleague 7" not in page.text
    share = {"person": "Dina El-Sayed", "reason": "She is her form tutor."}
    page = cast.alice.press("incident:share", log.incident, **share)
    assert page.status_code == 200 and "is shared" in page.text_only
