"""Hide: a session that stays, and opens nothing in any tab until its passphrase is typed again."""

import re
from datetime import timedelta

import pytest

from models import Attempt, Draft, Event, Incident, Proposal, Session
from models.ground.clock import at, now

from .person import PASSWORD, Person
from .test_factor import prove

PLACES = ["/", "/incident/", "/incident/new/", "/log/", "/child/", "/account/", "/account/prove/", "/mf-recovery-codes",
          "/tf-setup", "/verify", "/change", "/reset", "/nowhere", "/setup/x", "/incident/export/csv/", "/log/pdf/?id=1"]  # fmt: skip


def hide(person, path="/incident/"):
    """Press Hide on the page at `path`."""
    person.get(path)
    return person.post("/account/hide/", {"path": path})


def unlock(person, passphrase=PASSWORD):
    person.get("/account/hidden/")
    return person.post("/account/hidden/", {"passphrase_again": passphrase})


def test_alice_hides_and_nothing_opens_until_her_passphrase_is_typed(cast, incident):
    path = f"/incident/details/?id={incident.id}"
    page = hide(cast.alice, path)
    assert page.request.path == "/account/hidden/" and not page.request.query_string
    for place in (*PLACES, path):
        page = cast.alice.get(place, follow_redirects=True)
        assert page.request.full_path == "/account/hidden/?", place
        assert "<title>Hidden" in page.text, place
        for word in ("Zofia", incident.reference, "Incidents", "Your account", "app.js"):
            assert word not in page.text, (place, word)
    page = unlock(cast.alice)
    assert page.request.full_path == path and "Zofia" in page.text, "where she was"
    assert cast.alice.lands("/log/") == "/log/"
    assert cast.alice.lands("/account/hidden/") == "/", "there is nothing more to unlock"


def test_hidden_is_this_session_in_all_its_tabs_and_no_other(app, cast, school):
    elsewhere = Person(app, school.alice).sign_in()
    cast.alice.get("/")
    tab = Person(app, school.alice)
    tab.client.set_cookie("session", cast.alice.client.get_cookie("session").value)
    assert tab.lands("/") == "/"
    hide(cast.alice)
    assert tab.lands("/incident/") == "/account/hidden/", "and the cookie from before is no way in"
    assert elsewhere.lands("/incident/") == "/incident/" and cast.bob.lands("/") == "/"
    unlock(cast.alice)
    assert tab.lands("/incident/") == "/incident/"


def test_a_wrong_passphrase_opens_nothing_and_is_slowed(cast, school):
    hide(cast.alice)
    for wrong in ("", "wrong", PASSWORD.upper(), "x" * 10_000, "\0"):
        page = unlock(cast.alice, wrong)
        assert page.status_code == 422 and "This is not your passphrase." in page.text_only
    page = unlock(cast.alice)
    assert page.status_code == 422 and "Too many attempts" in page.text_only
    assert cast.alice.lands("/") == "/account/hidden/"
    failed = Event.select().where(Event.verb == "user:failed", Event.record == school.alice.id)
    assert failed.count() == Attempt.select().count() == 5
    page = cast.alice.post("/account/hidden/", {})
    assert page.status_code == 422 and "Type your passphrase." in page.text_only
    Attempt.delete().execute()
    unlock(cast.alice)
    assert cast.alice.lands("/") == "/"


def test_what_was_typed_is_kept_and_back_without_a_script(cast, school):
    page = cast.dave.get("/incident/new/")
    button = re.search(r"<button[^>]*>Hide</button>", page.text).group()
    assert 'form="writing" name="draft" value="hide"' in button and 'id="writing"' in page.text
    page = cast.dave.post("/incident/new/", {"what_happened": "Half a sentence", "draft": "hide"})
    assert page.request.path == "/account/hidden/" and "Half a sentence" not in page.text
    page = unlock(cast.dave)
    assert page.request.path == "/incident/new/" and "Half a sentence" in page.text
    assert Incident.select().count() == 0


def test_enter_in_a_field_still_saves(cast):
    """The first button that belongs to a form is what Enter presses: it must not be Hide."""
    page = cast.dave.get("/incident/new/").text
    first = re.search(r'<button[^>]*form="writing"[^>]*>', page).group()
    assert "draft" not in first and 'class="sr"' in first and 'tabindex="-1"' in first


def test_a_form_sent_twice_is_hidden_twice(cast, school, answers):
    page = cast.dave.get("/incident/new/")
    once = re.search(r'name="once" value="([^"]+)"', page.text).group(1)
    cast.dave.post("/incident/new/", answers | {"once": once})
    assert Incident.select().count() == 1
    page = cast.dave.post("/incident/new/", answers | {"once": once, "draft": "hide"})
    assert page.request.path == "/account/hidden/", "not the record that it made"
    page = cast.dave.post("/incident/new/", answers | {"once": once, "draft": "hide"})
    assert page.status_code == 423 and Incident.select().count() == 1


