"""Signing in: the first start, invitations, the second factor, limits, sessions, and being asked again."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import app as application
from models import Attempt, Document, Draft, Event, Incident, Log, Notice, Role, Session, SetupLink, User, UserRole, db
from models.base import at, now
from models.settings import settings
from models.signin import hashed

from .conftest import PASSWORD, Person, code_of, report

HERE = Path(__file__).parent.parent


def passphrase_only(cast_app, user, password=PASSWORD):
    person = Person(cast_app, user)
    person.get("/login")
    return person, person.post("/login", {"email": user.email, "password": password})


# the first start


def test_the_first_start_prints_one_link_and_makes_a_key_for_its_owner_only(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PORT": str(port),
        "SAFEGUARDING_DATA": str(tmp_path / "var"),
        "PYTHONUNBUFFERED": "1",
        "FLASK_APP": "app",
        "SAFEGUARDING_URL": f"http://127.0.0.1:{port}",
        "SAFEGUARDING_LOCAL": "yes",
    }
    command = [sys.executable, "-m", "flask", "serve"]
    with subprocess.Popen(command, cwd=HERE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = [process.stdout.readline() for _line in range(3)]
        link = re.search(r"http\S+/setup/\S+", "".join(lines)).group(0)
        for _attempt in range(100):
            try:
                page = urllib.request.urlopen(link).read().decode()
                break
            except OSError:
                time.sleep(0.1)
        process.terminate()
    assert "The first two people" in page and (tmp_path / "var" / "secret.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "var" / "secret.key").write_text("a" * 64)
    weak = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    assert weak.returncode == 1 and "too weak" in weak.stderr
    (tmp_path / "var" / "secret.key").unlink()
    debug = subprocess.run(command, cwd=HERE, env=environment | {"FLASK_DEBUG": "1"}, capture_output=True, text=True, check=False)
    assert debug.returncode == 1 and "FLASK_DEBUG is set" in debug.stderr


@pytest.fixture
def empty(app, tmp_path, fonts):
    """An installation with nobody in it."""
    from .conftest import settle

    settle(tmp_path / "empty", fonts)
    application.prepare()
    db.connect()
    yield app
    db.close()


PAIR = {
    "it_name": "Ira Lindqvist", "it_email": "Ira@Thornley.example", "it_passphrase": "marble teapot orbit 9", "dsl_name": "Alice Brennan",
    "dsl_email": "alice@thornley.example", "dsl_passphrase": "velvet ladder comet 4",
}  # fmt: skip


def test_the_link_makes_the_first_two_people_once(empty):
    token = SetupLink.make()
    visitor = Person(empty, None)
    assert visitor.get("/setup/wrong").status_code == 404
    visitor.get(f"/setup/{token}")
    for wrong, sentence in (
        ({"it_passphrase": "short"}, "at least 12"), ({"dsl_passphrase": "password123456"}, "ommon"), ({"it_passphrase": "ThornleyBeckSchool1"}, "name of the school"),
        ({"dsl_email": "ira@thornley.example"}, "Two different people"), ({"it_name": ""}, "This is needed."), ({"it_email": "no"}, "not an email"),
    ):  # fmt: skip
        page = visitor.post(f"/setup/{token}", PAIR | wrong)
        assert page.status_code == 422 and User.select().count() == 0, wrong
        assert sentence in page.text_only or wrong == {"dsl_passphrase": "password123456"}, (wrong, page.text_only)
    page = visitor.post(f"/setup/{token}", PAIR)
    assert "Both accounts are made" in page.text_only
    assert {(user.email, user.level) for user in User.select()} == {("ira@thornley.example", 0), ("alice@thornley.example", 5)}
    assert visitor.get(f"/setup/{token}").status_code == 404, "used once"
    assert visitor.get(f"/setup/{SetupLink.make()}").status_code == 404, "and never again where there is somebody"
    visitor.get("/login")
    page = visitor.post("/login", {"email": "alice@thornley.example", "password": "velvet ladder comet 4"})
    assert "Set up a second factor" in page.text_only, "before anything else opens"
    assert visitor.lands("/incident/") == "/login"


def test_the_link_lasts_24_hours(empty):
    token = SetupLink.make()
    with at(now() + timedelta(hours=25)):
        assert Person(empty, None).get(f"/setup/{token}").status_code == 404


def test_no_demonstration_account_works_outside_the_demonstration(app, school):
    from models import demo

    for email, *_rest in demo.PEOPLE:
        visitor = Person(app, None)
        visitor.get("/login")
        visitor.post("/login", {"email": email, "password": demo.PASSWORD})
        assert visitor.lands("/") == "/login"
    assert demo.PASSWORD not in visitor.get("/login").text


def test_it_invites_by_a_link_that_works_once_and_is_stored_nowhere(app, cast, school):
    cast.ira.get("/user/new/")
    staff = Role.get(Role.name == "Staff")
    page = cast.ira.post(
        "/user/new/",
        {"name": "Oisín de Brún", "email": "oisin@thornley.example", "job_title": "Teacher", "active": "yes", "roles": [staff.id]},
    )
    assert "An email with a link" in page.text_only
    notice = Notice.select().order_by(Notice.id.desc()).get()
    assert "{link}" in notice.body and "/reset/" not in notice.body
    letters = []
    with app.app_context():
        app.extensions["mailman"].backend, before = "locmem", app.extensions["mailman"].backend
        Notice.deliver(application.send)
        letters = app.extensions["mailman"].outbox
        app.extensions["mailman"].backend = before
    link = re.search(r"/reset/\S+", letters[-1].body).group(0)
    assert letters[-1].body.count(settings.url) == 2, "from the configured address, not from a header"
    new = Person(app, User.get(User.email == "oisin@thornley.example"))
    new.get(link)
    for weak in ("short", "thornleybeckschool", "passwordpassword"):
        assert new.post(link, {"password": weak, "password_confirm": weak}).request.path == link, weak
    page = new.post(link, {"password": "marble teapot orbit 9", "password_confirm": "marble teapot orbit 9"})
    assert User.get_by_id(new.user.id).password
    assert Person(app, None).lands(link) != link, "spent"
    new.get("/login")
    assert "Set up a second factor" in new.post("/login", {"email": new.user.email, "password": "marble teapot orbit 9"}).text_only


# second factor


def test_a_passphrase_alone_opens_nothing(app, school):
    person, page = passphrase_only(app, school.alice)
    assert "Your code" in page.text_only
    for path in ("/", "/incident/", "/log/", "/account/"):
        assert person.lands(path) == "/login"


def test_a_code_works_once(app, school):
    person, _page = passphrase_only(app, school.alice)
    code = code_of(app, school.alice)
    person.post("/tf-validate", {"code": code})
    assert person.lands("/") == "/"
    thief, _page = passphrase_only(app, school.alice)
    thief.post("/tf-validate", {"code": code})
    assert thief.lands("/") == "/login"


def test_setting_up_the_factor_before_anything_opens(app, school):
    user = User.get_by_id(school.dave.id)
    user.forget_factor()
    user.save()
    person, page = passphrase_only(app, user)
    assert "Set up a second factor" in page.text_only
    page = person.post("/tf-setup", {"setup": "authenticator"})
    key = re.search(r'class="key">([^<]+)<', page.text).group(1).replace("-", "").replace(" ", "")
    from passlib.totp import TOTP

    person.post("/tf-validate", {"code": TOTP(key=key, format="base32").generate().token})
    assert person.lands("/") == "/" and User.get_by_id(user.id).tf_primary_method == "authenticator"
    assert key not in (User.get_by_id(user.id).tf_totp_secret or ""), "stored encrypted"


def test_recovery_codes_work_once_and_are_stored_encrypted(app, cast, school):
    page = cast.carol.post("/mf-recovery-codes", {"generate_new_codes": "yes"})
    codes = re.findall(r"<code>([\w-]{10,})</code>", page.text)
    assert len(codes) == 8 and codes[0] not in "".join(User.get_by_id(school.carol.id).mf_recovery_codes)
    for attempt, opens in (("first", "/"), ("again", "/login")):
        person, _page = passphrase_only(app, school.carol)
        person.post("/mf-recovery", {"code": codes[0]})
        assert person.lands("/") == opens, attempt


def test_there_is_no_way_round_by_email(app):
    assert app.config["SECURITY_TWO_FACTOR_RESCUE_EMAIL"] is False and app.config["SECURITY_TWO_FACTOR_ENABLED_METHODS"] == [
        "authenticator"
    ]


# limits


def test_five_wrong_passphrases_slow_that_address_and_not_the_owner_elsewhere(app, school):
    for _attempt in range(5):
        _person, page = passphrase_only(app, school.alice, "wrong wrong wrong")
    _person, page = passphrase_only(app, school.alice)
    assert "Not signed in" in page.text_only, "even the right one has to wait"
    owner = Person(app, school.alice)
    owner.client.environ_base["REMOTE_ADDR"] = "10.9.8.7"
    assert owner.sign_in().lands("/") == "/"
    with at(now() + timedelta(minutes=16)):
        _person, page = passphrase_only(app, school.alice)
        assert "Your code" in page.text_only, "not locked out for good"


def test_codes_are_limited_as_well(app, school):
    person, _page = passphrase_only(app, school.alice)
    for _attempt in range(6):
        page = person.post("/tf-validate", {"code": "000000"})
    assert "Too many attempts" in page.text_only
    page = person.post("/tf-validate", {"code": code_of(app, school.alice)})
    assert person.lands("/") == "/login" and Attempt.select().count() >= 5


def test_a_right_passphrase_does_not_wipe_out_wrong_codes(app, school):
    for _round in range(3):
        person, _page = passphrase_only(app, school.alice)
        for _attempt in range(2):
            page = person.post("/tf-validate", {"code": "000000"})
    _person, page = passphrase_only(app, school.alice)
    assert "Not signed in" in page.text_only


def test_passphrases_are_never_kept_as_drafts(cast, school):
    cast.dave.get("/change")
    with at(now() + timedelta(minutes=30)):
        cast.dave.post(
            "/change", {"password": PASSWORD, "new_password": "marble teapot orbit 9", "new_password_confirm": "marble teapot orbit 9"}
        )
    assert Draft.select().count() == 0


def test_asking_for_reset_links_is_limited(app, school):
    visitor = Person(app, None)
    for _attempt in range(8):
        visitor.get("/reset")
        visitor.post("/reset", {"email": school.dave.email})
    assert Notice.select().where(Notice.user == school.dave).count() == 5


def test_a_long_passphrase_is_fine(app, school):
    with app.app_context():
        check = app.extensions["security"]._password_util.validate
        problems, _normal = check("marblé teapöt örbit " * 10, False, user=User(name="Ola", email="ola@example.org"))
    assert not problems


def test_one_address_trying_many_accounts_is_slowed(app, school):
    for number in range(40):
        Attempt.fail(f"somebody{number}@example.org", "127.0.0.1")
    _person, page = passphrase_only(app, school.dave)
    assert "Not signed in" in page.text_only


def test_the_answer_is_the_same_whether_or_not_an_account_exists(app, school):
    answers = []
    for email in ("alice@thornley.example", "nobody@thornley.example"):
        visitor = Person(app, None)
        visitor.get("/login")
        page = visitor.post("/login", {"email": email, "password": "wrong wrong wrong"})
        reset_page = visitor.get("/reset")
        reset_answer = visitor.post("/reset", {"email": email})
        assert "Instructions" in reset_answer.text_only
        answers.append(
            [
                page.status_code,
                page.text_only.replace(email, ""),
                reset_page.status_code,
                reset_answer.status_code,
                reset_answer.text_only.replace(email, ""),
            ]
        )
    assert answers[0] == answers[1] and [notice.user for notice in Notice.select()] == [school.alice]


# sessions


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
    Session.update(begun_at=now() - timedelta(hours=10, minutes=1)).where(Session.id == session.get().id).execute()
    assert cast.mark.lands("/") == "/login"


def test_only_a_hash_of_the_token_is_kept(cast):
    cast.alice.get("/")
    with cast.alice.client.session_transaction() as cookie:
        assert Session.get().token == hashed(cookie["door"]) != cookie["door"]


def test_a_new_passphrase_ends_the_other_sessions_and_keeps_this_one(app, cast, school):
    other = Person(app, school.carol).sign_in()
    here = cast.carol
    page = here.post(
        "/change", {"password": PASSWORD, "new_password": "marble teapot orbit 9", "new_password_confirm": "marble teapot orbit 9"}
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


def test_what_is_typed_when_the_session_has_run_out_is_back_after_signing_in(cast, school, answers):
    cast.dave.get("/incident/new/")
    with at(now() + timedelta(minutes=30)):
        page = cast.dave.post("/incident/new/", answers | {"what_happened": "A long text, typed while the bell rang."})
        assert "What you typed is kept" in page.text_only and Incident.select().count() == 0
        page = cast.dave.sign_in().get("/incident/new/")
        assert "A long text, typed while the bell rang." in page.text and "is back in the form" in page.text_only
        assert cast.dave.post("/incident/new/", answers).status_code == 200
        assert Draft.select().count() == 0 and Incident.select().count() == 1
    cast.dina.get("/incident/new/")


def test_a_draft_is_the_writers_alone_and_kept_without_scripts(cast, school, answers):
    cast.dave.get("/incident/new/")
    page = cast.dave.post("/incident/new/", {"what_happened": "Half a sentence", "draft": "1"})
    assert "Half a sentence" in page.text and Incident.select().count() == 0
    assert "Half a sentence" not in cast.dina.get("/incident/new/").text
    cast.dave.get("/")
    kept = cast.dave.post("/account/draft/", {"draft_path": "/incident/new/", "what_happened": "A whole sentence"})
    assert kept.json == {"kept": True} and "A whole sentence" in cast.dave.get("/incident/new/").text


def test_sign_off_asks_again_after_10_minutes_and_loses_nothing(cast, school, monkeypatch):
    log = Log.trigger(report(school), school.mark)
    cast.alice.get("/")
    with cast.alice.client.session_transaction() as cookie:
        cookie["fs_paa"] = time.time() - 700
    fields = {"action": "log:complete_anyway", "rowid": log.id, "reason": "Typed before the question"}
    page = cast.alice.post("/log/action/", fields)
    assert "Your passphrase, please" in page.text_only and 'value="Typed before the question"' in page.text and Log.get().status == "open"
    page = cast.alice.post("/log/action/", fields | {"passphrase_again": "wrong"})
    assert page.status_code == 403 and "This is not your passphrase." in page.text_only and Log.get().status == "open"
    page = cast.alice.post("/log/action/", fields | {"passphrase_again": PASSWORD})
    assert page.status_code == 200 and Log.get().status == "completed" and Document.select().count() == 1


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
    fields = {"name": "Dave P", "email": school.dave.email, "active": "yes", "version": 1, "roles": []}
    for path, data in (
        (f"/user/edit/?id={school.dave.id}", fields),
        ("/role/new/", {"name": "X", "level": 1}),
        ("/user/action/", {"action": "user:reset_factor", "rowid": school.dave.id}),
    ):
        assert "Your passphrase, please" in cast.ira.post(path, data).text_only, path
    assert User.get_by_id(school.dave.id).name == "Dave Pritchard"


# redirects


def stays(location):
    """Whether a browser that follows `location` stays on this host."""
    return not urlsplit(location).netloc and not urlsplit(location).scheme and not re.match(r"[\s\\/]{2}|\\", location)


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
    person = Person(app, school.alice)
    person.get("/login", query_string={"next": target})
    page = person.client.post(
        "/login", query_string={"next": target}, data={"csrf_token": person.token, "email": school.alice.email, "password": PASSWORD}
    )
    assert stays(page.headers.get("Location", "/")), page.headers["Location"]
    page = person.client.post(
        "/tf-validate", query_string={"next": target}, data={"csrf_token": person.token, "code": code_of(app, school.alice)}
    )
    assert stays(page.headers.get("Location", "/")), page.headers["Location"]
    for path in ("/incident/details/", "/incident/edit/", "/log/details/", "/incident/new/"):
        answer = person.client.get(path, query_string={"id": "1", "url": target})
        assert stays(answer.headers.get("Location", "/")), answer.headers["Location"]


def test_behind_tls_the_cookie_is_bound_to_this_host_and_https(school):
    settings.load(LOCAL="no", DATA=school.folder)
    strict = application.create_app(SECRET_KEY="only in tests")
    answer = strict.test_client().get("/login", base_url="https://127.0.0.1")
    cookie = answer.headers["Set-Cookie"]
    assert (
        cookie.startswith("__Host-session=")
        and all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
        and "Domain" not in cookie
    )
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_foreign_host_header_is_refused(app, school):
    assert app.test_client().get("/login", headers={"Host": "evil.example"}).status_code == 400


def test_no_secret_is_logged(app, school, caplog):
    with caplog.at_level("DEBUG"):
        Person(app, school.alice).sign_in()
        passphrase_only(app, school.alice, "wrong wrong wrong")
    assert PASSWORD not in caplog.text and "wrong wrong" not in caplog.text and "Zofia" not in caplog.text
