"""What is typed is not lost: when the session runs out, is ended in another tab, a page is too old,
or we make a mistake; and drafts.
"""

from datetime import timedelta
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

from models import Addendum, Draft, Emergency, Incident
from models.ground.clock import at, now

from .person import PASSWORD
from .test_bad_days import typed
from .test_two_savers import sent_by

PLACE = "/incident/new/?draft=mine"  # each new form has a place of its own


def left(user):
    """Where the draft of `user` opens again."""
    return Draft.get(Draft.user == user).path


def test_what_is_typed_when_the_session_has_run_out_is_back_after_signing_in(cast, school, answers):
    cast.dave.get("/incident/new/")
    with at(now() + timedelta(minutes=30)):
        page = cast.dave.post(
            "/incident/new/", answers | {"what_happened": "A long text, typed while the bell rang."}
        )
        assert "What you typed is kept" in page.text_only and Incident.select().count() == 0
        place = left(school.dave)
        page = cast.dave.sign_in().get(place)
        assert (
            "A long text, typed while the bell rang." in page.text
            and "is below. It is not saved yet." in page.text_only
        )
        assert cast.dave.post(place, answers).status_code == 200
        assert Draft.select().count() == 0 and Incident.select().count() == 1
    cast.dina.get("/incident/new/")


def test_a_reason_typed_when_the_session_has_run_out_can_still_be_sent(cast, school, incident):
    fields = {
        "action": "incident:amend",
        "rowid": incident.id,
        "text": "What her aunt said, typed while the bell rang.",
    }
    cast.dave.get(f"/incident/details/?id={incident.id}")
    with at(now() + timedelta(minutes=30)):
        page = cast.dave.post("/incident/action/", fields)
        assert "What you typed is kept" in page.text_only
        path = parse_qs(urlsplit(page.request.url).query)["next"][0]
        cast.dave.sign_in()
        page = cast.dave.get(path)
        assert (
            "Not sent yet" in page.text_only
            and "typed while the bell rang." in page.text
            and "Nothing was done yet." in page.text_only
        )
        assert cast.dina.get(path).status_code == 404, "it is his alone"
        cast.dave.post("/incident/action/", fields | {"text": "Another, sent first."})
        assert cast.dave.get(path).status_code == 404, "sent"
        assert [row.text for row in Addendum.select()] == [
            "Another, sent first."
        ] and Draft.select().count() == 0


def test_a_kept_reason_outlasts_other_buttons_and_comes_back_when_it_is_too_late(
    cast, school, incident
):
    fields = {
        "action": "incident:not_notifiable",
        "rowid": incident.id,
        "reason": "Typed before the bell.",
    }
    cast.mark.get("/")
    with at(now() + timedelta(minutes=30)):
        page = cast.mark.post("/incident/action/", fields)
        path = parse_qs(urlsplit(page.request.url).query)["next"][0]
        cast.mark.sign_in()
        page = cast.mark.press("log:trigger", incident)
        assert page.status_code == 200 and "Typed before the bell." in cast.mark.get(path).text
        page = cast.mark.post("/incident/action/", fields)
        assert page.status_code == 409 and Incident.get().status == "triggered"


def test_a_bare_button_pressed_when_the_session_has_run_out_does_nothing(cast, school, incident):
    cast.mark.get("/")
    with at(now() + timedelta(minutes=30)):
        send = {"action": "incident:acknowledge", "rowid": incident.id}
        page = cast.mark.post("/incident/action/", send)
        assert "Nothing was done." in page.text_only and not Draft.select().exists()
        assert parse_qs(urlsplit(page.request.url).query)["next"] == [
            f"/incident/details/?id={incident.id}"
        ]
        page = cast.mark.sign_in().post("/account/end/", {"id": "others"})
        assert page.request.path == "/account/"
    with at(now() + timedelta(minutes=90)):
        page = cast.mark.post("/account/end/", {"id": "others"})
        assert (
            parse_qs(urlsplit(page.request.url).query)["next"] == ["/account/"]
            and Incident.get().status == "to decide"
        )


def test_what_the_page_sends_by_itself_does_not_cost_what_is_saved_next(cast, school, answers):
    cast.dave.get("/incident/new/")
    with at(now() + timedelta(minutes=30)):
        assert (
            cast.dave.post(
                "/account/draft/", {"draft_path": "/incident/new/", "what_happened": "Half"}
            ).status_code
            == 401
        )
        page = cast.dave.post(
            "/incident/new/", answers | {"what_happened": "A long text, typed on."}
        )
        assert (
            "What you typed is kept" in page.text_only
            and "typed on." in cast.dave.sign_in().get(left(school.dave)).text
        )


