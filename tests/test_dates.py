"""Dates and times as people type them: what is read, what is refused and with which words, and
that nothing moves that was left alone.
"""

import random
from datetime import UTC, date, datetime, time, timedelta

import pytest

from models import Case, Child, Draft, Event, Incident, Log, Section, Task
from models.ground.clock import LONDON, at, now
from models.ground.dates import AHEAD, Unread, read, written
from models.ground.words import day, when

from .conftest import triage
from .test_two_savers import opened

TUESDAY = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
FIVE_PAST_TWO = datetime(2026, 11, 24, 14, 5)


@pytest.fixture
def tuesday():
    with at(TUESDAY):
        yield


SAME = [
    "24/11/2026 14:05", "24/11/2026, 14:05", "24 November 2026 14:05", "24 November 2026, 14:05", "24 Nov 14:05", "24/11 14:05",
    "today 14:05", "Today at 14.05", "14:05", "1405", "2:05pm", "2.05 p.m.", "2:05 PM", "24/11/26 14:05", "24-11-2026 14:05", "24.11.2026 14.05",
    "24th November 2026 14:05", "the 24th of Nov. 2026 at 14:05", "TUESDAY 24 NOVEMBER 2026 14:05", "Tue 24/11 2:05pm", "14:05 24/11/2026",
    "14:05 on 24 November 2026", "2026-11-24T14:05", "2026-11-24 14:05", "2026-11-24T14:05:00", "24/11/2026 1405", "today 1405", "24/11/2026T14:05",
    "24\u00a0Nov\u00a02026\u00a014:05", "24–11–2026 14:05", "٢٤/١١/٢٠٢٦ ١٤:٠٥", "２４／１１／２０２６　１４：０５", "२४/११/२०२६ १४:०५", "  24 / 11 / 2026   14 : 05  ",
    "24Nov2026 14:05", "24-Nov-2026 14:05", "24 sept 2026 14:05".replace("sept", "nov"), "24/11/2026 14:05 GMT",
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("3/2025", "March 2025"), ("03-2025", "March 2025"), ("03.2025", "March 2025"), ("2025-03", "March 2025"), ("Mar. 2025", "March 2025"),
        ("march 2025", "March 2025"), ("MARCH2025", "March 2025"), ("٣/٢٠٢٥", "March 2025"), ("2025", "2025"), (" 2025 ", "2025"),
    ],
)  # fmt: skip
def test_a_month_or_a_year_is_read_where_it_may_stand_and_nowhere_else(tuesday, typed, words):
    assert read(typed, "day, month or year").value.words == words
    for kind in ("date", "birth", "ahead", "date and time"):
        with pytest.raises(Unread):
            read(typed, kind)


def test_a_day_is_a_day_there_too(tuesday):
    for typed in ("24/11/2026", "24 Nov 2026", "today", "24/11/26"):
        assert read(typed, "day, month or year").value == date(2026, 11, 24), typed
    for typed in ("3/25", "Mar 25", "summer", "3/", "/2025", "20255"):
        with pytest.raises(Unread):
            read(typed, "day, month or year")


@pytest.mark.parametrize("typed", SAME)
def test_all_of_these_are_five_past_two_on_tuesday(tuesday, typed):
    assert read(typed, "date and time").value == FIVE_PAST_TWO


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("yesterday 9.30", "date and time", datetime(2026, 11, 23, 9, 30)),
        ("9:05am", "date and time", datetime(2026, 11, 24, 9, 5)),
        ("12:30pm", "date and time", datetime(2026, 11, 24, 12, 30)),
        ("12:30am", "date and time", datetime(2026, 11, 24, 0, 30)),
        ("now", "date and time", datetime(2026, 11, 24, 15, 0)),
        ("25 Nov 9:00", "date and time", datetime(2025, 11, 25, 9, 0)),
        ("29 Feb 9:00", "date and time", datetime(2024, 2, 29, 9, 0)),
        ("2026-11-24T14:05:33", "date and time", datetime(2026, 11, 24, 14, 5, 33)),
        ("24/11/2026", "date", date(2026, 11, 24)),
        ("24 Nov", "date", date(2026, 11, 24)),
        ("yesterday", "date", date(2026, 11, 23)),
        ("tomorrow", "date", date(2026, 11, 25)),
        ("2026-11-24", "date", date(2026, 11, 24)),
        ("24/11/30", "date", date(2030, 11, 24)),
        ("tomorrow", "ahead", date(2026, 11, 25)),
        ("Friday", "ahead", date(2026, 11, 27)),
        ("on Fri.", "ahead", date(2026, 11, 27)),
        ("this monday", "ahead", date(2026, 11, 30)),
        ("Tuesday", "ahead", date(2026, 12, 1)),
        ("next Friday", "ahead", date(2026, 12, 4)),
        ("Next Monday", "ahead", date(2026, 11, 30)),
        ("Friday 27 Nov", "ahead", date(2026, 11, 27)),
        ("3 Jan", "ahead", date(2027, 1, 3)),
        ("24 Nov", "ahead", date(2026, 11, 24)),
        ("29 Feb", "ahead", date(2028, 2, 29)),
        ("12/05/13", "birth", date(2013, 5, 12)),
        ("24/11/26", "birth", date(2026, 11, 24)),
        ("25/11/26", "birth", date(1926, 11, 25)),
        ("1/1/98", "birth", date(1998, 1, 1)),
        ("9.30", "time", time(9, 30)),
        ("5 pm", "time", time(17, 0)),
    ],
)
def test_what_else_is_read(tuesday, typed, kind, value):
    assert read(typed, kind).value == value


