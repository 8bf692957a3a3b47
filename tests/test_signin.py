"""Signing in: the first start, invitations, the second factor, and limits."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

import app as application
from models import Choice, Draft, Notice, Role, SetupLink, User, db
from models.ground.clock import at, now
from models.ground.settings import settings
from models.ground.words import pages

from .person import PASSWORD, Person, code_of, passphrase_only

HERE = Path(__file__).parent.parent


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
    with subprocess.Popen(
        command,
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = [process.stdout.readline() for _line in range(3)]
        link = re.search(r"http\S+/setup/\S+", "".join(lines)).group(0)
        for _attempt in range(100):
            try:
                page = urllib.request.urlopen(link).read().decode()
                break
            except OSError:
                time.sleep(0.1)
        process.terminate()
    assert (
        "The first two people" in page
        and (tmp_path / "var" / "secret.key").stat().st_mode & 0o777 == 0o600
    )
    (tmp_path / "var" / "secret.key").write_text("a" * 64)
    weak = subprocess.run(
        command, cwd=HERE, env=environment, capture_output=True, text=True, check=False
    )
    assert weak.returncode == 1 and "too weak" in weak.stderr
    (tmp_path / "var" / "secret.key").unlink()
    debug = subprocess.run(
        command,
        cwd=HERE,
        env=environment | {"FLASK_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert debug.returncode == 1 and "FLASK_DEBUG is set" in debug.stderr


@pytest.fixture
def empty(app, tmp_path):
    """An installation with nobody in it."""
    from .conftest import settle

    settle(tmp_path / "empty")
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
        ({"dsl_email": "ira@thornley.example"}, "Two different people"), ({"it_name": ""}, "Give the full name."), ({"it_email": "no"}, "not an email"),
    ):  # fmt: skip
        page = visitor.post(f"/setup/{token}", PAIR | wrong)
        assert page.status_code == 422 and User.select().count() == 0, wrong
        assert sentence in page.text_only or wrong == {"dsl_passphrase": "password123456"}, (
            wrong,
            page.text_only,
        )
    page = visitor.post(f"/setup/{token}", PAIR)
    assert "Both accounts are made" in page.text_only
    assert {(user.email, user.level) for user in User.select()} == {
        ("ira@thornley.example", 0),
        ("alice@thornley.example", 5),
    }
    assert visitor.get(f"/setup/{token}").status_code == 404, "used once"
    assert visitor.get(f"/setup/{SetupLink.make()}").status_code == 404, (
        "and never again where there is somebody"
    )
    visitor.get("/login")
    page = visitor.post(
        "/login", {"email": "alice@thornley.example", "password": "velvet ladder comet 4"}
    )
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
        {
            "name": "Oisín de Brún",
            "email": "oisin@thornley.example",
            "job_title": "Teacher",
            "active": "yes",
            "roles": [staff.id],
        },
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
    assert letters[-1].body.count(settings.url) == 3, (
        "from the configured address, not from a header"
    )
    new = Person(app, User.get(User.email == "oisin@thornley.example"))
    new.get(link)
    for weak in ("short", "thornleybeckschool", "passwordpassword"):
        assert new.post(link, {"password": weak, "password_confirm": weak}).request.path == link, (
            weak
        )
    page = new.post(
        link, {"password": "marble teapot orbit 9", "password_confirm": "marble teapot orbit 9"}
    )
    assert User.get_by_id(new.user.id).password
    assert Person(app, None).lands(link) != link, "spent"
    new.get("/login")
    assert (
        "Set up a second factor"
        in new.post(
            "/login", {"email": new.user.email, "password": "marble teapot orbit 9"}
        ).text_only
    )


# passphrases


def test_passphrases_are_never_kept_as_drafts(cast, school):
    cast.dave.get("/change")
    with at(now() + timedelta(minutes=30)):
        cast.dave.post(
            "/change",
            {
                "password": PASSWORD,
                "new_password": "marble teapot orbit 9",
                "new_password_confirm": "marble teapot orbit 9",
            },
        )
    assert Draft.select().count() == 0


def problems(app, passphrase, **person):
    with app.app_context():
        given = {"name": "Siân Lee Vaughan-Ŵyn", "email": "s.vaughan@thornleybeck.sch.uk"} | person
        return (
            app.extensions["security"].password_util.validate(
                passphrase, False, user=User(**given)
            )[0]
            or []
        )


def wrongs(page):
    """{field: what is wrong with it} on a page whose form was refused."""
    found = re.findall(r'id="([\w-]+)-wrong"[^>]*>(.*?)</p>', page.text, re.S)
    return {name: re.sub(r"<[^>]+>", "", text).strip() for name, text in found}


ODD = {"": "", "long": "x" * 5_000, "sign": "A\u202eB", "number": "9" * 30, "mark": "<b>&", "short": "x"}  # fmt: skip


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_each_problem_of_the_first_start_is_one_sentence(empty, odd):
    token = SetupLink.make()
    visitor = Person(empty, None)
    visitor.get(f"/setup/{token}")
    page = visitor.post(f"/setup/{token}", dict.fromkeys(PAIR, odd))
    assert page.status_code == 422 and User.select().count() == 0
    said = wrongs(page)
    assert {name for name in PAIR if name.endswith(("email", "passphrase"))} <= set(said)
    for name, sentence in said.items():
        assert re.fullmatch(r"Problem: [A-Z][^.!?]*(\.example)?\.", sentence), (name, sentence)


def test_the_first_two_have_names_and_emails_that_anybody_could_have(empty):
    token = SetupLink.make()
    visitor = Person(empty, None)
    visitor.get(f"/setup/{token}")
    for wrong, said in (
        ({"it_name": "x" * 121}, {"it_name": "Problem: Write 120 characters or fewer."}),
        (
            {"dsl_name": "Ali\u202ece"},
            {"dsl_name": "Problem: This holds a sign that is no letter: type it again."},
        ),
        ({"dsl_passphrase": ""}, {"dsl_passphrase": "Problem: Give the passphrase."}),
    ):
        assert wrongs(visitor.post(f"/setup/{token}", PAIR | wrong)) == said
    assert User.select().count() == 0


IT = [
    ("/role/new/", ["name", "level"]),
    ("/user/new/", ["name", "email", "job_title", "active"]),
    ("/template/new/", ["name", "in_force"]),
    ("/template-section/new/?template=1", ["title", "restricted"]),
    ("/question/new/?section=1", ["text", "kind", "source", "required", "from_list"]),
    ("/choice/new/", ["list", "name", "position"]),
]


@pytest.mark.parametrize("odd", [odd for odd in ODD.values() if odd not in ("x", "<b>&")])
@pytest.mark.parametrize(("path", "fields"), IT, ids=[path.split("/")[1] for path, _fields in IT])
def test_each_problem_of_a_form_of_it_is_one_sentence(cast, path, fields, odd):
    cast.ira.get(path)
    page = cast.ira.post(path, dict.fromkeys(fields, odd))
    assert page.status_code in (200, 422)
    for name, sentence in wrongs(page).items():
        assert re.fullmatch(r"Problem: [“A-Z][^.!?]*(\.example)?\.", sentence)
        assert name in fields


def test_a_number_that_is_none_is_told(cast):
    cast.ira.get("/choice/new/")
    fields = {"list": "urgency", "name": "Tomorrow"}
    for odd in ("abc", "1.5", "²", "--1", "9" * 30, str(2**31)):
        page = cast.ira.post("/choice/new/", fields | {"position": odd})
        assert wrongs(page) == {"position": "Problem: Write a whole number, for example 3."}, odd
    page = cast.ira.post("/choice/new/", fields | {"position": ""})
    assert page.status_code == 200 and Choice.get(Choice.name == "Tomorrow").position == 0
    page = cast.ira.post("/choice/new/", fields)
    assert wrongs(page) == {
        "name": "Problem: There is already one with this choice: write another."
    }


def test_a_long_passphrase_is_fine(app, school):
    assert not problems(app, "marblé teapöt örbit " * 10)


@pytest.mark.parametrize("passphrase", [
    "siân lee vaughan", "SianLeeVaughanWyn", "Vaughan-Ŵyn, Siân", "wynvaughanleesian", "nahguavnahguav", "LeeLeeLeeLeeLee", "Vaughan 1987 2024!",
    "thornley beck school", "ThornleyBeckSian", "s.vaughan@thornleybeck.sch.uk", "lee vaughan at work",
])  # fmt: skip
def test_the_name_of_the_person_or_the_school_is_no_passphrase(app, school, passphrase):
    assert "made from the name of the school or from yours" in " ".join(
        map(str, problems(app, passphrase))
    )


def test_a_name_of_two_letters_twice_is_no_passphrase(app, school):
    assert problems(app, "bo li bo li bo li", name="Bo Li", email="bl@x.example")
    assert problems(app, "山田花子山田花子山田花子", name="山田 花子", email="yh@x.example")


@pytest.mark.parametrize(
    "passphrase",
    [
        "velvet ladder comet 4",
        "marble teapot orbit 9",
        "lee shore lantern dusk",
        "thornley lantern walrus",
    ],
)
def test_words_that_do_not_belong_together_are_fine(app, school, passphrase):
    assert not problems(app, passphrase)


@pytest.mark.parametrize(
    "passphrase",
    ["correcthorsebatterystaple", "Sicherheitspasswort", "SICHERHEITSPASSWORT".title()],
)
def test_a_stolen_passphrase_is_refused_although_it_is_long(app, school, passphrase):
    assert "stolen passwords" in " ".join(map(str, problems(app, passphrase)))


def test_a_passphrase_with_accents_signs_in_and_is_known_when_asked_again(empty):
    accents = "gŵydd piano lanterne œuvre 9"
    token = SetupLink.make()
    visitor = Person(empty, None)
    visitor.get(f"/setup/{token}")
    visitor.post(f"/setup/{token}", PAIR | {"dsl_passphrase": accents})
    visitor.get("/login")
    page = visitor.post("/login", {"email": "alice@thornley.example", "password": accents})
    assert "Set up a second factor" in page.text_only
    visitor.post("/tf-setup", {"setup": "authenticator"})
    with visitor.client.session_transaction() as cookie:
        secret = cookie["tf_totp_secret"]
    code = empty.extensions["security"].totp_factory._totp.from_source(secret).generate().token
    visitor.post("/tf-validate", {"code": code})
    visitor.get("/account/prove/")
    page = visitor.post("/account/prove/", {"passphrase_again": accents, "code": "000000"})
    assert (
        "This is not your code." in page.text_only
        and "This is not your passphrase." not in page.text_only
    )


def test_nobody_stays_signed_in_whatever_is_posted(app, school):
    person = Person(app, school.dave).at_home()
    wish = dict.fromkeys(("remember", "remember_me", "tf_remember", "tf_remember_login"), "y")
    person.get("/login")
    cookies = person.post(
        "/login", wish | {"email": school.dave.email, "password": PASSWORD}, follow=False
    ).headers.getlist("Set-Cookie")
    cookies += person.post(
        "/tf-validate", wish | {"code": code_of(app, school.dave)}, follow=False
    ).headers.getlist("Set-Cookie")
    cookies += person.post("/verify", wish | {"password": PASSWORD}, follow=False).headers.getlist(
        "Set-Cookie"
    )
    assert person.lands("/") == "/" and {cookie.partition("=")[0] for cookie in cookies} == {
        "session",
        "device",
    }
    assert not [
        cookie
        for cookie in cookies
        if cookie.startswith("session") and ("Expires" in cookie or "Max-Age" in cookie)
    ]


def test_a_reset_link_lasts_an_hour_and_says_so(app, school, monkeypatch):
    visitor = Person(app, None)
    visitor.get("/reset")
    visitor.post("/reset", {"email": "DAVE@ｔhornley.example"})
    notice = Notice.get(Notice.user == school.dave)
    assert "1 hour" in notice.body and "{link}" in notice.body
    with app.app_context():
        link = f"/reset/{application.generate_reset_password_token(school.dave)}"
    assert visitor.lands(link) == link
    real = time.time
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: real() + 3_590)
    assert visitor.lands(link) == link
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: real() + 3_610)
    assert visitor.lands(link) != link
    assert "within an hour" in pages.get_template("email/invitation.txt").render(
        person=school.dave, by=school.ira
    )


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
    assert answers[0] == answers[1] and [notice.user for notice in Notice.select()] == [
        school.alice
    ]


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
    assert (
        PASSWORD not in caplog.text
        and "wrong wrong" not in caplog.text
        and "Zofia" not in caplog.text
    )
