"""Files in a real browser: a photograph on a phone, with scripts and without; dropped and pasted;
and nothing lost when the page goes.
"""

import re
from io import BytesIO

import pytest
from PIL import Image

from models import Attachment, Held, Incident, db

from ..conftest import report
from ..person import PASSWORD, code_of
from ..test_attachment import photograph
from .conftest import at_desk
from .test_axe import look

NOTE = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"A note."}
PHOTO = {"name": "IMG_0042.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
HANDED = """([how, name, type, bytes]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(bytes)], name, {type}));
  const event = how === "drop"
    ? new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true})
    : new ClipboardEvent("paste", {clipboardData: files, bubbles: true, cancelable: true});
  document.querySelector("textarea").dispatchEvent(event);
  return event.defaultPrevented;
}"""


def count(model):
    with db.connection_context():
        return model.select().count()


@pytest.fixture
def phone(chromium, address, school):
    """Dave at his phone: phone(scripts=False) is its page."""
    opened = []

    def sit(scripts):
        context = chromium.new_context(
            viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True,
            java_script_enabled=scripts, locale="en-GB", base_url=address,
        )  # fmt: skip
        opened.append(context)
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("Email").fill("dave@thornley.example")
        page.get_by_label("Passphrase").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        if page.get_by_label(re.compile("code", re.I)).count():
            with db.connection_context():
                code = code_of(school.app, school.dave)
            page.get_by_label(re.compile("code", re.I)).fill(code)
            page.get_by_role("button", name="Sign in").click()
        return page

    yield sit
    for one in opened:
        one.close()


@pytest.mark.parametrize("scripts", [False, True])
def test_a_phone_attaches_a_photograph(phone, school, scripts):
    page = phone(scripts)
    page.goto("/incident/new/")
    page.get_by_label("Child *").fill(school.child.label)
    page.get_by_label("What happened").fill("A red mark on the left wrist.")
    page.get_by_text("Injuries, marks and files").click()
    camera = page.get_by_label("Take a photograph")
    assert camera.get_attribute("capture") == "environment"
    assert camera.bounding_box()["height"] >= 44, "for a thumb"
    camera.set_input_files(PHOTO)
    if scripts:
        page.get_by_text("Kept with the draft.").wait_for()
    page.get_by_role("button", name="Save the report").click()
    assert page.get_by_role("alert").count() == 1, "much is missing"
    held = page.get_by_role("list", name="Chosen already")
    assert "IMG_0042.jpg" in held.inner_text() and count(Held) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not scripts or not look(page, "held", [360])
    page.screenshot(path=f"build/held-360-{scripts}.png", full_page=True)
    known = page.get_by_role("group", name="How exactly do you know")
    known.get_by_label("Not known").check()
    page.get_by_label("Where did it happen").select_option("Classroom")
    page.get_by_role("group", name="Is the child in immediate danger").get_by_label("No").check()
    page.get_by_label("What was done at once").fill("Told the DSL at once.")
    page.get_by_role("group", name="Does this incident raise").get_by_label("Yes").check()
    page.get_by_role("button", name="Save the report").click()
    assert "Saved as INC-" in page.get_by_role("status").first.inner_text()
    with db.connection_context():
        assert Attachment.get().read() == PHOTO["buffer"]
    page.get_by_role("link", name="IMG_0042.jpg").click()
    picture = page.get_by_role("img", name="The picture IMG_0042.jpg")
    assert picture.evaluate("one => one.complete && one.naturalWidth") == 80, "upright"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not scripts or not look(page, "picture", [360])
    page.screenshot(path=f"build/picture-360-{scripts}.png", full_page=True)


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_file_is_dropped_or_pasted_and_there_when_the_lid_is_opened(desk, address, school, how):
    dave = at_desk(desk, address, school, "dave")
    page = dave.open("/incident/new/")
    page.get_by_label("What happened").fill("Half a sentence")
    out = BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "PNG")
    assert page.evaluate(HANDED, [how, "image.png", "image/png", list(out.getvalue())])
    page.get_by_text("Kept with the draft. It is saved when you save.").wait_for()
    held = page.get_by_role("list", name="Chosen already")
    assert "image.png" in held.inner_text()
    assert page.locator("#files").evaluate("one => one.files.length") == 0, "not sent twice"
    assert not look(page, "dropped", [1280, 360])
    page.set_viewport_size({"width": 1280, "height": 900})
    dave.picture(f"dropped-{how}")
    place = dave.place()
    page.close()  # the lid
    page = dave.page = dave.context.new_page()
    dave.open(place)
    assert page.get_by_label("What happened").input_value() == "Half a sentence"
    held = page.get_by_role("list", name="Chosen already")
    assert "image.png" in held.inner_text()
    dave.report(school.child.label, "A red mark on the left wrist.")
    dave.alert("No")
    dave.press("Save the report")
    assert "Saved as INC-" in page.get_by_role("status").first.inner_text()
    with db.connection_context():
        assert Attachment.get().read() == out.getvalue() and not Held.select().exists()


