"""The cast, each in a browser of their own, in a school that every test gets afresh."""

import os
import shutil
import tempfile
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from filelock import FileLock

import app as application
from models import (
    TABLES,
    Absence,
    Attachment,
    Attempt,
    Calendar,
    Child,
    Clarification,
    Contact,
    Device,
    Document,
    Draft,
    Emergency,
    Enclosure,
    Entry,
    Event,
    Extract,
    Feedback,
    Flag,
    Guidance,
    Held,
    Incident,
    Log,
    Mark,
    Notice,
    Pack,
    PolicyDocument,
    Proposal,
    Quarantine,
    Receipt,
    Relation,
    Role,
    Roll,
    RollColumns,
    School,
    Section,
    Session,
    Setting,
    SetupLink,
    Share,
    Sheet,
    Slip,
    Submission,
    SubmissionSection,
    Task,
    Template,
    Tracker,
    Triage,
    User,
    VisitorPass,
    WebAuthn,
    db,
    demo,
)
from models.access import calendar, signin
from models.case.chronology import lines
from models.case.incident import ABOUT
from models.case.template import columns
from models.ground.clock import now, today
from models.ground.database import connect
from models.ground.settings import settings
from models.history import document, looks
from models.policy import visible
from models.shelf import copies, proof, sheet

from . import engine
from .person import CHEAP_ARGON2, Person, enrol_cast

MEMORY, ENOUGH = "/dev/shm", 4 * 10**9  # bytes
if "TMPDIR" not in os.environ and os.path.isdir(MEMORY) and shutil.disk_usage(MEMORY).free > ENOUGH:
    # a thousand schools are made and cleared away: a disk would be waited for longer than they last
    tempfile.tempdir = MEMORY


def pytest_addoption(parser):
    parser.addoption(
        "--engine",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="the database that the tests run on",
    )


def pytest_configure(config):
    if hasattr(config, "workerinput") or not config.getoption(
        "numprocesses", None
    ):  # not the process that only hands out tests
        engine.choose(config.getoption("--engine"))
    config.addinivalue_line(
        "markers", "only(engine): a fault or a promise that this engine alone has"
    )
    config.addinivalue_line(
        "markers", "both: runs on PostgreSQL as well as on SQLite, because engines can differ there"
    )
    config.addinivalue_line("markers", "long: takes so long that it is begun before the others")


def pytest_unconfigure(config):
    engine.current().stop()


def pytest_collection_modifyitems(config, items):
    """SQLite runs everything; PostgreSQL what is marked `both`. What only one engine can suffer is
    not run, rather than skipped, on the other.
    """
    name = engine.current().name

    def here(item):
        mark = item.get_closest_marker("only")
        return mark.args[0] == name if mark else name == "sqlite" or item.get_closest_marker("both")

    config.hook.pytest_deselected(items=[item for item in items if not here(item)])
    items[:] = dealt([item for item in items if here(item)])


def dealt(items):
    """`items` in the order in which pytest-xdist shares them out, a stretch to each process: those
    that are `long` first in theirs, for nobody can help with one that was begun last. The first
    process has the browser's.
    """
    shares = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.get_closest_marker("long")]
    rest = [item for item in items if not item.get_closest_marker("long")]
    found = []
    for place in range(shares):
        first = long if shares == 1 else long[place - 1 :: shares - 1] if place else []
        size = (len(items) - len(found)) // (shares - place) - len(first)
        found += [*first, *rest[:size]]
        rest = rest[size:]
    return found


@pytest.fixture(scope="session")
def app():
    settings.load(LOCAL="yes", SCHOOL="Thornley Beck School")
    return application.create_app(
        TESTING=True,
        SECRET_KEY="only in tests",
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=CHEAP_ARGON2,
    )


def settle(folder, **given):
    """Load settings for a data folder of its own and open its database."""
    folder.mkdir(exist_ok=True)
    known = {
        "SCHOOL": "Thornley Beck School",
        "ADDRESS": "2 Beck Lane",
        "URL": "http://127.0.0.1:5000",
    }
    settings.load(DATA=folder, DATABASE_URL=engine.current().url(folder), **known | given)
    connect(settings.database)


