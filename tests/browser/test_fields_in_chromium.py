"""The fields of forms in a real browser, with scripts off and on a phone: what follows from an
answer, rows added to a table, and what Enter presses.
"""

import re

import pytest
from playwright.sync_api import expect

from models import Incident, Question, Section, Template, TemplateSection, Tracker, db
from models.case.template import columns

from .conftest import at_desk
from .test_axe import look


def opened(one, tracker, text):
    """The section that asks `text`, opened."""
    with db.connection_context():
        section = next(
            section
            for section in tracker.in_order()
            if any(q["text"] == text for q in section.questions)
        )
    one.open(f"/section/edit/?id={section.id}")
    return section


@pytest.mark.parametrize("scripts", [False, True])
def test_no_puts_away_what_follows_and_yes_brings_it_back(desk, address, school, tracker, scripts):
    carol = at_desk(desk, address, school, "carol", scripts=scripts, width=360)
    page = carol.page
    section = opened(carol, tracker, "Was a strategy discussion held?")
    held = page.get_by_role("group", name="Was a strategy discussion held?")
    agreed = page.get_by_label("What was agreed?")
    assert agreed.is_visible(), "nothing is answered yet"
    assert page.get_by_text("Answer this if you answered Yes above.").is_visible()
    agreed.fill("A joint visit.")
    held.get_by_label("No").check()
    assert not agreed.is_visible() and not page.get_by_text("Answer this if").is_visible()
    if not scripts:
        carol.picture("360-put-away")
    held.get_by_label("Yes").check()
    assert agreed.is_visible() and agreed.input_value() == "A joint visit."
    page.get_by_label("When?", exact=True).fill("31/02/2026 10:00")
    held.get_by_label("No").check()
    assert not agreed.is_visible()
    carol.press("Save and go back to the log")
    assert "There is no 31 February." in page.get_by_role("alert").inner_text()
    assert page.get_by_label("When?", exact=True).is_visible(), "what is wrong is not put away"
    if scripts:
        assert page.evaluate("document.activeElement.id") == "problems"
        assert not look(page, "conditions")
    page.get_by_label("When?", exact=True).fill("yesterday 9.30")
    carol.press("Save and go back to the log")
    assert "Kept, but neither shown nor printed" in page.get_by_role("status").inner_text()
    with db.connection_context():
        assert "A joint visit." in Section.get_by_id(section.id).answers.values()


def test_lists_and_boxes_open_what_follows_too(desk, address, school, log):
    with db.connection_context():
        first = Template.current().sections.order_by(TemplateSection.position).first()
        for number, (kind, opens) in enumerate(
            (("one of a list", "Green\nBlue"), ("several of a list", "Green"))
        ):
            asked = Question.create(section=first, text=f"Colour {kind}", kind=kind, options="Red\nGreen\nBlue", position=200 + 10 * number)  # fmt: skip
            for place, answers in enumerate((opens, "Red"), 1):
                Question.create(section=first, text=f"After {answers[:5]} of {kind}", kind="short text", position=200 + 10 * number + place, depends_on=asked, depends_answer=answers)  # fmt: skip
        tracker = Tracker.begin(log, school.carol)
    carol = at_desk(desk, address, school, "carol", scripts=False)
    page = carol.page
    opened(carol, tracker, "Colour one of a list")
    chosen = page.get_by_label("Colour one of a list")

    def seen(kind):
        names = (f"After Green of {kind}", f"After Red of {kind}")
        return [page.get_by_label(name).is_visible() for name in names]

    found = []
    for colour in ("", "Red", "Blue", "Green"):
        chosen.select_option(colour)
        found.append(seen("one of a list"))
    boxes = page.get_by_role("group", name="Colour several of a list")
    for colour in ("Blue", "Red", "Green"):
        boxes.get_by_label(colour).check()
        found.append(seen("several of a list"))
    assert found == [
        [True, True], [False, True], [True, False], [True, False],
        [False, False], [False, True], [True, True],
    ]  # fmt: skip


def test_rows_are_added_and_enter_saves(desk, address, school, tracker):
    carol = at_desk(desk, address, school, "carol", scripts=False, width=360)
    page = carol.page
    section = opened(carol, tracker, "Who lives with the child, and who else matters?")
    table = next(q for q in section.questions if q["kind"] == "table of rows")
    assert "long text" in [one.kind for one in columns(table)]
    row = page.get_by_role("group", name=re.compile("row 3$"))
    row.get_by_label("Full name").fill("Helena Marsh-Iwu")
    row.get_by_label("Lives with the child?").select_option("Yes")
    row.get_by_label("Note").fill("Collects\non Fridays")
    page.get_by_label("What is known from before?").fill("Three incidents.")
    carol.press(f"Add rows to {table['text']}")
    assert page.get_by_role("group", name=re.compile("row \\d$")).count() == 6
    assert page.url.endswith(f"#q{table['id']}"), "back at the table"
    assert page.get_by_label("What is known from before?").input_value() == "Three incidents."
    first = page.get_by_role("group", name=re.compile("row 1$"))
    assert first.get_by_label("Note").input_value() == "Collects\non Fridays"
    carol.picture("360-rows")
    page.get_by_role("group", name=re.compile("row 6$")).get_by_label("Full name").fill("An aunt")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved: Family and context.")
    with db.connection_context():
        rows = Section.get_by_id(section.id).answers[table["id"]]
    assert [one["Full name"] for one in rows] == ["Helena Marsh-Iwu", "An aunt"]
    assert rows[0]["Note"].split() == ["Collects", "on", "Fridays"]


def test_a_report_typed_as_people_type_whatever_the_browsers_language(chromium, desk, address, school):  # fmt: skip
    dave = at_desk(desk, address, school, "dave", width=360)
    page = dave.page
    dave.open("/incident/new/")
    dave.report(school.child.label, "Seen at the window.")
    dave.alert("No")
    when = page.get_by_label("When did you notice it")
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d", when.input_value())
    described = page.locator(f"#{when.get_attribute('aria-describedby')}").inner_text()
    assert "For example 24/11/2026 14:05, today 14:05 or yesterday 9:30." in described
    when.fill("11/24/2025 10:00")
    dave.press("Save the report")
    assert "the day comes first" in page.get_by_role("alert").inner_text()
    assert not look(page, "a wrong date")
    page.get_by_role("alert").get_by_role("link", name="When did you notice it?").click()
    assert page.evaluate("document.activeElement.id") == "noticed_at"
    page.keyboard.press("Control+A")
    page.keyboard.type("yesterday 9.30")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved as INC-")  # a key does not wait
    with db.connection_context():
        assert f"{Incident.get().noticed_at:%M}" == "30"
