"""A lost connection, a closed lid and the end of a session, each with a whole report typed, a mark on
the body map and a photograph in it: nothing is lost.
"""

import re

import pytest

from models import Attachment, Incident, Session, db, now

from ..person import PASSWORD, code_of
from ..test_attachment import photograph
from .conftest import at_desk
from .test_axe import look
from .test_body_in_chromium import place, row

PHOTO = {"name": "IMG_0042.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
TYPED = {
    "The child’s own words": "“He pulled me.”",
    "Your professional view, and why": "She was calm.",
    "To whom?": "Alice Brennan, DSL",
}


@pytest.fixture
def dave(desk, address, school):
    """Dave, with all of a report typed, and nothing of it sent."""
    one = at_desk(desk, address, school, "dave")
    page = one.open("/incident/new/")
    one.report(school.child.label, "A red mark on the left wrist.")
    for summary in ("The child’s own words", "Injuries, marks and files", "Whom you told"):
        page.locator("summary", has_text=summary).click()
    page.get_by_role("group", name="Have you spoken to a DSL").get_by_label("Yes").check()
    for label, text in TYPED.items():
        page.get_by_label(label, exact=True).fill(text)
    page.locator("[data-area]").first.wait_for(state="attached")
    page.mouse.click(*place(page, "front", 330, 360))
    row(page, 1).get_by_label("Exact place").fill("outer side")
    page.locator("#files").set_input_files(PHOTO)
    page.get_by_text("Kept with the draft.").wait_for()
    one.alert("No")
    return one


def stands(page):
    """Whether all of it is in the form that is shown."""
    for label, text in TYPED.items():
        assert page.get_by_label(label, exact=True).input_value() == text, label
    assert page.get_by_label("What happened").input_value() == "A red mark on the left wrist."
    assert row(page, 1).get_by_label("Exact place").input_value() == "outer side"
    side = row(page, 1).get_by_label("Where on the body")
    assert side.input_value() == "Front: left forearm"
    assert "IMG_0042.jpg" in page.get_by_role("list", name="Chosen already").inner_text()
    return True


def saved_whole(page):
    """Whether it was saved once, with all that was typed, touched and photographed."""
    assert "Saved as INC-" in page.get_by_role("status").first.inner_text()
    with db.connection_context():
        (incident,) = Incident.select()
        (mark,) = incident.injuries
        assert (mark["side"], mark["place"]) == ("Front: left forearm", "outer side")
        assert mark["at"], "where it was touched"
        assert [incident.child_words, incident.opinion, incident.told_whom] == list(TYPED.values())
        return [one.read() for one in Attachment.select()] == [PHOTO["buffer"]]


def test_a_lost_connection_loses_nothing(dave):
    page = dave.page
    dave.context.set_offline(True)
    page.get_by_label("What was done at once").fill("Told the DSL at once, and rang her mother.")
    dave.press("Save the report")
    page.get_by_role("alert").get_by_text("There is no connection.").wait_for()
    assert stands(page) and not look(page, "no connection")
    with db.connection_context():
        assert not Incident.select().exists()
    dave.context.set_offline(False)
    page.get_by_role("alert").wait_for(state="detached")
    dave.press("Save the report")
    assert saved_whole(page)
    with db.connection_context():
        assert Incident.get().immediate_action.endswith("rang her mother.")


def test_a_step_without_a_connection_stays_on_its_page(dave, school):
    page = dave.page
    dave.press("Save the report")
    assert saved_whole(page)
    page.locator("summary", has_text="Add to this incident").click()
    page.get_by_label("What do you want to add?").fill("Seen again at lunch.")
    dave.context.set_offline(True)
    dave.press("Add to this incident")
    page.get_by_role("alert").get_by_text("There is no connection.").wait_for()
    dave.context.set_offline(False)
    dave.press("Add to this incident")
    assert "Seen again at lunch." in page.locator(".addendum").inner_text()


def test_a_closed_lid_loses_nothing(dave):
    page, where = dave.page, dave.place()
    with page.expect_response("**/account/draft/"):
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {value: true}); "
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
    page.close()
    page = dave.page = dave.context.new_page()
    dave.open(where)
    assert stands(page)
    dave.press("Save the report")
    assert saved_whole(page)


def test_the_end_of_a_session_loses_nothing(dave, school):
    page = dave.page
    with db.connection_context():
        Session.update(ended_at=now()).execute()
    dave.press("Save the report")
    said = page.locator("main").inner_text()
    assert "Nothing was saved yet. What you typed is below." in said and "outer side" in said
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in (in a new tab)").click()
    other = opened.value
    other.get_by_label("Email").fill("dave@thornley.example")
    other.get_by_label("Passphrase").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    if other.get_by_label(re.compile("code", re.I)).count():
        with db.connection_context():
            code = code_of(school.app, type(school.dave).get_by_id(school.dave.id))
        other.get_by_label(re.compile("code", re.I)).fill(code)
        other.get_by_role("button", name="Sign in").click()
    other.locator("details.menu").wait_for()
    page.get_by_role("button", name="Try again").click()
    assert saved_whole(page)
