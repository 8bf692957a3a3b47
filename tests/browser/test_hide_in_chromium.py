"""Hide, by its button and by Esc twice, in Chromium: with a script and without."""

import re

import pytest

from models import Draft, Incident, Session, db
from models.people.user import User

from ..conftest import report
from ..person import PASSWORD, code_of
from .conftest import serving
from .test_axe import look


@pytest.fixture
def incident(school):
    return report(school)


@pytest.fixture
def address(school, incident):
    db.close()
    with serving(school.app) as address:
        yield address


@pytest.fixture
def alice(desk, address, school):
    def sit(**kwargs):
        one = desk(address, "alice@thornley.example", PASSWORD, **kwargs)
        with db.connection_context():
            code = code_of(school.app, User.get_by_id(school.alice.id))
        one.page.get_by_label(re.compile("code", re.I)).fill(code)
        one.press("Sign in")
        return one

    return sit


def is_hidden(page):
    """Whether the page says nothing but that it is hidden, in its address and title, too."""
    page.get_by_role("heading", name="Hidden", exact=True).wait_for()
    assert page.url.endswith("/account/hidden/") and page.title().startswith("Hidden –")
    assert "Zofia" not in page.content() and page.get_by_role("navigation").count() == 0
    return True


def twice(page):
    """Esc twice, whenever the one before was: on a busy machine that may be more than a second."""
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")


def unlock(desk):
    desk.page.get_by_label("Passphrase").fill(PASSWORD)
    desk.press("Go on")
    desk.page.wait_for_load_state()


def test_esc_twice_hides_and_keeps_what_is_typed(alice):
    one = alice()
    page = one.open("/incident/")
    one.open("/incident/new/")
    page.get_by_label("What happened").fill("Half a sentence about Zofia, and a parent comes in")
    page.keyboard.press("Escape")
    page.wait_for_timeout(1_200)
    page.keyboard.press("Escape")
    page.wait_for_timeout(200)
    assert page.get_by_label("What happened").is_visible(), "twice within a second, not in two"
    twice(page)
    assert is_hidden(page)
    assert page.evaluate("document.activeElement.id") == "passphrase_again"
    assert not look(page, "the hidden page")
    one.picture("hidden")
    for back in range(2):
        page.go_back()
        assert is_hidden(page), back
    page.reload()
    assert is_hidden(page)
    page.get_by_label("Passphrase").fill("wrong")
    one.press("Go on")
    assert "This is not your passphrase." in page.get_by_role("alert").inner_text()
    unlock(one)
    assert "/incident/new/?draft=" in page.url
    assert page.get_by_label("What happened").input_value().startswith("Half a sentence about Zof")


def test_the_button_hides_every_tab(alice, incident):
    one = alice()
    page = one.open(f"/incident/details/?id={incident.id}")
    other = one.context.new_page()
    other.goto(f"{one.address}/incident/new/")
    other.get_by_label("What happened").fill("Typed in the other window")
    place = one.place(other)
    one.press("Hide")
    assert is_hidden(page) and is_hidden(other)
    unlock(one)
    assert page.url.endswith(f"/incident/details/?id={incident.id}")
    other.goto(one.address + place)
    assert other.get_by_label("What happened").input_value() == "Typed in the other window"


def test_a_reason_that_is_not_sent_yet_is_kept_too(alice, incident):
    one = alice()
    page = one.open(f"/incident/details/?id={incident.id}")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.get_by_label("What do you want to add?").fill("Zofia was seen again at lunch.")
    twice(page)
    assert is_hidden(page)
    unlock(one)
    assert page.get_by_label("Text").input_value() == "Zofia was seen again at lunch."
    one.press("Send it now")
    assert "Zofia was seen again at lunch." in page.content()


def test_a_server_that_does_not_answer_hides_the_page_all_the_same(alice, incident):
    one = alice()
    page = one.open(f"/incident/details/?id={incident.id}")
    page.route("**/account/hide/", lambda route: route.abort())
    one.press("Hide")
    page.get_by_text("not locked: the server did not answer").wait_for()
    assert "Zofia" not in page.inner_text("body") and page.title() == "Hidden"
    page.unroute("**/account/hide/")
    one.press("Try again")
    assert is_hidden(page)


def test_without_a_script(alice):
    one = alice(scripts=False, width=360)
    page = one.open("/incident/new/")
    page.get_by_label("What happened").fill("Half a sentence about Zofia")
    one.press("Hide")
    assert is_hidden(page)
    page.go_back()
    assert is_hidden(page)
    one.picture("360-hidden")
    unlock(one)
    assert page.get_by_label("What happened").input_value() == "Half a sentence about Zofia"
    page.get_by_label("Topic").press("Enter")
    assert page.get_by_role("heading", name="Nothing was saved yet").is_visible(), "Enter saves"
    one.open("/incident/")
    one.press("Hide")
    assert is_hidden(page)
    one.press("Sign out")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    with db.connection_context():
        assert Incident.select().count() == 1 and Draft.select().count() == 1
        assert not Session.select().where(Session.ended_at.is_null()).exists()
