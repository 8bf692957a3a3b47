"""The body map in a real browser: by thumb on a phone, by keyboard, and without scripts, each with
a photograph of a thing.
"""

from pathlib import Path

import pytest

from models import Attachment, Incident, db
from models.case.injury import Injury, areas

from ..conftest import report
from .conftest import at_desk
from .test_axe import look

PHOTOGRAPH = Path(__file__).parents[1] / "pictures" / "thai.png"
FOLD = "Injuries, marks and files"


def begun(desk, address, school, **kwargs):
    """Dave at a report that lacks only its marks."""
    dave = at_desk(desk, address, school, "dave", **kwargs)
    dave.open("/incident/new/")
    dave.report(school.child.label, "She came in and held her arm.")
    dave.alert("No")
    return dave


def row(page, number):
    return page.get_by_role("group", name=f"Injuries or marks, row {number}", exact=True)


def place(page, view, x, y):
    """The point of a view on the screen, scrolled to."""
    figure = page.locator(f"[data-view={view}]")
    figure.evaluate('one => one.scrollIntoView({block: "center"})')
    box = figure.bounding_box()
    scale = box["width"] / (400 if view in ("front", "back") else 600)
    return box["x"] + x * scale, box["y"] + y * scale


def numbers(page, view):
    return page.locator(f"[data-view={view}] .disc text").all_text_contents()


def kept():
    """The rows of the one report, and how many files it has."""
    with db.connection_context():
        return Incident.get().injuries, Attachment.select().count()


def test_by_thumb_on_a_phone(desk, address, school):
    dave = begun(desk, address, school, width=360, touch=True)
    page = dave.page
    page.locator("summary", has_text=FOLD).tap()
    page.locator("[data-area]").first.wait_for(state="attached")
    assert page.get_by_text("or touch the drawing where the mark is").is_visible()
    page.touchscreen.tap(*place(page, "front", 330, 360))
    said = page.locator(".placed")
    assert "Mark 1: Front: left forearm." in said.inner_text()
    box = said.bounding_box()
    assert box["y"] + box["height"] <= 900, "what was placed is said where it is seen"
    said.get_by_role("button", name="Describe it").tap()
    assert page.evaluate("document.activeElement.name") == "injuries-0-place"
    page.keyboard.type("outer side")
    row(page, 1).get_by_label("Kind").select_option("Bruise")
    page.touchscreen.tap(*place(page, "head", 208, 170))
    page.touchscreen.tap(*place(page, "feet", 150, 560))
    assert (
        row(page, 3).get_by_label("Where on the body").input_value()
        == "Left foot, from below: heel"
    )
    assert [numbers(page, view) for view in ("front", "back", "head", "feet")] == [["1"], [], ["2"], ["3"]]  # fmt: skip
    page.touchscreen.tap(*place(page, "front", 20, 700))
    assert page.locator(".disc").count() == 3, "beside the body is nothing"
    row(page, 2).get_by_label("Where on the body").select_option("Head, front: chin")
    page.get_by_label("Files").set_input_files(PHOTOGRAPH)
    dave.picture("360-body-map")
    assert not look(page, "the map")
    dave.press("Save the report")
    rows, files = kept()
    assert [one["side"] for one in rows] == ["Front: left forearm", "Head, front: chin", "Left foot, from below: heel"]  # fmt: skip
    first, second, third = (Injury(number, one).point for number, one in enumerate(rows, 1))
    assert abs(first[0] - 330) < 6 and abs(first[1] - 360) < 6 and abs(third[1] - 560) < 6
    chin = areas()["Head, front: chin"]
    assert second == (chin.x, chin.y), "another choice is not where was touched"
    assert (rows[0]["place"], rows[0]["kind"], files) == ("outer side", "Bruise", 1)
    with db.connection_context():
        dave.open(f"/incident/details/?id={Incident.get().id}")
    assert page.locator(".marks .disc").count() == 3 and not look(page, "the page of a mark")
    dave.picture("360-body-map-page")


