"""The Ofsted log: its fields, its warning, its list, its paper."""

from datetime import timedelta
from io import BytesIO

import pytest
from peewee import DatabaseError
from pypdf import PdfReader

from models import TABLES, Assignee, Document, Event, Incident, Log, Refused, Section, Tracker, db
from models.case.incident import ABOUT
from models.ground.clock import at, now
from models.ground.words import shown, when
from models.shelf import proof

from .conftest import answer_all, fill_in, report
from .person import Person


def read(pdf):
    """All words of a PDF, with single spaces, and its number of pages."""
    pages = PdfReader(BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()), len(pages)


def squeezed(text):
    """Text without any space: how a line was broken is not part of what it says."""
    return "".join(str(text).split())


def edit_form(person, log, **changed):
    person.get(f"/log/edit/?id={log.id}")
    fresh = Log.get_by_id(log.id)
    return person.post(
        f"/log/edit/?id={log.id}", {"version": fresh.version, "setting": fresh.setting} | changed
    )


def test_the_log_is_filled_in_beforehand(log, school):
    assert (log.setting, log.address, log.decided_by, log.aware_at) == (
        "Thornley Beck School",
        "2 Beck Lane",
        school.mark,
        log.incident.reported_at,
    )


def test_carol_fills_in_dave_cannot(cast, log):
    assert "Saved" in edit_form(cast.carol, log, summary="A red mark; the child is safe.").text_only
    event = Event.last(log, "log:edit")
    assert (
        event.detail["changed"]["summary"] == [None, "A red mark; the child is safe."]
        and event.by.name == "Carol Vaughan-Ŵyn"
    )
    assert cast.dave.get(f"/log/edit/?id={log.id}").status_code == 403


def test_an_assigned_contributor_reads_but_does_not_edit(cast, school, log):
    log.assign([school.connor], school.alice)
    assert cast.connor.get(f"/log/details/?id={log.id}").status_code == 200
    assert edit_form(cast.connor, log, summary="x").status_code == 403
    assert cast.connor.get("/log/export/csv/").status_code == 403


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"told_at": "2999-01-01T10:00"}, "This is in the future."),
        (
            {"aware_at": "2026-03-04T09:00", "told_at": "2026-03-04T08:00"},
            "Ofsted cannot have been told before anybody became aware.",
        ),
        ({"decided_by": "Somebody else"}, "“Somebody else” fits no person."),
        ({"kind": "A party"}, "“A party” is not on the list:"),
        ({"setting": ""}, "Give the setting."),
    ],
)
def test_bad_input_saves_nothing(cast, log, change, sentence):
    page = edit_form(cast.alice, log, summary="Kept in the form", **change)
    assert (
        page.status_code == 422 and sentence in page.text_only and "Kept in the form" in page.text
    )
    assert Log.get().summary is None and not Event.last(log, "log:edit")


def test_late_is_a_warning_that_never_blocks(cast, school):
    with at(now() - timedelta(hours=30)):
        log = Log.trigger(report(school), school.mark)
    assert log.late and " late " in cast.mark.get(f"/log/details/?id={log.id}").text_only
    assert "Tell Ofsted" in cast.alice.get("/").text_only
    tracker = Tracker.begin(log, school.carol)
    answer_all(tracker, school.carol)
    fill_in(log, school.alice)
    assert not Log.get().late and not log.missing(), "told within the hours: nothing is late"
    log.edit(school.alice, told_at=now())
    assert [text for text, _record, _anchor in log.missing()] == ["Late because"]


def test_the_list_is_the_evidence_filtered_searched_sorted(cast, school):
    first = Log.trigger(report(school), school.mark)
    second = Log.trigger(report(school, child=school.children[1]), school.mark)
    Tracker.begin(second, school.carol)
    everything = cast.carol.get("/log/").text
    assert first.reference in everything and second.reference in everything
    assert first.reference not in cast.carol.get("/log/?tab=completed").text
    assert second.reference not in cast.carol.get("/log/?search=zofia").text
    assert second.reference in cast.carol.get("/log/?search=ngugi+wa").text
    csv = cast.mark.get("/log/export/csv/?search=ngugi").data.decode("utf-8-sig")
    assert second.reference in csv and first.reference not in csv
    assert first.reference in cast.mark.get("/log/export/csv/?tab=open").text
    assert cast.dave.get("/log/").status_code == 403


def test_a_log_about_bob_is_shut_to_bob_at_every_door(cast, school):
    log = Log.trigger(report(school, adults=[(school.bob, ABOUT)]), school.mark)
    tracker = Tracker.begin(log, school.carol)
    section = tracker.in_order()[0]
    fill_in(log, school.alice)
    answer_all(tracker, school.carol)
    Log.get_by_id(log.id).complete(by=school.mark)
    doors = [f"/log/details/?id={log.id}", f"/log/edit/?id={log.id}", f"/log/pdf/?id={log.id}", f"/log/copy/?id={Document.get().id}",
             f"/section/edit/?id={section.id}", f"/incident/details/?id={log.incident_id}"]  # fmt: skip
    assert {cast.bob.get(door).status_code for door in doors} == {404}
    for page in (
        "/",
        "/log/",
        "/incident/",
        "/log/?search=zofia",
        "/notice/",
        "/log/export/csv/",
        f"/child/details/?id={school.child.id}",
    ):
        assert log.reference not in cast.bob.get(page).data.decode(), page
    assert {cast.alice.get(door).status_code for door in doors} == {200}


