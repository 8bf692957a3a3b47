"""Half past one on the night when the clocks go back, in a real browser, on a phone, with scripts
off.
"""

import re

from models import Incident, db

from ..person import PASSWORD, code_of
from .test_axe import look


def test_a_reporter_chooses_which_half_past_one_it_was(desk, address, school):
    dave = desk(address, "dave@thornley.example", PASSWORD, scripts=False, width=360)
    page = dave.page
    with db.connection_context():
        page.get_by_label(re.compile("code", re.I)).fill(code_of(school.app, school.dave))
    dave.press("Sign in")
    dave.open("/incident/new/")
    dave.report(school.child.label, "Seen at the window.")
    dave.alert("No")
    page.get_by_label("When did you notice it").fill("2025-10-26T01:30")
    dave.press("Save the report")
    dave.picture("360-clocks")
    which = page.get_by_role("group", name="Which of the two?")
    assert (
        "it was 01:30 twice" in page.locator("main").inner_text()
        and page.get_by_label("When did you notice it").input_value() == "2025-10-26T01:30"
    )
    which.get_by_label("01:30 GMT, the second").check()
    dave.press("Save the report")
    assert "Saved as INC-" in page.get_by_role("status").inner_text()
    with db.connection_context():
        assert f"{Incident.get().noticed_at:%H:%M}" == "01:30", "in UTC, which is GMT"


def test_axe_finds_nothing_where_it_asks(desk, address, school):
    dave = desk(address, "dave@thornley.example", PASSWORD, width=360)
    with db.connection_context():
        dave.page.get_by_label(re.compile("code", re.I)).fill(code_of(school.app, school.dave))
    dave.press("Sign in")
    dave.open("/incident/new/")
    dave.page.get_by_label("When did you notice it").fill("2025-10-26T01:30")
    dave.press("Save the report")
    assert dave.page.get_by_role("group", name="Which of the two?").count() == 1 and not look(
        dave.page, "clocks"
    )
