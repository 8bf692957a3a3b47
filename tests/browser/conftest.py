"""A served school and a real Chromium."""

import logging
import re
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, sync_playwright
from werkzeug.serving import make_server

from models import db

from ..person import PASSWORD, code_of
from .chromium import ARGS, find

BUILD = Path(__file__).parents[2] / "build"


def settled(act):
    """The act, and then the page it led to whole: Playwright waits only until the new page has
    begun to arrive, and a title or a count read at that moment is that of half a page.
    """

    def acted(locator, *args, **kwargs):
        act(locator, *args, **kwargs)
        locator.page.wait_for_load_state()

    return acted


@pytest.fixture(scope="session", autouse=True)
def _pages_are_read_whole():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("click", "press"):
            patch.setattr(Locator, name, settled(getattr(Locator, name)))
        yield


@contextmanager
def serving(app):
    """The app on a free port of this machine; gives its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=ARGS)
        yield browser
        browser.close()


class Desk:
    """One person's browser window: opens pages, presses by visible names, keeps pictures in
    build/.
    """

    def __init__(self, chromium, address, width=1280, scripts=True, touch=False):
        self.address = address
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            has_touch=touch,
            locale="en-GB",
        )
        self.page = self.context.new_page()
        self.elsewhere = []
        self.page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((address, "data:"))
                else self.elsewhere.append(request.url)
            ),
        )

    def open(self, path):
        self.page.goto(self.address + path)
        return self.page

    def sign_in(self, email, password):
        page = self.open("/login")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Passphrase").fill(password)
        page.get_by_role("button", name="Sign in").click()
        return self

    def report(self, child, what_happened):
        """Type what a report needs; left open is only whether it raises an alert."""
        page = self.page
        page.get_by_label("Child *").fill(child)
        known = page.get_by_role("group", name="How exactly do you know")
        known.get_by_label("Not known").check()
        page.get_by_label("Where did it happen").select_option("Classroom")
        page.get_by_label("How is it known").select_option("I saw or heard it")
        page.get_by_label("What happened").fill(what_happened)
        page.get_by_role("group", name="Is the child in immediate danger").get_by_label(
            "No"
        ).check()
        page.get_by_label("What was done at once").fill("Told the DSL at once.")

    def alert(self, answer):
        self.page.get_by_role(
            "group", name="Does this incident raise a safeguarding alert"
        ).get_by_label(answer).check()

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def place(self, page=None):
        """Where the draft of the form on the page opens again."""
        return (page or self.page).locator("form[data-draft]").get_attribute("data-draft")

    def sign_out(self, page=None):
        """From the menu."""
        page = page or self.page
        page.locator("details.menu > summary").click()
        page.get_by_role("button", name="Sign out").click()

    def picture(self, name, whole=True):
        BUILD.mkdir(exist_ok=True)
        self.page.screenshot(path=BUILD / f"{name}.png", full_page=whole)


@pytest.fixture
def desk(chromium):
    """Open a desk: desk(address, email, password, scripts=False)."""
    opened = []

    def sit(address, email, password, **kwargs):
        opened.append(Desk(chromium, address, **kwargs).sign_in(email, password))
        return opened[-1]

    yield sit
    for one in opened:
        one.context.close()
        assert one.elsewhere == [], f"pages asked other hosts: {one.elsewhere}"


@pytest.fixture
def address(school):
    db.close()
    with serving(school.app) as address:
        yield address


def at_desk(desk, address, school, who, **kwargs):
    """Somebody of the cast, signed in."""
    one = desk(address, f"{who}@thornley.example", PASSWORD, **kwargs)
    with db.connection_context():
        code = code_of(school.app, getattr(school, who))
    one.page.get_by_label(re.compile("code", re.I)).fill(code)
    one.press("Sign in")
    one.page.locator("details.menu").wait_for()
    return one
