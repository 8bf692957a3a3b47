"""Once only: a form sent again, by impatience, by a flaky line or by going back, makes nothing
twice and loses nothing.
"""

import re
import threading

import pytest

from models import TABLES, Addendum, Draft, Event, Incident, Log
from models.shelf import proof

from .person import Person
from .test_house_rules import HERE

pytestmark = pytest.mark.both


def token_of(page):
    return re.search(r'name="once" value="([^"]+)"', page.text).group(1)


def test_the_report_sent_twenty_times_is_one_incident_and_is_shown(app, cast, school, answers):
    sent = answers | {"once": token_of(cast.dave.get("/incident/new/"))}
    session = cast.dave.client.get_cookie("session").value
    pages, gate = [], threading.Barrier(20)

    def send():
        browser = Person(app, school.dave)
        browser.client.set_cookie("session", session)
        browser.token = cast.dave.token
        gate.wait()
        pages.append(browser.post("/incident/new/", sent))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    incident = Incident.get()
    assert (
        Incident.select().count() == 1
        and Event.select().where(Event.verb == "incident:report").count() == 1
    )
    assert {page.status_code for page in pages} == {200} and all(
        incident.reference in page.text_only for page in pages
    )
    assert sum("saved already, once" in page.text_only for page in pages) == 19
    assert list(proof.findings(TABLES))


def test_a_step_sent_again_shows_what_it_did(cast, school, incident):
    once = token_of(cast.mark.get(f"/incident/details/?id={incident.id}"))
    first = cast.mark.press("log:trigger", incident, once=once)
    again = cast.mark.press("log:trigger", incident, once=once)
    assert (
        first.request.path == again.request.path == "/log/details/"
        and "saved already" in again.text_only
    )
    once = token_of(cast.dave.get(f"/incident/details/?id={incident.id}"))
    for _ in range(3):
        cast.dave.press("incident:amend", incident, text="Seen again at lunch.", once=once)
    assert (Log.select().count(), Addendum.select().count()) == (1, 1)
    assert (
        cast.dave.press("incident:amend", incident, text="And after school.", once=once).status_code
        == 200
    )
    assert Addendum.select().count() == 2, "other words from the same page are not a repeat"


def test_an_edit_sent_again_is_no_conflict_with_oneself(cast, log):
    page = cast.carol.get(f"/log/edit/?id={log.id}")
    sent = {
        "version": log.version,
        "summary": "A red mark.",
        "once": token_of(page),
        "setting": "Thornley Beck School",
    }
    assert cast.carol.post(f"/log/edit/?id={log.id}", sent).request.path == "/log/details/"
    assert cast.carol.post(f"/log/edit/?id={log.id}", sent).request.path == "/log/details/"
    assert (
        cast.carol.post(f"/log/edit/?id={log.id}", sent | {"summary": "Two marks."}).status_code
        == 409
    ), "the version guards what is different"


def test_gone_back_and_changed_is_asked_about_and_nothing_is_lost(cast, answers):
    sent = answers | {"once": token_of(cast.dave.get("/incident/new/"))}
    cast.dave.post("/incident/new/", sent)
    page = cast.dave.post("/incident/new/", sent | {"what_happened": "There were two marks."})
    assert (
        page.status_code == 409
        and "There were two marks." in page.text
        and "saved already" in page.text_only
        and "Nothing more was saved" in page.text_only
    )
    assert (
        f"/incident/details/?id={Incident.get().id}" in page.text and Incident.select().count() == 1
    )
    cast.dave.post(
        "/incident/new/", sent | {"what_happened": "There were two marks.", "once": token_of(page)}
    )
    assert Incident.select().count() == 2, "meant, so made"


def test_what_was_refused_or_kept_as_a_draft_uses_nothing_up(cast, answers):
    once = token_of(cast.dave.get("/incident/new/"))
    assert (
        cast.dave.post("/incident/new/", answers | {"once": once, "place": ""}).status_code == 422
    )
    cast.dave.post("/incident/new/", answers | {"once": once, "draft": "1"})
    assert "once" not in dict(Draft.get().fields)
    assert (
        cast.dave.post("/incident/new/", answers | {"once": once}).request.path
        == "/incident/details/"
    )
    assert Incident.select().count() == 1 and not Draft.select().exists()


def test_the_token_is_its_owners(cast, answers):
    sent = answers | {"once": token_of(cast.dave.get("/incident/new/"))}
    cast.dave.post("/incident/new/", sent)
    cast.dina.get("/incident/new/")
    page = cast.dina.post("/incident/new/", sent)
    assert (
        Incident.select().count() == 2
        and Incident.select().order_by(Incident.id.desc()).first().reference in page.text_only
    )


def test_a_refusal_inside_a_post_is_written_down(cast, incident):
    cast.dave.get("/")
    assert cast.dave.press("log:trigger", incident).status_code == 403
    assert (
        Event.select().where(Event.verb == "record:refused").count() == 1
        and not Log.select().exists()
    )


def test_every_form_carries_a_token():
    pages = [
        page
        for page in HERE.glob("templates/*.html")
        if page.name not in ("base.html", "trouble.html")
    ]  # signing out, and what came with a token
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert text.count('method="post"') > 10
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.S):
        assert "token() }}" in form, (
            f"put {{{{ m.token() }}}} into this form, so that it is saved once however often it "
            f"is sent: {form[:200]}"
        )


def test_forms_sent_from_pages_that_show_several_have_tokens_of_their_own(cast, incident):
    page = cast.mark.get(f"/incident/details/?id={incident.id}")
    tokens = re.findall(r'name="once" value="([^"]+)"', page.text)
    assert len(tokens) > 2 and len(set(tokens)) == len(tokens)
