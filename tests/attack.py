"""Black-box attacks on a served installation: `make attack` prints what was tried and what came of
it. Also run as a test.
"""

import re
import socket
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import date
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

from waitress import wasyncore
from werkzeug.exceptions import NotFound
from werkzeug.middleware.http_proxy import ProxyMiddleware
from werkzeug.test import Client

import app as application
import server
from models import Child, Event, Incident, Log, Role, User, db
from models.ground.clock import now
from models.ground.database import connect
from models.ground.settings import settings

from . import engine
from .browser.conftest import serving
from .conftest import report
from .person import CHEAP_ARGON2, PASSWORD, Person, code_of, enrol_cast

CASES = []  # each in a school of its own
READING = []  # those that change nothing that another one looks at: all in one school
HALVES = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    b"POST /login HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nemail=",
    b"",
)


def case(function):
    CASES.append(function)
    return function


def reading(function):
    READING.append(function)
    return function


class Attacker(Person):
    """Somebody with an HTTP client: each request goes over a socket to the served installation."""

    def __init__(self, place, user):
        self.app, self.user, self.token = place.app, user, ""
        wire = ProxyMiddleware(
            NotFound(), {}, timeout=60
        )  # seconds; on a busy machine a step can take longer than its 10
        target = {
            "target": place.address,
            "remove_prefix": False,
            "host": "<auto>",
            "headers": {},
            "ssl_context": None,
        }
        # read to its end, which closes the connection, redirects on the way too
        self.client = Client(
            lambda environ, start: [
                b"".join(wire.proxy_to(target, environ["PATH_INFO"], "/")(environ, start))
            ]
        )

    def arrive(self):
        assert self.lands("/") == "/", "signed in"


@contextmanager
def school():
    """A real (not a demonstration) school in a folder of its own, served: its address, people by
    name, one incident and its log.
    """
    folder = Path(tempfile.mkdtemp())
    settings.load(
        DATA=folder,
        DATABASE_URL=engine.current().url(folder),
        LOCAL="yes",
        SCHOOL="Attacked School",
    )
    application.prepare()
    app = application.create_app(
        SECRET_KEY="attack" * 8, SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=CHEAP_ARGON2
    )
    connect(settings.database)
    db.connect()
    with app.app_context():
        enrol_cast(app, "attacked.example")
    people = {user.email.split("@")[0]: user for user in User.select()}
    child = Child.create(name="Zofia Łukasiewicz", date_of_birth=date(2013, 5, 3), year="Year 7")
    place = SimpleNamespace(app=app, child=child, **people)
    place.incident = report(place)
    place.log = Log.trigger(place.incident, people["mark"])
    try:
        with serving(app) as place.address:
            yield place
    finally:
        db.close()
        settings.load()


@contextmanager
def served(app):
    """The app as `flask serve` serves it, on a free port: ((host, port), server)."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        running = server.make(app, listener)
        thread = threading.Thread(target=running.run)
        thread.start()
        try:
            yield listener.getsockname(), running
        finally:
            running.trigger.pull_trigger(
                lambda: wasyncore.close_all(running._map)
            )  # the loop ends when it has nothing left
            thread.join()
            running.task_dispatcher.shutdown()


def answers(address):
    """Whether the sign-in page comes within 10 seconds."""
    with suppress(OSError), closing(HTTPConnection(*address, timeout=10)) as client:
        client.request("GET", "/login")
        return client.getresponse().status == 200
    return False


def enter(place, name):
    return Attacker(place, rested(place, name)).sign_in()


def rested(place, name):
    """The person as the database has them, whose authenticator app shows codes again that were not
    used yet.
    """
    user = getattr(place, name)
    User.update(tf_last_counter=None).where(User.id == user.id).execute()
    return User.get_by_id(user.id)


@reading
def a_stranger_opens_nothing(place):
    """Every GET route without signing in."""
    stranger, leaks = Attacker(place, None), []
    for rule in place.app.url_map.iter_rules():
        if "GET" in rule.methods and "<" not in rule.rule:
            text = stranger.get(rule.rule, query_string={"id": 1}, follow_redirects=True).get_data(
                as_text=True
            )
            leaks += [rule.rule] if "Zofia" in text or place.log.reference in text else []
    return leaks


@reading
def a_stolen_passphrase_is_not_enough(place):
    """Sign in with the DSL's passphrase and without the code, then open pages."""
    thief = Attacker(place, place.alice)
    thief.get("/login")
    thief.post("/login", {"email": place.alice.email, "password": PASSWORD})
    return [
        path
        for path in ("/", "/incident/", "/log/", "/account/", "/user/")
        if thief.lands(path) != "/login"
    ]


