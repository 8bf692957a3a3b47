"""The body map: marks with a number and a place, later ones, paper and packs; and the child's words
in their own language.
"""

import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from peewee import DatabaseError
from pypdf import PdfReader

from models import Addendum, Incident, Log, Pack, Refused, now
from models.case import injury
from models.case.injury import areas, met, numbered, prompts, settled, sheet
from models.history.event import values
from models.history.paper import to_pdf

from .conftest import contact, report
from .faults import untie, whole
from .test_receipt import token_of

WRIST = {
    "side": "Front: left wrist", "at": "336 412", "place": "inner side, above the watch", "kind": "Redness", "size": "3 × 1",
    "colour": "red", "broken": "No", "note": "She rubbed it.",
}  # fmt: skip
ARM = {"side": "Back: left upper arm", "kind": "Bruise", "size": "2 cm"}
PAGE = "/incident/details/?id={}"


def sent(*rows):
    """The rows as the form sends them."""
    cells = {
        f"injuries-{n}-{key}": value for n, row in enumerate(rows) for key, value in row.items()
    }
    return {"injuries-rows": str(len(rows)), **cells}


def disc(page, number):
    """Where the number stands on the page's drawing: (x, y), or None."""
    found = re.search(
        rf'<circle cx="(\d+)" cy="(\d+)" r="18"/><text x="\d+" y="\d+">{number}</text>',
        re.sub(r"\s*\n\s*", " ", page.text).replace(' ">', '">'),
    )
    return found and (int(found[1]), int(found[2]))


def said(html):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html[html.index("<body") :]))


def test_dave_reports_a_mark_and_carol_sees_it_on_the_drawing(school, cast, answers):
    form = cast.dave.get("/incident/new/")
    assert "photograph no injury" in form.text_only and "Undress nobody" in form.text_only
    page = cast.dave.post("/incident/new/", answers | sent(WRIST, {}, ARM | {"at": "9999 9"}))
    assert page.status_code == 200
    incident = Incident.get()
    assert incident.injuries == [WRIST, dict.fromkeys(WRIST, "") | ARM]
    for person in (cast.dave, cast.carol):
        page = person.get(PAGE.format(incident.id))
        assert disc(page, 1) == (336, 412), "where it was touched"
        assert disc(page, 2) == (areas()[ARM["side"]].x, areas()[ARM["side"]].y), "the middle"
        assert disc(page, 3) is None
        for words in ("Front: left wrist; inner side, above the watch", "Redness · 3 × 1 cm · colour: red · skin broken: No · She rubbed it."):  # fmt: skip
            assert words in page.text_only, words
        assert "Bruise · 2 cm" in page.text_only and "2 cm cm" not in page.text_only
        drawn = re.findall(
            r'<svg class="view-(\w+)" role="img" viewBox="[^"]+"\s+aria-label', page.text
        )
        assert drawn == ["front", "back"], "only the views in which something lies"
    triage = cast.carol.get(f"/triage/new/?incident={incident.id}")
    assert "2 marks on the body map" in triage.text_only
    line = incident.line()
    assert "2 marks on the body map" in line.facts


@pytest.mark.parametrize(
    ("at", "kept"),
    [("336 412", True), ("401 10", False), ("10 801", False), ("-1 5", False), ("1", False), ("a b", False),
     ("٣٣ ٤٤", False), ("1 2 3", False), ("9" * 5000, False), ("", False)],
)  # fmt: skip
def test_a_point_that_lies_in_no_view_is_none(at, kept):
    (row,) = settled([WRIST | {"at": at}])
    assert row["at"] == (at if kept else "") and row | {"at": ""} == WRIST | {"at": ""}
    assert settled([{"side": "", "at": "10 10", "note": ""}]) == [], "a point alone is no mark"
    assert settled(None) == []


