"""The main job in a real browser, with scripts off, by keyboard where it matters, and on a
phone.
"""

import re

import pytest

from admin_views.rails.moments import in_cell
from models import Log, Section, db
from models.case.template import columns

from ..conftest import answer_all, answer_to
from ..person import PASSWORD, code_of


def fresh(model):
    with db.connection_context():
        return model.select().order_by(model.id.desc()).first()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_whole_job(desk, address, school, width):
    def sit(name):
        one = desk(address, f"{name}@thornley.example", PASSWORD, scripts=False, width=width)
        with db.connection_context():
            one.page.get_by_label(re.compile("code", re.I)).fill(
                code_of(school.app, getattr(school, name))
            )
        one.press("Sign in")
        return one

    dave = sit("dave")
    page = dave.page
    page.get_by_role("link", name="Report an incident").click()
    dave.report("Zofia", "Zofia Łukasiewicz came in with a red mark on her left wrist.")
    dave.press("Save the report")
    dave.picture(f"{width}-report-refused")
    assert (
        page.get_by_role("alert")
        .get_by_role("link", name="Does this incident raise a safeguarding alert")
        .is_visible()
    )
    assert page.get_by_label("What happened").input_value().startswith("Zofia Łukasiewicz")
    dave.alert("Yes")
    dave.press("Save the report")
    assert "Saved as INC-" in page.get_by_role("status").inner_text()
    assert page.get_by_role("button", name="Trigger notification").count() == 0
    dave.picture(f"{width}-reported")

    mark = sit("mark")
    mark.page.get_by_role("link", name=re.compile("Ofsted: decide.*Zofia")).click()
    mark.picture(f"{width}-to-decide")
    mark.page.get_by_role("button", name="Trigger notification").press("Enter")
    assert "Choose the kind of event" in mark.page.get_by_role("alert").inner_text()
    assert fresh(Log) is None, "one press with nothing chosen triggers nothing"
    mark.page.get_by_label("Kind of event").select_option("Other serious event")
    mark.page.get_by_role("button", name="Trigger notification").press("Enter")
    assert fresh(Log).reference in mark.page.title()

    alice = sit("alice")
    page = alice.page
    page.get_by_role("link", name=re.compile("Tell Ofsted.*Zofia")).click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Kind of notifiable event").select_option("Other serious event")
    page.get_by_label("Required by law or judged serious").select_option("Judged serious")
    page.get_by_label("Why it was decided").fill("A mark and a frightened child.")
    page.get_by_label("Ofsted told").fill(page.get_by_label("Became aware").input_value())
    page.get_by_label("Told by").fill("Alice")
    page.get_by_label("How told").select_option("Telephone")
    page.get_by_label("Ofsted’s reference").fill("CR-1")
    page.get_by_label("Summary for Ofsted").fill("A red mark; the child is safe.")
    page.get_by_role("group", name="Also assigned").get_by_label("Carol").check()
    alice.press("Save")
    assert "“Alice” is part of one name only" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Told by").input_value().startswith("Alice Brennan")
    alice.press("Save")
    assert "Assigned by Alice Brennan" in page.content()
    page.get_by_role("button", name="Begin safeguarding tracker").first.click()
    assert "was begun by Alice Brennan" in page.get_by_role("status").inner_text()
    alice.press("Complete")
    alice.picture(f"{width}-missing")
    page.get_by_role("alert").get_by_role(
        "link", name="1 Concern and immediate action"
    ).first.click()
    with db.connection_context():
        sections = list(Section.select().order_by(Section.position))
    for number, section in enumerate(sections):
        for question in section.questions:
            if question["required"] and "depends" not in question:  # it follows from a Yes
                answer(page, question, answer_to(question))
        if number == 0:
            alice.picture(f"{width}-section")
        alice.press(
            "Save and open the next section"
            if number < len(sections) - 1
            else "Save and go back to the log"
        )
    alice.press("Complete")
    assert "completed and signed off by Alice Brennan" in page.content()
    alice.picture(f"{width}-completed")
    assert page.get_by_role("link", name="Edit").count() == 0
    page.get_by_text("Reopen with a reason").click()
    page.get_by_label("Reason").fill("The police gave new information.")
    alice.press("Reopen")
    assert "is open again" in page.get_by_role("status").inner_text()
    assert page.get_by_role("link", name="Signed off on").count() == 1


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_from_trigger_to_complete_in_nine_presses(desk, address, school, incident, width, height):
    """With the sections filled: every click, tick and choice counts; typing does not."""
    alice = desk(address, "alice@thornley.example", PASSWORD, scripts=False, width=width)
    page, presses = alice.page, []
    page.set_viewport_size({"width": width, "height": height})

    def press(role, name, choose=None):
        one = page.get_by_role(role, name=name).first
        box = one.bounding_box()
        presses.append((name, box["y"] + box["height"] <= height))
        one.select_option(choose) if choose else one.click()

    with db.connection_context():
        page.get_by_label(re.compile("code", re.I)).fill(code_of(school.app, school.alice))
    alice.press("Sign in")
    alice.open(f"/incident/details/?id={incident.id}")
    press("combobox", "Kind of event", "Other serious event")
    page.get_by_label("Why it is due").fill("A mark and a frightened child.")
    press("button", "Trigger notification")
    press("link", "Edit")
    press("combobox", "Required by law or judged serious", "Judged serious")
    page.get_by_label("Ofsted told").fill(page.get_by_label("Became aware").input_value())
    page.get_by_label("Told by").fill(school.alice.label)
    press("combobox", "How told", "Telephone")
    page.get_by_label("Ofsted’s reference").fill("CR-1")
    page.get_by_label("Summary for Ofsted").fill("A red mark; the child is safe.")
    press("button", "Save")
    press("button", "Begin safeguarding tracker")
    with db.connection_context():
        answer_all(fresh(Log).tracker.get(), school.carol)
    page.reload()
    press("button", "Complete")
    assert "completed and signed off by Alice Brennan" in page.content()
    assert len(presses) <= 9, presses
    first_screen = dict(presses)
    assert first_screen["Begin safeguarding tracker"] and first_screen["Complete"], presses


def answer(page, question, value):
    label, kind = question["text"], question["kind"]
    if kind == "yes/no":
        page.get_by_role("group", name=label).get_by_label("No").check()
    elif kind == "several of a list":
        page.get_by_role("group", name=label).get_by_label(value[0], exact=True).check()
    elif kind == "table of rows":
        row = page.get_by_role("group", name=f"{label}, row 1")
        for column in columns(question):
            cell, text = row.get_by_label(column.name, exact=True), value[0][column.name]
            if column.choices:
                cell.select_option(text)
            else:
                cell.fill(in_cell(text, column.kind))
    elif kind in ("one of a list", "rating"):
        page.get_by_label(label).select_option(value)
    else:
        page.get_by_label(label).fill(value)