@reading
def ids_are_not_a_way_in(place):
    """A teacher counts through the ids of every record page."""
    dina, open_doors = enter(place, "dina"), []
    for noun in (
        "incident",
        "log",
        "section",
        "notice",
        "child",
        "user",
        "role",
        "proposal",
        "template",
        "question",
    ):
        for id in range(1, 4):
            for door in ("details", "edit", "pdf", "copy", "file"):
                answer = dina.get(f"/{noun}/{door}/?id={id}")
                open_doors += [answer.request.path] if answer.status_code == 200 else []
    return open_doors


@case
def a_step_is_not_taken_by_guessing_its_name(place):
    """A teacher posts every action on every record."""
    dina, before = enter(place, "dina"), (Incident.get().status, Log.get().status)
    from models import PERMISSIONS

    for verb in PERMISSIONS:
        for view in ("incident", "log", "user", "proposal"):
            dina.press(verb, place.incident, view, reason="x", person="Dina", text="x")
    return [] if (Incident.get().status, Log.get().status) == before else ["a status moved"]


@reading
def sorting_searching_and_filtering_tell_nothing(place):
    """A teacher who sees no incident tries to learn of one by its absence and presence."""
    dina, told = enter(place, "dina"), []
    for query in (
        "search=Zofia",
        "search=wrist",
        "sort=1",
        "status=triggered",
        "flt0_0=1",
        "page_size=1000",
        "search=%25",
        "sort=0&desc=1",
    ):
        text = " ".join(dina.get(f"/incident/?{query}").get_data(as_text=True).split())
        told += [query] if "0 incidents" not in text else []
    return told


@reading
def look_ups_and_deletes_are_not_there(place):
    """The doors of Flask-Admin that we do not have."""
    alice, there = enter(place, "alice"), []
    for noun in ("incident", "log", "child", "user"):
        for door in ("ajax/lookup", "ajax/update", "delete"):
            for answer in (
                alice.get(f"/{noun}/{door}/?name=child&query=a&limit=-1"),
                alice.post(f"/{noun}/{door}/", {"id": 1}),
            ):
                there += [f"/{noun}/{door}/"] if answer.status_code not in (404, 405) else []
    return there


@case
def a_post_without_its_token_does_nothing(place):
    """Cross-site request forgery."""
    mark, before = enter(place, "mark"), Event.select().count()

    answers = [
        mark.post(path, {"csrf_token": "forged", "action": "log:complete", "rowid": 1}).status_code
        for path in ("/log/action/", "/incident/new/", "/logout", "/account/emergency/")
    ]
    return [] if set(answers) == {400} and Event.select().count() == before else answers


@case
def no_get_changes_a_record(place):
    """Every GET route as the DSL; only reads may be added to the history."""
    alice = enter(place, "alice")
    before = [(record.version, record.status) for record in (Incident.get(), Log.get())]
    mark = Event.head().id
    for rule in place.app.url_map.iter_rules():
        if "GET" in rule.methods and "<" not in rule.rule and "logout" not in rule.rule:
            alice.get(rule.rule, query_string={"id": 1, "action": "log:complete", "rowid": 1})
    written = {event.verb for event in Event.select().where(Event.id > mark)} - {
        "incident:read",
        "case:read",
        "contact:read",
        "log:read",
        "log:pdf",
        "record:refused",
        "child:read",
    }
    return list(written) + (
        []
        if before == [(record.version, record.status) for record in (Incident.get(), Log.get())]
        else ["a record changed"]
    )


AWAY = ("https://evil.example", "//evil.example", "https:evil.example", "/\\evil.example", "\\/evil.example", "https:/evil.example", "/\t/evil.example",
        "javascript:alert(1)", "http://127.0.0.1@evil.example", "///evil.example")  # fmt: skip
NAMED = ("next", "url", "return_to", "came_from", "redirect", "path", "draft_path", "to")


