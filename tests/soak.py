"""A bad day: people keep a ledger of what was acknowledged while the server is killed again and
again. `make soak` makes it ten minutes long.
"""

import argparse
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import date
from html import unescape
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path

import app as application
from models import TABLES, Child, Event, Incident, Log, Notice, Role, User, UserRole, db
from models.ground.database import connect
from models.ground.settings import settings
from models.shelf import backup

from . import engine
from .conftest import ANSWERS, settle
from .faults import post_office, whole
from .person import CHEAP_ARGON2, PASSWORD, code_of

HERE = Path(__file__).parent.parent
CLERKS = [
    "Zofia Łukasiewicz",
    "Ngũgĩ wa Kamau",
    "山田 花子",
    "Siôn Ŵyn",
    "Mei-Ling O’Hara",
    "Oluwaseun Brandt",
]
SECRET = b"the key of a bad day"
KILLS = 3  # at least, however short the day and slow the machine


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """`flask serve` in a process of its own, which can be killed."""

    def __init__(self, mail_port):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "FLASK_APP": "app", "SAFEGUARDING_DATA": str(settings.folder), "DATABASE_URL": settings.database, "SAFEGUARDING_LOCAL": "yes",
            "SAFEGUARDING_URL": self.address, "PORT": str(self.port), "SAFEGUARDING_MAIL_SERVER": "127.0.0.1", "SAFEGUARDING_MAIL_PORT": str(mail_port),
        }  # fmt: skip
        self.process, self.kills = None, 0

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "flask", "serve"],
            cwd=HERE,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("the server did not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1


class Clerk(threading.Thread):
    """Somebody who reports and triggers, and writes down what was acknowledged. What was not is
    sent again, the very same form.
    """

    def __init__(self, app, server, user, child, until):
        super().__init__(daemon=True)
        self.app, self.server, self.user, self.child, self.until = app, server, user, child, until
        self.ledger, self.repeated, self.slowest, self.problem = [], 0, 0.0, None
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(self, path, data=None):
        """One request, sent again until an answer comes that is not a fault of the server: (address
        it ended at, page).
        """
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        tries, given_up = 0, time.monotonic() + 240
        while True:
            begun = time.monotonic()
            try:
                with self.browser.open(self.server.address + path, body, timeout=40) as answer:
                    page = answer.read().decode()
                    self.slowest = (
                        max(self.slowest, time.monotonic() - begun) if not tries else self.slowest
                    )
                    return answer.geturl(), page
            except urllib.error.HTTPError as refused:
                refused.close()
                if refused.code not in (502, 503, 507) or time.monotonic() > given_up:
                    raise
            except (OSError, HTTPException):
                if time.monotonic() > given_up:
                    raise
            tries += 1
            self.repeated += 1
            time.sleep(0.2)

    @staticmethod
    def hidden(page, name):
        return unescape(re.search(rf'name="{name}"[^>]*value="([^"]+)"', page).group(1))

    def sign_in(self):
        where, page = self.ask("/login")
        where, page = self.ask(
            "/login",
            {
                "csrf_token": self.hidden(page, "csrf_token"),
                "email": self.user.email,
                "password": PASSWORD,
            },
        )
        if "/tf-validate" in where or "Your code" in page:
            with db.connection_context():
                code = code_of(self.app, User.get_by_id(self.user.id))
            where, page = self.ask(
                "/tf-validate", {"csrf_token": self.hidden(page, "csrf_token"), "code": code}
            )

    def form(self, path):
        """A form, freshly opened, signing in again where that is asked for."""
        where, page = self.ask(path)
        for _ in range(3):
            if "/login" not in where:
                return page
            time.sleep(1)
            self.sign_in()
            where, page = self.ask(path)
        raise RuntimeError(f"{self.user} cannot sign in")

    def run(self):
        try:
            number = 0
            while time.monotonic() < self.until or not self.ledger:
                number += 1
                topic = f"{self.user.email} {number}"
                page = self.form("/incident/new/")
                tokens = {name: self.hidden(page, name) for name in ("csrf_token", "once")}
                where, page = self.ask(
                    "/incident/new/", ANSWERS | tokens | {"child": self.child, "topic": topic}
                )
                if "/incident/details/" not in where:
                    raise RuntimeError(f"not saved: {where}")
                self.ledger.append((topic, False))
                if number % 3 == 0:
                    row = re.search(r"id=(\d+)", where).group(1)
                    tokens = {name: self.hidden(page, name) for name in ("csrf_token", "once")}
                    tokens |= {"action": "log:trigger", "kind": "Other serious event"}
                    where, page = self.ask("/incident/action/", tokens | {"rowid": row})
                    if "/log/details/" not in where:
                        raise RuntimeError(f"not triggered: {where}")
                    self.ledger[-1] = (topic, True)
        except Exception as problem:
            self.problem = problem


def school(folder):
    """A school of its own with as many managers as there are clerks."""
    settle(folder, LOCAL="yes")
    application.prepare()
    app = application.create_app(
        SECRET_KEY=application.secret(), SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=CHEAP_ARGON2
    )
    with app.app_context(), db.connection_context():
        password = application.hash_password(PASSWORD)
        secret = app.extensions["security"].totp_factory.generate_totp_secret
        for role, names in (("Manager", CLERKS), ("DSL", ["Alice Brennan"])):
            for number, name in enumerate(names):
                user = User.create(
                    name=name,
                    email=f"{role.lower()}{number}@bad-day.example",
                    password=password,
                    tf_primary_method="authenticator",
                    tf_totp_secret=secret(),
                )
                UserRole.create(user=user, role=Role.get(Role.name == role))
                Event.write("user:add", user, None)
        Event.write(
            "child:add",
            Child.create(name="Siôn Ŵyn", date_of_birth=date(2013, 5, 3), year="Year 7"),
            None,
        )
        users = list(User.select().where(User.name.in_(CLERKS)))
        label = Child.get().label
    return app, users, label


def bad_day(folder, seconds, seed, backups=None):
    """Live through it; returns figures. Raises AssertionError when anything acknowledged is not
    there once, or does not fit.
    """
    chance = random.Random(seed)
    app, users, child = school(folder)
    with post_office(app) as office:
        office.moods = [chance.choice(["ok", "ok", "ok", "busy", "drop"]) for _ in range(2_000)]
        server = Server(app.extensions["mailman"].port)
        server.start()
        until = time.monotonic() + seconds
        clerks = [Clerk(app, server, user, child, until) for user in users]
        for clerk in clerks:
            clerk.start()
        made, backing = 0, None
        while time.monotonic() < until or server.kills < KILLS:
            time.sleep(chance.uniform(2, 6))
            server.kill()
            if backups and (not backing or backing.poll() is not None):
                made += bool(backing) and backing.returncode == 0
                backing = subprocess.Popen(
                    [sys.executable, "-W", "ignore", "-m", "flask", "backup", str(backups)], cwd=HERE,
                    env=server.environment | {"SAFEGUARDING_BACKUP_PASSPHRASE": SECRET.decode()}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
            time.sleep(chance.uniform(0, 1))
            server.start()
        for clerk in clerks:
            clerk.join(timeout=300)
        if backing:
            made += backing.wait() == 0
        server.kill()
        figures = judge(app, clerks, office)
    figures |= {"seconds": seconds, "seed": seed, "kills": server.kills, "backups": made}
    if backups:
        figures["restored"] = drill(backups)
    return figures


def judge(app, clerks, office):
    """Every line of every ledger is there once; all fits; every letter arrived, and the doubled
    ones carry the same id.
    """
    assert not [clerk.problem for clerk in clerks if clerk.problem], [
        repr(clerk.problem) for clerk in clerks if clerk.problem
    ]
    with db.connection_context():
        for clerk in clerks:
            assert clerk.ledger, f"{clerk.user} saved nothing"
            for topic, triggered in clerk.ledger:
                rows = list(Incident.select().where(Incident.topic == topic))
                assert len(rows) == 1, f"{topic} was acknowledged and is there {len(rows)} times"
                assert not triggered or Log.select().where(Log.incident == rows[0]).count() == 1, (
                    topic
                )
        acknowledged = sum(len(clerk.ledger) for clerk in clerks)
        assert Incident.select().count() == acknowledged, "nothing is there that nobody sent"
        found = whole()
        with app.app_context():
            for _ in range(60):
                Notice.update(due_at=Notice.queued_at).where(Notice.status == "waiting").execute()
                if (
                    not Notice.deliver(application.send)
                    and not Notice.select().where(Notice.status == "waiting").exists()
                ):
                    break
        ids = {notice.message_id.split("@")[0] for notice in Notice.select()}
        assert ids == {id.split("@")[0] for id in office.ids}, "every letter arrived"
        return {
            "acknowledged": acknowledged, "sent again": sum(clerk.repeated for clerk in clerks), "letters": len(ids), "doubled": len(office.ids) - len(ids),
            "slowest answer (s)": round(max(clerk.slowest for clerk in clerks), 2), "found": found[0],
        }  # fmt: skip


def drill(folder):
    connect(settings.database).connect()
    try:
        return backup.drill(folder, SECRET, TABLES)[0]
    finally:
        db.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--engine", default="sqlite", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    engine.choose(given.engine)
    with tempfile.TemporaryDirectory() as place:
        try:
            for name, value in bad_day(
                Path(place) / "data", given.minutes * 60, given.seed, Path(place) / "backups"
            ).items():
                print(f"{name:22}{value}")
        finally:
            engine.current().stop()


if __name__ == "__main__":
    main()
