"""A fictional school, told by calling the real steps at past times: the demonstration, and a test
of every step.
"""

import tomllib
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from smtplib import SMTPResponseException

from models.access.proposal import Proposal
from models.access.visitor_pass import VisitorPass
from models.case.absence import Absence
from models.case.attachment import Attachment
from models.case.case import Case
from models.case.child import Child, Flag
from models.case.chronology import lines
from models.case.clarification import Clarification
from models.case.contact import Contact
from models.case.entry import Entry
from models.case.extract import Extract
from models.case.feedback import Feedback
from models.case.guidance import Guidance
from models.case.incident import Incident
from models.case.log import Log
from models.case.mark import Mark
from models.case.policy_document import PolicyDocument
from models.case.relation import Relation
from models.case.school import School
from models.case.slip import Slip
from models.case.task import Task
from models.case.template import columns
from models.case.tracker import Tracker
from models.case.triage import Triage
from models.demo_forms import on, tell_forms
from models.ground.clock import LONDON, at, now
from models.ground.database import transaction
from models.history.event import Event, plain
from models.history.notice import Notice
from models.people.role import Role
from models.people.user import User, UserRole
from models.policy import visible

TOLD = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SCHOOL, PASSWORD, PEOPLE, CHILDREN = (
    TOLD[name] for name in ("school", "password", "people", "children")
)
NONE, DECIDE, NOT, OPEN = "no alert", "to decide", "not notifiable", "open"  # how stories end
BEGUN, DONE, FORCED, AGAIN = "begun", "completed", "completed anyway", "reopened"
# the stories with a task that repeats, a question, a thank-you
WEEKLY, ASKED, THANKED = "Held by the arm", "Threat in a game", "No heating"


def build(password: str) -> None:
    """Fill an empty database with the school. `password` is the hash that every demonstration
    account gets.
    """
    steps: list = []  # (moment, order, function): what happens, in the order it happened
    start = datetime.combine(now().astimezone(LONDON).date(), time(9, 5), LONDON)

    def later(days_ago, minutes, function):
        steps.append(
            (
                min(start - timedelta(days=days_ago) + timedelta(minutes=minutes), now()),
                len(steps),
                function,
            )
        )

    with transaction():
        with at(start - timedelta(days=660)):
            people, children = settle(password)
        for number, story in enumerate(TOLD["stories"]):
            tell(story, number, people, children, later)
        for number, (days, who, place, topic, text) in enumerate(TOLD["small"]):
            told = (days, who, 6, place, "I saw or heard it", topic, text, "", NONE)
            tell(told, number + len(TOLD["stories"]), people, children, later)
        for policy in TOLD["policies"]:
            publish(policy, people, later)
        tell_forms(people, children, later)
        for moment, _order, function in sorted(steps, key=lambda step: step[:2]):
            with at(moment):
                function()
                deliver()
        with at(min(start, now()) - timedelta(minutes=5)):
            ask(people)
            around(children[16], people)
            visit(people)
        post()


def settle(password):
    """The people and the children."""
    roles = {role.name: role for role in Role.select()}
    people, children = {}, []
    for email, name, title, role in PEOPLE:
        person = User.create(name=name, job_title=title, email=email, password=password)
        UserRole.create(user=person, role=roles[role])
        Event.write("user:add", person, None)
        people[email.split("@")[0]] = person
    for number, (name, born, year, flags) in enumerate(CHILDREN):
        child = Child.create(
            name=name,
            date_of_birth=date.fromisoformat(born),
            year=year,
            upn=f"Z{960001234500 + number:012d}",
        )
        for kind in flags:
            Flag.create(child=child, kind=kind, since=now().date())
        Event.write("child:add", child, people["carol"])
        children.append(child)
    Event.write("guidance:add", Guidance.create(**TOLD["guidance"]), people["alice"])
    return people, children


def ask(people):
    """A change that waits for a Level 5."""
    Proposal.make(
        people["ira"], "grant", user=people["dina"], role=Role.get(Role.name == "Contributor")
    )


def visit(people):
    """What a supply teacher handed in this morning; nobody has chosen the child yet."""
    visitor = VisitorPass.make(people["carol"], "Jo Field, supply teacher", "1 day")
    Slip.hand_in(visitor, now(), noticed_at=now(), **TOLD["visitor"])