def leaves(answer):
    """Where a browser that follows the answer would go, when that is not on this host; else ""."""
    location = re.sub(r"[\t\r\n]", "", answer.headers.get("Location", "/")).strip()
    return location if re.match(r"[a-z][a-z0-9+.-]*:|[\\/]{2}", location, re.I) else ""


@reading
def a_redirect_does_not_leave(place):
    """Addresses elsewhere in every parameter, field and header that could name the next page, at
    every door.
    """
    away, headers = (
        [],
        [
            {"Referer": "https://evil.example"},
            {"X-Forwarded-Host": "evil.example"},
            {"Forwarded": "host=evil.example"},
        ],
    )
    for target in AWAY:  # the whole way of signing in, and on
        person, named = Attacker(place, rested(place, "dave")), dict.fromkeys(NAMED, target)
        person.get("/login", query_string=named)
        sent = {"email": place.dave.email, "password": PASSWORD}
        answers = [person.post("/login", sent | named, follow=False, query_string=named)]
        answers.append(person.post("/login", sent, follow=False))
        code = {"code": code_of(place.app, person.user)}
        answers.append(person.post("/tf-validate", code | named, follow=False, query_string=named))
        if answers[-1].status_code != 302 or person.lands("/") != "/":
            away.append(f"could not sign in by {target}")
        again = {"password": PASSWORD, "passphrase_again": PASSWORD, "code": "000000"}
        answers += [
            person.post(door, again | named, follow=False, query_string=named)
            for door in ("/verify", "/account/prove/")
        ]
        away += [f"{target}: {leaves(answer)}" for answer in answers if leaves(answer)]
    dave, named = enter(place, "dave"), dict.fromkeys(NAMED, AWAY[1])
    for rule in place.app.url_map.iter_rules():
        if "<" not in rule.rule and "logout" not in rule.rule:
            answers = (
                [dave.get(rule.rule, query_string=named | {"id": 1})]
                if "GET" in rule.methods
                else []
            )
            if "POST" in rule.methods:
                answers.append(dave.post(rule.rule, named, follow=False, query_string=named))
            away += [f"{rule.rule}: {leaves(answer)}" for answer in answers if leaves(answer)]
    for header in headers:
        away += [
            f"{header}: {leaves(answer)}"
            for answer in [Attacker(place, None).get("/incident/", headers=header)]
            if leaves(answer)
        ]
    away += [
        path
        for path in ("//evil.example/", "/\\evil.example", "/login/..//evil.example")
        if leaves(dave.get(path))
    ]
    return away


@case
def nothing_typed_runs(place):
    """Script, template and SQL in every text of a report, then every page that shows it."""
    dave = enter(place, "dave")
    evil = "<script>alert(1)</script>{{7*7}}' OR 1=1 --\"><img src=x onerror=alert(1)>"
    dave.get("/incident/new/")
    fields = {
        "child": "Zofia",
        "noticed_at": now().strftime("%Y-%m-%dT%H:%M"),
        "happened": "Not known",
        "place": "Classroom",
        "known": "I saw or heard it",
        "immediate_danger": "no",
        "safeguarding_alert": "no",
    }
    texts = dict.fromkeys(
        (
            "what_happened",
            "child_words",
            "immediate_action",
            "opinion",
            "other_adults",
            "place_detail",
        ),
        evil,
    )
    page = dave.post("/incident/new/", fields | texts | {"topic": evil[:100]})
    listed = dave.get("/incident/").get_data(as_text=True)
    shown = page.get_data(as_text=True)
    return [tag for tag in ("<script>alert", "<img src=x") if tag in shown + listed] + (
        [] if "{{7*7}}" in unescape(shown) else ["49?"]
    )


@reading
def absurd_input_is_answered_without_a_trace(place):
    """NUL, huge numbers, wrong types at every parameter."""
    alice, broken = enter(place, "alice"), []
    for noun in ("incident", "log", "child", "user", "notice"):
        for query in (
            "id=%00",
            "id=1e99",
            "id=" + "9" * 50,
            "page=-1",
            "page=" + "9" * 30,
            "sort=-5",
            "sort=x",
            "search=%00%ff",
            "id=1&id=2",
            "desc=%00",
        ):
            for door in ("", "details/", "edit/"):
                answer = alice.get(f"/{noun}/{door}?{query}")
                broken += (
                    [f"/{noun}/{door}?{query[:20]}"]
                    if answer.status_code >= 500 or "Traceback" in answer.text
                    else []
                )
    return broken