@pytest.mark.parametrize(
    ("typed", "kind", "says"),
    [
        ("31/02/2026 10:00", "date and time", "There is no 31 February."),
        ("29/02/2025", "date", "There is no 29 February 2025."),
        ("31 April", "date", "There is no 31 April."),
        ("24/11/2026 25:00", "date and time", "There is no 25:00"),
        ("24/11/2026 24:00", "date and time", "There is no 24:00"),
        ("Friday", "date", "This is not a date."),
        ("last Friday", "ahead", "This is not a date."),
        ("next week", "ahead", "This is not a date."),
        ("Friday 26 Nov 2026", "ahead", "26/11/2026 is a Thursday."),
        ("14:61", "time", "There is no 14:61"),
        ("13/13/2026", "date", "There is no month 13."),
        ("11/24/2026", "date", "There is no month 24: the day comes first"),
        ("11/24/2026 14:05", "date and time", "There is no month 24: the day comes first"),
        ("24/11/2026", "date and time", "This says the day, 24/11/2026, and no time."),
        ("yesterday", "date and time", "This says the day, 23/11/2026, and no time."),
        ("24 Nov 2020", "date and time", "This could be a year or a time."),
        ("2019", "date and time", "This could be a year or a time."),
        ("12.11", "date and time", "This could be a day or a time."),
        ("12pm", "date and time", "Write noon as 12:00 and midnight as 00:00."),
        ("13pm", "time", "There is no 13 pm."),
        ("Mon 24/11/2026", "date", "24/11/2026 is a Tuesday."),
        ("24/12/26 10:00", "date and time", "Write the year with four digits: 2026 is in"),
        ("24/11/99", "date", "Write the year with four digits: 2099 is in the future."),
        ("24 Brumaire 2026", "date", "“brumaire” is no month."),
        ("24/11/20226", "date", "This is not a date."),
        ("24/11/3026", "date", "This is in the future."),
        ("24/11/0026", "date", "The year 26 cannot be right."),
        ("12 May", "birth", "Write the year too."),
        ("soon", "date", "This is not a date."),
        ("soon", "date and time", "This is not a date and time."),
        ("9", "date and time", "This is not a date and time."),
        ("24/11/2026 14:05 24/11/2026", "date and time", "This is not a date and time."),
        ("24/11/2026 14:05", "date", "This is not a date."),
        ("9" * 5_000, "date", "This is not a date."),
        ("\0", "date", "This is not a date."),
    ],
)
def test_what_is_refused_says_why_and_what_to_type(tuesday, typed, kind, says):
    with pytest.raises(Unread) as refused:
        read(typed, kind)
    example = {"date": "24/11/2026", "birth": "24/11/2013", "time": "14:05"}.get(kind)
    example = "08/12/2026" if kind == "ahead" else example
    assert str(refused.value).startswith(says)
    assert str(refused.value).endswith(f"Type it like this: {example or '24/11/2026 14:05'}.")


def test_nothing_typed_is_nothing(tuesday):
    assert [read(text, kind) for text in ("", "  ", ",") for kind in ("date", "time")] == [None] * 6


def test_hundreds_of_moments_in_every_spelling_are_the_same_moment(tuesday):
    chance = random.Random(9)
    for _turn in range(400):
        moment = datetime(2000, 1, 1) + timedelta(minutes=chance.randrange(60 * 24 * 365 * 26))
        moment = min(moment, FIVE_PAST_TWO)
        clock = chance.choice([f"{moment:%H:%M}", f"{moment:%H.%M}", f"{moment:%H%M}"])
        if moment.hour % 12 or moment.minute:
            clock = chance.choice([clock, f"{moment:%I:%M%p}", f"{moment:%I.%M} {moment:%p}"])
        whole = chance.choice(
            [
                f"{moment:%d/%m/%Y}",
                f"{moment.day}/{moment.month}/{moment:%Y}",
                f"{moment:%d.%m.%Y}",
                f"{moment:%d-%m-%y}",
                f"{moment:%Y-%m-%d}",
                f"{moment:%A} {day(moment)}",
                f"{moment.day}th of {moment:%b} {moment:%Y}".upper(),
            ]
        )
        if len(clock) == 4 and clock.isdigit() and whole[-5:-4] != "/" and whole[2:3] == "-":
            whole = f"{moment:%d/%m/%Y}"  # 1405 after a year of two digits could be a year itself
        typed = whole + chance.choice([" ", ", ", "  ", "\u00a0"]) + clock
        assert read(typed, "date and time").value == moment, typed
        assert read(whole, "date").value == moment.date(), whole
        assert read(written(moment), "date and time").value == moment
        assert read(written(moment.date()), "date").value == moment.date()


