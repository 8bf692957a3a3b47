"""axe (WCAG 2.2 AA and good practice) over every page of the fictional school, wide and on a phone;
and nothing sticks out at 360 px.
"""

import re
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe

from models import Contact, Draft, Incident, Log, Notice, User, db, demo

from .conftest import serving

RULES = {
    "resultTypes": ["violations"],
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
}
NO_COLOURS = {"rules": {"color-contrast": {"enabled": False}}}
RUN = "rules => axe.run(rules).then(all => all.violations)"
AXE = Axe().axe_script  # put into each page once
BAD = {
    "incident.create_view": "/incident/new/",
    "question.create_view": "/question/new/?section=1",
}  # forms to be sent empty


def pages(app):
    """Every page there is: each GET route once, with records in each of their states. {name: (who,
    path)}
    """
    with db.connection_context():
        found = {"home of " + email.split("@")[0]: (email, "/") for email, *_rest in demo.PEOPLE}
        for status in ("no alert", "to decide", "triggered", "not notifiable"):
            found[f"incident {status}"] = (
                "mark@demo.example",
                f"/incident/details/?id={Incident.get(Incident.status == status).id}",
            )
        for status in ("open", "tracking", "completed"):
            log = Log.get(Log.status == status)
            found[f"log {status}"] = ("alice@demo.example", f"/log/details/?id={log.id}")
        found["section read-only"] = (
            "alice@demo.example",
            f"/section/edit/?id={log.tracker.get().in_order()[0].id}",
        )
        open_log = Log.get(Log.status == "tracking")
        ids = {
            "log": open_log.id,
            "section": open_log.tracker.get().in_order()[4].id,
            "notice": Notice.select().first().id,
            "incident": open_log.incident_id,
            "contact": Contact.get(Contact.kind == "Referral").id,
            "child": 17,  # about whom most is said
        }
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or re.search(
            r"static|export|pdf|copy|file|paper|healthz|logout|/login|<", rule.rule
        ):
            continue
        noun = rule.endpoint.split(".")[0]
        query = (
            f"?id={ids.get(noun, 1)}"
            if rule.rule.endswith(("/details/", "/edit/"))
            else "?template=1&section=1&incident=1&child=17&line=entry-1"
            if rule.rule.endswith("/new/")
            else ""
        )
        found[rule.endpoint] = (
            "ira@demo.example" if noun in ("user", "role") else "alice@demo.example",
            rule.rule + query,
        )
    step = f"/incident/action/?action=incident%3Ashare&rowid={ids['incident']}"
    fields = [
        ("action", "incident:share"),
        ("rowid", str(ids["incident"])),
        ("person", "Dave"),
        ("reason", "Teaches her. " * 20),
    ]
    with db.connection_context():
        Draft.keep(User.get(User.email == "alice@demo.example"), step, fields)
    found["unsent"] = ("alice@demo.example", f"/account/unsent/?{urlencode({'path': step})}")
    found["not found"] = ("dave@demo.example", "/incident/details/?id=999999")
    found["not allowed"] = ("dave@demo.example", "/log/")
    found["login"] = (None, "/login")
    return found


WIDTHS = 1280, 360  # a desk and a phone


@pytest.mark.parametrize("half", [0, 1])  # so that two workers share the pages
def test_axe_finds_nothing_on_any_page(demo_school, desk, chromium, half):
    """Each page is opened once, and looked at in each width; its colours, which cost axe as much as
    all the rest, in one: those of every second page on a phone.
    """
    found = list(pages(demo_school).items())[half::2]
    db.close()
    desks, problems = {}, []
    with serving(demo_school) as address:
        stranger = chromium.new_context(locale="en-GB").new_page()
        for number, (name, (who, path)) in enumerate(found):
            if who and who not in desks:
                desks[who] = desk(address, who, demo.PASSWORD)
            page = desks[who].page if who else stranger
            page.goto(address + path)
            problems += look(page, name, WIDTHS, colours=WIDTHS[number % 2])
        stranger.context.close()
    db.connect()
    assert len(found) > 35 and not problems, "\n".join(problems)


def test_axe_finds_nothing_on_a_page_with_problems(demo_school, desk):
    db.close()
    problems = []
    with serving(demo_school) as address:
        alice = desk(address, "alice@demo.example", demo.PASSWORD)
        for name, path in BAD.items():
            alice.open(path)
            alice.page.locator("main form button.go").click()
            assert alice.page.get_by_role("alert").count() == 1
            problems += look(alice.page, f"{name} with problems", WIDTHS)
        alice.open("/account/")
        alice.page.get_by_label("No emails from").fill("25:00")
        alice.page.get_by_role("button", name="Save when emails come").click()
        assert alice.page.get_by_role("link", name="No emails from").count() == 1
        problems += look(alice.page, "account with problems", WIDTHS)
    db.connect()
    assert not problems, "\n".join(problems)


def look(page, name, widths=(), colours=None):
    """What is wrong with the page that is open, as wide as it is or in each of `widths`: axe's
    findings, and anything wider than the window. `colours`: the one width in which their contrast
    is looked at; None for each.
    """
    found = []
    page.evaluate(AXE)
    for width in widths or [page.viewport_size["width"]]:
        page.set_viewport_size({"width": width, "height": 900})
        at = f"{name} at {width}"
        found += [
            f"{at}: {rule['id']}: {node['html'][:200]}"
            for rule in page.evaluate(
                RUN, RULES | (NO_COLOURS if colours not in (None, width) else {})
            )
            for node in rule["nodes"]
        ]
        sticks_out = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if sticks_out > 0:
            found.append(f"{at}: {sticks_out} px wider than the window")
    if not page.title().strip() or page.locator("h1").count() != 1:
        found.append(f"{name}: one title and one h1, please")
    return found


@pytest.mark.parametrize("path", ["/", "/incident/", "/log/"])
def test_the_keyboard_reaches_the_content_first(demo_school, desk, path):
    db.close()
    with serving(demo_school) as address:
        page = desk(address, "alice@demo.example", demo.PASSWORD).open(path)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    db.connect()