def test_text_is_pasted_as_text(desk, address, school):
    page = at_desk(desk, address, school, "dave").open("/incident/new/")
    taken = page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData("text/plain", "From Word");
          data.items.add(new File([new Uint8Array([1])], "image.png", {type: "image/png"}));
          const event = new ClipboardEvent("paste", {clipboardData: data, cancelable: true});
          window.dispatchEvent(event);
          return event.defaultPrevented;
        }"""
    )
    assert not taken and count(Held) == 0


def test_what_is_not_kept_is_said_at_once_and_a_lost_connection_loses_nothing(
    desk, address, school
):
    dave = at_desk(desk, address, school, "dave")
    page = dave.open("/incident/new/")
    page.get_by_text("Injuries, marks and files").click()
    field = page.locator("#files")
    field.set_input_files({"name": "a.gif", "mimeType": "image/gif", "buffer": b"GIF89a" * 9})
    page.get_by_text("“a.gif” is a GIF, which may move.").wait_for()
    dave.context.set_offline(True)
    field.set_input_files(NOTE)
    page.get_by_text("Not kept with the draft.").wait_for()
    assert field.evaluate("one => one.files.length") == 1, "it stays in the field"
    dave.context.set_offline(False)
    dave.report(school.child.label, "A red mark on the left wrist.")
    dave.alert("No")
    dave.press("Save the report")
    assert "Saved as INC-" in page.get_by_role("status").first.inner_text()
    with db.connection_context():
        assert Attachment.get().read() == b"A note." and Incident.select().count() == 1


@pytest.mark.parametrize("scripts", [False, True])
def test_an_old_paper_file_is_added_by_keyboard(desk, address, school, scripts):
    with db.connection_context():
        incident = report(school)
    carol = at_desk(desk, address, school, "carol", scripts=scripts)
    page = carol.open(f"/incident/details/?id={incident.id}")
    page.get_by_role("link", name="Add a file").press("Enter")
    carol.picture(f"file-form-{scripts}")
    page.locator("#files").set_input_files(NOTE)
    if scripts:
        page.get_by_text("Kept with the draft.").wait_for()
        assert not look(page, "file form", [1280, 360])
        page.set_viewport_size({"width": 360, "height": 900})
        carol.picture("file-form-360")
    page.get_by_label("What it is").fill("Paper file")
    page.get_by_label("Date of the document").fill("2019")
    page.get_by_label("Pages").fill("14")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    assert "Saved: Paper file, 2019, 14 pages." in page.get_by_role("status").first.inner_text()
    assert "2019, 14 pages" in page.locator("#files.card").inner_text()
    carol.picture(f"incident-files-{scripts}")
    page.get_by_role("link", name="Paper file").click()
    assert page.get_by_role("link", name="Download").count() == 1
    assert not scripts or not look(page, "file", [1280, 360])
    carol.picture(f"file-page-{scripts}")