def test_what_a_page_shows_of_a_moment_can_be_typed_back(tuesday):
    chance = random.Random(10)
    for _turn in range(300):
        moment = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(8_000_000))
        found = read(when(moment), "date and time")
        fold = found.clock == "GMT"
        assert found.value.replace(tzinfo=LONDON, fold=fold).astimezone(UTC) == moment


def test_noise_is_read_as_something_plain_or_refused_never_worse(tuesday):
    chance, pieces = random.Random(11), ["24", "11", "2026", "/", "-", ".", ":", " ", "nov", "am",
                                         "pm", "today", "th", "1405", "T", "bst", "²", "٣", ",", "now"]  # fmt: skip
    taken = 0
    for _turn in range(3_000):
        typed = "".join(chance.choices(pieces, k=chance.randrange(1, 9)))
        for kind in ("date", "birth", "date and time", "time"):
            try:
                found = read(typed, kind)
            except Unread:
                continue
            taken += found is not None
            if found and kind == "birth":
                assert found.value <= date(2026, 11, 25), typed
            if found and kind == "date" and "2026" not in typed:
                assert found.value.year <= 2026 + AHEAD, typed
    assert taken > 50


def test_a_reporter_types_today_and_sees_it_in_full(cast, answers):
    typed = answers | {"noticed_at": "today 00:00", "happened_at": "yesterday 9.30"}
    page = cast.dave.post("/incident/new/", typed | {"topic": "x" * 121})
    today = now().astimezone(LONDON)
    assert page.status_code == 422 and f'value="{today:%d/%m/%Y} 00:00"' in page.text
    assert cast.dave.post("/incident/new/", typed).status_code == 200
    assert Incident.get().noticed_at.astimezone(LONDON) == today.replace(hour=0, minute=0, second=0)


def test_a_day_long_ago_without_its_year_is_shown_before_it_is_saved(cast, answers):
    with at(TUESDAY):
        typed = answers | {"noticed_at": "14:05", "happened_at": "25 Nov 9:00"}
        page = cast.dave.post("/incident/new/", typed)
        assert page.status_code == 422 and not Incident.select().exists()
        assert "“25 Nov 9:00” was read as 25/11/2025 09:00, which stands here" in page.text_only
        assert 'value="25/11/2025 09:00"' in page.text
        again = typed | {"happened_at": "25/11/2025 09:00"}
        assert cast.dave.post("/incident/new/", again).status_code == 200


def test_today_in_a_draft_is_the_day_on_which_it_was_typed(cast, school, answers):
    typed = answers | {"noticed_at": "today 9:00", "happened": "Not known", "happened_at": ""}
    with at(TUESDAY):
        page = cast.dave.post("/incident/new/", typed | {"draft": "1", "drawn": "2026-11-21"})
        assert 'value="21/11/2026 09:00"' in page.text, "as it stands when it is opened again"
        page = cast.dave.post("/incident/new/", typed | {"drawn": "2026-11-21"})
        assert page.status_code == 422 and "was read as 21/11/2026 09:00" in page.text_only
        for odd in ("", "soon", "2999-01-01", "²"):
            page = cast.dave.post("/incident/new/", typed | {"drawn": odd, "topic": "x" * 121})
            assert 'value="24/11/2026 09:00"' in page.text, odd


def test_a_draft_of_an_earlier_version_still_opens(cast, school, answers):
    Draft.keep(school.dave, "/incident/new/?draft=kept", [("noticed_at", "2026-03-04T09:15")])
    page = cast.dave.get("/incident/new/?draft=kept")
    assert 'value="2026-03-04T09:15"' in page.text
    assert cast.dave.post("/incident/new/?draft=kept", answers).status_code == 200


