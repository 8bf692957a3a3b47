"""Reporting: the form, what it refuses and gives back, files, and who sees a report."""

import re
from datetime import date
from io import BytesIO

import pytest
from PIL import Image

from models import Attachment, Case, Child, Event, Incident, Involved, Log, Notice, Share
from models.case.incident import ABOUT
from models.ground.settings import settings

from .conftest import report, triage


def picture(content):
    """What a picture shows, dot by dot."""
    with Image.open(BytesIO(content)) as opened:
        return opened.convert("RGB").tobytes()


def drawn():
    out = BytesIO()
    Image.linear_gradient("L").save(out, "PNG")
    return out.getvalue()


PNG = drawn()


def test_only_what_is_starred_is_required(cast, school):
    page = cast.dave.get("/incident/new/").text
    assert page.count('class="star">*</span></l') == 9, (
        "eight starred questions, and the time for whoever knows it"
    )
    empty = cast.dave.post("/incident/new/", {})
    assert empty.status_code == 422 and Incident.select().count() == 0
    assert "Nothing was saved yet" in empty.text and "This is needed" not in empty.text
    for sentence in (
        "Choose the child: type part of the name.",
        "Choose how exactly you know when it happened.",
        "Choose where it happened.",
        "Choose how it is known.",
        "Say what happened, in order.",
        "Answer Yes or No: is the child in immediate danger?",
        "Say what was done at once.",
        "Answer Yes or No: does this incident raise a safeguarding alert?",
    ):
        assert empty.text_only.count(sentence) == 2, f"at the top and at the field: {sentence}"
    assert (
        'href="#child"' in empty.text
        and 'id="child-wrong"' in empty.text
        and 'aria-invalid="true"' in empty.text
    )


def test_what_was_typed_is_given_back(cast, school, answers):
    cast.dave.get("/incident/new/")
    typed = answers | {
        "child": "Zof of Nowhere", "others-rows": "1", "others-0-name": "Ngũgĩ", "others-0-part": "Witness", "adults-rows": "1",
        "adults-0-name": "Nobody Known", "adults-0-part": "Present", "injuries-rows": "1", "injuries-0-place": "Wrist",
    }  # fmt: skip
    page = cast.dave.post("/incident/new/", typed)
    assert page.status_code == 422 and Incident.select().count() == 0
    for text in (
        "Zof of Nowhere",
        "Ngũgĩ",
        "Nobody Known",
        "Wrist",
        answers["what_happened"],
        "“He pulled me.”",
        "2026-03-04T09:15",
    ):
        assert text in page.text, text
    assert (
        "“Zof of Nowhere” fits no child." in page.text_only
        and "“Nobody Known” fits no person." in page.text_only
    )


def test_part_of_a_name_is_enough_when_one_child_fits(cast, school, answers):
    cast.dave.get("/incident/new/")
    rows = {
        "others-rows": "2",
        "others-0-name": "花子",
        "others-0-part": "Sibling",
        "others-1-name": "",
        "others-1-part": "",
    }
    asked = cast.dave.post("/incident/new/", answers | {"child": "łukas"} | rows)
    assert asked.status_code == 422 and not Incident.select().exists(), (
        "a part of a name is never taken for a child unasked"
    )
    assert (
        asked.text_only.count(
            "is part of one name only, which stands here now. If that is right, save again."
        )
        >= 4
    )
    for label in (school.child.label, school.children[2].label):
        assert f'value="{label}"' in asked.text
    rows["others-0-name"] = school.children[2].label
    assert cast.dave.post("/incident/new/", answers | rows).status_code == 200
    assert Incident.get().child == school.child and [
        row.child.name for row in Involved.of(Incident.get())
    ] == ["山田 花子"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"noticed_at": "2999-01-01T10:00"}, "This is in the future."),
        ({"happened_at": ""}, "Say when it happened, or choose “Not known” above."),
        ({"noticed_at": "soon"}, "This is not a date and time."),
        ({"noticed_at": "04/03/2026"}, "This says the day, 04/03/2026, and no time."),
        ({"noticed_at": "2026-03-29T01:30"}, "This time does not exist"),
        ({"place": "The moon"}, "“The moon” is not on the list:"),
        ({"safeguarding_alert": "maybe"}, "Answer Yes or No."),
        ({"topic": "x" * 121}, "120 characters"),
    ],
)
def test_bad_input_gets_a_clear_sentence(cast, answers, change, sentence):
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | change)
    assert (
        page.status_code == 422
        and sentence in page.text_only
        and answers["what_happened"] in page.text
    )
    assert (
        Incident.select().count() == 0
        and Event.select().where(Event.verb == "incident:report").count() == 0
    )