def publish(policy, people, later):
    """A policy that staff are to read, and those who have read it, a day each."""
    known, made = dict(policy), {}
    days, due, readers = known.pop("days_ago"), known.pop("due"), known.pop("read_by")

    def put_in_force():
        day = now().date() + timedelta(days=due)
        made["policy"] = PolicyDocument.publish(people["alice"], due_on=day, **known)

    later(days, 400, put_in_force)
    for number, name in enumerate(readers, 1):
        later(days - number, 410, lambda name=name: made["policy"].acknowledge(by=people[name]))


def sheet(text):
    """A sheet of paper with a line of writing on it: a picture."""
    from PIL import Image, ImageDraw

    paper = Image.new("L", (420, 594), 255)
    ImageDraw.Draw(paper).text((40, 60), text, fill=40, font_size=24)
    return paper


def drawn(picture, form, **more):
    """A picture as the bytes of a file."""
    out = BytesIO()
    picture.save(out, form, **more)
    return out.getvalue()


def around(child, people):
    """Who and what is around one child: people, a flag to be looked at again, an earlier school
    with its file, absence, and a copy of the chronology.
    """
    today, alice = now().astimezone(LONDON).date(), people["alice"]
    Relation.relate(
        child,
        alice,
        kind="Mother",
        name="Grace Barrow",
        responsible=True,
        household=True,
        reached="01632 960 118",
    )
    Relation.relate(
        child, alice, kind="Father", name="Paul Barrow", responsible=True, household=False
    )
    Relation.relate(child, alice, kind="Aunt or uncle", user=people["ira"])
    Flag.flag(
        child,
        alice,
        kind="Young carer",
        since=today - timedelta(days=260),
        review_on=today + timedelta(days=3),
        told="Yes",
    )
    School.school(
        child,
        alice,
        name="Thornley Infants",
        since=today - timedelta(days=1900),
        until=today - timedelta(days=850),
        received=True,
        received_on=today - timedelta(days=800),
    )
    entry = Entry.add(
        child,
        people["carol"],
        happened_on=today - timedelta(days=900),
        headline="Two pages from Thornley Infants: father left the home",
        source="Earlier school",
        text="He moved out in the spring. Grace Barrow asked the school to ring her and nobody "
        "else.",
        origin="Thornley Infants",
        pages="3 and 4",
        significant=True,
    )
    hiding = Incident.select().where(Incident.child == child).order_by(Incident.id.desc()).get()
    Mark.mark(
        child,
        hiding,
        alice,
        significant=True,
        headline="Hiding food for her sister",
        impact="− for the worse",
    )
    note, old = sheet("I am saving it for Rosie."), [sheet(f"Page {n}") for n in range(1, 15)]
    Attachment.add(hiding, people["carol"], "note.png", drawn(note, "PNG"), what="Note in her bag")
    Attachment.add(
        hiding,
        alice,
        "thornley-infants.pdf",
        drawn(old[0], "PDF", save_all=True, append_images=old[1:]),
        what="Paper file of Thornley Infants",
        period="2019",
        pages=len(old),
    )
    Mark.mark(child, entry, alice, significant=True, impact="− for the worse")
    days = [today - timedelta(days=7 * week + today.weekday()) for week in (1, 2, 4)] + [
        today - timedelta(days=9)
    ]
    absent = [
        Absence.create(
            child=child, on=day, half_days=1, kind="Absent without permission", read_at=now()
        )
        for day in dict.fromkeys(days)
    ]
    Event.write("child:absence", child, None, also=absent, days=len(absent))
    Extract.make(
        child,
        lines([child], alice, visible)[::-1],
        alice,
        recipient="Jo Field, social worker, Calderdale Council",
        reason="The core group asked for it.",
        which="Significant lines",
        columns="As on the page",
        form="PDF",
    )