def prepared(tmp_path_factory, name, fill, **known):
    """The folder of a school that `fill()` fills, made once: by the first of the processes that
    asks, for a file can be copied; each has a PostgreSQL of its own.
    """
    folder = tmp_path_factory.mktemp(name) / "data"
    ours = os.environ.get("PYTEST_XDIST_WORKER") and engine.current().name == "sqlite"
    first = (tmp_path_factory.getbasetemp().parent / name) if ours else folder
    with FileLock(f"{first}.lock"):
        if not first.exists():
            half = first.with_name(f"{name} half made")
            settle(half, **known) if ours else settle(first, **known)
            application.prepare()
            with db.connection_context():
                fill()
                engine.current().settle()
            half.rename(first) if ours else None
    return shutil.copytree(first, folder) if ours else folder


@pytest.fixture(scope="session")
def blank(app, tmp_path_factory):
    """A database with the tables, the cast and four children, copied for every test."""
    return prepared(tmp_path_factory, "blank", lambda: people_and_children(app))


def people_and_children(app):
    """The cast, and four children."""
    with app.app_context():
        enrol_cast(app, "thornley.example")
    for number, name in enumerate(["Zofia Łukasiewicz", "Ngũgĩ wa Kamau", "山田 花子", "Siôn Ŵyn"]):
        born = date(2013, number + 1, 17)
        child = Child.create(
            name=name, date_of_birth=born, year=f"Year {number + 6}", upn=f"A12345678900{number}"
        )
        Event.write("child:add", child, None)


@pytest.fixture
def school(app, blank, tmp_path):
    """A fresh copy of the school, open for direct calls of the models; `school.alice` and the rest
    are Users.
    """
    tmp_path = tmp_path / "data"
    tmp_path.mkdir()
    engine.current().copy(blank, tmp_path)
    for kept in (
        document.AGAIN,
        sheet.AGAIN,
        looks.WAITING,
        signin.SEEN,
        calendar.WRONG,
    ):  # by the process
        kept.clear()
    app.config.pop("KEEPS_OPEN", None)  # of a server that another test began
    settle(tmp_path)
    db.connect()
    people = {user.email.split("@")[0]: user for user in User.select()}
    children = list(Child.select().order_by(Child.id))
    yield SimpleNamespace(app=app, folder=tmp_path, children=children, child=children[0], **people)
    if not db.is_closed():
        db.close()
    engine.current().drop(tmp_path)


@pytest.fixture
def cast(school):
    """The cast signed in, each when first asked for: cast.alice.get("/")."""

    class Cast:
        def __getattr__(self, name):
            person = Person(school.app, getattr(school, name)).sign_in()
            setattr(self, name, person)
            return person

    return Cast()


ANSWERS = {
    "noticed_at": "2026-03-04T09:15", "happened": "Approximate", "happened_at": "2026-03-04T09:00", "place": "Classroom", "known": "I saw or heard it",
    "what_happened": "Zofia Łukasiewicz came in with a red mark on her left wrist.", "child_words": "“He pulled me.”",
    "immediate_danger": "no", "immediate_action": "Told the DSL at once.", "safeguarding_alert": "yes", "topic": "Red mark",
}  # fmt: skip


@pytest.fixture
def answers(school):
    """What the report's form sends when it is filled in well."""
    return ANSWERS | {"child": school.child.label}


def report(school, by=None, alert=True, **more):
    """An incident made by the step itself."""
    values = {
        "child": school.child, "noticed_at": now(), "happened": "Not known", "place": "Classroom", "known": "I saw or heard it", "topic": "Red mark",
        "what_happened": "A red mark on the left wrist.", "immediate_danger": False, "immediate_action": "Told the DSL.", "safeguarding_alert": alert,
    }  # fmt: skip
    return Incident.report(by or school.dave, **values | more)


def besides(school, incident, by=None):
    """A row of each noun that hangs on an incident beside the main job: every sweep over tables and
    doors has it. A new noun adds its line.
    """
    by = by or school.carol
    return [
        Task.give(
            incident, by, what="Ring", owner=school.alice, due_on=now().date(), visible=visible
        ),
        triage(school, incident, by, opens=True),  # a Case, with its Link
        Clarification.ask(incident, by, "Which wrist?", now().date()),
        Feedback.give(incident, by, "Thank you", "Clear, and at once."),
        referral(school, incident, by),
        form_of(school, incident),
    ]


def form_of(school, incident, prefix="RES"):
    """A form of the incident with a row of each thing that forms are made of."""
    template = Template.get(Template.prefix == prefix, Template.in_force)
    form = Submission.begin(template, school.carol, incident=incident)
    section, question = next(
        (section, one)
        for section in form.sections()
        for one in section.questions
        if one["kind"] == "long text" and not section.restricted
    )
    form.fill_in(section, {question["id"]: "Steep stairs."}, school.carol)
    form.name(school.alice, school.mark)
    Enclosure.enclose(form, question["id"], "plan.txt", b"A plan.", school.carol)
    return through(Submission.get_by_id(form.id), school.carol, school.mark)


