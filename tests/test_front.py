"""The paper of a log as somebody reads it who has never seen the system: page one, tables, what was
not answered, the appendix.
"""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from models import Document, Event, Log, Notice, Tracker
from models.case import front
from models.case.incident import ABOUT
from models.case.template import columns
from models.ground.clock import at
from models.history.document import to_pdf

from .conftest import answer_all, fill_in, report


def words_of(pdf, page=None):
    pages = PdfReader(BytesIO(pdf)).pages
    return " ".join(
        " ".join(one.extract_text() for one in (pages if page is None else [pages[page]])).split()
    )


def text_of(html):
    """The words of a page, without the tags, and with one space between them."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.S).split())


@pytest.fixture
def story(school):
    """Dave reported on Monday, Mark triggered, Alice told Ofsted late, Carol began, Mark signed
    off, Bob reopened, Alice forced it.
    """
    monday = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    with at(monday):
        incident = report(
            school, happened="Approximate", happened_at=monday - timedelta(hours=1), noticed_at=monday - timedelta(minutes=30),
            told_dsl=True, told_whom="Alice Brennan, DSL", told_dsl_at=monday - timedelta(minutes=10), others=[(school.children[1], "Witness")],
            adults=[(school.dina, "Present"), (school.grace, ABOUT)], other_adults="Petra Novák, cleaner",
            injuries=[{"side": "Left", "place": "Wrist", "kind": "Bruise", "size": "3", "note": "Red"}],
        )  # fmt: skip
    with at(monday + timedelta(hours=2)):
        log = Log.trigger(incident, school.mark)
        tracker = Tracker.begin(log, school.carol)
    with at(monday + timedelta(days=2)):
        fill_in(log, school.alice)
        log.edit(
            school.alice,
            told_at=monday + timedelta(days=1, hours=6),
            late_because="The portal was down.",
        )
        answer_all(tracker, school.carol)
    with at(monday + timedelta(days=3)):
        Log.get().complete(by=school.mark)
    with at(monday + timedelta(days=4)):
        Log.get().reopen(reason="The police gave new information.", by=school.bob)
        section = tracker.in_order()[0]
        section.save_answers({}, school.carol)
        Log.get().complete_anyway(reason="The family has moved to Leeds.", by=school.alice)
    return Log.get()


def test_page_one_says_who_what_when_and_who_signed(school, story):
    page = words_of(to_pdf(story.paper()), 0)
    for heading in ("In five lines", "Who", "When", "Sign-off"):
        assert f" {heading} " in page, heading
    for words in (
        "Zofia Łukasiewicz born 17 January 2013, Year 6, UPN A123456789000 The child",
        "Ngũgĩ wa Kamau Year 7, born 17 February 2013 Witness",
        "Petra Novák, cleaner",
        f"Grace Ōta Safeguarding governor {ABOUT}",
        "Dina El-Sayed Teaching assistant Present",
        "Dave Pritchard Teacher of geography Reported it",
        "Mark Kowalczyk Pastoral manager Triggered the notification",
        "Alice Brennan Deputy head and DSL Told Ofsted; Signed it off; Assigned to the log, as "
        "Level 5",
        "Alice Brennan Deputy head and DSL 6 March 2026, 09:00",
        "Completed although something was missing. Reason: The family has moved to Leeds.",
    ):
        assert words in page, words
    assert "The log" not in page, "what follows begins on page two"


def test_the_summary_is_five_short_lines(school, story):
    lines = dict(front.gist(story, story.sections(), story.signed_off))
    assert list(lines) == [
        "What happened",
        "Done at once",
        "Why Ofsted",
        "Ofsted told",
        "How it stands",
    ]
    assert (
        lines["Why Ofsted"]
        == "Other serious event, judged serious. A mark, and a frightened child."
    )
    assert (
        lines["Ofsted told"] == "3 March 2026, 15:00, Telephone, reference CR-1: after it was due."
    )
    assert (
        lines["How it stands"]
        == "12 of 13 sections of the tracker are complete. Signed off by Alice Brennan on 6 "
        "March 2026, 09:00."
    )
    assert max(map(len, lines.values())) <= front.LINE + 2


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Two  words\nand more.", "Two words and more."),
        ("a" * 500, "a" * front.LINE + " …"),
        ("山" * 500, "山" * front.LINE + " …"),
        ("word " * 100, "word " * 36 + "…"),
        (None, ""),
    ],
)
def test_a_long_text_is_cut_at_a_word_and_says_so(text, short):
    assert front.clipped(text) == short


def test_the_timeline_is_in_order_and_names_who(school, story):
    rows = front.timeline(story, story.tracker.first(), Event.of_incident(story.incident_id))
    assert [(what, str(who)) for _moment, what, who in rows] == [
        ("It happened (approximate time)", ""),
        ("It was noticed", "Dave Pritchard"),
        ("The DSL was told in person: Alice Brennan, DSL", "Dave Pritchard"),
        (f"Reported as {story.incident.reference}", "Dave Pritchard"),
        (f"Notification {story.reference} triggered", "Mark Kowalczyk"),
        ("Safeguarding tracker begun", "Carol Vaughan-Ŵyn"),
        ("Ofsted told after it was due, 3 March 2026, 09:00", "Alice Brennan"),
        ("Signed off", "Mark Kowalczyk"),
        ("Reopened: The police gave new information.", "Bob Adeyemi"),
        ("Signed off although something was missing", "Alice Brennan"),
    ]


def test_an_open_log_says_that_it_is_not_signed_off(school, log):
    words = text_of(log.paper())
    assert (
        "A working print: this log is not signed off." in words and "Not signed off yet." in words
    )
    assert "The tracker has not been begun." in words and "Not told yet." in words


def test_tables_are_tables_with_headings(school, story):
    page = re.sub(r">\s+<", "><", story.paper())
    headings = ("Risk", "To whom", "Level", "Protective factors", "Controls")
    assert "".join(f'<th width="20%">{heading}</th>' for heading in headings) in page
    assert "<td>1</td><td>Left; Wrist</td><td>Bruise · 3 cm · Red</td>" in page


def test_a_table_with_a_cell_too_long_for_a_page_is_written_out_whole(school, story):
    section = next(
        section
        for section in story.sections()
        if any(q["kind"] == "table of rows" for q in section.questions)
    )
    question = next(q for q in section.questions if q["kind"] == "table of rows")
    Log.get().reopen(reason="More.", by=school.bob)
    long = " ".join(f"word{number}" for number in range(2500))
    names = [one.name for one in columns(question)]
    section.save_answers(
        {question["id"]: [dict.fromkeys(names, "short") | {names[-1]: long}]}, school.carol
    )
    pdf = to_pdf(Log.get().paper())
    words = words_of(pdf)
    assert all(f"word{number} " in words for number in range(2499)) and smallest(pdf) > 7


@pytest.mark.parametrize(
    ("row", "stands"),
    [
        ({"Action": "Call the aunt", "Who": "Carol"}, True),
        ({"Action": "x " * 150, "Who": "Carol"}, True),
        ({"Action": "x " * 250, "Who": "Carol"}, False),
        ({"Action": "Zusammenfassungsbesprechungsprotokollunterschriften", "Who": "Carol"}, False),
        ({"Action": "山" * 23, "Who": None}, False),
        ({"Action": "山" * 22, "Who": None}, True),
        ({"Action": "Call", "Who": "Carol", "Of an earlier template": "A word"}, False),
    ],
)
def test_what_would_not_fit_into_a_cell_is_no_table(row, stands):
    assert front.tabular([row], [("Action", "Action"), ("Who", "Who")]) is stands


def smallest(pdf):
    """The smallest letters of a PDF, in points: what does not fit into a cell is shrunk by
    xhtml2pdf without a word.
    """
    sizes = []
    for page in PdfReader(BytesIO(pdf)).pages:
        page.extract_text(
            visitor_text=lambda text, cm, tm, font, size: (
                sizes.append(size * abs(tm[0] * cm[0])) if text.strip() else None
            )
        )
    return min(sizes)


@pytest.mark.parametrize(
    "text", ["\n".join(f"a {number}" for number in range(130)), "words and more words. " * 270]
)
def test_a_long_text_is_not_shrunk_to_fit_a_page(school, text):
    log = Log.trigger(report(school, what_happened=text), school.mark)
    log.edit(school.alice, summary=text)
    log.incident.amend(text=text, by=school.dave)
    assert smallest(to_pdf(log.paper())) > 7


def test_what_was_not_answered_is_counted_and_not_printed(school, story):
    words = text_of(story.paper())
    section = story.sections()[0]
    assert (
        "Not given" not in words
        and section.questions[1]["text"] not in words.partition("Missing at sign-off")[0]
    )
    assert (
        f"1 {section.title} – in progress Last saved by Carol Vaughan-Ŵyn on 6 March 2026, "
        f"09:00. {len(section.questions)} questions not answered." in words
    )
    assert "1 question not answered." in words


def test_an_incident_without_injuries_says_so(school, log):
    assert "Injuries or marks None was recorded." in text_of(log.paper())


def test_the_technical_history_is_an_appendix_without_numbers_that_count_other_cases(school, story):
    before, _appendix, after = text_of(story.paper()).partition("Appendix: the technical history")
    event = Event.last(story, "log:complete_anyway")
    assert f" {event.id} ·" not in after and f"No. {event.id}" not in after
    assert (
        "6 March 2026, 09:00 Alice Brennan completed the log although something was missing"
        in after
    )
    assert (
        "completed the log although something was missing:" not in before
        and "Who read, printed or was refused it" not in after
    )
    Event.write("log:read", story, school.dave)
    assert (
        "Dave Pritchard read the Ofsted log"
        in text_of(story.paper()).partition("Who read, printed or was refused it")[2]
    )


def test_no_email_address_of_staff_is_on_the_paper(cast, school, story):
    Document.finish()
    for pdf in (
        Document.select().order_by(Document.id.desc()).first().content(),
        cast.alice.get(f"/log/pdf/?id={story.id}").data,
    ):
        words = words_of(pdf)
        assert (
            "Emails sent To About" in words and "thornley.example" not in words and "@" not in words
        )


def test_who_was_refused_an_email_is_told_without_its_address(school, story):
    notice = Notice.select().first()
    Event.write("record:refused", notice, school.dave)
    event = Event.head()
    assert "was refused a record: Email to Alice Brennan." in Event.get_by_id(event.id).sentence


def test_a_long_history_stays_quick_and_whole(school, log):
    for number in range(70):
        Event.write("log:read", log, school.dave if number % 2 else school.dina)
        log.edit(school.alice, summary=f"Version {number} of the summary.")
    page = log.paper()
    assert max(table.count("<tr>") for table in page.split("</table>")) <= 61, (
        "xhtml2pdf’s time grows with the square of a table’s rows"
    )
    assert all(f"Version {number} of the summary." in page for number in range(70))