def test_an_area_that_is_on_no_list_is_refused_and_the_text_comes_back(school, cast, answers):
    wrong = WRIST | {"side": "Front: tail"}
    page = cast.dave.post("/incident/new/", answers | sent(wrong))
    assert page.status_code == 422 and not Incident.select().exists()
    assert "“Front: tail” is not on the list" in page.text_only
    assert "inner side, above the watch" in page.text and 'value="336 412"' in page.text


def test_a_mark_of_before_there_was_a_map_stands_in_words(school, cast):
    old = {"side": "Left", "place": "Wrist", "kind": "Bruise", "size": "3", "note": "Red"}
    incident = report(school, injuries=[old])
    assert Incident.get().injuries == [old], "nothing is added to what was written"
    page = cast.carol.get(PAGE.format(incident.id))
    assert "Left; Wrist Bruise · 3 cm · Red" in page.text_only and disc(page, 1) is None
    paper = Log.trigger(incident, school.mark).paper()
    assert "Left; Wrist" in paper and "<img" not in paper


def test_a_mark_is_added_later_and_numbered_on(school, cast):
    incident = report(school, injuries=[WRIST])
    cast.dave.press("incident:amend", incident, text="Seen at lunch.", **sent(ARM))
    page = cast.carol.get(PAGE.format(incident.id))
    assert disc(page, 1) == (336, 412) and disc(page, 2)
    assert "On the body map: 2" in page.text_only and "Added by Dave Pritchard" in page.text_only
    assert Incident.get().injuries == [WRIST], "what was submitted stays"
    row = Addendum.get()
    assert "1 mark on the body map" in row.line().facts
    with pytest.raises(DatabaseError):
        Addendum.update(injuries=[]).execute()
    cast.dave.press("incident:amend", incident, text="And she was calm.")
    assert Addendum.select().order_by(Addendum.id.desc()).get().injuries is None, "none is nothing"
    assert whole()


def test_of_an_addendum_what_is_wrong_comes_back_and_twice_is_once(school, cast):
    incident = report(school)
    refused = cast.dina.press("incident:amend", incident, text="Me too", **sent(ARM))
    assert refused.status_code == 404, "Dina does not see Dave's report"
    page = cast.dave.press(
        "incident:amend", incident, text="Lunch.", **sent(ARM | {"side": "Tail"})
    )
    assert page.status_code == 422 and "“Tail” is not on the list" in page.text_only
    assert "Lunch." in page.text and "<option selected>Tail</option>" in page.text
    page = cast.dave.press("incident:amend", incident, text="", **sent(WRIST))
    assert page.status_code == 422 and "inner side, above the watch" in page.text
    assert not Addendum.select().exists()
    once = token_of(cast.dave.get(PAGE.format(incident.id)))
    for _ in range(2):
        cast.dave.press("incident:amend", incident, text="Lunch.", once=once, **sent(ARM))
    assert Addendum.select().count() == 1


def test_rows_are_added_to_an_addendum_and_what_was_typed_stays(school, cast):
    incident = report(school)
    assert 'value="injuries" formaction="/incident/action/#' in cast.dave.get(PAGE.format(incident.id)).text  # fmt: skip
    typed = sent(WRIST, ARM | {"side": "Tail"})
    page = cast.dave.press("incident:amend", incident, text="Lunch.", more="injuries", **typed)
    assert page.status_code == 200 and "injuries-3-side" in page.text, "two more rows"
    for words in ("Lunch.</textarea>", 'value="inner side, above the watch"', "<option selected>Tail</option>"):  # fmt: skip
        assert words in page.text, words
    assert 'role="alert"' not in page.text, "nothing is checked"
    assert re.search(r"<details[^>]* open[^>]*>\s*<summary>With an injury", page.text)
    empty = cast.dave.press("incident:amend", incident, more="injuries", **{"injuries-rows": "4"})
    assert empty.status_code == 200 and "injuries-5-side" in empty.text
    assert not Addendum.select().exists(), "and nothing is saved"
    refused = cast.dina.press("incident:amend", incident, more="injuries", **typed)
    assert refused.status_code == 404, "Dina does not see Dave's report"


