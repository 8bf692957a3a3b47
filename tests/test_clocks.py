"""The night when the clocks go back: one hour is there twice, and the record says which."""

from datetime import UTC, datetime

import pytest

from models import Event, Incident, Log, Section
from models.ground.clock import at
from models.ground.words import as_typed, from_history, when

from .test_two_savers import opened, sent_by

HALF_PAST = "2025-10-26T01:30"
FIRST, SECOND = datetime(2025, 10, 26, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


def test_the_hour_that_was_twice_is_shown_with_its_clock_and_no_other():
    assert (
        when(FIRST) == "26 October 2025, 01:30 BST" and when(SECOND) == "26 October 2025, 01:30 GMT"
    )
    assert (
        from_history(SECOND.isoformat()) == "26 October 2025, 01:30 GMT"
        and as_typed(HALF_PAST) == "26 October 2025, 01:30"
    )
    for hour, minute, said in (
        (23, 59, "26 October 2025, 00:59"),
        (2, 0, "26 October 2025, 02:00"),
    ):
        assert when(datetime(2025, 10, 25 if hour == 23 else 26, hour, minute, tzinfo=UTC)) == said
    for hour, said in ((0, "30 March 2025, 00:30"), (1, "30 March 2025, 02:30")):
        assert when(datetime(2025, 3, 30, hour, 30, tzinfo=UTC)) == said, (
            "the hour that was not there is nobody's"
        )


@pytest.mark.parametrize(("clock", "instant"), [("BST", FIRST), ("GMT", SECOND)])
def test_a_reporter_is_asked_once_which_of_the_two_it_was(cast, answers, clock, instant):
    night = answers | {"noticed_at": "26/10/2025 01:30", "happened": "Not known", "happened_at": ""}
    assert "Which of the two" not in cast.dave.get("/incident/new/").text
    page = cast.dave.post("/incident/new/", night)
    assert (
        page.status_code == 422
        and "it was 01:30 twice. Choose which of the two it was." in page.text_only
    )
    assert (
        'name="noticed_at-clock" value="BST"> 01:30 BST, the first' in " ".join(page.text.split())
        and page.text.count("noticed_at-clock") == 2
    )
    page = cast.dave.post("/incident/new/", night | {"noticed_at-clock": "CET"})
    assert (
        page.status_code == 422
        and "Choose which of the two" in page.text_only
        and not Incident.select().exists()
    )
    page = cast.dave.post("/incident/new/", night | {"noticed_at-clock": clock})
    assert page.status_code == 200 and Incident.get().noticed_at == instant
    assert f"26 October 2025, 01:30 {clock}" in cast.alice.get("/incident/details/?id=1").text_only


def test_a_choice_beside_a_time_that_was_there_once_says_nothing(cast, answers):
    sent = answers | {
        "noticed_at": "2025-10-26T03:30",
        "noticed_at-clock": "BST",
        "happened": "Not known",
        "happened_at": "",
    }
    assert cast.dave.post("/incident/new/", sent).status_code == 200
    assert Incident.get().noticed_at == datetime(2025, 10, 26, 3, 30, tzinfo=UTC)
    page = cast.dave.post("/incident/new/", sent | {"noticed_at": "2025-03-30T01:30", "once": "2"})
    assert (
        "does not exist: the clocks went forward" in page.text_only
        and "Which of the two" not in page.text_only
    )


def test_a_form_opened_in_that_hour_knows_which_it_is(cast):
    with at(SECOND):
        page = cast.dave.get("/incident/new/").text
    assert (
        'name="noticed_at-clock" value="GMT" checked' in " ".join(page.split())
        and 'value="26/10/2025 01:30"' in page
    )


def test_the_log_says_which_and_lets_it_be_corrected(cast, log):
    Log.update(aware_at=SECOND.replace(second=7)).execute()
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    assert form["aware_at"] == "26/10/2025 01:30" and form["aware_at-clock"] == "GMT"
    cast.alice.post(path, form | {"summary": "A red mark."})
    assert Log.get().aware_at == SECOND.replace(second=7), "left alone, to the second"
    form = opened(cast.alice, path)
    unsaid = {name: value for name, value in form.items() if name != "aware_at-clock"}
    assert cast.alice.post(path, unsaid | {"summary": "A mark."}).status_code == 200, (
        "a page from before there was a choice"
    )
    assert Log.get().aware_at == SECOND.replace(second=7)
    form = opened(cast.alice, path)
    assert cast.alice.post(path, form | {"aware_at-clock": "BST"}).status_code == 200
    assert Log.get().aware_at == FIRST and list(Event.last(log, "log:edit").detail["changed"]) == [
        "aware_at"
    ]


def test_of_two_savers_one_may_only_have_said_which(cast, log, school):
    Log.update(aware_at=SECOND).execute()
    path = f"/log/edit/?id={log.id}"
    alices, carols = opened(cast.alice, path), opened(cast.carol, path)
    cast.alice.post(path, alices | {"aware_at-clock": "BST"})
    page = cast.carol.post(path, carols | {"summary": "A red mark."})
    assert page.status_code == 409 and 'value="BST" checked' in page.text
    cast.carol.post(path, sent_by(page))
    assert Log.get().aware_at == FIRST and Log.get().summary == "A red mark."


def test_a_draft_keeps_the_time_and_the_choice(cast, school, answers):
    cast.dave.get("/incident/new/")
    page = cast.dave.post(
        "/incident/new/", {"noticed_at": HALF_PAST, "noticed_at-clock": "GMT", "draft": "1"}
    )
    assert f'value="{HALF_PAST}"' in page.text and 'value="GMT" checked' in page.text
    page = cast.dave.post("/incident/new/", {"noticed_at": HALF_PAST, "draft": "1"})
    assert (
        f'value="{HALF_PAST}"' in page.text
        and 'name="noticed_at-clock" value="GMT">' in " ".join(page.text.split())
    )


def test_an_answer_of_the_tracker_says_which(cast, tracker):
    section = next(
        one
        for one in tracker.in_order()
        if any(q["kind"] == "date and time" for q in one.questions)
    )
    question = next(q for q in section.questions if q["kind"] == "date and time")
    path, name = f"/section/edit/?id={section.id}", f"q{question['id']}"
    form = opened(cast.alice, path) | {name: HALF_PAST, "back": "1"}
    assert "Choose which of the two" in cast.alice.post(path, form).text_only
    assert cast.alice.post(path, form | {f"{name}-clock": "GMT"}).status_code == 200
    assert Section.get_by_id(section.id).answers[question["id"]] == SECOND.isoformat()
    again = opened(cast.alice, path)
    assert again[f"{name}-clock"] == "GMT"