def test_a_form_shows_uk_dates_and_an_untouched_one_changes_nothing(cast, log):
    seconds = datetime(2026, 7, 1, 9, 30, 17, tzinfo=UTC)
    Log.update(aware_at=seconds, told_at=seconds + timedelta(hours=1)).execute()
    path = f"/log/edit/?id={log.id}"
    form = opened(cast.alice, path)
    assert (form["aware_at"], form["told_at"]) == ("01/07/2026 10:30", "01/07/2026 11:30")
    for aware in (form["aware_at"], "2026-07-01T10:30", "1 July 2026, 10:30"):
        sent = opened(cast.alice, path) | {"aware_at": aware, "summary": f"A mark, {aware}"}
        assert cast.alice.post(path, sent).status_code == 200
        assert list(Event.last(log, "log:edit").detail["changed"]) == ["summary"]
    assert Log.get().aware_at == seconds


def test_the_clock_that_was_typed_is_the_one_that_counts(cast, log):
    path = f"/log/edit/?id={log.id}"
    sent = opened(cast.alice, path)
    page = cast.alice.post(path, sent | {"aware_at": "1 July 2026, 10:30 GMT"})
    assert page.status_code == 422 and "The clocks did not show GMT then." in page.text_only
    page = cast.alice.post(
        path, sent | {"aware_at": "26/10/2025 01:30 BST", "aware_at-clock": "GMT"}
    )
    assert page.status_code == 422 and "Choose which of the two" in page.text_only
    cast.alice.post(path, sent | {"aware_at": "26 October 2025, 01:30 GMT"})
    assert Log.get().aware_at == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)


def test_a_date_of_birth_is_past_and_the_hint_is_tied_to_its_field(cast, school):
    page = cast.carol.get("/child/new/").text
    assert 'id="date_of_birth-hint"' in page and "For example 24/11/2013." in page
    assert 'aria-describedby="date_of_birth-hint"' in page and 'type="date"' not in page
    page = cast.carol.post("/child/new/", {"name": "Sam Okafor", "date_of_birth": "12/05/13"})
    assert page.status_code == 200
    assert Child.get(Child.name == "Sam Okafor").date_of_birth == date(2013, 5, 12)
    page = cast.carol.post("/child/new/", {"name": "Sam Two", "date_of_birth": "05/13/2013"})
    assert page.status_code == 422 and "the day comes first" in page.text_only
    page = cast.carol.post("/child/new/", {"name": "Sam Two", "date_of_birth": ""})
    assert "Give the date of birth, for example 24/11/2013." in page.text_only


def test_a_date_that_may_be_ahead_needs_its_year(cast, school, tracker):
    section = next(
        one for one in tracker.in_order() if any("reviewed" in q["text"] for q in one.questions)
    )
    name = f"q{next(q['id'] for q in section.questions if 'reviewed' in q['text'])}"
    path = f"/section/edit/?id={section.id}"
    with at(TUESDAY):
        page = cast.carol.post(path, opened(cast.carol, path) | {name: "24 Jan", "back": "1"})
        assert page.status_code == 422 and "was read as 24/01/2026, which stands" in page.text_only
        sent = opened(cast.carol, path) | {name: "24/1/27", "back": "1"}
        assert cast.carol.post(path, sent).status_code == 200
    assert Section.get_by_id(section.id).answers[name[1:]] == "2027-01-24"


AHEAD_OF = {  # the pages on which somebody says by when, and the name of the field
    "/task/new/?incident={0}": "due_on",
    "/clarification/new/?incident={0}": "answer_by",
    "/triage/new/?incident={0}": "review_on",
    "/flag/new/?child={1}": "review_on",
    "/case/details/?id={2}": "case-monitor-until",
}


@pytest.mark.parametrize("path", AHEAD_OF)
def test_a_field_that_looks_ahead_has_an_example_that_is_ahead(cast, school, incident, path):
    case = triage(school, incident, opens=True) and Case.get()
    with at(datetime(2026, 11, 24, 15, 0, tzinfo=UTC)):
        cast.mark.get("/")
        text = cast.mark.get(path.format(incident.id, school.child.id, case.id)).text
    hint = text.split(f'id="{AHEAD_OF[path]}-hint">', 1)[1].split("</p>", 1)[0]
    assert hint.endswith("For example 08/12/2026, tomorrow or Friday."), hint
    assert "yesterday" not in hint


def test_friday_is_taken_and_next_friday_is_shown_first(cast, school, incident):
    path = f"/task/new/?incident={incident.id}"
    form = {"what": "Ring", "owner": school.alice.label, "due_on": "next Friday"}
    with at(datetime(2026, 11, 24, 15, 0, tzinfo=UTC)):
        cast.carol.get(path)
        page = cast.carol.post(path, form)
        assert page.status_code == 422 and "was read as 04/12/2026" in page.text_only
        assert 'value="04/12/2026"' in page.text, "it stands there, to be saved again"
        cast.carol.post(path, form | {"due_on": "Friday"})
    assert Task.get().due_on == date(2026, 11, 27), "there is one coming Friday only"