def test_the_paper_has_the_drawing_with_every_letter_a_font(school):
    incident = report(school, injuries=[WRIST, {"side": "Head, right side: ear", "kind": "Cut"}])
    log = Log.trigger(incident, school.mark)
    incident.amend(text="Seen at lunch.", by=school.dave, injuries=[ARM])
    paper = log.paper()
    assert paper.count('<img src="data:image/svg+xml;base64,') == 3
    for words in ("Front: mark 1", "Head: mark 2", "Back: mark 3", "Front: left wrist; inner side", "None was recorded"):  # fmt: skip
        assert (words in said(paper)) == (words != "None was recorded"), words
    pdf = PdfReader(BytesIO(to_pdf(paper)))
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in pdf.pages
        for font in page["/Resources"].get("/Font", {}).values()
    }
    assert fonts and all("+" in font for font in fonts), "each font is in the file"


def test_a_figure_has_its_numbers_and_no_word_that_needs_a_font(school):
    marks = [injury.Injury(number, WRIST) for number in (1, 12)]
    view = areas()[WRIST["side"]].view
    drawn, bare = injury.figure(view, marks), injury.figure(view, [])
    assert drawn.count("<circle") == 2 and "<text" not in drawn and "polygon" not in drawn
    assert bare.count("<circle") == 0 and bare.count("<path") == drawn.count("<path") - 2
    assert injury.title(view, marks) == "Front: marks 1 and 12"


def test_a_pack_has_the_marks_without_the_names_that_are_not_for_it(school):
    incident = report(
        school,
        others=[(school.children[1], "Witness")],
        injuries=[WRIST | {"note": "Ngũgĩ wa Kamau held it."}],
        words_language="Polish", interpreter="Ewa Nowak, whom Ngũgĩ knows", words_original="„Ngũgĩ pociągnął.”",
    )  # fmt: skip
    incident.amend(
        text="More.", by=school.dave, injuries=[ARM | {"note": "Kamau again, and 山田 花子"}]
    )
    told = contact(school, incident, body="MASH", kind="Referral", person="Ann Pryce")
    asked = {"recipient": "Ann Pryce", "asked": "An assessment.", "by": school.carol}
    words = said(Pack.pack(told, others=False, **asked).words)
    for fact in ("Front: left wrist; inner side", "another child held it", "Bruise · 2 cm · another child again", "Polish", "Ewa Nowak", "pociągnął", "Back: mark 2"):  # fmt: skip
        assert fact in words, fact
    assert not [name for name in ("Ngũgĩ", "Kamau", "山田", "花子") if name in words]
    assert "Ngũgĩ wa Kamau held it." in said(Pack.pack(told, others=True, **asked).words)


def test_prompts_are_data_with_a_source_and_name_areas_of_the_drawing():
    parts = {area.part for area in areas().values()}
    assert prompts() and all(one.says and len(one.source) > 20 for one in prompts())
    for one in prompts():
        assert set(one.areas) <= parts, set(one.areas) - parts
        assert one.areas or one.months, "when it is said"


def test_a_prompt_stands_where_a_mark_lies_in_such_a_place(school, cast):
    form = cast.dave.get("/incident/new/")
    soft, baby = prompts()[1].says, prompts()[0].says
    assert soft in form.text_only and baby in form.text_only
    assert all(one.source in form.text_only for one in prompts())
    plain = report(
        school, injuries=[{"side": "Front: right shin"}, {"side": "Front: left forearm"}]
    )
    page = cast.carol.get(PAGE.format(plain.id))
    assert soft not in page.text_only.partition("Added later")[0].partition("Add to this")[0]
    neck = report(school, injuries=[{"side": "Front: right shin"}, {"side": "Back: neck"}])
    page = cast.carol.get(PAGE.format(neck.id))
    assert f"Mark 2. {soft} Source: {prompts()[1].source}" in page.text_only