def tell(story, number, people, children, later):
    """One story: the report, and each step up to where it ends."""
    days, reporter, child, place, known, topic, facts, words, ends = story
    child, case = children[child], {}

    def report():
        others = [(children[12], "Alleged to have caused harm")] if number == 1 else []
        adults = [(people["dina"], "Present")] if reporter == "dave" and number % 3 == 0 else []
        case["incident"] = Incident.report(
            people[reporter],
            others=others,
            adults=adults,
            child=child,
            noticed_at=now() - timedelta(minutes=25),
            happened="Approximate",
            happened_at=now() - timedelta(minutes=40),
            place=place,
            known=known,
            topic=topic,
            what_happened=facts,
            child_words=words or None,
            questions_asked="“Can you tell me more about that?”" if words else None,
            **TOLD["languages"].get(topic, {}),
            immediate_danger=False,
            opinion="This is unlike the child, and worth following up." if number % 2 else None,
            injuries=[
                {
                    "side": "Head, left side: cheek",
                    "at": "412 472",
                    "place": "below the cheekbone, in line with the ear",
                    "kind": "Bruise",
                    "size": "2 × 1.5",
                    "colour": "blue, yellow at the edge",
                    "broken": "No",
                    "note": "not swollen",
                }
            ]
            if topic == "Bruise on cheek"
            else [],
            immediate_action="Spoke with the child in a quiet place and told the safeguarding "
            "team before the end of the lesson.",
            told_dsl=number % 2 == 0,
            told_whom=None if number % 2 else people["alice"].label,
            parents_told="Not yet",
            parents_why="To be decided by the DSL.",
            intervention=False,
            safeguarding_alert=ends != NONE,
        )

    def triage():
        incident, alive = (
            case["incident"],
            Case.select().where(Case.about(child), Case.status.in_(Case.ALIVE)).first(),
        )
        by = people["alice" if number % 2 else "carol"]
        incident.acknowledge(by=by)
        category, risk, threshold, decision = TOLD["decided"].get(topic) or (
            "Health and other",
            *(
                ("Low", "Universal", "No further action")
                if ends == NONE
                else ("Medium", "Early help", "Early help")
            ),
        )
        small = decision == "No further action" and not alive
        Triage.decide(
            incident,
            by,
            opens=not small and not alive,
            case=None if small else alive,
            risk=risk,
            threshold=threshold,
            decision=decision,
            urgency="24 hours" if risk in ("High", "Critical") else "Five working days",
            categories=[(child, "Affected", category)],
            rationale="The child was seen and spoken to, the earlier entries were read, and this "
            "is what they show together.",
            not_referred="The social worker was asked first, and advises support in school."
            if threshold in ("Targeted", "Statutory") and decision == "Internal support"
            else None,
            flags=["Child protection plan"] if decision == "Child protection" else (),
        )

    def trigger():
        case["log"] = Log.trigger(case["incident"], people["mark"])

    def fill_in():
        log = case["log"]
        log.edit(
            people["carol"],
            told_at=now(),
            told_by=people["alice"],
            told_reference=f"CR{48210 + number}",
            late_because="The portal was down overnight." if log.late else None,
            kind=TOLD["kinds"][number % 5],
            summary=f"{topic}. The child is safe and supported; details were given on the "
            "telephone.",
            **TOLD["fields"],
        )
        log.assign([people["carol"]], people["alice"])

    def begin():
        case["tracker"] = Tracker.begin(case["log"], people["carol"])

    def answer(upto):
        for section in case["tracker"].in_order()[:upto]:
            section.save_answers(
                {q["id"]: given(q, child, case["incident"]) for q in section.questions},
                people["carol" if section.position % 2 else "alice"],
            )

    def task(what, owner, days, **more):
        day = now().date() + timedelta(days=days)
        case["task"] = Task.give(
            case["incident"],
            people["alice"],
            what=what,
            owner=people[owner],
            due_on=day,
            visible=visible,
            **more,
        )

    def weekly():
        return Task.get(Task.incident == case["incident"], Task.status == "open")

    def close():
        found = Case.of(case["incident"]).get()
        if found.status == "open":
            found.edit(
                people["alice"],
                child_told="Yes",
                parents_told="Yes",
                risk_reviewed_on=now().date(),
                outcome="The child says that it has stopped, and has somebody to go to.",
            )
        if found.status == "open" and not found.missing():
            found.close(by=people["mark"])

    def note():
        section = case["tracker"].in_order()[5 + number % 3]
        text = next(question for question in section.questions if question["kind"] == "long text")
        section.save_answers({text["id"]: "To be asked on Friday."}, people["carol"])

    def outside(by, contact):
        if contact["body"] == "MASH":
            Relation.relate(
                child,
                people[by],
                kind="Mother",
                name="Alena Dvořáková",
                responsible=True,
                household=True,
                reached="01632 960 114",
            )
        Contact.add(case["incident"], people[by], at=now() - timedelta(minutes=5), **contact)

    later(days, number % 5 * 37, report)
    if days > 4 or ends not in (NONE, DECIDE):
        later(days, number % 5 * 37 + 65, triage)
    for told, after, minutes, by, contact in TOLD["outside"]:
        if told == topic:
            at_minute = number % 5 * 37 + 60 + minutes
            later(
                3 if after == "" else days - after,
                at_minute,
                lambda by=by, contact=contact: outside(by, contact),
            )
    if ends == NONE and number % 4 == 0:
        later(
            days - 1,
            60,
            lambda: case["incident"].amend(
                text="The child was seen again the next morning and had nothing to add.",
                by=people[reporter],
            ),
        )
    if ends == NOT:
        later(
            days - 1,
            95,
            lambda: case["incident"].not_notifiable(
                reason="Considered with the DSL: below the threshold for Ofsted; support is in "
                "place at school.",
                by=people["mark"],
            ),
        )
    if ends in (OPEN, BEGUN, DONE, FORCED, AGAIN):
        later(days, 240, trigger)
    if ends in (BEGUN, DONE, FORCED, AGAIN):
        later(days, 330 if number % 4 else 2000, fill_in)
        later(days - 2, 30, begin)
        later(days - 6, 50, lambda: answer(5))
        later(days - 7, 15, note)
    if ends == BEGUN:
        what, owner = TOLD["tasks"][number % len(TOLD["tasks"])]
        later(days - 6, 60, lambda: task(what, owner, days - 8 + number % 5))
    if topic == WEEKLY:
        later(
            days - 1,
            75,
            lambda: task(
                "Ask in the quiet room how the week was",
                "carol",
                7,
                repeats="Each week",
                urgency="Five working days",
            ),
        )
        for week, effect in enumerate(TOLD["weeks"]):
            later(
                days - 8 - 7 * week,
                75,
                lambda effect=effect: weekly().done(
                    effect=effect, evidence="The note in her planner.", by=people["carol"]
                ),
            )
    if topic == ASKED:
        later(
            days,
            150,
            lambda: Clarification.ask(
                case["incident"],
                people["carol"],
                "Did you see who was with the child, and at what time?",
                now().date() + timedelta(days=3),
            ),
        )
    if topic == THANKED:
        later(
            days,
            200,
            lambda: Feedback.give(
                case["incident"],
                people["alice"],
                "Thank you",
                "You wrote down the words as they were said, and told us within the hour. That "
                "made the next call easy.",
            ),
        )
    if ends in (DONE, AGAIN):
        later(days - 7, 30, lambda: task("Ring the family’s support worker", "carol", 5))
        later(
            days - 10,
            45,
            lambda: case["task"].done(
                effect="She visits on Mondays from now on.", by=people["carol"]
            ),
        )
        later(days - 25, 70, lambda: answer(13))
        later(days - 28, 20, lambda: case["log"].complete(by=people["mark"]))
        later(days - 40, 50, close)
    if ends == FORCED:
        later(
            days - 30,
            20,
            lambda: case["log"].complete_anyway(
                reason="The family has moved; the new authority holds the case and the rest "
                "cannot be answered here.",
                by=people["alice"],
            ),
        )
    if ends == AGAIN:
        later(
            days - 40,
            20,
            lambda: case["log"].reopen(reason="The police gave new information.", by=people["bob"]),
        )