def through(form, by, signer):
    """The form with all that it needs answered, submitted, and signed by the first who signs."""
    for section in form.sections():
        given = {
            question["id"]: answer_to(question)
            for question in section.questions
            if section.lacks(question)
        }
        if given and not section.after:
            form.fill_in(section, section.answers | given, by)
    form = Submission.get_by_id(form.id)
    form.submit(by=by)
    if signer:
        form.sign(by=signer)
    return Submission.get_by_id(form.id)


def contact(school, incident, by=None, answers=None, **more):
    """A contact made by the step itself: the mother, told by telephone."""
    values = {
        "body": "Parent or carer", "kind": "Notification", "direction": "We told them", "person": "Helena Marsh-Iwu, mother", "at": now(),
        "how": "Telephone", "shared": "That there is a mark.", "ground": "Public task",
    }  # fmt: skip
    return Contact.add(incident, by or school.carol, answers=answers, **values | more)


def referral(school, incident, by=None, **more):
    """A referral to MASH that went up a rung, with a pack."""
    by = by or school.carol
    made = contact(
        school,
        incident,
        by,
        body="MASH",
        kind="Referral",
        person="Ann Pryce, duty social worker",
        **more,
    )
    made.escalate(whom="Tom Reed, team manager", what="He rings back today.", by=by)
    Pack.pack(made, recipient="Ann Pryce", asked="An assessment.", others=False, by=by)
    return Contact.get_by_id(made.id)


def around(school, child, by=None):
    """A row of each noun that is of a child."""
    by = by or school.carol
    entry = Entry.add(
        child, by, files=[("file.txt", b"Two pages.")], happened_on=date(2025, 3, 1), period="March 2025", headline="Father left the home",
        text="Two pages of the infants' school.", source="Earlier school", origin="Thornley Infants", pages="3 and 4", significant=True,
    )  # fmt: skip
    Absence.create(child=child, on=date(2026, 1, 12), half_days=2, kind="Illness", read_at=now())
    Event.write(
        "child:absence", child, None, also=[Absence.select().order_by(Absence.id.desc()).get()]
    )
    Mark.mark(child, entry, by, significant=True, headline="He left", impact="− for the worse")
    asked = {"which": "All lines", "columns": "As on the page", "form": "PDF"}
    return [
        entry,
        Flag.flag(child, by, kind="Young carer", since=date(2026, 1, 5), told="Yes"),
        Relation.relate(child, by, kind="Mother", name="Helena Marsh-Iwu", responsible=True),
        School.school(child, by, name="Thornley Infants", until=date(2024, 7, 20)),
        Extract.make(
            child, lines([child], by, visible), by, recipient="Jo Field, social worker", reason="Core group.", **asked
        ),
    ]  # fmt: skip


def triage(school, incident, by=None, **more):
    """A decision on `incident`, which opens a case where `opens` says so."""
    values = {
        "risk": "Medium", "urgency": "24 hours", "threshold": "Early help", "decision": "Internal support",
        "rationale": "A mark without an explanation.", "categories": [(incident.child, "Affected", "Physical")],
    }  # fmt: skip
    return Triage.decide(incident, by or school.carol, **values | more)


@pytest.fixture
def incident(school):
    return report(school)


@pytest.fixture
def log(school, incident):
    return Log.trigger(incident, school.mark)


@pytest.fixture
def tracker(school, log):
    return Tracker.begin(log, school.carol)


def answer_all(tracker, by):
    """Answer every required question."""
    for section in tracker.in_order():
        section.save_answers(
            {
                q["id"]: answer_to(q)
                for q in section.questions
                if q["required"] and "depends" not in q  # it follows from a Yes
            },
            by,
        )


def answer_to(question):
    kinds = {
        "yes/no": False, "date": "2026-06-01", "date and time": "2026-06-01T10:00:00+00:00",
        "several of a list": question["choices"][:2], "number": "1",
    }  # fmt: skip
    if question["kind"] == "table of rows":
        cells = kinds | {"yes/no": "Yes", "time": "14:05"}
        return [
            {
                one.name: one.choices[0] if one.choices else cells.get(one.kind, "Weekly check-in")
                for one in columns(question)
            }
        ]
    chosen = (
        question["choices"][0]
        if question["choices"]
        else f"An answer about {question['text'][:40]} by Ngũgĩ wa Kamau, 山田 花子."
    )
    return kinds.get(question["kind"], chosen)


