"""Sessions: how they end, being asked again, and where redirects may lead."""

import re
import time
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest

from models import Document, Event, Log, Session, User, UserRole
from models.access.signin import hashed
from models.ground.clock import at, now

from .conftest import report
from .person import PASSWORD, Person, code_of, passphrase_only


def test_a_copied_cookie_ends_with_the_session(app, cast, school):
    copy = Person(app, school.alice)
    copy.client.set_cookie("session", cast.alice.client.get_cookie("session").value)
    assert copy.lands("/") == "/"
    cast.alice.post("/logout")
    assert copy.lands("/") == "/login"


def test_idle_for_20_minutes_and_10_hours_at_most(cast, school):
    cast.alice.get("/")
    with at(now() + timedelta(minutes=19)):
        assert cast.alice.lands("/") == "/"
    with at(now() + timedelta(minutes=40)):
        assert cast.alice.lands("/") == "/login"
    session = Session.select().where(Session.user == school.mark)
    cast.mark.get("/")
    Session.update(begun_at=now() - timedelta(hours=10, minutes=1)).where(
        Session.id == session.get().id
    ).execute()
    assert cast.mark.lands("/") == "/login"


def test_only_a_hash_of_the_token_is_kept(cast):
    cast.alice.get("/")
    with cast.alice.client.session_transaction() as cookie:
        assert Session.get().token == hashed(cookie["door"]) != cookie["door"]


def test_a_new_passphrase_ends_the_other_sessions_and_keeps_this_one(app, cast, school):
    other = Person(app, school.carol).sign_in()
    here = cast.carol
    page = here.post(
        "/change",
        {
            "password": PASSWORD,
            "new_password": "marble teapot orbit 9",
            "new_password_confirm": "marble teapot orbit 9",
        },
    )
    assert here.lands("/") == "/", page.text_only
    assert other.lands("/") == "/login"
    assert Event.last(school.carol, "user:password")


def test_deactivation_and_a_change_of_role_count_at_the_next_request(cast, school):
    assert cast.carol.get("/log/").status_code == 200
    UserRole.delete().where(UserRole.user == school.carol).execute()
    assert cast.carol.get("/log/").status_code == 403
    assert cast.dave.get("/incident/").status_code == 200
    cast.ira.get(f"/user/edit/?id={school.dave.id}")
    fields = {
        "version": User.get_by_id(school.dave.id).version,
        "name": "Dave Pritchard",
        "email": school.dave.email,
        "active": "no",
        "roles": [role.id for role in school.dave.roles],
    }
    assert cast.ira.post(f"/user/edit/?id={school.dave.id}", fields).status_code == 200
    assert cast.dave.lands("/incident/") == "/login"
    _person, page = passphrase_only(cast.ira.client.application, school.dave)
    assert "Not signed in" in page.text_only


def test_people_see_and_end_their_own_sessions(app, cast, school):
    other = Person(app, school.alice).sign_in()
    assert other.lands("/") == "/"
    page = cast.alice.get("/account/")
    assert "This browser" in page.text_only and page.text.count("End this one") == 1
    id = re.search(r'name="id" value="(\d+)"', page.text).group(1)
    cast.dave.get("/account/")
    cast.dave.post("/account/end/", {"id": id})
    assert other.lands("/") == "/", "not by somebody else"
    cast.alice.post("/account/end/", {"id": id})
    assert other.lands("/") == "/login" and cast.alice.lands("/") == "/"


def test_sign_off_asks_again_after_10_minutes_and_loses_nothing(cast, school, monkeypatch):
    log = Log.trigger(report(school), school.mark)
    cast.alice.get("/")
    with cast.alice.client.session_transaction() as cookie:
        cookie["fs_paa"] = time.time() - 700
    fields = {
        "action": "log:complete_anyway",
        "rowid": log.id,
        "reason": "Typed before the question",
        "untold": "Tomorrow.",
        "seen": log.seen,
    }
    page = cast.alice.post("/log/action/", fields)
    assert (
        "Your passphrase, please" in page.text_only
        and 'value="Typed before the question"' in page.text
        and Log.get().status == "open"
    )
    page = cast.alice.post("/log/action/", fields | {"passphrase_again": "wrong"})
    assert (
        page.status_code == 403
        and "This is not your passphrase." in page.text_only
        and Log.get().status == "open"
    )
    page = cast.alice.post("/log/action/", fields | {"passphrase_again": PASSWORD})
    assert (
        page.status_code == 200
        and Log.get().status == "completed"
        and Document.select().count() == 1
    )


def test_exports_and_changes_of_access_ask_again(cast, school):
    cast.mark.get("/")
    cast.ira.get("/")
    for person in (cast.mark, cast.ira):
        with person.client.session_transaction() as cookie:
            cookie["fs_paa"] = time.time() - 700
    page = cast.mark.get("/log/export/csv/", follow_redirects=True)
    assert page.request.path == "/verify"
    page = cast.mark.post("/verify?next=/log/export/csv/", {"password": PASSWORD})
    assert page.mimetype == "text/csv"
    fields = {
        "name": "Dave P",
        "email": school.dave.email,
        "active": "yes",
        "version": 1,
        "roles": [],
    }
    for path, data in (
        (f"/user/edit/?id={school.dave.id}", fields),
        ("/role/new/", {"name": "X", "level": 1}),
        ("/user/action/", {"action": "user:reset_factor", "rowid": school.dave.id}),
    ):
        assert "Your passphrase, please" in cast.ira.post(path, data).text_only, path
    assert User.get_by_id(school.dave.id).name == "Dave Pritchard"


def stays(location):
    """Whether a browser that follows `location` stays on this host."""
    return (
        not urlsplit(location).netloc
        and not urlsplit(location).scheme
        and not re.match(r"[\s\\/]{2}|\\", location)
    )


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "https:evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "\\\\evil.example",
        "/%09/evil.example",
    ],
)
def test_no_redirect_leads_elsewhere(app, school, target):
    person, named = (
        Person(app, school.alice),
        dict.fromkeys(("next", "url", "return_to", "came_from", "path"), target),
    )
    person.get("/login", query_string=named)
    sent = {"email": school.alice.email, "password": PASSWORD}

    def follow(path, data):
        page = person.post(path, data | named, follow=False, query_string=named)
        assert stays(page.headers.get("Location", "/")), (path, page.headers["Location"])
        return page

    follow("/login", sent)
    person.post("/login", sent)
    assert follow("/tf-validate", {"code": code_of(app, school.alice)}).status_code == 302
    assert person.lands("/") == "/", "signed in, all the same"
    follow("/verify", {"password": PASSWORD})
    User.update(tf_last_counter=None).where(User.id == school.alice.id).execute()
    proof = {"passphrase_again": PASSWORD, "code": code_of(app, User.get_by_id(school.alice.id))}
    assert follow("/account/prove/", proof).headers["Location"] == "/account/"
    follow("/account/draft/", {"draft_path": target, "what_happened": "x"})
    links = re.findall(r'(?:href|action)="([^"]*)"', person.get("/account/").text)
    assert len(links) > 9 and all(stays(unescape(link)) for link in links)
    for path in (
        "/incident/details/",
        "/incident/edit/",
        "/log/details/",
        "/incident/new/",
        "/account/unsent/",
        "/tf-setup",
        "/change",
    ):
        answer = person.client.get(path, query_string=named | {"id": "1"})
        assert stays(answer.headers.get("Location", "/")), answer.headers["Location"]
    follow("/logout", {})