def test_times_are_typed_in_london_and_kept_in_utc(cast, answers):
    cast.dave.get("/incident/new/")
    cast.dave.post(
        "/incident/new/",
        answers | {"noticed_at": "2026-07-01T09:15", "happened": "Not known", "happened_at": ""},
    )
    incident = Incident.get()
    assert incident.noticed_at.isoformat() == "2026-07-01T08:15:00+00:00"
    assert "1 July 2026, 09:15" in cast.dave.get(f"/incident/details/?id={incident.id}").text_only


@pytest.mark.both
@pytest.mark.parametrize(
    "text",
    ["a\0b", "😀 مرحبا", "<script>alert(1)</script>", "x" * 200_000, "' OR 1=1 --", "{{ 7*7 }}"],
)
def test_any_text_is_kept_and_shown_as_text(cast, answers, text):
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | {"what_happened": text})
    assert page.status_code == 200 and Incident.get().what_happened == text.replace("\0", "")
    assert "<script>alert" not in page.text


def test_a_file_is_kept_by_its_content_and_fetched_as_a_download(cast, school, answers):
    cast.dave.get("/incident/new/")
    page = cast.dave.post(
        "/incident/new/", answers | {"files": (BytesIO(PNG), "../../etc/wrist photo.png")}
    )
    assert page.status_code == 200
    file = Attachment.get()
    assert (
        file.kind == "image/png"
        and file.path.read_bytes() == PNG
        and settings.folder in file.path.parents
    )
    fetched = cast.mark.get(f"/incident/file/?id={file.id}")
    assert (
        picture(fetched.data) == picture(PNG)
        and "attachment" in fetched.headers["Content-Disposition"]
        and "sandbox" in fetched.headers["Content-Security-Policy"]
    )
    assert cast.dina.get(f"/incident/file/?id={file.id}").status_code == 404
    file.path.write_bytes(b"damaged")
    assert cast.mark.get(f"/incident/file/?id={file.id}").status_code == 409


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"MZ\x90\0 program", "photo.png"),
        (b"<html>", "page.gif.html\0"),
        (PNG * 2_000, "large.png"),
    ],
)
def test_a_wrong_file_is_refused_and_nothing_is_saved(cast, answers, content, name, monkeypatch):
    monkeypatch.setattr(settings, "upload_mb", 0.05)
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | {"files": (BytesIO(content), name)})
    if content.startswith(b"<html"):
        file = Attachment.get()
        assert file.kind == "text/plain" and file.download_name.endswith(".txt"), (
            "a web page is kept and handed out as plain text"
        )
    else:
        assert (
            page.status_code == 422
            and Incident.select().count() == 0
            and answers["what_happened"] in page.text
        )


def test_who_sees_a_report(cast, school):
    incident = report(school, adults=[(school.mark, ABOUT)])
    seen = {
        name: getattr(cast, name).get(f"/incident/details/?id={incident.id}").status_code
        for name in ("dave", "alice", "carol", "dina", "ira", "mark", "connor")
    }
    assert seen == {
        "dave": 200,
        "alice": 200,
        "carol": 200,
        "dina": 404,
        "ira": 403,
        "mark": 404,
        "connor": 404,
    }
    assert (
        incident.reference not in cast.mark.get("/incident/").text
        and incident.reference not in cast.mark.get("/").text
    )
    cast.mark.get("/")
    assert (
        cast.mark.press("log:trigger", incident, "incident").status_code == 404
        and Log.select().count() == 0
    )


def test_not_yours_and_does_not_exist_are_the_same_answer(cast, incident):
    yours, absent = (
        cast.dina.get(f"/incident/details/?id={incident.id}"),
        cast.dina.get("/incident/details/?id=999999"),
    )
    assert (yours.status_code, yours.text_only) == (absent.status_code, absent.text_only)


@pytest.mark.both
@pytest.mark.parametrize("id", ["", "abc", "-1", "1e3", "9" * 30, "1;drop", "%00", "٣"])
def test_absurd_ids_are_not_found(cast, incident, id):
    assert cast.alice.get(f"/incident/details/?id={id}").status_code == 404


