"""Measure the pages with many rows: `make bench ROWS=10000`. Figures mean something only beside each other, on one machine."""

import os
import statistics
import tempfile
import time
from pathlib import Path

import app as application
from models import Child, Incident, Log, User, db, demo
from models.base import now
from models.document import to_pdf
from models.settings import settings

from .conftest import Person

ROWS = int(os.environ.get("ROWS", "10000"))
PAGES = [
    "/",
    "/incident/",
    "/incident/?page={last}",
    "/incident/?status=to+decide",
    "/incident/?search=rolls",
    "/incident/details/?id={id}",
    "/incident/new/",
    "/log/",
]


def main():
    folder = Path(tempfile.mkdtemp())
    settings.load(demo=True, DATA=folder, DATABASE_URL=f"sqlite:///{folder}/bench.db", **demo.SCHOOL)
    application.prepare()
    app = application.create_app(TESTING=True, SECRET_KEY="bench")
    with app.app_context(), db.connection_context():
        demo.build(application.hash_password(demo.PASSWORD))
        incidents, children = list(Incident.select().dicts()), [child.id for child in Child.select()]
        with db.atomic():
            for number in range(ROWS):
                row = incidents[number % len(incidents)] | {
                    "reference": f"INC-2020-{number:06d}",
                    "child": children[number % len(children)],
                    "status": "to decide",
                }
                row.pop("id")
                Incident.insert(**row).execute()
        alice = Person(app, User.get(User.email == "alice@demo.example")).sign_in(demo.PASSWORD)
        print(f"{ROWS} incidents, SQLite, milliseconds for one request: median (slowest of 15), kB")
        for page in PAGES:
            path = page.format(last=ROWS // 50 - 1, id=ROWS // 2)
            times = []
            for _again in range(15):
                start = time.perf_counter()
                answer = alice.client.get(path)
                times.append((time.perf_counter() - start) * 1000)
            assert answer.status_code == 200, path
            print(f"{path:40} {statistics.median(times):7.1f} ({max(times):7.1f}) {len(answer.data) / 1000:7.1f} kB")
        report = [time.perf_counter()]
        for _again in range(50):
            values = incidents[0] | {"noticed_at": now(), "happened": "Not known"}
            for name in ("id", "reference", "status", "reported_by", "reported_at", "version"):
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
            f"{'PDF of a completed log':40} {(time.perf_counter() - start) * 1000:7.1f} (first, cutting fonts: {first:.1f} s) {size / 1000:.1f} kB"
        )


if __name__ == "__main__":
    main()