def test_signed_out_in_another_tab_the_text_stays_in_this_one(cast, school, answers):
    cast.dave.get("/incident/new/")
    with at(now() + timedelta(minutes=30)):
        assert cast.dave.lands("/") == "/login", "the other tab"
        page = cast.dave.post(
            "/incident/new/",
            answers | {"what_happened": "A long text, typed on.", "others-rows": "3"},
        )
        assert (
            page.status_code == 401
            and "typed on." in page.text
            and "Nothing was saved yet" in page.text_only
        )
        assert "4 March 2026, 09:15" in page.text_only, (
            "a date as people read it, and as it was typed"
        )
        assert "Others rows" not in page.text_only and 'name="others-rows"' in page.text, (
            "how many rows a table had is nothing that she typed"
        )
        cast.dave.sign_in()
        page = cast.dave.post("/incident/new/", typed(page))
        assert (
            page.request.path == "/incident/details/"
            and Incident.get().what_happened == "A long text, typed on."
        )


def test_a_page_without_its_token_gives_the_text_back_and_no_button(cast, school, answers):
    page = cast.dave.post(
        "/incident/new/",
        answers | {"what_happened": "A long text, typed on.", "csrf_token": "of another session"},
    )
    assert (
        page.status_code == 400
        and "typed on." in page.text
        and "Try again</button>" not in page.text
        and not Incident.select().exists()
    )


def test_a_mistake_of_ours_gives_the_text_back(cast, school, answers, monkeypatch, caplog):
    report = Incident.report

    def broken(*args, **kwargs):
        raise ZeroDivisionError("A mistake")

    monkeypatch.setattr(Incident, "report", broken)
    sent = answers | {
        "what_happened": "A long text, typed on.",
        "files": (BytesIO(b"A note."), "note.txt"),
    }
    page = cast.dave.post("/incident/new/", sent)
    assert (
        page.status_code == 500
        and "typed on." in page.text
        and "choose them again" in page.text_only
        and "note.txt" in page.text
    )
    monkeypatch.setattr(Incident, "report", report)
    assert cast.dave.post("/incident/new/", typed(page)).request.path == "/incident/details/"


def test_the_reason_for_emergency_access_is_kept_too(cast, school):
    cast.connor.get("/")
    with at(now() + timedelta(minutes=30)):
        page = cast.connor.post(
            "/account/emergency/", {"reason": "A child is missing.", "passphrase_again": PASSWORD}
        )
        path = parse_qs(urlsplit(page.request.url).query)["next"][0]
        assert PASSWORD not in str(Draft.get().fields)
        page = cast.connor.sign_in().get(path)
        assert "A child is missing." in page.text and not Emergency.select().exists()
        page = cast.connor.post("/account/emergency/", {"reason": "A child is missing."})
        assert (
            "Emergency access is open for 24 hours." in page.text_only
            and not Draft.select().exists()
        )


def test_part_of_a_name_in_a_draft_is_not_taken_for_the_name(cast, school, answers):
    cast.dave.get("/incident/new/")
    typed = answers | {
        "child": "zof",
        "others-rows": "1",
        "others-0-name": "kam",
        "others-0-part": "Witness",
        "draft": "1",
    }
    page = cast.dave.post("/incident/new/", typed)
    assert 'value="zof"' in page.text and 'value="kam"' in page.text
    page = cast.dave.post("/incident/new/", answers | {"child": "zof"})
    assert (
        page.status_code == 422
        and "part of one name only" in page.text_only
        and f'value="{school.child.label}"' in page.text
    )


def test_who_was_unticked_in_a_draft_stays_unticked(cast, school, log):
    log.assign([school.connor], school.mark)
    path = f"/log/edit/?id={log.id}"
    fields = sent_by(cast.alice.get(path))
    del fields["assigned"]
    page = cast.alice.post(path, fields | {"draft": "1"})
    assert page.status_code == 200 and "assigned" not in sent_by(page)


def test_what_was_typed_into_a_section_signed_off_meanwhile_is_shown_to_copy(cast, school, ready):
    section = next(
        section
        for section in ready.sections()
        if any(q["kind"] == "long text" for q in section.questions)
    )
    name = next(f"q{q['id']}" for q in section.questions if q["kind"] == "long text")
    path = f"/section/edit/?id={section.id}"
    cast.carol.get(path)
    with at(now() + timedelta(minutes=30)):
        cast.carol.post(path, {"version": section.version, name: "Typed too late."})
        ready.complete(by=school.mark)
        page = cast.carol.sign_in().get(path)
        assert "What you typed" in page.text_only and "Typed too late." in page.text_only


def test_a_draft_takes_whatever_is_typed(cast):
    cast.dave.get("/incident/new/")
    long = "Half a sentence\0" + " and more" * 300_000
    page = cast.dave.post("/incident/new/", {"what_happened": long, "draft": "1"})
    assert page.status_code == 200 and long.replace("\0", "") in page.text


def test_a_draft_is_the_writers_alone_and_kept_without_scripts(cast, school, answers):
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", {"what_happened": "Half a sentence", "draft": "1"})
    assert "Half a sentence" in page.text and Incident.select().count() == 0
    assert "Half a sentence" not in cast.dina.get("/incident/new/").text
    cast.dave.get("/")
    kept = cast.dave.post(
        "/account/draft/", {"draft_path": PLACE, "what_happened": "A whole sentence"}
    )
    assert kept.json == {"kept": True} and "A whole sentence" in cast.dave.get(PLACE).text