def test_of_a_baby_only_who_may_know_the_age_is_told(school, cast):
    noticed = now() - timedelta(minutes=5)
    baby = prompts()[0]
    for days, young in ((150, True), (200, False)):
        child = school.child
        child.date_of_birth = noticed.date() - timedelta(days=days)
        child.save()
        incident = report(school, injuries=[{"side": "Front: right shin"}])
        here = f"{baby.says} Source: {baby.source}"
        assert (here in cast.carol.get(PAGE.format(incident.id)).text_only) == young, days
        assert here not in cast.dave.get(PAGE.format(incident.id)).text_only
    mark = numbered(report(school, injuries=[ARM]), [])
    day = date(2026, 7, 15)
    assert [bool(met(mark, born, day)) for born in (date(2026, 1, 16), date(2026, 1, 15), None)] == [True, False, False]  # fmt: skip
    assert not met([], date(2026, 7, 1), day), "without a mark there is nothing to be said"


def test_each_area_lies_in_its_view_and_left_has_its_right():
    assert [view.name for view in sheet()] == ["front", "back", "head", "hands", "feet"]
    assert len(areas()) > 100
    swapped = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    for name, area in areas().items():
        assert 0 < area.x < area.view.width and 0 < area.y < area.view.height, name
        other = areas()[re.sub(r"\b(left|right|Left|Right)\b", lambda word: swapped[word[0]], name)]
        if other is not area:
            middle = 150 if name.startswith("Head, front") else 450 if name.startswith("Head, back") else area.view.width / 2  # fmt: skip
            assert abs(area.x + other.x - 2 * middle) <= 1 and area.y == other.y, name
    front, back = areas()["Front: left hand"], areas()["Back: left hand"]
    assert front.x > 200 > back.x, "the child's left is on the right of whoever faces the child"


def test_the_words_in_their_own_language_stand_beside_the_translation(school, cast, answers):
    more = {"words_language": "Urdu", "interpreter": "Ewa Nowak, council", "words_original": "اس نے مجھے کھینچا", "questions_asked": "“What happened?”"}  # fmt: skip
    form = cast.dave.get("/incident/new/")
    assert re.search(r'<textarea[^>]* dir="auto"[^>]* id="words_original"|id="words_original"[^>]*dir="auto"', form.text)  # fmt: skip
    assert "In another language, or through an interpreter" in form.text_only
    wrong = cast.dave.post("/incident/new/", answers | more | {"interpreter": "x" * 201})
    assert wrong.status_code == 422 and "Write 200 characters or fewer." in wrong.text_only
    assert more["words_original"] in wrong.text and not Incident.select().exists()
    cast.dave.post("/incident/new/", answers | more)
    incident = Incident.get()
    assert (incident.words_language, incident.words_original) == ("Urdu", more["words_original"])
    page = cast.carol.get(PAGE.format(incident.id))
    assert "The words themselves in Urdu, interpreted by Ewa Nowak, council:" in page.text_only
    assert more["words_original"] in page.text_only and 'dir="auto"' in page.text
    assert (
        more["words_original"] in cast.carol.get(f"/triage/new/?incident={incident.id}").text_only
    )
    paper = Log.trigger(incident, school.mark).paper()
    assert all(words in paper for words in more.values())
    with pytest.raises(DatabaseError):
        Incident.update(words_original="Something else").execute()


def test_what_is_empty_is_no_part_of_a_digest_and_what_is_there_is_vouched_for(school):
    """So that what the history took before there were these columns stays true."""
    incident = report(school)
    incident.amend(text="Seen at lunch.", by=school.dave)
    new = {"injuries", "words_language", "interpreter", "words_original"}
    for row in incident.parts():
        assert not new & {name for name, _value in values(row)}, row.noun()
    incident.amend(text="And after school.", by=school.dave, injuries=[ARM])
    assert "injuries" in dict(values(incident.parts()[-1]))
    untie("addendum")
    assert (
        whole()
        and Addendum.update(injuries=[WRIST]).where(Addendum.injuries.is_null(False)).execute()
    )
    with pytest.raises(Refused, match="incident 1 is not what the history says"):
        whole()