ABSURD = [
    "\0",
    "9" * 5_000,
    "²",
    "٣٤٥",
    "[" * 5_000,
    "-1",
    "1e999",
    "%00%ff",
    "{{7*7}}",
    "x" * 20_000,
    "2199-13-45",
    "👩‍👧\u202e",
]
FIELDS = ["rowid", "action", "id", "version", "opened", "once", "name", "email", "roles", "level", "permissions", "child", "date_of_birth", "noticed_at", "happened_at",
          "place", "reason", "text", "person", "position", "kind", "options", "section", "template", "path", "draft_path", "others-0-name", "others-rows", "to", "active",
          "assigned", "told_at", "q1", "draft"]  # fmt: skip


@case
def absurd_input_is_posted_without_a_trace(place):
    """Every address that takes a form, with fields of the wrong kind, size and script."""
    alice, ira, broken = enter(place, "alice"), enter(place, "ira"), []
    doors = [
        rule.rule
        for rule in place.app.url_map.iter_rules()
        if "POST" in rule.methods and "<" not in rule.rule and "logout" not in rule.rule
    ]
    for turn in range(0, len(ABSURD), 4):
        sent = {name: ABSURD[(place + turn) % len(ABSURD)] for place, name in enumerate(FIELDS)}
        for path in doors:
            person = ira if path.startswith(("/user", "/role")) else alice
            answer = person.post(
                path, sent, follow=False, query_string={"id": "1", "template": "1", "section": "1"}
            )
            broken += (
                [f"{path} {turn}"]
                if answer.status_code >= 500 or "Traceback" in answer.text
                else []
            )
    for verb in (
        "incident:amend",
        "log:reopen",
        "user:reset_factor",
        "proposal:approve",
        "notice:retry",
    ):
        for value in ABSURD:
            person = ira if verb.startswith("user") else alice
            path = f"/{verb.partition(':')[0]}/action/"
            answer = person.post(
                path, {"action": verb, "rowid": value, "text": value, "reason": value}, follow=False
            )
            broken += (
                [f"{verb} {value[:9]}"]
                if answer.status_code >= 500 or "Traceback" in answer.text
                else []
            )
    return broken


SPELLED = (
    "carol@attacked.example",
    "Carol@ＡTTACKED.example",
    "ｃarol@attacked.example",
    "carol@attacked。example",
)


@case
def guessing_is_slowed(place):
    """Thirty passphrases in several spellings and thirty codes, then the right ones from the same
    place; none without a trace.
    """
    for number in range(30):
        guess = Attacker(place, place.carol)
        guess.get("/login")
        guess.post("/login", {"email": SPELLED[number % 4], "password": "guess guess guess"})
    guess.post("/login", {"email": SPELLED[1], "password": PASSWORD})
    guess.post("/tf-validate", {"code": code_of(place.app, User.get_by_id(place.carol.id))})
    known = (
        Event.select().where(Event.verb == "user:failed", Event.record == place.carol.id).count()
    )
    return ([] if guess.lands("/") == "/login" else ["signed in after thirty guesses"]) + (
        [] if known == 5 else [f"{known} known"]
    )


def at_once(people, press):
    """What `press` gives for each of these people, all in the same moment."""
    gate = Barrier(len(people))

    def go(person):
        gate.wait()
        return press(person)

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(go, people))


@case
def guesses_at_once_are_counted_and_one_code_opens_one_door(place):
    """Twenty passphrases in the same moment; then six sign-ins with one code in the same moment."""
    guessers = [Attacker(place, None) for _each in range(20)]
    for person in guessers:
        person.get("/login")
    at_once(
        guessers,
        lambda person: person.post(
            "/login", {"email": SPELLED[2], "password": "guess guess guess"}
        ),
    )
    judged = (
        Event.select().where(Event.verb == "user:failed", Event.record == place.carol.id).count()
    )
    six, code = (
        [Attacker(place, place.bob) for _each in range(6)],
        {"code": code_of(place.app, place.bob)},
    )
    for person in six:
        person.get("/login")
        person.post("/login", {"email": place.bob.email, "password": PASSWORD})
    at_once(six, lambda person: person.post("/tf-validate", code))
    inside = [person for person in six if person.lands("/") == "/"]
    return ([] if judged == 5 else [f"{judged} judged"]) + (
        [] if len(inside) == 1 else [f"{len(inside)} inside with one code"]
    )


