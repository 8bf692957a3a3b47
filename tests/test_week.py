"""A week of a case, told through the pages: from a small worry on Monday to its closing on Friday,
and what a police officer reads of it five years later.
"""

from datetime import datetime, timedelta

from models import Case, Clarification, Contact, Extract, Incident, Log, Task, Tracker, Triage
from models.case.extract import COLUMNS
from models.ground.clock import LONDON, at

from .conftest import answer_all, fill_in, fits
from .person import Person
from .test_triage import SENT

MONDAY = datetime(2026, 11, 16, 9, 0, tzinfo=LONDON)


def day(number, hour=9):
    return MONDAY + timedelta(days=number, hours=hour - 9)


def desk(school, name):
    """Somebody who signs in on that day."""
    return Person(school.app, getattr(school, name)).sign_in()


def test_from_a_worry_to_the_closing_and_read_five_years_later(school, answers):
    child = school.child
    with at(day(0)):
        dina = desk(school, "dina")
        worry = answers | {
            "noticed_at": "today 08:50", "happened": "Not known", "happened_at": "", "safeguarding_alert": "no",
            "topic": "No coat, and tired", "child_words": "",
        }  # fmt: skip
        page = dina.post("/incident/new/", worry)
        assert "Saved as INC-2026-0001" in page.text_only and "open case" not in page.text_only
        first = Incident.get()
    with at(day(0, 14)):
        assert Incident.alarm() == 1, "nobody took it in five hours: every DSL is told"
        carol = desk(school, "carol")
        carol.press("incident:acknowledge", first)
        question = {"question": "Did she have lunch?", "answer_by": "tomorrow"}
        carol.post(f"/clarification/new/?incident={first.id}", question)
    with at(day(0, 16)):
        dina = desk(school, "dina")
        assert "Did she have lunch?" in dina.get("/").text_only, "it is on her home page"
        asked = Clarification.get()
        page = dina.press("clarification:answer", asked, text="She had none with her.")
        assert "was added to INC-2026-0001" in page.text_only
    with at(day(1)):
        carol = desk(school, "carol")
        assert "She had none with her." in carol.get(f"/incident/details/?id={first.id}").text_only
        decision = SENT | {"categories-0-child": child.in_full, "categories-0-first": "Neglect"}
        page = carol.post(f"/triage/new/?incident={first.id}", decision)
        assert "It stands in CASE-2026-0001" in page.text_only
        case = Case.get()
        task = {"what": "Ring the mother", "owner": school.alice.label, "due_on": "tomorrow"}
        page = carol.post(f"/task/new/?incident={first.id}", task | {"urgency": "24 hours"})
        assert "Ring the mother" in page.text_only
    with at(day(2)):
        dave = desk(school, "dave")
        mark = {"noticed_at": "today 08:50", "happened": "Exact", "happened_at": "today 08:45"}
        page = dave.post("/incident/new/", answers | mark)
        assert "open case" not in page.text_only, "Dave knows nothing of it, and learns nothing"
        second = Incident.select().order_by(Incident.id.desc()).get()
        alice = desk(school, "alice")
        page = alice.get(f"/triage/new/?incident={second.id}")
        assert "CASE-2026-0001" in page.text_only and "No coat, and tired" in page.text_only, (
            "what is known of the child stands beside the decision"
        )
        again = SENT | {
            "categories-0-child": child.in_full, "into": case.label, "threshold": "Statutory",
            "decision": "Child protection", "risk": "High", "flags": ["Child protection plan"],
        }  # fmt: skip
        page = alice.post(f"/triage/new/?incident={second.id}", again)
        assert "It stands in CASE-2026-0001" in page.text_only
        alice.press("task:done", Task.get(), effect="She was told, and came in.")
        mash = {
            "body": "MASH", "kind": "Referral", "direction": "We told them", "person": "Ann Pryce, duty social worker",
            "at": "today 08:55", "how": "Telephone", "shared": "Both incidents.", "ground": "Public task", "asked": "MASH",
        }  # fmt: skip
        page = alice.post(f"/contact/new/?incident={second.id}", mash)
        assert Contact.get().status == "waiting", page.text_only[:600]
    with at(day(3)):
        boss = desk(school, "mark")
        page = boss.press("log:trigger", second, view="incident")
        log = Log.get()
        assert log.reference in page.text_only and Case.select().count() == 1, "it has its case"
        boss.press("tracker:begin", log)
        fill_in(Log.get(), school.alice)
        answer_all(Tracker.get(), school.carol)
        page = boss.press("log:complete", Log.get())
        assert "completed and signed off by Mark Kowalczyk" in page.text_only
        page = boss.press("case:close", case)
        assert page.status_code == 409 and "Referral to MASH" in page.text_only
        assert Case.get().status == "open"
    with at(day(4)):
        alice = desk(school, "alice")
        alice.press("contact:conclude", Contact.get(), outcome="A section 47 enquiry is opened.")
        page = alice.get(f"/case/edit/?id={case.id}")
        told = {
            "lead": school.alice.label, "deputy": school.carol.label, "child_told": "Yes", "parents_told": "Unsafe to tell them",
            "parents_why": "The enquiry is to see the home first.", "risk_reviewed_on": "today", "outcome": "She is with her aunt.",
            "version": str(Case.get().version), "opened": "",
        }  # fmt: skip
        page = alice.post(f"/case/edit/?id={case.id}", told)
        assert "Nothing is missing." in page.text_only, page.text_only[:900]
        page = alice.press("case:close", case)
        assert "Closed by Alice Brennan" in page.text_only
    fits()
    with at(day(5 * 365)):
        bob = desk(school, "bob")
        page = bob.get(f"/child/details/?id={child.id}").text_only
        for said in (
            "No coat, and tired",
            "Decided: Child protection",
            "Referral: MASH",
            "Ring the",
        ):
            assert said in page, said
        copy = {
            "recipient": "DC Tom Reed", "reason": "Section 47 enquiry", "which": "All lines", "columns": list(COLUMNS)[0],
            "form": "PDF",
        }  # fmt: skip
        page = bob.post(f"/extract/new/?child={child.id}", copy)
        assert Extract.select().exists(), page.text_only[:800]
        page = bob.get(f"/case/details/?id={case.id}").text_only
        assert "Closed by Alice Brennan" in page and "A mark, and no explanation yet." in page
        assert [one.decision for one in Triage.select()] == ["Internal support", "Child protection"]
    assert not Task.select().where(Task.status == "open").exists()
