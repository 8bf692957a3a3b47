"""A session that somebody ends elsewhere: what is typed is kept and why is told. And how much is
kept.
"""

import re
from datetime import timedelta

import pytest

from models import Draft, Incident, Proposal, Role
from models.access import draft
from models.access.accounts import edit_person
from models.ground.clock import at, now

from .person import PASSWORD, Person

# a session that somebody ends elsewhere


def end_by_role(cast, school):
    edit_person(school.dave, school.ira, [Role.get(Role.name == "Governor")])


def end_by_approval(cast, school):
    Proposal.make(school.ira, "grant", user=school.dave, role=Role.get(Role.name == "Manager"))
    Proposal.get().approve(by=school.bob)


def end_others(cast, school):
    other = Person(cast.dave.app, school.dave).sign_in()
    other.get("/account/")
    other.post("/account/end/", {"id": "others"})


def end_this_one(cast, school):
    other = Person(cast.dave.app, school.dave).sign_in()
    id = re.search(r'name="id" value="(\d+)"', other.get("/account/").text).group(1)
    other.post("/account/end/", {"id": id})


def change_passphrase(cast, school):
    other = Person(cast.dave.app, school.dave).sign_in()
    other.get("/change")
    new = "marble teapot orbit 9"
    other.post("/change", {"password": PASSWORD, "new_password": new, "new_password_confirm": new})


ENDINGS = {
    end_by_role: "your roles or your account were changed",
    end_by_approval: "your roles or your account were changed",
    end_others: "this session was ended in another browser",
    end_this_one: "this session was ended in another browser",
    change_passphrase: "your passphrase was changed",
}


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
def test_what_is_typed_is_kept_and_why_is_told_when_a_session_is_ended_elsewhere(
    cast, school, answers, ending
):
    cast.dave.get("/incident/new/")
    copy = Person(cast.dave.app, school.dave)
    copy.client.set_cookie("session", cast.dave.client.get_cookie("session").value)
    copy.token = cast.dave.token
    ending(cast, school)
    page = cast.dave.post("/incident/new/", answers | {"what_happened": "A long text, typed on."})
    assert (
        page.request.path == "/login"
        and f"You were signed out because {ENDINGS[ending]}." in page.text_only
    )
    assert "What you typed is kept" in page.text_only and Incident.select().count() == 0
    draft = Draft.get()
    assert draft.user == school.dave and "A long text, typed on." in str(draft.fields)
    page = copy.post(
        "/incident/new/",
        answers | {"what_happened": "What a thief with a copy of the cookie sends."},
    )
    assert page.status_code == 401 and "What a thief" in page.text, (
        "it goes back to whoever sent it"
    )
    assert "thief" not in str(Draft.get().fields)


def test_a_copy_of_a_cookie_writes_no_draft_after_sign_out(cast, school, answers):
    cast.dave.get("/incident/new/")
    copy = Person(cast.dave.app, school.dave)
    copy.client.set_cookie("session", cast.dave.client.get_cookie("session").value)
    copy.token = cast.dave.token
    cast.dave.post("/logout")
    assert copy.post("/incident/new/", answers | {"what_happened": "A thief’s."}).status_code == 401
    assert copy.lands("/") == "/login" and not Draft.select().exists()


def test_nothing_is_kept_of_somebody_who_may_not_sign_in_any_more(cast, school, answers):
    cast.dave.get("/incident/new/")
    edit_person(school.dave, school.ira, list(school.dave.roles), active=False)
    page = cast.dave.post("/incident/new/", answers | {"what_happened": "A long text, typed on."})
    assert page.status_code == 401 and "typed on." in page.text and not Draft.select().exists()


def test_why_is_told_to_somebody_who_only_reads_and_once(cast, school):
    cast.dave.get("/")
    end_by_role(cast, school)
    page = cast.dave.get("/incident/", follow_redirects=True)
    assert (
        "You were signed out because your roles" in page.text_only
        and "Nothing was done" not in page.text_only
    )
    assert "signed out" not in cast.dave.get("/login").text_only


def test_what_the_page_keeps_by_itself_is_told_that_the_session_ended(cast, school, answers):
    cast.dave.get("/incident/new/")
    end_by_role(cast, school)
    sent = {"draft_path": "/incident/new/", "what_happened": "Half"}
    assert (
        cast.dave.post("/account/draft/", sent).status_code == 401 and not Draft.select().exists()
    )
    page = cast.dave.post("/incident/new/", answers | {"what_happened": "The whole."})
    assert "What you typed is kept" in page.text_only and "The whole." in str(Draft.get().fields)


# disks are not endless


def autosave(person, path, text):
    return person.post("/account/draft/", {"draft_path": path, "what_happened": text})


@pytest.mark.both
def test_drafts_have_a_limit_in_length_number_and_in_all(cast, school, monkeypatch):
    monkeypatch.setattr(draft, "LONGEST", 1_000)
    monkeypatch.setattr(draft, "ALL", 2_500)
    monkeypatch.setattr(draft, "MOST", 4)
    cast.dave.get("/incident/new/")
    assert autosave(cast.dave, "/incident/new/", "kept").status_code == 200
    answer = autosave(cast.dave, "/incident/new/", "x" * 1_000)
    assert answer.status_code == 413 and "too long to be kept" in answer.json["why"]
    assert "kept" in str(Draft.get().fields), "what was kept before is left"
    for number in range(2):
        assert autosave(cast.dave, f"/incident/edit/?id={number}", "x" * 900).status_code == 200
    assert autosave(cast.dave, "/incident/edit/?id=9", "x" * 900).status_code == 413, "in all"
    assert autosave(cast.dave, "/incident/edit/?id=1", "y" * 900).status_code == 200, (
        "instead of itself"
    )
    assert autosave(cast.dave, "/incident/edit/?id=9", "x").status_code == 200
    answer = autosave(cast.dave, "/incident/edit/?id=10", "x")
    assert answer.status_code == 413 and "You have 4 drafts." in answer.json["why"]
    cast.dina.get("/")
    assert autosave(cast.dina, "/incident/new/", "x" * 900).status_code == 200, (
        "hers are counted by themselves"
    )
    page = cast.dave.get("/account/")
    assert page.text.count(">Throw away<") == 4
    cast.dave.post("/account/forget/", {"path": "/incident/edit/?id=0"})
    cast.dina.post("/account/forget/", {"path": "/incident/edit/?id=1"})
    assert Draft.select().where(Draft.user == school.dave).count() == 3, (
        "and each throws away their own"
    )
    assert autosave(cast.dave, "/incident/edit/?id=10", "x").status_code == 200


def test_a_draft_that_is_not_kept_is_given_back(cast, school, answers, monkeypatch):
    monkeypatch.setattr(draft, "LONGEST", 500)
    cast.dave.get("/incident/new/")
    sent = answers | {"what_happened": "A long text. " * 100}
    page = cast.dave.post("/incident/new/", sent | {"draft": "1"})
    assert (
        page.status_code == 413
        and "A long text." in page.text
        and "This draft is not kept" in page.text_only
    )
    with at(now() + timedelta(minutes=30)):
        page = cast.dave.post("/incident/new/", sent)
        assert (
            page.status_code == 401 and "A long text." in page.text and not Draft.select().exists()
        )


def test_the_address_of_a_draft_is_not_as_long_as_what_was_sent(cast, answers):
    cast.dave.get("/incident/new/")
    sent = answers | {"draft": "1", "action": "x" * 100_000, "rowid": "9" * 100_000}
    page = cast.dave.post("/incident/new/", sent, follow=False)
    assert page.status_code == 302 and len(page.headers["Location"]) < 300