@pytest.mark.both
@pytest.mark.parametrize(
    "query",
    [
        "page=99999",
        "page=-1",
        "page=x",
        "sort=999",
        "sort=-1",
        "search=%00",
        "status=nonsense",
        "desc=x",
        "page=" + "9" * 40,
    ],
)
def test_absurd_lists_are_answered(cast, incident, query):
    assert cast.alice.get(f"/incident/?{query}").status_code in (200, 404)


@pytest.mark.both
def test_search_filter_and_sort(cast, school):
    first = report(school, topic="Bruise")
    second = report(school, child=school.children[3], alert=False)
    for term in ("sion wyn", "WYN", second.reference):
        found = cast.alice.get(f"/incident/?search={term}").text
        assert second.reference in found and first.reference not in found, term
    found = cast.alice.get("/incident/?status=to+decide").text
    assert first.reference in found and second.reference not in found
    page = cast.alice.get("/incident/?sort=0").text
    assert page.index(second.reference) < page.index(first.reference), "Siôn before Zofia"
    assert 'aria-sort="ascending"' in page


def test_csv_is_neutralised_and_needs_its_permission(cast, school):
    report(school, topic="=HYPERLINK(1)")
    csv = cast.mark.get("/incident/export/csv/")
    text = csv.data.decode("utf-8-sig")
    assert (
        "'=HYPERLINK(1)" in text
        and "Zofia Łukasiewicz" in text
        and csv.data.startswith(b"\xef\xbb\xbf")
    )
    assert Event.select().where(Event.verb == "incident:export").get().detail["rows"] == 1
    assert cast.dave.get("/incident/export/csv/").status_code == 403
    assert cast.mark.get("/incident/export/xlsx/").status_code == 404


def test_reading_is_written_down(cast, incident):
    cast.carol.get(f"/incident/details/?id={incident.id}")
    assert Event.last(incident, "incident:read").by.name == "Carol Vaughan-Ŵyn"
    assert Notice.select().count() == 0


@pytest.mark.both
def test_the_number_goes_on_after_9999(school, incident):
    stem, row = (
        incident.reference[:-4],
        {name: value for name, value in incident.__data__.items() if name != "id"},
    )
    for number in (9999, 10_000):
        Incident.insert(row | {"reference": f"{stem}{number}"}).execute()
    assert [report(school).reference for _again in range(2)] == [f"{stem}10001", f"{stem}10002"]


def test_names_are_known_as_they_are_typed_in_a_hurry(cast, school, answers):
    from models import Child

    Child.create(
        name="Oliver O’Reilly-Đặng", date_of_birth=school.child.date_of_birth, year="Year 9"
    )
    for typed, name in (
        ("zofia lukasiewicz", "Zofia Łukasiewicz"),
        ("Sion Wyn", "Siôn Ŵyn"),
        ("Oliver O'Reilly Dang", "Oliver O’Reilly-Đặng"),
    ):
        cast.dave.get("/incident/new/")
        assert (
            cast.dave.post("/incident/new/", answers | {"child": typed, "once": typed}).status_code
            == 200
        )
        assert Incident.select().order_by(Incident.id.desc()).first().child.name == name
    for typed in ("January", "Year 6", "born", "2013", "-"):
        assert (
            "fits no child"
            in cast.dave.post("/incident/new/", answers | {"child": typed}).text_only
        ), typed


def test_times_that_cannot_be_are_refused_at_the_field(cast, school, answers):
    cast.dave.get("/incident/new/")
    for wrong, sentence in (
        ({"noticed_at": "1926-03-04T09:15"}, "more than 26 years ago"),
        ({"noticed_at": "2026-03-03T09:15"}, "This is before it happened"),
        ({"happened": "Not known"}, "“Not known” is chosen above"),
    ):
        page = cast.dave.post("/incident/new/", answers | wrong)
        assert page.status_code == 422 and sentence in page.text_only, wrong
    assert not Incident.select().exists()


