"""A supply teacher at a phone: the code, the form, a lost connection, the receipt."""

import re

import pytest
from playwright.sync_api import expect

from models import Slip, db

from ..conftest import guidance, handed_over
from .conftest import serving
from .test_axe import WIDTHS, look


@pytest.fixture
def served(school):
    guidance()
    made = handed_over(school)
    db.close()
    with serving(school.app) as address:
        yield address, made.fresh_code
    db.connect(reuse_if_open=True)


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def fill(page):
    """The starred part of the form, by the labels that a reader hears."""
    page.get_by_label("The child *").fill("Sofia in Year 6")
    page.get_by_label("What happened *").fill("She flinched when I raised the blind.")
    page.locator('[name="immediate_danger"][value="yes"]').check()
    page.get_by_label("What was done at once *").fill("I told reception.")
    page.locator('[name="about_adult"][value="no"]').check()
    page.locator('[name="happened"][value="Not known"]').check()
    page.get_by_label("Where did it happen? *").select_option("Classroom")
    page.get_by_label("How is it known? *").select_option("I saw or heard it")
    page.get_by_label("Your full name *").fill("Jo Field")
    page.get_by_label("What brings you here *").fill("Supply teacher")
    page.get_by_label("How you can be reached *").fill("01632 960777")


@pytest.mark.parametrize("scripts", [True, False])
def test_by_thumb_at_360_pixels(chromium, served, scripts):
    address, code = served
    context = chromium.new_context(
        viewport={"width": 360, "height": 720}, java_script_enabled=scripts
    )
    page = context.new_page()
    page.goto(f"{address}/report-here")
    page.get_by_label("The code that reception gave you").fill(code)
    page.get_by_role("button", name="Go on").click()
    if scripts:
        assert fits(page)
    fill(page)
    danger = page.locator(".danger")
    assert danger.is_visible() and "999" in danger.inner_text()
    assert "01632 960100" in danger.inner_text()
    page.get_by_label("How you can be reached *").scroll_into_view_if_needed()
    assert 0 <= danger.bounding_box()["y"] < 720, "it stays on screen"
    page.get_by_role("button", name="Send the report").click()
    assert re.search(r"VR-\w{8}", page.locator("main").inner_text())
    page.get_by_role("button", name="Clear this screen").click()
    assert "VR-" not in page.locator("main").inner_text()
    context.close()
    db.connect(reuse_if_open=True)
    assert Slip.get().immediate_danger and Slip.get().writer == "Jo Field"


def test_a_lost_connection_and_a_closed_lid_lose_nothing(chromium, served):
    address, code = served
    context = chromium.new_context(viewport={"width": 360, "height": 720})
    page = context.new_page()
    page.goto(f"{address}/report-here")
    page.get_by_label("The code that reception gave you").fill(code)
    page.get_by_role("button", name="Go on").click()
    own = re.search(r"Write this down: ([\w-]{14})", page.locator("main").inner_text())[1]
    fill(page)
    context.set_offline(True)
    page.get_by_role("button", name="Send the report").click()
    assert "no connection" in page.locator("#kept").inner_text()
    assert page.get_by_label("The child *").input_value() == "Sofia in Year 6"
    context.set_offline(False)
    page.get_by_label("The child *").press("End")
    page.get_by_label("The child *").press_sequentially("B")
    expect(page.locator("#kept")).to_contain_text("Kept", timeout=20_000)
    context.close()  # the lid
    other = chromium.new_context(viewport={"width": 360, "height": 720})
    page = other.new_page()
    page.goto(f"{address}/report-here")
    page.get_by_label("The code that reception gave you").fill(own)
    page.get_by_role("button", name="Go on").click()
    assert page.get_by_label("The child *").input_value() == "Sofia in Year 6B"
    assert "flinched" in page.get_by_label("What happened *").input_value()
    page.get_by_role("button", name="Send the report").click()
    assert "Your report arrived" in page.locator("main").inner_text()
    other.close()


def test_axe_finds_nothing_on_any_page_of_a_visitor(chromium, served):
    """The code, refused and taken; the form, refused, in danger, kept; the receipt."""
    address, code = served
    page, problems = chromium.new_context(locale="en-GB").new_page(), []
    page.goto(f"{address}/report-here")
    page.get_by_label("The code that reception gave you").fill("ABCD-EFGH-JKLM")
    page.get_by_role("button", name="Go on").click()
    assert "opens nothing" in page.locator("main").inner_text()
    problems += look(page, "a wrong code", WIDTHS)
    page.get_by_label("The code that reception gave you").fill(code)
    page.get_by_role("button", name="Go on").click()
    assert "Write this down" in page.locator("main").inner_text()
    problems += look(page, "the form", WIDTHS)
    page.get_by_role("button", name="Send the report").click()
    assert page.title().startswith("Problem:")
    problems += look(page, "the form, empty", WIDTHS)
    fill(page)
    problems += look(page, "the form, in danger", WIDTHS)
    page.get_by_role("button", name="Keep it and clear this screen").click()
    own = re.search(r"Write this down: ([\w-]{14})", page.locator("main").inner_text())[1]
    problems += look(page, "kept", WIDTHS)
    page.get_by_role("link", name="Clear this screen").click()
    assert own not in page.locator("main").inner_text()
    page.get_by_label("The code that reception gave you").fill(own)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Send the report").click()
    assert "Your report arrived" in page.locator("main").inner_text()
    problems += look(page, "the receipt", WIDTHS)
    page.context.close()
    assert not problems, "\n".join(problems)
