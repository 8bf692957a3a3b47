"""A case in a real browser, with scripts off, on a wide screen and on a phone: acknowledged, triaged,
worked on, told of, and closed.
"""

import re

import pytest

from models import Case, db

from ..conftest import report
from ..person import PASSWORD, code_of
from .conftest import serving


@pytest.fixture
def address(school, incident):
    report(school, alert=False, topic="No coat")
    db.close()
    with serving(school.app) as address:
        yield address


def sit(desk, address, school, name, width):
    one = desk(address, f"{name}@thornley.example", PASSWORD, scripts=False, width=width)
    with db.connection_context():
        code = code_of(school.app, getattr(school, name))
    one.page.get_by_label(re.compile("code", re.I)).fill(code)
    one.press("Sign in")
    return one


@pytest.mark.parametrize("width", [1280, 360])
def test_from_triage_to_closed(desk, address, school, width):
    alice = sit(desk, address, school, "alice", width)
    page = alice.page
    alice.open("/triage/")
    page.get_by_label(re.compile("Acknowledge INC-2026-0002")).check()
    alice.press("Acknowledge those ticked")
    assert "Alice Brennan has it" in page.locator("main").inner_text()
    alice.picture(f"{width}-triage")
    page.get_by_role("link", name=re.compile("Triage.*INC-2026-0002")).click()
    alice.press("Save the decision")
    assert "Choose a case, or that there is none." in page.get_by_role("alert").inner_text()
    page.get_by_label("A new case").check()
    page.get_by_label("Risk to the child").select_option("Medium")
    page.get_by_label("Urgency").select_option("72 hours")
    page.get_by_label("Threshold").select_option("Early help")
    page.get_by_role("group", name="Zofia Łukasiewicz").get_by_label(
        "Category", exact=True
    ).select_option("Neglect")
    page.get_by_label("Decision").select_option("Early help")
    page.get_by_label("Why: the rationale").fill("Three small things in a month.")
    alice.picture(f"{width}-triage-form")
    alice.press("Save the decision")
    assert "It stands in CASE-2026-0001" in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="CASE-2026-0001").first.click()
    page.get_by_role("link", name="Cannot be closed yet").click()
    alice.picture(f"{width}-case")
    page.get_by_role("link", name="Outcome", exact=True).click()
    page.get_by_label("Was the child told").select_option("Yes")
    page.get_by_label("Were the parents told").select_option("Yes")
    page.get_by_label("Risk reviewed on").fill("today")
    page.get_by_label("Outcome").fill("She has a coat, and breakfast at school.")
    alice.press("Save")
    assert "Nothing is missing." in page.locator("main").inner_text()
    alice.press("Close case")
    assert "Closed by Alice Brennan" in page.locator("main").inner_text()
    page.get_by_text("Reopen", exact=False).first.click()
    page.get_by_label("Reason").fill("The coat was lost.")
    alice.press("Reopen")
    assert "is open again" in page.get_by_role("status").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with db.connection_context():
        assert Case.get().status == "open"