def fill_in(log, by):
    """Fill in every field of the log that a sign-off needs."""
    log.edit(
        by, kind="Other serious event", basis="Judged serious", decided_why="A mark, and a frightened child.", told_at=log.aware_at, told_by=by,
        told_how="Telephone", told_reference="CR-1", summary="A red mark; the child is safe.",
    )  # fmt: skip


@pytest.fixture
def ready(school, log, tracker):
    """A log from which nothing is missing."""
    fill_in(log, school.alice)
    answer_all(tracker, school.carol)
    return Log.get_by_id(log.id)


@pytest.fixture(scope="session")
def demonstration(app, tmp_path_factory):
    """The fictional school: the path of its folder."""

    def build():
        with app.app_context():
            demo.build(application.hash_password(demo.PASSWORD))

    return prepared(tmp_path_factory, "demonstration", build, demo=True, **demo.SCHOOL)


@pytest.fixture
def demo_school(app, demonstration):
    """The fictional school, open for reading: tests that write take `school`."""
    settle(demonstration, demo=True, **demo.SCHOOL)
    db.connect()
    yield app
    db.close()


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """Where the school of `signed` is kept, once a test has made it."""
    return tmp_path_factory.mktemp("shelf") / "signed"


@pytest.fixture
def signed(request, school, shelf):
    """A completed log with an attachment and its signed copy: made once, for its PDF takes seconds,
    and copied for every test.
    """
    making = not shelf.exists()
    if making:
        ready = request.getfixturevalue("ready")
        Attachment.add(ready.incident, school.dave, "note.txt", b"A note.")
        ready.incident.amend(text="Seen again at lunch.", by=school.dave)
        school.child.set(year="Year 8")
        school.child.save()
        Event.write("child:edit", school.child, school.carol, {"year": ("Year 6", "Year 8")})
        ready.complete(by=school.mark)
        Document.finish()
        engine.current().settle()
    db.close()
    source, target = (school.folder, shelf) if making else (shelf, school.folder)
    engine.current().drop(target)
    shutil.copytree(source, target, dirs_exist_ok=True)
    engine.current().copy(source, target)
    db.connect()
    return Log.get()


def handed_in(by, content=b"Name,DOB\nSam Okafor,01/02/2014\n"):
    """A list of children that `by` handed in on the screen, looked at and not imported yet."""
    roll = Roll.hand_in(by, "pupils.csv", content)
    RollColumns.remember(roll.headings, roll.columns)
    roll.match_columns(roll.columns)
    roll.look()
    return Roll.get_by_id(roll.id)


def handed_over(school, by=None, lasts="1 day", **more):
    """A visitor pass, as its maker holds it: with its code."""
    return VisitorPass.make(by or school.carol, "Jo Field, supply teacher", lasts, **more)


def slip(school, by_pass=None, **more):
    """What a supply teacher handed in."""
    values = {
        "writer": "Jo Field", "writer_role": "Supply teacher", "writer_contact": "01632 960777", "child_name": "Sofia, in Year 6",
        "about_adult": False, "noticed_at": now(), "happened": "Not known", "place": "Classroom", "known": "I saw or heard it",
        "what_happened": "She flinched when I raised the blind.", "immediate_danger": False, "immediate_action": "Told reception.",
    }  # fmt: skip
    return Slip.hand_in(by_pass or handed_over(school), now(), **values | more)


def guidance(**more):
    """What the school wants recorded, in its own words."""
    values = {"duty": "01632 960100", "numbers": "Children’s social care (MASH), 01632 960123"}
    made = Guidance.create(**values | more)
    Event.write("guidance:add", made, None)
    return made


def policy_document(school, title="Child protection policy", roles=(), **more):
    """A policy for all staff, or for those with one of `roles`, by their names."""
    values = {"edition": "September 2026", "text": "Tell the DSL, on the day."}
    values |= {"due_on": today() + timedelta(days=14)}
    named = list(Role.select().where(Role.name.in_(roles)))
    return PolicyDocument.publish(school.alice, named, title=title, **values | more)


SECRET = b"correct-horse-battery-staple"  # to the keys in a backup