def test_restricted_sections_are_for_those_with_the_permission(cast, school, log, tracker):
    section = next(section for section in tracker.in_order() if section.restricted)
    section.save_answers(
        {section.questions[1]["id"]: "Mr Percival Nettlefold, volunteer"}, school.mark
    )
    assert cast.carol.get(f"/section/edit/?id={section.id}").status_code == 404
    assert "(restricted)" in cast.carol.get(f"/log/details/?id={log.id}").text_only
    assert cast.mark.get(f"/section/edit/?id={section.id}").status_code == 200
    for person, sees in ((cast.carol, False), (cast.mark, True)):
        words, _pages = read(person.get(f"/log/pdf/?id={log.id}").data)
        assert ("Percival" in words) is sees
        assert ("Percival" in person.get(f"/log/details/?id={log.id}").text) is sees, (
            "nor in the history"
        )


def test_every_word_of_the_log_is_in_its_pdf(cast, school, ready):
    log, incident = ready, ready.incident
    incident.amend(text="Ὀλυμπία said: “ŵ, ł, ũ, Đ, Ж, 花” — and an emoji 😀.", by=school.dave)
    response = cast.alice.get(f"/log/pdf/?id={log.id}")
    words, pages = read(response.data)
    flat = squeezed(words)
    for record in (log, incident):
        for names in record.GROUPS.values():
            for name in names:
                value = getattr(record, name, None)
                if isinstance(value, str):
                    assert squeezed(value) in flat, name
    for section in Section.select():
        for question, answer in section.answered():
            if answer in (None, "", []):
                continue  # counted, not printed
            assert squeezed(question["text"]) in flat
            for said in answer if isinstance(answer, list) else [answer]:
                for cell in [*said, *said.values()] if isinstance(said, dict) else [shown(said)]:
                    assert squeezed(cell) in flat, question["text"]
    for text in (
        "山田 花子",
        "Ngũgĩ wa Kamau",
        "Carol Vaughan-Ŵyn",
        "Ὀλυμπία",
        "ŵ, ł, ũ, Đ, Ж, 花",
        "😀",
    ):
        assert squeezed(text) in flat, text
    for number in range(1, pages + 1):
        assert f"page {number} of {pages}" in words
    assert (
        words.count("CONFIDENTIAL") >= 2 * pages
        and words.count(log.reference) >= 2 * pages
        and "■" not in words
    )


def test_long_text_is_complete_and_long_words_stay_on_the_page(cast, school):
    text = " ".join(f"word{number}" for number in range(4000)) + " " + "x" * 3000
    log = Log.trigger(report(school, what_happened=text), school.mark)
    words, _pages = read(cast.alice.get(f"/log/pdf/?id={log.id}").data)
    assert squeezed(text) in squeezed(words).replace(
        squeezed(f"{log.reference}·CONFIDENTIAL"), ""
    ) or all(f"word{n}" in words for n in range(4000))
    assert squeezed(words).count("x" * 60) >= 40


def test_text_in_a_record_is_text_on_the_paper(cast, school):
    log = Log.trigger(
        report(school, what_happened="<img src='/etc/hostname'/> <b>bold</b> {{ settings }}"),
        school.mark,
    )
    words, _pages = read(cast.alice.get(f"/log/pdf/?id={log.id}").data)
    assert (
        "<img src='/etc/hostname'/>" in words
        and "<b>bold</b>" in words
        and "{{ settings }}" in words
    )


def test_the_copy_made_at_sign_off_is_kept(school, ready):
    ready.complete(by=school.mark)
    document = Document.get()
    assert (
        document.pdf is None and "Mark Kowalczyk completed and signed off the log" in document.words
    ), "the words are frozen in the transaction"
    first = document.content()
    ready.reopen(reason="More was learned.", by=school.bob)
    Log.get_by_id(ready.id).edit(school.alice, summary="Changed afterwards")
    assert (
        Document.get_by_id(document.id).content() == first
        and "Changed afterwards" not in read(first)[0]
    )
    with pytest.raises(Exception, match="sealed"):
        Document.update(pdf=b"other").execute()


def test_papers_are_for_those_who_may(cast, school, log):
    assert cast.dave.get(f"/log/pdf/?id={log.id}").status_code == 403
    cast.alice.get(f"/log/pdf/?id={log.id}")
    assert Event.last(log, "log:pdf").by.name == "Alice Brennan"


def test_references_count_through_the_year(school):
    with at(now().replace(year=2027, month=1, day=5)):
        first, second = report(school), report(school)
    assert (first.reference, second.reference) == ("INC-2027-0001", "INC-2027-0002")
    assert Incident.number("INC").startswith(f"INC-{now().year}-")