def test_what_another_tab_sends_while_it_is_hidden_changes_nothing_and_goes_back_to_it(
    cast, answers
):
    hide(cast.dave)
    page = cast.dave.post("/incident/new/", answers)
    assert page.status_code == 423 and answers["what_happened"] in page.text
    assert "Zofia" in page.text, "what that tab sent itself, and no more"
    assert Incident.select().count() == Draft.select().count() == 0
    page = cast.dave.post("/account/draft/", {"draft_path": "/incident/new/", "topic": "Forged"})
    assert page.status_code == 423 and Draft.select().count() == 0
    page = cast.dave.post("/account/end/", {"id": "others"})
    assert page.request.path == "/account/hidden/"
    unlock(cast.dave)
    assert cast.dave.post("/incident/new/", answers).status_code == 200
    assert Incident.select().count() == 1


def test_a_page_that_says_it_is_alive_opens_nothing_and_keeps_nothing_alive(cast, school):
    hide(cast.alice)
    for minutes in (10, 19):
        with at(now() + timedelta(minutes=minutes)):
            assert cast.alice.post("/account/alive/").status_code == 423
            assert cast.alice.lands("/") == "/account/hidden/"
    with at(now() + timedelta(minutes=21)):
        assert cast.alice.lands("/") == "/login", "it ran out like any other"


def test_signing_out_from_the_hidden_page(cast, school):
    page = hide(cast.alice)
    assert f'formaction="{"/logout"}"' in page.text
    cast.alice.post("/logout")
    assert cast.alice.lands("/") == "/login"
    cast.alice.sign_in()
    assert cast.alice.lands("/") == "/", "a new session is not hidden"


def test_a_message_for_the_page_before_is_not_shown_on_the_hidden_one(cast, school):
    cast.alice.get("/child/new/")
    fields = {"name": "Siôn Ŵyn Parry", "date_of_birth": "2014-02-01"}
    saved = cast.alice.post("/child/new/", fields, follow=False)
    assert saved.status_code == 302, "its message waits for the next page"
    page = cast.alice.post("/account/hide/", {"path": "/child/"})
    assert page.request.path == "/account/hidden/" and "Siôn" not in page.text
    assert "Siôn" not in unlock(cast.alice).text.partition("<table")[0]


def test_what_was_proved_before_is_asked_again(cast):
    prove(cast.carol)
    hide(cast.carol)
    unlock(cast.carol)
    assert cast.carol.lands("/tf-setup") == "/account/prove/"


def test_hide_leads_nowhere_else_and_never_fails(cast, school, monkeypatch):
    for target in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "x",
        "",
        "/" * 600,
    ):
        cast.alice.get("/")
        cast.alice.post("/account/hide/", {"path": target})
        assert cast.alice.lands("/") == "/account/hidden/", target
        assert unlock(cast.alice).request.url == "http://localhost/", target
    monkeypatch.setattr("models.access.draft.LONGEST", 100)
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", {"what_happened": "long " * 100, "draft": "hide"})
    assert page.request.path == "/account/hidden/", "somebody may be looking"
    assert "is kept" not in page.text_only
    page = unlock(cast.dave)
    assert "What you typed could not be kept. This is too long" in page.text_only


def test_a_form_without_its_token_shows_no_menu(cast):
    hide(cast.alice)
    cast.alice.token = "stale"
    page = cast.alice.post("/account/hide/", {"path": "/"})
    assert page.status_code == 400 and "Incidents" not in page.text and "Alice" not in page.text


def test_hide_is_a_form_and_no_link(cast):
    assert cast.alice.get("/account/hide/").status_code == 405
    assert cast.alice.lands("/") == "/"


def test_ira_who_waits_for_a_code_can_hide_too(cast, school):
    """A page that opens nothing else is no way round, nor a trap."""
    Proposal.create(kind="factor", user=school.bob, by=school.ira, status="code to be typed")
    hide(cast.bob, "/account/")
    assert cast.bob.lands("/") == "/account/hidden/"
    assert unlock(cast.bob).request.path == "/account/"


@pytest.mark.both
def test_what_was_hidden_first_is_where_it_goes_on(cast, school):
    cast.alice.get("/")
    one = Session.get(Session.user == school.alice)
    same = Session.get_by_id(one.id)
    one.hide("/log/")
    same.hide("/child/")
    assert Session.get_by_id(one.id).hidden_path == "/log/"
    assert Session.get_by_id(one.id).unhide() == "/log/"
    assert Session.get_by_id(one.id).hidden_at is None
