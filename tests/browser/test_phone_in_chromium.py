"""On a phone, scripts off: what happened in a few lines, then what is to be done about it; and
nothing lies over a button, a field or the end of a page.
"""

import re

import pytest

from models import Log, db

from ..conftest import report
from ..person import PASSWORD, code_of
from .conftest import serving

HEIGHT = 740
LONG = "She came in late and said nothing until lunch. " * 120
COVERED = """all => all.filter(one => {
  one.scrollIntoView({block: "end"});
  const box = one.getClientRects()[0] || {width: 0};
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return box.width && top && top !== one && !one.contains(top) && !top.contains(one);
}).map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def phone(desk, school):
    """Alice at her phone, with an alert that nobody has decided on, and a fresh log."""
    told = report(school, what_happened=LONG)
    log = Log.trigger(report(school, what_happened=LONG), school.mark)
    db.close()
    with serving(school.app) as address:
        alice = desk(address, "alice@thornley.example", PASSWORD, scripts=False, width=360)
        alice.page.set_viewport_size({"width": 360, "height": HEIGHT})
        with db.connection_context():
            code = code_of(school.app, school.alice)
        alice.page.get_by_label(re.compile("code", re.I)).fill(code)
        alice.press("Sign in")
        alice.pages = {
            "incident": f"/incident/details/?id={told.id}",
            "log": f"/log/details/?id={log.id}",
            "triage": "/triage/",
            "triage form": f"/triage/new/?incident={told.id}",
            "home": "/",
        }
        yield alice


def below(locator):
    """How far down a page something ends, in pixels."""
    box = locator.bounding_box()
    return box["y"] + box["height"]


def test_what_happened_and_then_the_next_action_in_two_screens(phone):
    page = phone.open(phone.pages["incident"])
    gist, trigger = page.locator(".gist"), page.get_by_role("button", name="Trigger notification")
    assert "She came in late" in gist.inner_text() and below(gist) < HEIGHT
    assert below(gist) < below(trigger) < 2 * HEIGHT
    assert below(trigger) < page.locator("#account").bounding_box()["y"]
    page = phone.open(phone.pages["log"])
    gist = page.get_by_text("She came in late").first
    assert below(page.get_by_role("link", name="Edit")) < HEIGHT and below(gist) < HEIGHT
    tell = page.locator("#tell").get_by_role("button", name="Save")
    assert below(gist) < below(tell) < 2 * HEIGHT
    page = phone.open(phone.pages["triage form"])
    assert page.get_by_text("She came in late").first.bounding_box()["y"] < HEIGHT


def test_nothing_lies_over_a_button_or_a_field_or_the_end(phone):
    for name, path in phone.pages.items():
        page = phone.open(path)
        what = "main a, main button:not(.sr), main input:not([type=hidden]), main select, main textarea"
        seen = page.locator(f"{what}, footer p")
        assert seen.count() > 2, name
        assert seen.evaluate_all(COVERED) == [], f"{name}: covered"
        link = page.get_by_role("link", name="Report an incident")
        assert link.is_visible() and below(link) < 120, "in the bar, under its whole name"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
