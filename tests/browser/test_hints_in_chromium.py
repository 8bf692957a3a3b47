"""The writing hints in a real browser: at 16:40, on a phone, without a script, by keyboard."""

import pytest

from models import Incident, db

from .conftest import at_desk
from .test_axe import look

TEXT = (
    "JB pushed Zofia against the coat pegs at 12:40. I think he was jealous. Zofia said my arm "
    "hurts. She has been quiet recently. Ngũgĩ wa Kamau saw it. I was told that her mum had left."
)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scripts", [False, True])
def test_hints_once_a_press_that_mends_and_save_anyway(desk, address, school, width, scripts):
    dave = at_desk(desk, address, school, "dave", scripts=scripts, width=width)
    page = dave.page
    dave.open("/incident/new/")
    dave.report(school.child.label, TEXT)
    dave.alert("No")
    dave.press("Save the report")
    hints = page.get_by_role("region", name="Not saved yet: 6 hints")
    first = hints.get_by_role("button").first
    assert first.inner_text() == "Save anyway"
    box = first.bounding_box()
    assert box["y"] + box["height"] < 900, "seen without scrolling"
    if scripts:
        assert page.evaluate("document.activeElement.id") == "hints"
        assert not look(page, "hints", [width])
    dave.picture(f"hints-{width}")
    dave.picture(f"hints-{width}-top", whole=False)
    hints.get_by_role("button", name="Put quotation marks: “my arm hurts”").press("Enter")
    assert page.url.endswith("#hints")
    text = page.get_by_label("What happened")
    assert "Zofia said “my arm hurts”." in text.input_value()
    hints = page.get_by_role("region", name="Not saved yet: 5 hints")
    hints.get_by_role("button", name="Link Ngũgĩ wa Kamau, Year 7, as: Witness").click()
    hints = page.get_by_role("region", name="Not saved yet: 4 hints")
    assert "Done: Link Ngũgĩ wa Kamau" in hints.get_by_role("status").inner_text()
    if scripts:
        assert not look(page, "hints mended", [width])
    hints.get_by_role("button", name="Save anyway").click()
    assert "Saved as INC-" in page.get_by_role("status").inner_text()
    with db.connection_context():
        assert Incident.get().what_happened == TEXT.replace("my arm hurts", "“my arm hurts”")