@pytest.mark.parametrize("width", [1280, 360])
def test_by_keyboard_alone(desk, address, school, width):
    dave = begun(desk, address, school, width=width)
    page = dave.page
    page.locator("summary", has_text=FOLD).focus()
    page.keyboard.press("Enter")
    page.locator("[data-area]").first.wait_for(state="attached")
    for _ in range(4):  # past where the prompts come from: no figure is in the way
        if page.evaluate("document.activeElement.name") == "injuries-0-side":
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "injuries-0-side"
    page.keyboard.type("Back: left upper", delay=20)
    assert numbers(page, "back") == ["1"]
    for text in ("outer side", "Bru", "2 x 1", "blue", "No", "She says that it is old"):
        page.keyboard.press("Tab")
        page.keyboard.type(text, delay=20)
    page.get_by_label("Files").set_input_files(PHOTOGRAPH)
    page.get_by_role("button", name="Save the report").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    ((mark,), files) = kept()
    assert mark == {
        "side": "Back: left upper arm", "place": "outer side", "kind": "Bruise", "size": "2 x 1", "colour": "blue",
        "broken": "No", "at": "", "note": "She says that it is old",
    }  # fmt: skip
    assert files == 1


@pytest.mark.parametrize("width", [1280, 360])
def test_without_scripts(desk, address, school, width):
    dave = begun(desk, address, school, scripts=False, width=width)
    page = dave.page
    page.locator("summary", has_text=FOLD).click()
    assert page.locator("[data-view]").count() == 5
    assert not page.get_by_text("or touch the drawing").is_visible()
    row(page, 1).get_by_label("Where on the body").select_option("Front: right knee")
    row(page, 2).get_by_label("Where on the body").select_option("Left palm: thumb")
    page.get_by_role("button", name="Add rows to Injuries or marks").click()
    assert row(page, 1).get_by_label("Where on the body").is_visible(), "the fold stays open"
    row(page, 4).get_by_label("Where on the body").select_option("Back: neck")
    row(page, 4).get_by_label("Exact place").fill("below the hair")
    page.get_by_label("Files").set_input_files(PHOTOGRAPH)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    dave.press("Save the report")
    rows, files = kept()
    assert [one["side"] for one in rows] == ["Front: right knee", "Left palm: thumb", "Back: neck"]
    assert files == 1
    with db.connection_context():
        dave.open(f"/incident/details/?id={Incident.get().id}")
    assert page.locator(".marks .disc").count() == 3
    dave.picture(f"{width}-body-map-page-plain")


@pytest.mark.parametrize("width", [1280, 360])
def test_rows_for_later_marks_without_scripts(desk, address, school, width):
    with db.connection_context():
        incident = report(school)
    dave = at_desk(desk, address, school, "dave", scripts=False, width=width)
    page = dave.open(f"/incident/details/?id={incident.id}")
    page.locator("summary", has_text="Add to this incident").click()
    page.locator("summary", has_text="With an injury or mark").click()
    page.get_by_label("What do you want to add?").fill("Seen at lunch.")
    row(page, 1).get_by_label("Where on the body").select_option("Front: right knee")
    row(page, 2).get_by_label("Where on the body").select_option("Left palm: thumb")
    page.get_by_role("button", name="Add rows to Injuries or marks").click()
    assert page.get_by_label("What do you want to add?").input_value() == "Seen at lunch."
    assert row(page, 2).get_by_label("Where on the body").input_value() == "Left palm: thumb"
    row(page, 3).get_by_label("Where on the body").select_option("Back: neck")
    row(page, 3).get_by_label("Exact place").fill("below the hair")
    row(page, 3).get_by_label("Exact place").press("Enter")
    assert "On the body map: 1, 2, 3" in page.locator(".addendum").inner_text()


def test_a_draft_brings_the_marks_back_and_later_ones_are_touched_too(desk, address, school):
    dave = begun(desk, address, school)
    page = dave.page
    page.locator("summary", has_text=FOLD).click()
    page.locator("[data-area]").first.wait_for(state="attached")
    page.mouse.click(*place(page, "hands", 440, 200))
    dave.press("Save draft")
    page.locator("[data-view=hands] .disc").wait_for()
    assert row(page, 1).get_by_label("Where on the body").input_value() == "Right palm: palm"
    dave.press("Save the report")
    assert len(kept()[0]) == 1
    with db.connection_context():
        incident = Incident.get()
    dave.open(f"/incident/details/?id={incident.id}")
    page.locator("summary", has_text="Add to this incident").click()
    page.locator("summary", has_text="With an injury or mark").click()
    page.get_by_label("What do you want to add?").fill("Seen at lunch.")
    page.locator("[data-area]").first.wait_for(state="attached")
    page.mouse.click(*place(page, "back", 100, 600 - 20))
    page.mouse.click(*place(page, "back", 160, 540))
    assert "Back: left thigh" in page.locator(".placed").inner_text()
    dave.press("Add to this incident")
    assert "On the body map: 2" in page.locator(".addendum").inner_text()
    assert page.locator(".marks .disc").count() == 2