@pytest.fixture
def vault(school, tmp_path):
    """Where backups go; the installation has its key, as every real one has."""
    settings.secret("secret.key", lambda: b"k" * 64)
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(school, tmp_path):
    """An empty machine: call it to move there; the real one is back afterwards."""
    folder = tmp_path / "elsewhere"

    def move():
        db.close()
        settle(folder)
        db.connect()
        return folder

    yield move
    db.close()
    engine.current().drop(folder)
    settle(school.folder)
    db.connect()


def run(app, *args):
    """A command as IT types it; the key lies in a file."""
    key = settings.folder.parent / "key"
    key.write_bytes(SECRET)
    db.close()
    result = app.test_cli_runner().invoke(args=[*map(str, args), "--key-file", str(key)])
    db.connect(reuse_if_open=True)
    return result


@pytest.fixture
def full(school, signed):
    """A school with a row in every table, of which verify finds that all fits."""
    incident = signed.incident
    around(school, incident.child)
    Share.share(incident, school.connor, "He drives him home.", school.mark)
    Share.unshare(incident, school.connor, school.mark)
    Share.share(incident, school.connor, "Again.", school.mark)
    Share.name_adult(incident, school.grace, "The child said so.", school.mark)
    Emergency.begin(school.connor, "Nobody is to be reached.")
    Proposal.make(school.ira, "grant", user=school.dave, role=Role.get(Role.name == "Manager"))
    WebAuthn.create(
        user=school.carol, name="Key", credential_id=b"1", public_key=b"2", backup_state=False, device_type="single", lastuse_datetime=now(),
        usage="secondary",
    )  # fmt: skip
    Event.write("user:factor", school.carol, school.carol)
    Session.begin(school.carol, "127.0.0.1", "Firefox")
    Draft.keep(school.carol, "/incident/new/", [("topic", "Red mark")])
    Held.hold(school.carol, "/incident/new/", [("note.txt", b"Half a note.")])
    Quarantine.hold("ab" * 32)
    Receipt.keep("token", school.carol, [], "/")
    handed_in(school.ira)
    besides(school, incident)
    setting = Setting.create(name="Beck House")
    Event.write("setting:add", setting, None)
    slip(school, about_adult=True, adult="Mr Bob Adeyemi")
    guidance()
    policy_document(school, roles=["Staff"]).acknowledge(by=school.dave)
    Sheet.choose(school.alice, "four words that do not belong")
    SetupLink.make()
    Device.meet("a browser", school.carol)
    Calendar.make(school.carol)
    Attempt.reserve("carol@thornley.example", "127.0.0.1")
    notice = Notice.select().order_by(Notice.id).first()
    notice.claim(), notice.attempt(lambda one: None)
    fits()
    return school


def fits(anchor=""):
    """What verify looks at, without the transaction of its own. `anchor`: a head that was written
    down, by which a cut tail is seen.
    """
    (
        proof.history(TABLES, anchor),
        proof.references(TABLES),
        proof.files(),
        copies.papers(),
        copies.sign_offs(),
    )


@pytest.fixture
def case(school):
    """A case that Dina reported and that is about Bob, Level 5: a record of each kind, of which he
    sees none.
    """
    incident = report(school, by=school.dina, adults=[(school.bob, ABOUT)])
    Attachment.add(incident, school.dina, "note.txt", b"A note.")
    log = Log.trigger(incident, school.mark)
    tracker = Tracker.begin(log, school.carol)
    fill_in(log, school.alice)
    answer_all(tracker, school.carol)
    Log.get_by_id(log.id).complete(by=school.mark)
    Log.get_by_id(log.id).reopen(reason="More was learned.", by=school.alice)
    Proposal.make(school.ira, "grant", user=school.dave, role=Role.get(Role.name == "Manager"))
    notice = Notice.select().where(Notice.user == school.alice).first()
    rows = [*besides(school, incident), *around(school, incident.child)]
    return {row.noun(): row.id for row in rows} | {
        "incident": incident.id,
        "log": log.id,
        "section": Section.select().first().id,
        "document": Document.get().id,
        "notice": notice.id,
        "proposal": Proposal.get().id,
        "user": school.dina.id,
        "roll": handed_in(school.alice).id,
        "setting": Setting.create(name="Hollow Lane").id,
        "slip": slip(school, about_adult=True, adult="Mr Bob Adeyemi").id,
        "visitor_pass": VisitorPass.get().id,
        "guidance": guidance().id,
        "submission_section": SubmissionSection.get().id,
        "enclosure": Enclosure.get().id,
        "policy_document": policy_document(school).id,
    }
