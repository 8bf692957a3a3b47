"""Beside a peer: `make bench PEER=folder ROWS=100000` runs the peer's own bench.py with its target and
ours, over the same rows, in the same run, and prints how far we are ahead. The peer stays outside.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from html import unescape
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from aiosmtpd.controller import Controller

import app as application
from models import Child, Event, Incident, User, db
from models.ground.settings import settings

from ..conftest import ANSWERS
from ..faults import PostOffice
from ..person import CHEAP_ARGON2, PASSWORD, code_of, enrol_cast
from ..soak import free_port
from . import rows

HERE = Path(__file__).parents[2]
SECONDS, TIMES = int(os.environ.get("SECONDS") or 8), int(os.environ.get("TIMES") or 3)
QUIET = os.environ.get("QUIET") or "20"  # seconds to wait, before each measure, for a quiet machine
GOALS = {  # how many times the peer's requests in a second
    "list1": 2, "deep": 6, "filter": 3, "search": None, "detail": 1.5, "log": 1.5, "edit": 1.5, "new": 1.5, "create": 1.5, "trigger": 1.5,
}  # fmt: skip
LIKE = {"log": "detail", "new": "detail"}  # what we measure : what of the peer's is nearest to it
SLOWEST, MEMORY = 1.0, 180  # seconds for 95 of 100 who save at once; megabytes
CONNECTIONS, SAVERS = 4, 50
TOKEN = r'name="csrf_token"[^>]*value="([^"]+)"'


def ready(peer, number):
    """The peer's folder, set up: itself where it is that and may be written, else a copy that is."""
    if not (peer / ".venv" / "bin" / "gunicorn").exists() or not os.access(peer, os.W_OK):
        copy = Path(tempfile.mkdtemp()) / "peer"
        shutil.copytree(peer, copy, ignore=shutil.ignore_patterns(".venv", "data", "results"))
        subprocess.run(["chmod", "-R", "u+w", copy], check=True)
        peer = copy
    subprocess.run(
        ["bash", peer / "setup.sh"],
        check=True,
        env=os.environ | {"ROWS": str(number)},
        stdout=subprocess.DEVNULL,
    )
    for file in (peer / "data").glob("run.db*"):  # with the log of an earlier run
        file.unlink()
    shutil.copy(peer / "data" / f"b{number}.db", peer / "data" / "run.db")
    return peer


def build(folder, file, port):
    """Our installation with the peer's rows; returns the app, with everything open that it needs."""
    settings.load(
        DATA=folder,
        DATABASE_URL=f"sqlite:///{folder}/safeguarding.db",
        LOCAL="yes",
        URL=f"http://127.0.0.1:{port}",
    )
    application.prepare()
    app = application.create_app(
        SECRET_KEY=application.secret(), SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=CHEAP_ARGON2
    )
    with app.app_context(), db.connection_context():
        enrol_cast(app, "bench.example")
        events = rows.fill(file, User.get(User.email == "mark@bench.example"))
        Event.write(
            "event:anchor", Event(), None, result="Nothing was checked yet."
        )  # not while it is measured
        print(f"{Incident.select().count():,} incidents, {events:,} events", flush=True)
    return app


def target(app, folder, port, mail):
    """Our target for the peer's bench.py: `flask serve` as in production, but without TLS."""
    with db.connection_context():
        secret = User.get(User.email == "alice@bench.example").tf_totp_secret
        child = Child.get_by_id(5).label
    key = app.extensions["security"].totp_factory._totp.from_source(secret).base32_key
    form = {"csrf_field": "csrf_token", "csrf_regex": TOKEN, "ok_status": [200, 302]}
    lines = {"rows_regex": '<td data-label="Reference">', "rows": 50}
    return {
        "name": "ours", "base": f"http://127.0.0.1:{port}", "cwd": str(HERE), "env": environment(folder, port, mail), "warm_wait": 4,
        "start": [sys.executable, "-W", "ignore", "-m", "flask", "serve"], "own_db": str(folder / "safeguarding.db"),
        "login": {"mode": "form", "check": {"path": "/", "contains": "Sign out"}, "steps": [
            {"get": "/login", "fields": {"email": "alice@bench.example", "password": PASSWORD}} | form,
            {"get": "/tf-validate", "fields": {"code": f"TOTP:{key}"}} | form,
        ]},
        "scenarios": {
            "list1": {"path": "/incident/"} | lines, "deep": {"path": "/incident/?page={deep0}"} | lines,
            "filter": {"path": f"/incident/?status=to+decide&place={rows.PLACE}"} | lines, "search": {"path": "/incident/?search={term}"} | lines,
            "detail": {"path": "/incident/details/?id={id}", "contains": "What happened"},
            "log": {"path": "/log/details/?id={lid}", "contains": "Safeguarding tracker"},
            "edit": {"path": "/log/edit/?id={lid}", "contains": "What will prevent a repeat"},
            "new": {"path": "/incident/new/", "contains": "What happened"},
            "create": {"method": "POST", "form_path": "/incident/new/", "path": "/incident/new/", "count_sql": "SELECT COUNT(*) FROM incident WHERE topic LIKE ?",
                       "fields": ANSWERS | {"child": child, "topic": "{uniq}", "once": "{uniq}"}} | form | {"ok_status": [302]},
        },
    }  # fmt: skip


