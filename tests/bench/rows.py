"""The rows of a peer's database in our own schema, straight into the tables, with the history that
vouches for them.
"""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import islice

from models import (
    Assignee,
    Child,
    Event,
    Incident,
    Log,
    Role,
    Section,
    Template,
    Tracker,
    User,
    UserRole,
    db,
)
from models.case.choice import Choice
from models.history.event import digest, link

BATCH = 500
PLACE = "Classroom"  # of every incident that the peer calls severe: a filter finds as many as there


def some(rows, size=BATCH):
    rows = iter(rows)
    while batch := list(islice(rows, size)):
        yield batch


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def whole(model, **values):
    """A row of `model` with every column said, as one that was read."""
    return model(**dict.fromkeys(model._meta.fields) | values)


def put(model, rows):
    """Insert rows of `model` that have their ids."""
    for batch in some(rows):
        model.insert_many([row.__data__ for row in batch]).execute()


class Chain:
    """The end of the history, to which events are hung without asking the database for each."""

    def __init__(self):
        last = Event.head()
        self.id, self.hash, self.waiting = last.id, last.hash, []

    def add(self, at, by, verb, record, incident, parts):
        """An event of `verb` on `record`; parts: {record: the rows that its digest covers}."""
        states = {f"{one.noun()} {one.id}": digest(rows) for one, rows in parts}
        said = {
            "by": str(by),
            "record": record.reference if hasattr(record, "reference") else str(record.id),
            "address": "",
            "states": states,
        }
        text = json.dumps(said, sort_keys=True, ensure_ascii=False)
        event = Event(
            id=self.id + 1, at=at, by=by.id, verb=verb, subject=record.noun(), record=record.id, incident=incident, payload=text,
            digest=sha256(text.encode()).hexdigest(), previous=self.hash,
        )  # fmt: skip
        event.hash = link(event)
        self.id, self.hash = event.id, event.hash
        self.waiting.append(event)

    def write(self):
        put(Event, self.waiting)
        self.waiting = []


def people_and_children(peer):
    """The peer's staff as our Staff, its pupils as our children: ({its id: User}, {its id: Child's id})."""
    staff, pupils = {}, {}
    for id, name, email in peer.execute("SELECT id, name, email FROM staff"):
        user = staff[id] = User.create(name=name, email=email, job_title="Teacher")
        UserRole.create(user=user, role=Role.get(Role.name == "Staff"))
        Event.write("user:add", user, None)
    for id, name, born, year in peer.execute("SELECT id, name, dob, year_group FROM pupil"):
        child = Child.create(
            name=name, date_of_birth=date.fromisoformat(born), year=f"Year {year[1:]}"
        )
        Event.write("child:add", child, None)
        pupils[id] = child.id
    return staff, pupils


def incident_of(row, staff, pupils, places):
    """Our Incident of one of the peer's, with its id: severe ones happened in one PLACE, open ones wait to be decided."""
    at = moment(row["occurred_at"])
    status = {"open": "to decide", "review": "not notifiable"}.get(row["status"], "no alert")
    return whole(
        Incident, id=row["id"], version=1, reference=row["ref"], status="triggered" if row["log"] else status, reported_by=staff[row["reported_by_id"]].id,
        reported_at=at, child=pupils[row["pupil_id"]], noticed_at=at, happened="Exact", happened_at=at, known="I saw or heard it",
        place=PLACE if row["severity"] == "high" else places[row["location_id"] % len(places)], what_happened=row["narrative"], injuries=[],
        immediate_danger=False, immediate_action="Told the DSL at once.", safeguarding_alert=bool(row["log"]) or status != "no alert", topic=row["summary"][:120],
    )  # fmt: skip


def fill(file, by):
    """Fill the open, empty database with what is in the peer's SQLite `file`; `by` (a User) triggered every log."""
    with closing(sqlite3.connect(file)) as peer, db.atomic():
        peer.row_factory = sqlite3.Row
        staff, pupils = people_and_children(peer)
        chain, places = Chain(), [name for name in Choice.names("place") if name != PLACE]
        asked = [
            (section, [question.pinned() for question in questions])
            for section, questions in Template.current().sections_asked()
        ]
        incidents = peer.execute(
            "SELECT incident.*, ofstedlog.id AS log FROM incident LEFT JOIN ofstedlog ON incident_id = incident.id ORDER BY incident.id"
        )
        for batch in some(incidents):
            made = [incident_of(row, staff, pupils, places) for row in batch]
            put(Incident, made)
            rows = {Log: [], Assignee: [], Tracker: [], Section: []}
            for row, incident in zip(batch, made, strict=True):
                chain.add(
                    incident.reported_at,
                    staff[row["reported_by_id"]],
                    "incident:report",
                    incident,
                    incident.id,
                    [(incident, [incident])],
                )
                if row["log"]:
                    for model, new in case(
                        peer, chain, row["log"], incident, staff, by, asked
                    ).items():
                        rows[model] += new
            for model, new in rows.items():
                put(model, new)
            chain.write()
        return chain.id


def case(peer, chain, id, incident, staff, by, asked):
    """The log `id` of an incident with its people and its tracker, as {model: rows}, their events hung to the chain."""
    at = incident.reported_at + timedelta(hours=3)
    log = whole(Log, id=id, version=1, reference=f"OFS-{id:06d}", status="tracking", incident=incident.id, triggered_by=by.id, triggered_at=at,
                setting="School", kind="Other serious event", basis="Judged serious", decided_by=by.id, decided_at=at, aware_at=incident.reported_at,
                summary=incident.what_happened[:600])  # fmt: skip
    people = [
        whole(
            Assignee, id=number, version=1, log=id, user=staff[person].id, by=by.id, assigned_at=at
        )
        for number, person in peer.execute(
            "SELECT id, staff_id FROM assignee WHERE log_id = ? ORDER BY id", (id,)
        )
    ]
    tracker = whole(
        Tracker,
        id=id,
        version=1,
        log=id,
        template=asked[0][0].template_id,
        begun_by=by.id,
        begun_at=at,
    )
    chain.add(
        at, by, "log:trigger", log, incident.id, [(log, [log, *people]), (incident, [incident])]
    )
    sections, bodies = (
        [],
        list(
            peer.execute(
                "SELECT body, updated_by_id FROM trackersection WHERE log_id = ? ORDER BY id", (id,)
            )
        ),
    )
    for position, (section, questions) in enumerate(asked, 1):
        body, person = bodies[position % len(bodies)]
        long = next((one["id"] for one in questions if one["kind"] == "long text"), None)
        sections.append(whole(
            Section, id=(id - 1) * len(asked) + position, version=2, tracker=id, position=position, title=section.title, help=section.help,
            restricted=bool(section.restricted), questions=questions, answers={long: body} if long else {}, saved_by=staff[person].id, saved_at=at,
        ))  # fmt: skip
    chain.add(
        at,
        by,
        "tracker:begin",
        tracker,
        incident.id,
        [(one, [one]) for one in (tracker, *sections)],
    )
    for section in sections:
        chain.add(at, by, "section:save", section, incident.id, [(section, [section])])
    return {Log: [log], Assignee: people, Tracker: [tracker], Section: sections}
