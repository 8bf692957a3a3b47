"""Measure the pages with many rows: `make bench ROWS=10000 EVENTS=0 ENGINE=sqlite`. Figures mean
something only beside each other, on one machine.
"""

import hashlib
import json
import os
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from waitress import create_server

import app as application
from models import TABLES, Child, Event, Incident, Log, User, db, demo
from models.ground.clock import now
from models.ground.database import sqlite
from models.ground.settings import settings
from models.history.event import state
from models.history.paper import to_pdf
from models.shelf import backup, proof

from .. import engine
from ..conftest import ANSWERS
from ..person import Person

ROWS, EVENTS = int(os.environ.get("ROWS", "10000")), int(os.environ.get("EVENTS", "0"))
PAGES = [
    "/",
    "/incident/",
    "/incident/?page={last}",
    "/incident/?status=to+decide",
    "/incident/?search=rolls",
    "/incident/details/?id={id}",
    "/incident/new/",
    "/triage/",
    "/incident/details/?id={few}",
    "/triage/new/?incident={few}",
    "/case/",
    "/case/details/?id=1",
    "/log/",
    "/log/details/?id=1",
    "/event/",
    "/event/?what=Changes",
    "/event/?what=Exports",
    "/child/details/?id={child}",
]


def history(number):
    """Lengthen the chain by `number` events, each of about 300 bytes, spread over the incidents and
    over ten years.
    """
    last, begin, columns = (
        Event.head(),
        datetime(2016, 9, 1, tzinfo=UTC),
        [field.column_name for field in Event._meta.sorted_fields],
    )
    previous, user = last.hash, User.get()

    def rows():
        nonlocal previous
        for id in range(last.id + 1, last.id + 1 + number):
            moment = begin + timedelta(seconds=(id - last.id) * 315_000_000 // number)
            text = json.dumps(
                {
                    "by": "Alice Brennan",
                    "record": f"OFS-2020-{id % 9999:04d}",
                    "changed": {"summary": ["A text. " * 10, f"Another {id}. " * 10]},
                }
            )
            digest = hashlib.sha256(text.encode()).hexdigest()
            incident = id % ROWS + 1
            parts = (
                previous,
                id,
                moment.isoformat(),
                user.id,
                "log:edit",
                "log",
                incident,
                incident,
                digest,
            )
            before, previous = (
                previous,
                hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest(),
            )
            yield (
                id,
                moment.replace(tzinfo=None),
                user.id,
                "log:edit",
                "log",
                incident,
                incident,
                text,
                digest,
                before,
                previous,
            )

    names = ", ".join(f'"{name}"' for name in columns)
    if sqlite():
        insert, left = (
            f"INSERT INTO event ({names}) VALUES ({', '.join('?' * len(columns))})",
            rows(),
        )
        db.execute_sql(
            "PRAGMA cache_size = -4000000"
        )  # for this connection, until the end of the bench's building
        while some := [(row[0], str(row[1]), *row[2:]) for row in islice(left, 100_000)]:
            with db.atomic():
                db.connection().executemany(insert, some)
        db.execute_sql("PRAGMA cache_size = -2000")
    else:
        with (
            db.atomic(),
            db.connection().cursor() as cursor,
            cursor.copy(f"COPY event ({names}) FROM STDIN") as copy,
        ):
            for row in rows():
                copy.write_row(row)
        db.execute_sql("ANALYZE event")


def timed(name, act):
    start = time.perf_counter()
    act()
    print(f"{name:40} {time.perf_counter() - start:7.1f} s")


def fifty(app, alice, pattern):
    """Fifty people who press Save in the same moment, on the server as it is served, with eight
    threads: the slowest answer.
    """
    child, gate, times = Child.get_by_id(pattern["child"]).label, threading.Barrier(50), []
    alice.get("/incident/new/")
    cookie = f"session={alice.client.get_cookie('session').value}"
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()

    def save(number):
        form = ANSWERS | {
            "child": child,
            "topic": f"At once {number}",
            "once": str(number),
            "csrf_token": alice.token,
        }
        browser = HTTPConnection("127.0.0.1", server.effective_port, timeout=60)
        gate.wait()
        start = time.perf_counter()
        browser.request(
            "POST",
            "/incident/new/",
            urlencode(form),
            {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"},
        )
        status = browser.getresponse().status
        times.append((time.perf_counter() - start, status))
        browser.close()

    threads = [threading.Thread(target=save, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for _time, status in times} == {302}, times
    print(f"{'fifty reports at once, the slowest':40} {max(times)[0] * 1000:7.1f}")


def long_history(folder):
    """What years of use cost: writing, checking, backing up."""
    print(f"{Event.select().count():,} events")
    timed("check the chain and the emails", lambda: proof.history(TABLES))
    if sqlite():
        print(
            f"{'database on disk':40} {(folder / 'safeguarding.db').stat().st_size / 1e9:7.2f} GB"
        )
        timed(
            "back up and read back",
            lambda: backup.make(folder / "backups", b"a key of the bench", TABLES),
        )
    else:
        print(
            f"{'database on disk':40} {db.execute_sql('SELECT pg_database_size(current_database())').fetchone()[0] / 1e9:7.2f} GB"
        )


def main():
    engine.choose(os.environ.get("ENGINE", "sqlite"))
    folder = Path(tempfile.mkdtemp())
    settings.load(
        demo=True, DATA=folder, DATABASE_URL=engine.current().pooled(folder), **demo.SCHOOL
    )
    application.prepare()
    app = application.create_app(TESTING=True, SECRET_KEY=application.secret())
    with app.app_context(), db.connection_context():
        demo.build(application.hash_password(demo.PASSWORD))
        incidents, children = (
            list(Incident.select().dicts()),
            [child.id for child in Child.select().order_by(Child.id)],
        )
        child = children.pop(0)  # who has a few, however many there are
        few = Incident.select().where(Incident.child == child).get().id
        with db.atomic():
            for number in range(ROWS):
                row = incidents[number % len(incidents)] | {
                    "reference": f"INC-2020-{number:06d}",
                    "child": children[number % len(children)],
                    "status": "to decide",
                }
                row.pop("id")
                Incident.insert(**row).execute()
        made = (
            f"incident {row.id}"
            for row in Incident.select(Incident.id).where(Incident.id > len(incidents))
        )
        while some := list(islice(made, 500)):  # known to the history, as if they had been reported
            known = {key: state(Incident.get_by_id(int(key.split()[1]))) for key in some}
            Event.write("event:adopt", Event(), None, states=known, nouns=[])
        if EVENTS:
            timed("(lengthen the history)", lambda: history(EVENTS))
        alice = Person(app, User.get(User.email == "alice@demo.example")).sign_in(demo.PASSWORD)
        print(
            f"{ROWS} incidents, {engine.current().name}, milliseconds for one request: median "
            "(slowest of 15), kB"
        )
        for page in PAGES:
            path = page.format(last=ROWS // 50 - 1, id=ROWS // 2, child=child, few=few)
            times = []
            for _again in range(15):
                start = time.perf_counter()
                answer = alice.client.get(path)
                times.append((time.perf_counter() - start) * 1000)
            assert answer.status_code == 200, path
            print(
                f"{path:40} {statistics.median(times):7.1f} ({max(times):7.1f}) "
                f"{len(answer.data) / 1000:7.1f} kB"
            )
        report = [time.perf_counter()]
        for _again in range(50):
            values = incidents[0] | {
                "child": Child.get(),
                "noticed_at": now(),
                "happened": "Not known",
                "happened_at": None,
            }
            for name in (
                "id",
                "reference",
                "status",
                "stage",
                "reported_by",
                "reported_at",
                "version",
            ):
                values.pop(name, None)
            Incident.report(alice.user, **values)
        report.append(time.perf_counter())
        print(f"{'report an incident (on disk)':40} {(report[1] - report[0]) * 20:7.1f}")
        log = Log.select().where(Log.status == "completed").first()
        start = time.perf_counter()
        size = len(to_pdf(log.paper()))
        first = time.perf_counter() - start
        start = time.perf_counter()
        to_pdf(log.paper())
        print(
            f"{'PDF of a completed log':40} {(time.perf_counter() - start) * 1000:7.1f} (first, "
            f"reading the fonts: {first:.1f} s) {size / 1000:.1f} kB"
        )

        fifty(app, alice, incidents[0])
        if EVENTS:
            long_history(folder)
        proof.history(TABLES)  # and all that was measured was real
    engine.current().stop()
