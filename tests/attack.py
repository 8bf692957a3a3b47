"""Black-box attacks on a served installation: `make attack` prints what was tried and what came of it. Also run as a test."""

import re
import socket
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import date
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace

from waitress import wasyncore
from werkzeug.exceptions import NotFound
from werkzeug.middleware.http_proxy import ProxyMiddleware
from werkzeug.test import Client

import app as application
import server
from models import Child, Event, Incident, Log, Role, User, db
from models.base import connect, now
from models.settings import settings

from . import engine
from .browser.conftest import serving
from .conftest import report
from .person import CHEAP_ARGON2, PASSWORD, Person, code_of, enrol_cast

CASES = []
HALVES = (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", b"POST /login HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nemail=", b"")


def case(function):
    CASES.append(function)
    return function


class Attacker(Person):
    """Somebody with an HTTP client: each request goes over a socket to the served installation."""

    def __init__(self, place, user):
        self.app, self.user, self.token = place.app, user, ""
        wire = ProxyMiddleware(NotFound(), {}, timeout=60)  # seconds; on a busy machine a step can take longer than its 10
        target = {"target": place.address, "remove_prefix": False, "host": "<auto>", "headers": {}, "ssl_context": None}
        # read to its end, which closes the connection, redirects on the way too
        self.client = Client(lambda environ, start: [b"".join(wire.proxy_to(target, environ["PATH_INFO"], "/")(environ, start))])


@contextmanager
def school():
    """A real (not a demonstration) school in a folder of its own, served: its address, people by name, one incident and its log."""
    folder = Path(tempfile.mkdtemp())
    settings.load(DATA=folder, DATABASE_URL=engine.current().url(folder), LOCAL="yes", SCHOOL="Attacked School")
    application.prepare()
    app = application.create_app(SECRET_KEY="attack" * 8, SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=CHEAP_ARGON2)
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
            running.trigger.pull_trigger(lambda: wasyncore.close_all(running._map))  # the loop ends when it has nothing left
            thread.join()
            running.task_dispatcher.shutdown()


def answers(address):
    """Whether the sign-in page comes within 10 seconds."""
    with suppress(OSError), closing(HTTPConnection(*address, timeout=10)) as client:
        client.request("GET", "/login")
        return client.getresponse().status == 200
    return False


def enter(place, name):
    return Attacker(place, getattr(place, name)).sign_in()


@case
def a_stranger_opens_nothing(place):
    """Every GET route without signing in."""
    stranger, leaks = Attacker(place, None), []
    for rule in place.app.url_map.iter_rules():
        if "GET" in rule.methods and "<" not in rule.rule:
            text = stranger.get(rule.rule, query_string={"id": 1}, follow_redirects=True).get_data(as_text=True)
            leaks += [rule.rule] if "Zofia" in text or place.log.reference in text else []
    return leaks


@case
def a_stolen_passphrase_is_not_enough(place):
    """Sign in with the DSL's passphrase and without the code, then open pages."""
    thief = Attacker(place, place.alice)
    thief.get("/login")
    thief.post("/login", {"email": place.alice.email, "password": PASSWORD})
    return [path for path in ("/", "/incident/", "/log/", "/account/", "/user/") if thief.lands(path) != "/login"]


@case
def ids_are_not_a_way_in(place):
    """A teacher counts through the ids of every record page."""
    dina, open_doors = enter(place, "dina"), []
    for noun in ("incident", "log", "section", "notice", "child", "user", "role", "proposal", "template", "question"):
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


@case
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
        text = dina.get(f"/incident/?{query}").get_data(as_text=True)
        told += [query] if "0 incidents" not in text else []
    return told


@case
def look_ups_and_deletes_are_not_there(place):
    """The doors of Flask-Admin that we do not have."""
    alice, there = enter(place, "alice"), []
    for noun in ("incident", "log", "child", "user"):
        for door in ("ajax/lookup", "ajax/update", "delete"):
            for answer in (alice.get(f"/{noun}/{door}/?name=child&query=a&limit=-1"), alice.post(f"/{noun}/{door}/", {"id": 1})):
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
        "log:read",
        "log:pdf",
        "record:refused",
        "child:read",
    }
    return list(written) + (
        [] if before == [(record.version, record.status) for record in (Incident.get(), Log.get())] else ["a record changed"]
    )


