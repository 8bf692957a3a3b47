"""The pictures of the README, from a fictional school built for them: `make screenshots`."""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import app as application
from models import Case, Contact, Incident, Log, db, demo
from models.ground.settings import settings

from .chromium import ARGS, find
from .conftest import Desk, serving

WHERE = Path(__file__).parents[2] / "docs" / "screenshots"


def main():
    folder = Path(tempfile.mkdtemp())
    settings.load(demo=True, DATA=folder, DATABASE_URL=f"sqlite:///{folder}/demo.db", **demo.SCHOOL)
    application.prepare()
    app = application.create_app(SECRET_KEY="pictures")
    with app.app_context(), db.connection_context():
        demo.build(application.hash_password(demo.PASSWORD))
        incident = Incident.select().where(Incident.status == "to decide").get()
        log = Log.select().where(Log.status == "tracking").order_by(Log.id.desc()).get()
        contact = Contact.get(Contact.kind == "Referral")
        case = Case.select().order_by(Case.id.desc()).get()
        section = log.tracker.get().in_order()[4]
    WHERE.mkdir(parents=True, exist_ok=True)
    with serving(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=ARGS)
        for name, who, path, height in (
            ("report", "dave", "/incident/new/", 900), ("decide", "mark", f"/incident/details/?id={incident.id}", 640),
            ("logs", "alice", "/log/", 760), ("log", "alice", f"/log/details/?id={log.id}", 1150), ("section", "carol", f"/section/edit/?id={section.id}", 800), ("triage", "alice", "/triage/", 640),
            ("triage-form", "alice", f"/triage/new/?incident={incident.id}", 1000), ("case", "alice", f"/case/details/?id={case.id}", 1100),
            ("child", "alice", "/child/details/?id=17", 1200), ("contact", "carol", f"/contact/details/?id={contact.id}", 900),
        ):  # fmt: skip
            desk = Desk(browser, address).sign_in(f"{who}@demo.example", demo.PASSWORD)
            desk.page.set_viewport_size({"width": 1100, "height": height})
            desk.open(path)
            desk.page.screenshot(path=WHERE / f"{name}.png")
        desk = Desk(browser, address).sign_in("mark@demo.example", demo.PASSWORD)
        desk.page.set_viewport_size({"width": 1100, "height": 700})
        desk.open(f"/log/details/?id={log.id}")
        desk.press("Complete")
        desk.page.screenshot(path=WHERE / "missing.png")
        desk = Desk(browser, address, width=360).sign_in("alice@demo.example", demo.PASSWORD)
        desk.page.screenshot(path=WHERE / "phone.png")
        browser.close()


if __name__ == "__main__":
    main()