def test_nobody_at_level_5_is_said_plainly(cast, school):
    from models import UserRole

    UserRole.delete().where(UserRole.user.in_([school.alice, school.bob])).execute()
    log = Log.trigger(report(school), school.mark)
    assert (
        "Nobody. There is no active Level 5."
        in cast.mark.get(f"/log/details/?id={log.id}").text_only
    )
    with pytest.raises(Refused):
        Log.get_by_id(log.id).complete(by=school.mark)


def test_what_changed_is_highlighted(cast, school, log):
    log.edit(school.carol, summary="A red mark on the left wrist.")
    log.edit(school.carol, summary="A red mark on the right wrist.")
    text = " ".join(cast.alice.get(f"/log/details/?id={log.id}").text.split())
    assert (
        '<del><span class="sr">removed: </span> left</del><ins><span class="sr">added: </span> right</ins> wrist.'
        in text
    )


def test_ofsted_is_told_and_people_are_assigned_in_place(cast, school, log):
    """On the page of the log itself: works, wrong person, twice, wrong moment."""
    page = cast.carol.get(f"/log/details/?id={log.id}")
    assert "Telling Ofsted" in page.text_only and 'value="log:tell"' in page.text
    tell = {"told_at": now().strftime("%d/%m/%Y %H:%M"), "told_how": "Telephone"}
    page = cast.carol.press("log:tell", log, told_at="", told_how="Telephone")
    assert page.status_code == 422 and not Log.get().told_at
    cast.dave.get("/")
    assert cast.dave.press("log:tell", log, **tell).status_code == 403
    with at(now() + timedelta(minutes=2)):
        page = cast.carol.press("log:tell", log, **tell | {"told_reference": "CR-9"})
        assert "it is written down that Ofsted was told" in page.text_only
        told = Log.get()
        assert (told.told_by, told.told_reference) == (school.carol, "CR-9") and not told.late
        assert Event.last(told, "log:tell").by == school.carol
        again = cast.alice.press("log:tell", log, **tell | {"told_reference": "CR-10"})
        assert again.status_code == 409 and "written down already" in again.text_only
        assert Log.get().told_reference == "CR-9"
    page = cast.mark.press("log:assign", log, person="Connor")
    assert page.status_code == 422, "part of a name is asked once"
    page = cast.mark.press("log:assign", log, person=school.connor.label)
    assert "Assigned by Mark Kowalczyk" in page.text_only
    page = cast.mark.press("log:assign", log, person=school.dave.label)
    assert page.status_code == 409 and "may not see Ofsted logs" in page.text_only
    assert cast.carol.press("log:assign", log, person=school.dave.label).status_code == 403
    by_hand = [row.user for row in Assignee.of(log) if row.by_id]
    assert by_hand == [school.connor], "nobody is taken off by assigning one more"


def test_a_log_signed_off_before_ofsted_was_told_says_why_and_is_told_of_later(cast, school, log):
    """Level 5 says why; what is owed is written down afterwards, once, and nothing else is."""
    page = cast.alice.press("log:complete_anyway", log, reason="The family moved.")
    assert page.status_code == 422 and "Say why Ofsted has not been told" in page.text_only
    assert "The family moved." in page.text and Log.get().status == "open"
    untold = "The portal is down until Monday."
    page = cast.alice.press("log:complete_anyway", log, reason="The family moved.", untold=untold)
    assert Log.get().status == "completed" and f"because: {untold}" in page.text_only
    assert "Ofsted not told" in page.text_only and "due in" not in page.text_only
    moment = when(log.aware_at + timedelta(minutes=1))
    told = {"told_at": moment, "told_how": "Telephone", "told_reference": "CR-9"}
    with at(now() + timedelta(hours=1)):
        alice = Person(school.app, school.alice).sign_in()
        assert cast.dave.press("log:tell", log, **told).status_code == 403
        assert alice.press("log:tell", log, told_at="").status_code == 422
        page = alice.press("log:tell", log, **told)
        assert alice.press("log:tell", log, **told).status_code == 409, "twice"
        shown_then = alice.get(f"/log/details/?id={log.id}").text_only
    assert "it is written down that Ofsted was told" in page.text_only
    fresh = Log.get()
    assert (fresh.status, fresh.told_by, fresh.told_reference) == (
        "completed", school.alice, "CR-9",
    )  # fmt: skip
    assert "CR-9" in shown_then and "Ofsted not told" not in shown_then
    assert proof.history(TABLES)


@pytest.mark.both
def test_the_database_lets_a_completed_log_be_told_of_and_nothing_besides(school, log):
    log.complete_anyway(reason="The family moved.", by=school.alice)
    later = now()
    for more in ({"summary": "Other words."}, {"kind": "Other"}, {"decided_by": school.bob}):
        with pytest.raises(DatabaseError, match="sealed"), db.atomic():
            Log.update(told_at=later, **more).execute()
    with pytest.raises(DatabaseError, match="sealed"), db.atomic():
        Log.update(told_reference="CR-1").execute()
    Log.update(told_at=later, told_how="Telephone").execute()
    with pytest.raises(DatabaseError, match="sealed"), db.atomic():
        Log.update(told_how="Email").execute()
