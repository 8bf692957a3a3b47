"""Enrolment, sign-in with a code, a passkey and a recovery code, in Chromium under the strict CSP;
drafts and the idle warning with scripts.
"""

import re
import time
from urllib.request import Request, urlopen

import pytest
from passlib.totp import TOTP

from models import Draft, User, WebAuthn, db

from ..person import PASSWORD
from .conftest import Desk, serving
from .test_axe import look


@pytest.fixture
def address(school):
    with db.atomic():
        for user in User.select():
            user.forget_factor()
            user.save()
    db.close()
    with serving(school.app) as address:
        yield address.replace("127.0.0.1", "localhost")  # passkeys want a name


@pytest.fixture
def carol(chromium, address):
    desk = Desk(chromium, address)
    desk.reports = []
    desk.page.on(
        "console",
        lambda message: desk.reports.append(message.text) if message.type == "error" else None,
    )
    yield desk
    desk.context.close()
    assert desk.elsewhere == [] and not [
        text for text in desk.reports if "Content Security Policy" in text
    ], desk.reports


def enrol(desk, email="carol@thornley.example"):
    """Sign in for the first time and set up the authenticator app; gives the app."""
    desk.sign_in(email, PASSWORD)
    page = desk.page
    assert page.get_by_role("heading", level=1).inner_text() == "Set up a second factor"
    desk.press("Use an authenticator app")
    desk.picture("enrolment")
    assert page.locator("img.qr").evaluate("image => image.naturalWidth") > 50, (
        "the QR code is drawn under the CSP"
    )
    totp = TOTP(
        key=page.locator(".key").inner_text().replace("-", "").replace(" ", ""), format="base32"
    )
    page.get_by_label(re.compile("code", re.I)).fill(totp.generate().token)
    desk.press("Confirm the code")
    assert page.locator(".codes code").count() == 8, "recovery codes, once"
    assert not look(page, "the recovery codes")
    desk.picture("recovery-codes")
    page.get_by_role("link", name="I have them on paper: go on").click()
    assert page.get_by_role("heading", level=1).inner_text().endswith(", Carol")
    return totp


def prove(desk, totp):
    """Passphrase and the next code, as is asked before a second factor is touched."""
    page = desk.page
    assert page.get_by_role("heading", level=1).inner_text() == "Is it you?"
    desk.picture("prove")
    page.get_by_label("Passphrase").fill(PASSWORD)
    page.get_by_label("Code").fill(totp.generate(time=time.time() + 30).token)
    desk.press("Go on")


def sign_out(desk):
    desk.open("/")
    desk.sign_out()


def test_enrol_then_sign_in_with_the_next_code(carol):
    totp = enrol(carol)
    sign_out(carol)
    carol.sign_in("carol@thornley.example", PASSWORD)
    carol.page.get_by_label(re.compile("code", re.I)).fill(
        totp.generate(time=time.time() + 30).token
    )
    carol.press("Sign in")
    assert carol.open("/incident/").get_by_role("heading", level=1).inner_text() == "Incidents"


def test_recovery_codes(carol):
    totp = enrol(carol)
    page = carol.open("/mf-recovery-codes")
    prove(carol, totp)
    carol.press("Make new codes")
    code = page.locator(".codes code").first.inner_text()
    sign_out(carol)
    carol.sign_in("carol@thornley.example", PASSWORD)
    page.get_by_role("link", name="Use a recovery code instead").click()
    page.get_by_label(re.compile("code", re.I)).fill(code)
    carol.press("Sign in")
    assert carol.open("/log/").get_by_role("heading", level=1).inner_text() == "Ofsted logs"