def given(question, child, incident):
    """The prepared answer to one question, with the child's name put in and days counted from
    now.
    """

    def fill(value):
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()}
        return (
            value.format(child=child.name, incident=incident.reference)
            if isinstance(value, str)
            else value
        )

    answer = fill(TOLD["answers"].get(question["text"]))
    if question["kind"] == "table of rows":
        dated = {one.name for one in columns(question) if one.kind in ("date", "date and time")}
        return [
            {name: plain(on(cell)) if name in dated else cell for name, cell in row.items()}
            for row in answer or []
        ]
    return on(answer) if question["kind"] == "date" and answer else answer


def deliver(send=lambda notice: None):
    """Send what waits, now."""
    for notice in Notice.select().where(Notice.status == "waiting").order_by(Notice.id):
        notice.claim()
        notice.attempt(send)


def post():
    """Send what was queued, all but the emails of one mailbox that has been full for a while: those
    still wait.
    """
    full = Notice.select().order_by(Notice.id.desc()).first()

    def send(notice):
        if notice.id == full.id:
            raise SMTPResponseException(452, b"mailbox full")

    deliver(send)
    full = Notice.get_by_id(full.id)
    while full.attempts < 5:
        with at(full.due_at):
            full.claim()
            full.attempt(send)
        full = Notice.get_by_id(full.id)
