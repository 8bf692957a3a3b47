"""A bad moment in a real browser, with scripts off and on a phone: the database is away just when
the report is saved.
"""

import re

import pytest
from peewee import OperationalError

from models import Event, Incident, Log, db

from ..person import PASSWORD, code_of
from ..test_house_rules import HERE
from .test_axe import look


def test_the_text_comes_back_and_is_saved_once(desk, address, school, monkeypatch):
    dave = desk(address, "dave@thornley.example", PASSWORD, scripts=False, width=360)
    page = dave.page
    with db.connection_context():
        page.get_by_label(re.compile("code", re.I)).fill(code_of(school.app, school.dave))
    dave.press("Sign in")
    dave.open("/incident/new/")
    text = "First line.\n\n“Second” line & <more>, long enough to be shown as what it is: a text."
    dave.report(school.child.label, text)
    dave.alert("No")

    write = Event.write.__func__

    def away(cls, *args, **kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr(Event, "write", classmethod(away))
    dave.press("Save the report")
    assert (
        "Busy, or starting again" in page.title()
        and "Nothing was saved yet" in page.locator("main").inner_text()
    )
    assert page.get_by_label("What happened").input_value().replace("\r", "") == text
    assert not seen_with_scripts(page)
    dave.picture("360-bad-day")
    monkeypatch.setattr(Event, "write", classmethod(write))
    page.get_by_role("button", name="Try again").press("Enter")
    assert "Saved as INC-" in page.get_by_role("status").inner_text()
    with db.connection_context():
        assert [
            row.what_happened.replace("\r", "").split("\n")[0] for row in Incident.select()
        ] == ["First line."]


@pytest.mark.parametrize("scripts", [False, True])
def test_going_back_brings_no_old_text_with_a_new_version(desk, address, school, log, scripts):
    """The browser asks for the page again (it may not keep it), so it must not put what was typed
    before into it.
    """
    alice = desk(address, "alice@thornley.example", PASSWORD, scripts=scripts)
    page = alice.page
    with db.connection_context():
        page.get_by_label(re.compile("code", re.I)).fill(code_of(school.app, school.alice))
    alice.press("Sign in")
    alice.open("/")
    alice.open(f"/log/edit/?id={log.id}")
    page.get_by_label("Summary for Ofsted").fill("Alice’s first text")
    alice.press("Save")
    assert "Saved" in page.get_by_role("status").inner_text()
    with db.connection_context():
        Log.get().edit(school.carol, summary="Carol’s better text")
    page.go_back()
    assert page.get_by_label("Summary for Ofsted").input_value() == "Carol’s better text"

    alice.open("/incident/new/")
    alice.report(school.child.label, "Typed once.")
    alice.alert("No")
    alice.press("Save the report")
    assert "Saved as INC-" in page.get_by_role("status").inner_text()
    page.go_back()
    assert (
        page.get_by_label("What happened").input_value() == ""
        and page.get_by_label("Child *").input_value() == ""
    )


def seen_with_scripts(page):
    """What axe says of the page, in a window where scripts run: this one has none."""
    context = page.context.browser.new_context(
        viewport={"width": 360, "height": 900}, locale="en-GB"
    )
    other = context.new_page()
    style = (HERE / "static/style.css").read_text(encoding="utf-8")
    other.set_content(
        re.sub(r"<link[^>]*>", "", page.content()).replace(
            "</head>", f"<style>{style}</style></head>"
        )
    )
    found = look(other, "the page of a bad day")
    context.close()
    return found