def test_what_happens_after_a_report_is_said_as_it_is(cast, school, answers):
    manager = "A manager now decides whether a notification is due."
    may = "You may now decide whether a notification is due."
    for person, alert, says in (
        ("dave", "yes", manager),
        ("mark", "yes", may),
        ("dave", "no", "It waits for its triage."),
        ("mark", "no", "It waits for its triage."),
    ):
        who = getattr(cast, person)
        who.get("/incident/new/")
        page = who.post("/incident/new/", answers | {"safeguarding_alert": alert})
        assert says in page.text_only, (person, alert)
        assert [one for one in (manager, may) if one in page.text_only] in ([], [says])
    named = {"adults-rows": "1", "adults-0-name": school.mark.label, "adults-0-part": ABOUT}
    page = cast.mark.post("/incident/new/", answers | named)
    assert manager in page.text_only, "of what is about himself he decides nothing"


def test_one_in_no_case_is_put_in_a_case_and_moved_out_of_none(cast, school, incident):
    path = f"/incident/details/?id={incident.id}"
    page = cast.carol.get(path).text_only
    assert "Put in a case" in page and "Move to another case" not in page
    assert "further case" not in page
    triage(school, incident, opens=True)
    page = cast.carol.get(path).text_only
    assert "Have it stand in a further case" in page and "Put in a case" not in page
    assert "Move to another case" not in page, "not out of the one that was opened for it"
    second = report(school)
    Case.add(second, Case.get(), "Also.", school.carol)
    path = f"/incident/details/?id={second.id}"
    assert "Move to another case" in cast.carol.get(path).text_only


def test_one_press_on_trigger_with_nothing_chosen_triggers_nothing(cast, school, incident):
    page = cast.mark.press("log:trigger", incident, why="A mark, and he is afraid.", kind="")
    assert page.status_code == 422 and "Choose the kind of event" in page.text_only
    assert "A mark, and he is afraid." in page.text, "what was typed is given back"
    assert not Log.select().exists() and not Notice.select().exists()
    assert Incident.get().status == "to decide"
    cast.mark.press("log:trigger", incident, kind="Other serious event")
    assert Log.get().kind == "Other serious event"


@pytest.mark.parametrize("typed", ["zofia", "Lukasiewicz", "wa Kamau"])
def test_a_whole_first_or_last_name_that_one_child_has_is_taken_and_said(
    cast, school, answers, typed
):
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | {"child": typed})
    child = school.children["Kamau" in typed]
    assert page.status_code == 200 and Incident.get().child == child
    assert f"Saved as INC-2026-0001, about {child.short}." in page.text_only


@pytest.mark.parametrize("typed", ["Zof", "Zofi Łukasiewicz", "wa", "ukasiewicz"])
def test_a_part_of_a_word_is_asked_about_and_nothing_typed_is_lost(cast, school, answers, typed):
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | {"child": typed})
    assert page.status_code == 422 and not Incident.select().exists()
    assert f"“{typed}” is part of one name only" in page.text_only
    assert answers["what_happened"] in page.text and answers["child_words"] in page.text


def test_a_whole_name_that_two_children_have_is_asked_about(cast, school, answers):
    Child.create(name="Zofia Nowak", date_of_birth=date(2014, 1, 2), year="Year 5")
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", answers | {"child": "Zofia"})
    assert page.status_code == 422 and "Which one?" in page.text_only
    Child.create(name="Samantha Jones", date_of_birth=date(2014, 1, 2), year="Year 5")
    page = cast.dave.post("/incident/new/", answers | {"child": "Sam"})
    assert page.status_code == 422 and not Incident.select().exists(), "Sam is not Samantha"


def test_a_colleague_is_not_taken_for_a_first_name(cast, school, incident):
    person = {"person": "Connor", "reason": "He takes her home."}
    page = cast.mark.press("incident:share", incident, **person)
    assert page.status_code == 422 and not Share.select().exists()


def test_what_is_filled_in_of_how_it_is_known_is_said_beside_it(cast):
    page = cast.dave.get("/incident/new/").text
    said = re.search(r'id="known-hint">(.*?)</p>', page, re.S)[1]
    chosen = re.search(r'<select[^>]*id="known".*?<option selected value="([^"]+)"', page, re.S)[1]
    assert f"“{chosen}” is filled in. Change it" in said


def test_a_refusal_says_that_nothing_was_saved_though_there_are_earlier_incidents(cast, school):
    first, second = report(school), report(school)
    page = cast.mark.press("log:trigger", second, kind="")
    assert first.reference in page.text_only or "Also about Zofia" in page.text_only
    assert "Nothing was saved yet" in page.text_only and "Nothing more" not in page.text_only