def test_a_passkey_as_second_factor(carol):
    totp = enrol(carol)
    client = carol.context.new_cdp_session(carol.page)
    client.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    client.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    with db.connection_context():
        User.update(mf_recovery_codes=None).where(User.name.startswith("Carol")).execute()
    page = carol.open("/wan-register")
    prove(carol, totp)
    page.locator("#name").fill("School laptop")
    page.locator("form[name=wan_register_form] input[type=submit]").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert page.locator(".codes code").count() == 8, "after a passkey, too"
    page.get_by_role("link", name="I have them on paper: go on").click()
    page.wait_for_url("**/account/**")
    assert "School laptop" in page.content()
    sign_out(carol)
    carol.sign_in("carol@thornley.example", PASSWORD)
    if page.url.endswith("/tf-select") or page.locator("input[value=webauthn]").count():
        page.locator("input[value=webauthn]").check()
        page.locator("input[type=submit]").first.click()
    sent = []
    page.on(
        "request", lambda request: sent.append(request) if "/wan-signin/" in request.url else None
    )
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in carol.context.cookies())
    page.locator("form[name=wan_signin_form] input[type=submit]").click()
    page.wait_for_url(re.compile(r"localhost:\d+/(\?|$)"))
    assert page.get_by_role("heading", level=1).inner_text().endswith(", Carol")
    with db.connection_context():
        WebAuthn.update(sign_count=0).execute()  # as of a passkey that does not count
    again = Request(sent[0].url, sent[0].post_data.encode(), {"Cookie": cookies})
    assert urlopen(again).url.endswith("/wan-signin"), (
        "the same answer, shown once more by somebody with a copy of it"
    )
    page.wait_for_timeout(1_000)  # nobody shows a passkey twice in one second
    carol.open("/mf-recovery-codes")
    page.get_by_role("link", name="Use a passkey instead of a code").click()
    page.locator("form[name=wan_verify_form] input[type=submit]").click()
    page.get_by_label("Passphrase").fill(PASSWORD)
    carol.press("Go on")
    carol.press("Make new codes")
    assert page.locator(".codes code").count() == 8


def test_a_draft_is_kept_as_one_types(carol):
    enrol(carol)
    page = carol.open("/incident/new/")
    page.get_by_label("What happened").fill("Half a sentence, and the bell")
    with page.expect_response("**/account/draft/"):
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {value: true}); "
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
    place = carol.place()
    assert page.get_by_label("What happened").input_value() and "Draft kept" in page.content()
    assert carol.open("/incident/new/").get_by_label("What happened").input_value() == "", (
        "an old draft fills no new form"
    )
    carol.open("/").get_by_role("link", name="Report about a child").click()
    assert page.url.endswith(place), "it waits on the home page"
    assert page.get_by_label("What happened").input_value() == "Half a sentence, and the bell"
    with db.connection_context():
        assert Draft.select().count() == 1


def test_a_draft_that_is_too_much_is_said_while_one_types(carol, monkeypatch):
    monkeypatch.setattr("models.access.draft.LONGEST", 2_000)
    enrol(carol)
    page = carol.open("/incident/new/")
    text = page.get_by_label("What happened")
    for typed, told in (("A long text. " * 200, True), ("A short text.", False)):
        text.fill(typed)
        with page.expect_response("**/account/draft/"):
            page.evaluate(
                "Object.defineProperty(document, 'hidden', {value: true, configurable: true}); "
                "document.dispatchEvent(new Event('visibilitychange'))"
            )
        page.get_by_text("no longer kept as a draft").wait_for(
            state="visible" if told else "detached"
        )


def test_the_warning_before_an_idle_session_ends(carol):
    enrol(carol)
    page = carol.page
    page.clock.install()
    carol.open("/incident/new/")
    page.clock.fast_forward("18:30")
    assert (
        page.get_by_role("alert").get_by_text("You will be signed out in two minutes.").is_visible()
    )
    carol.press("Stay signed in")
    page.get_by_role("alert").wait_for(state="detached")
    page.clock.fast_forward("18:30")
    page.clock.fast_forward("01:40")
    assert (
        page.get_by_role("alert")
        .get_by_text("You have been signed out. What you type can still be saved")
        .is_visible()
    )


def test_signed_out_in_another_tab_the_text_stays_in_this_one(carol):
    enrol(carol)
    page = carol.open("/child/new/")
    page.get_by_label("Name").fill(
        "Siôn Ŵyn Parry, a name of more than sixty letters, as a few are, to be shown whole"
    )
    page.get_by_label("Date of birth").fill("2014-02-01")
    other = carol.context.new_page()
    other.goto(carol.address)
    other.locator("details.menu > summary").click()
    other.get_by_role("button", name="Sign out").click()
    carol.press("Save")
    assert (
        "This page was too old" in page.title()
        and page.get_by_label("Name").input_value().startswith("Siôn")
        and "Nothing was saved yet" in page.locator("main").inner_text()
    )
    assert not look(page, "the page of who signed out elsewhere")
    carol.picture("not-signed-in")