@case
def a_redirect_does_not_leave(place):
    """`next` and `url` with addresses elsewhere."""
    away = []
    for target in (
        "https://evil.example",
        "//evil.example",
        "https:evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https:/evil.example",
    ):
        person = Attacker(place, place.dave)
        person.get("/login")
        person.client.post(
            "/login", query_string={"next": target}, data={"csrf_token": person.token, "email": place.dave.email, "password": PASSWORD}
        )
        answer = person.client.post(
            "/tf-validate",
            query_string={"next": target},
            data={"csrf_token": person.token, "code": code_of(place.app, User.get_by_id(place.dave.id))},
        )
        location = answer.headers.get("Location", "/")
        away += [location] if re.match(r"([a-z]+:|[\\/]{2})", location) else []
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
    texts = dict.fromkeys(("what_happened", "child_words", "immediate_action", "opinion", "other_adults", "place_detail"), evil)
    page = dave.post("/incident/new/", fields | texts | {"topic": evil[:100]})
    listed = dave.get("/incident/").get_data(as_text=True)
    shown = page.get_data(as_text=True)
    return [tag for tag in ("<script>alert", "<img src=x") if tag in shown + listed] + ([] if "{{7*7}}" in unescape(shown) else ["49?"])


@case
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
                broken += [f"/{noun}/{door}?{query[:20]}"] if answer.status_code >= 500 or "Traceback" in answer.text else []
    return broken


@case
def guessing_is_slowed(place):
    """Thirty passphrases and thirty codes, then the right ones from the same place."""
    for _attempt in range(30):
        guess = Attacker(place, place.carol)
        guess.get("/login")
        guess.post("/login", {"email": place.carol.email, "password": "guess guess guess"})
    guess.post("/login", {"email": place.carol.email, "password": PASSWORD})
    guess.post("/tf-validate", {"code": code_of(place.app, User.get_by_id(place.carol.id))})
    return [] if guess.lands("/") == "/login" else ["signed in after thirty guesses"]


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
    """IT gives itself a role, widens its own role, and approves it."""
    ira = enter(place, "ira")
    roles = [role.id for role in Role.select()]
    ira.get(f"/user/edit/?id={place.ira.id}")
    ira.post(
        f"/user/edit/?id={place.ira.id}",
        {"version": place.ira.version, "name": "Ira", "email": place.ira.email, "active": "yes", "roles": roles},
    )
    it = Role.get(Role.name == "IT")
    from models import PERMISSIONS

    ira.post(f"/role/edit/?id={it.id}", {"version": it.version, "name": "IT", "level": 5, "permissions": list(PERMISSIONS)})
    ira.post("/proposal/action/", {"action": "proposal:approve", "rowid": 1})
    fresh = User.get_by_id(place.ira.id)
    return (
        []
        if fresh.level == 0 and not fresh.may("incident:read") and enter(place, "ira").get("/log/").status_code == 403
        else ["IT reads records"]
    )


@case
def half_open_requests_stop_nobody(place):
    """A hundred and fifty connections that send half a request or nothing, and then go on holding the line."""
    with served(place.app) as (address, _running), ExitStack() as held:
        for number in range(150):
            held.enter_context(socket.create_connection(address)).sendall(HALVES[number % len(HALVES)])
        return [] if answers(address) else ["the sign-in page is not answered"]


@case
def every_answer_carries_the_headers(place):
    """Pages, errors, files and redirects."""
    alice, bare = enter(place, "alice"), []
    for path in ("/", "/login", "/incident/details/?id=0", "/log/", "/static/style.css", "/nowhere", "/log/export/csv/"):
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
        bare += [path] if wanted - set(headers.keys()) or "unsafe" in headers["Content-Security-Policy"] else []
    return bare


def attack():
    """Run every case; gives [(what was tried, what was found, seconds)]."""
    results = []
    for one in CASES:
        with school() as place:
            start = time.perf_counter()
            results.append((one, one(place), time.perf_counter() - start))
    return results


def main():
    results = attack()
    for one, found, seconds in results:
        print(f"{'held' if not found else 'BROKEN':8}{one.__name__.replace('_', ' '):52}{seconds:6.1f} s  {one.__doc__.strip()}")
        for problem in found:
            print(f"        {problem}")
    sys.exit(any(found for _one, found, _seconds in results))


if __name__ == "__main__":
    main()