@reading
def a_second_factor_is_not_replaced_at_an_unlocked_screen(place):
    """Somebody else at the keyboard, a moment after a sign-in: set up another app, see or make
    recovery codes, add a passkey.
    """
    connor, before = enter(place, "connor"), place.connor.tf_totp_secret
    open_doors = []
    for path, sent in (
        ("/tf-setup", {"setup": "authenticator"}),
        ("/mf-recovery-codes", {"generate_new_codes": "yes"}),
        ("/mf-recovery-codes?show_codes=1", {}),
        ("/wan-register", {"name": "Mine"}),
        ("/tf-validate", {"code": "000000"}),
    ):
        for answer in (connor.get(path), connor.post(path, sent, follow=False)):
            open_doors += [path] if answer.status_code == 200 else []
    user = User.get_by_id(place.connor.id)
    return open_doors + (
        [] if user.tf_totp_secret == before and not user.mf_recovery_codes else ["changed"]
    )


@reading
def json_is_not_taken_however_deep(place):
    """A hundred thousand brackets, at every address that takes a form."""
    stranger, broken = Attacker(place, None), []
    stranger.get("/login")
    for rule in place.app.url_map.iter_rules():
        if "POST" in rule.methods:
            path, headers = rule.rule.replace("<token>", "x"), {"X-CSRFToken": stranger.token}
            answer = stranger.client.post(
                path, data="[" * 100_000, content_type="application/json", headers=headers
            )
            broken += (
                [f"{path} {answer.status_code}"]
                if answer.status_code not in (400, 404, 415)
                else []
            )
    return broken


@case
def a_cookie_that_was_copied_ends_with_sign_out(place):
    """Replay of a session."""
    bob = enter(place, "bob")
    copy = Attacker(place, place.bob)
    copy.client.set_cookie("session", bob.client.get_cookie("session").value)
    bob.post("/logout")
    return [] if copy.lands("/") == "/login" else ["the copy still works"]


@case
def it_does_not_give_itself_the_records(place):
    """IT gives itself each role, widens its own and others' roles, makes new ones, and approves it
    all; then opens everything.
    """
    from models import PERMISSIONS, Proposal
    from models.permissions import HARMLESS

    ira = enter(place, "ira")
    before = {role.name: (role.level, set(role.permissions) - HARMLESS) for role in Role.select()}
    own = {"name": "Ira Lindqvist", "email": place.ira.email, "active": "yes"}
    ira.get(f"/user/edit/?id={place.ira.id}")
    for role in Role.select():
        version = User.get_by_id(place.ira.id).version
        ira.post(f"/user/edit/?id={place.ira.id}", own | {"version": version, "roles": [role.id]})
    for role in Role.select():
        fields = {
            "version": role.version,
            "name": role.name,
            "description": role.description,
            "level": 5,
        }
        ira.post(f"/role/edit/?id={role.id}", fields | {"permissions": list(PERMISSIONS)})
    ira.post("/role/new/", {"name": "Mine", "level": 5, "permissions": list(PERMISSIONS)})
    for number in range(1, Proposal.select().count() + 1):
        for verb in ("proposal:approve", "proposal:claim", "proposal:new_code"):
            ira.post("/proposal/action/", {"action": verb, "rowid": number})
    ira.post("/account/code/", {"code": ""})
    after = {
        role.name: (role.level, set(role.permissions) - HARMLESS)
        for role in Role.select().where(Role.name != "Mine")
    }
    broken = ["a role was widened"] if after != before else []
    broken += (
        ["the new role opens"]
        if Role.get(Role.name == "Mine").reads or Role.get(Role.name == "Mine").level
        else []
    )
    fresh = User.get_by_id(place.ira.id)
    broken += ["IT has other roles"] if [role.name for role in fresh.roles] != ["IT"] else []
    ira, words = (
        enter(place, "ira"),
        ("Zofia", "Red mark", place.log.reference, place.incident.reference),
    )
    for rule in place.app.url_map.iter_rules():
        if "GET" in rule.methods and "logout" not in rule.rule:
            path = (
                rule.rule.replace("<export_type>", "csv")
                .replace("<path:filename>", "x")
                .replace("<token>", "x")
                .replace("<name>", "x")
            )
            for id in (1, 2):
                text = ira.get(path, query_string={"id": id, "template": 1, "section": 1}).get_data(
                    as_text=True
                )
                broken += [path] if any(word in text for word in words) else []
    return broken