def environment(folder, port, mail):
    return {
        "FLASK_APP": "app", "PYTHONWARNINGS": "ignore", "PORT": str(port), "SAFEGUARDING_DATA": str(folder), "SAFEGUARDING_LOCAL": "yes",
        "SAFEGUARDING_URL": f"http://127.0.0.1:{port}", "SAFEGUARDING_MAIL_SERVER": "127.0.0.1", "SAFEGUARDING_MAIL_PORT": str(mail),
        "DATABASE_URL": f"sqlite:///{folder}/safeguarding.db",
    }  # fmt: skip


@contextmanager
def served(folder, port, mail):
    """`flask serve` until the block ends: its process."""
    command = [sys.executable, "-W", "ignore", "-m", "flask", "serve"]
    with subprocess.Popen(
        command,
        cwd=HERE,
        env=os.environ | environment(folder, port, mail),
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            for _attempt in range(300):
                try:
                    with Browser(port) as browser:
                        browser.ask("/login")
                    break
                except OSError:
                    time.sleep(0.1)
            yield process
        finally:
            process.terminate()


class Browser:
    """Somebody at a line that stays open."""

    def __init__(self, port, cookies=None):
        self.line, self.cookies = HTTPConnection("127.0.0.1", port, timeout=60), cookies or {}

    def __enter__(self):
        return self

    def __exit__(self, *_problem):
        self.line.close()

    def ask(self, path, data=None):
        """(status, page) of what is asked for or, with `data`, sent."""
        known = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if data is None:
            self.line.request("GET", path, headers=known)
        else:
            self.line.request(
                "POST",
                path,
                urlencode(data),
                known | {"Content-Type": "application/x-www-form-urlencoded"},
            )
        answer = self.line.getresponse()
        page = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer.status, page

    def token(self, path):
        return unescape(re.search(TOKEN, self.ask(path)[1])[1])


def signed_in(app, port):
    """Alice at a browser, with the token that her forms carry: (Browser, token)."""
    alice = Browser(port)
    alice.ask(
        "/login",
        {"email": "alice@bench.example", "password": PASSWORD, "csrf_token": alice.token("/login")},
    )
    with db.connection_context():
        code = code_of(app, User.get(User.email == "alice@bench.example"))
    alice.ask("/tf-validate", {"code": code, "csrf_token": alice.token("/tf-validate")})
    return alice, alice.token("/incident/new/")


def together(number, act):
    """Run `act(place)` in `number` threads that begin in the same moment."""
    gate = threading.Barrier(number)

    def one(place):
        gate.wait()
        act(place)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def triggers(port, alice, token):
    """How many notifications are triggered in a second, by as many lines as the peer's bench.py opens."""
    with db.connection_context():
        waiting = [
            row.id
            for row in Incident.select(Incident.id)
            .where(Incident.status == "to decide")
            .limit(20_000)
        ]
    numbers, done, until = count(), [], time.monotonic() + SECONDS

    def act(_place):
        browser = Browser(port, dict(alice.cookies))
        while time.monotonic() < until:
            number = next(numbers)
            fields = {
                "action": "log:trigger",
                "kind": "Other serious event",
                "rowid": waiting[number],
                "once": f"trigger {number}",
                "csrf_token": token,
            }
            done.append(browser.ask("/incident/action/", fields)[0])

    together(CONNECTIONS, act)
    assert set(done) == {302}, set(done)
    return len(done) / SECONDS


def savers(port, alice, token):
    """Fifty who save in the same moment, again and again: the seconds each waited. Nothing acknowledged may be lost."""
    with db.connection_context():
        child = Child.get_by_id(5).label
    waits = []

    def act(place):
        browser = Browser(port, dict(alice.cookies))
        for turn in range(5):
            name = f"At once {place} {turn}"
            begun = time.monotonic()
            status, _page = browser.ask(
                "/incident/new/",
                ANSWERS | {"child": child, "topic": name, "once": name, "csrf_token": token},
            )
            waits.append(time.monotonic() - begun)
            assert status == 302, status

    together(SAVERS, act)
    with db.connection_context():
        assert (
            Incident.select().where(Incident.topic.startswith("At once ")).count()
            == len(waits)
            == SAVERS * 5
        )
    return waits


def quietest(results, name, scenario):
    """The repetition that was disturbed least, as the peer's bench.py chooses it; None where there is none."""
    mine = [one for one in results if (one["target"], one["scenario"]) == (name, scenario)]
    quiet = [one for one in mine if one["foreign_cpu"] <= 0.15]
    return (
        max(quiet, key=lambda one: one["rps"])
        if quiet
        else min(mine, key=lambda one: one["foreign_cpu"], default=None)
    )


def line(name, ours, theirs, goal):
    reached = (
        "" if goal is None else "reached" if ours["rps"] >= goal * theirs["rps"] else "NOT REACHED"
    )
    cpu = (
        f"{ours['cpu_ms']:8.1f} {theirs['cpu_ms']:8.1f}"
        if ours.get("cpu_ms")
        else f"{'':8} {theirs['cpu_ms']:8.1f}"
    )
    print(
        f"{name:8} {ours['rps']:8.1f} {theirs['rps']:8.1f} {ours['rps'] / theirs['rps']:6.2f} {goal or '–':>5}  {cpu}  {reached}"
    )


def main():
    number = int(os.environ.get("ROWS") or 100_000)
    peer, port = ready(Path(os.environ["PEER"]).resolve(), number), free_port()
    office = Controller(PostOffice(), hostname="127.0.0.1", port=free_port())
    office.start()
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        app = build(place / "ours", peer / "data" / "run.db", port)
        theirs = json.loads((peer / "targets" / "django.json").read_text())
        theirs["scenarios"] |= {name: theirs["scenarios"][like] for name, like in LIKE.items()}
        files = [place / "peer.json", place / "ours.json"]
        files[0].write_text(json.dumps(theirs))
        files[1].write_text(json.dumps(target(app, place / "ours", port, office.port)))
        subprocess.run([sys.executable, "bench.py", "--db", "data/run.db", "--rows", str(number), "--targets", *files, "--secs", str(SECONDS), "--reps", str(TIMES),
                        "--scenarios", ",".join(name for name in GOALS if name != "trigger"), "--quiet-wait", QUIET, "--conns", str(CONNECTIONS), "--out", place / "results.json"],
                       cwd=peer, check=True)  # fmt: skip
        results = json.loads((place / "results.json").read_text())
        with served(place / "ours", port, office.port):
            alice, token = signed_in(app, port)
            triggered = max(triggers(port, alice, token) for _time in range(TIMES))
            waits = savers(port, alice, token)
    office.stop()
    print(
        f"\n{'':8} {'ours':>8} {'peer':>8} {'ratio':>6} {'goal':>5}  {'CPU ms':>8} {'peer’s':>8}   (requests a second; of the quietest of {TIMES})"
    )
    for name, goal in GOALS.items():
        like = quietest(results, theirs["name"], "create" if name == "trigger" else name)
        ours = {"rps": triggered} if name == "trigger" else quietest(results, "ours", name)
        if ours and like:
            line(name, ours, like, goal)
    p95, memory = (
        statistics.quantiles(waits, n=20)[-1],
        max(one["pss_mb"] for one in results if one["target"] == "ours"),
    )
    print(
        f"fifty savers at once, five times: 95 of 100 waited less than {p95:.2f} s (goal {SLOWEST} s), the slowest {max(waits):.2f} s; none lost"
    )
    print(f"memory: {memory} MB (goal {MEMORY} MB)")