@case
def a_puppet_stays_a_puppet(place):
    """IT adds a second Carol whose mailbox it has, a Level 5 approves in good faith, and IT guesses
    at the code, thirty at once.
    """
    from models import Proposal

    ira, alice = enter(place, "ira"), enter(place, "alice")
    team = Role.get(Role.name == "Safeguarding team")
    ira.get("/user/new/")
    ira.post(
        "/user/new/",
        {
            "name": "Carol Vaughan-Wyn",
            "email": "carol@attacked-school.example",
            "active": "yes",
            "roles": [team.id],
        },
    )
    page = alice.get(f"/proposal/details/?id={Proposal.get().id}").text_only
    broken = (
        []
        if "another account of this name" in page and "carol@attacked-school.example" in page
        else ["the approver is not warned"]
    )
    alice.post("/proposal/action/", {"action": "proposal:approve", "rowid": Proposal.get().id})
    puppet = User.get(User.email == "carol@attacked-school.example")
    User.update(
        password=place.carol.password,
        tf_primary_method="authenticator",
        tf_totp_secret=place.carol.tf_totp_secret,
    ).where(User.id == puppet.id).execute()
    place.puppet = User.get_by_id(puppet.id)
    thief = enter(place, "puppet")
    thief.get("/account/")
    with ThreadPoolExecutor(10) as pool:
        list(
            pool.map(
                lambda number: thief.client.post(
                    "/account/code/",
                    data={"csrf_token": thief.token, "code": f"AAAA-BBBB-{number:04}"},
                ),
                range(30),
            )
        )
    broken += ["guesses are not counted"] if (Proposal.get().tries or 0) < 30 else []
    broken += [
        path for path in ("/incident/", "/log/", "/child/") if thief.get(path).status_code != 403
    ]
    return broken


@case
def half_open_requests_stop_nobody(place):
    """A hundred and fifty connections that send half a request or nothing, and then go on holding
    the line.
    """
    with served(place.app) as (address, _running), ExitStack() as held:
        for number in range(150):
            held.enter_context(socket.create_connection(address)).sendall(
                HALVES[number % len(HALVES)]
            )
        return [] if answers(address) else ["the sign-in page is not answered"]


@reading
def every_answer_carries_the_headers(place):
    """Pages, errors, files and redirects."""
    alice, bare = enter(place, "alice"), []
    for path in (
        "/",
        "/login",
        "/incident/details/?id=0",
        "/log/",
        "/static/style.css",
        "/nowhere",
        "/log/export/csv/",
    ):
        answer = alice.get(path)
        answer.close()
        headers = answer.headers
        wanted = {
            "Content-Security-Policy",
            "X-Content-Type-Options",
            "Referrer-Policy",
            "Cross-Origin-Opener-Policy",
            "Permissions-Policy",
        }
        bare += (
            [path]
            if wanted - set(headers.keys()) or "unsafe" in headers["Content-Security-Policy"]
            else []
        )
    return bare


def attack():
    """Run every case; gives [(what was tried, what was found, seconds)]."""
    results = []
    for together in (READING, *([one] for one in CASES)):
        with school() as place:
            for one in together:
                start = time.perf_counter()
                results.append((one, one(place), time.perf_counter() - start))
    return results


def main():
    results = attack()
    for one, found, seconds in results:
        print(
            f"{'held' if not found else 'BROKEN':8}{one.__name__.replace('_', ' '):52}{seconds:6.1f} "
            ""
            ""
            ""
            ""
            ""
            f"s  {one.__doc__.strip()}"
        )
        for problem in found:
            print(f"        {problem}")
    sys.exit(any(found for _one, found, _seconds in results))


if __name__ == "__main__":
    main()
