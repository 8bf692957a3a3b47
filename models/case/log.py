"""The Ofsted notification log: triggered from an incident, filled in, tracked, signed off."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from peewee import CharField, Expression, ForeignKeyField, ModelSelect, TextField

from models.ground.clock import LONDON, now
from models.ground.composed import composed
from models.ground.database import contains, transaction
from models.ground.fields import Moment, Pick
from models.ground.record import Record, Refused
from models.ground.settings import settings
from models.ground.words import pages
from models.history.document import Document
from models.history.event import LOOKS, Event
from models.history.notice import Notice
from models.history.step import claim, starts, step
from models.people.setting import Setting
from models.people.user import User

from . import enquiry, front
from .annex import annexed
from .case import Case
from .child import Child
from .incident import Addendum, Incident, Involved, OfIncident
from .injury import numbered
from .line import Line
from .shut_out import ShutOut

BASIS = ["Required by law", "Judged serious"]
ENQUIRY = ["None", "Opened", "Concluded"]
SIGNED = ("log:complete", "log:complete_anyway")  # the verbs of a sign-off


def same(*columns: str) -> str:
    """The SQL condition that a change leaves `columns` alone, on both engines."""
    alike, none = 'OLD."{0}" = NEW."{0}"', 'OLD."{0}" IS NULL AND NEW."{0}" IS NULL'
    each = f"(({alike}) IS TRUE OR ({none}))"  # never NULL, which would let all pass
    return " AND ".join(each.format(column) for column in columns)


class Log(OfIncident):
    reference = CharField(unique=True, max_length=20, verbose_name="Reference")
    status = CharField(max_length=20, index=True, verbose_name="Status")
    incident = ForeignKeyField(Incident, unique=True, on_delete="RESTRICT", verbose_name="Incident")
    triggered_by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Triggered by")
    triggered_at = Moment(index=True, verbose_name="Triggered")

    setting = CharField(max_length=200, verbose_name="Setting")
    urn = CharField(max_length=20, null=True, verbose_name="URN")
    address = TextField(null=True, verbose_name="Address")

    kind = Pick("notifiable event", null=True, verbose_name="Kind of notifiable event")
    basis = Pick(fixed=BASIS, null=True, verbose_name="Required by law or judged serious")
    decided_by = ForeignKeyField(User, null=True, on_delete="RESTRICT", verbose_name="Decided by")
    decided_at = Moment(null=True, verbose_name="Decided")
    decided_why = TextField(null=True, verbose_name="Why it was decided")
    aware_at = Moment(null=True, verbose_name="Became aware")

    told_at = Moment(null=True, verbose_name="Ofsted told")
    told_by = ForeignKeyField(User, null=True, on_delete="RESTRICT", verbose_name="Told by")
    told_how = Pick("how told", null=True, verbose_name="How told")
    told_reference = CharField(null=True, max_length=80, verbose_name="Ofsted’s reference")
    late_because = TextField(
        null=True,
        verbose_name="Late because",
        help_text="Needed only when Ofsted was told after the time it was due.",
    )

    summary = TextField(null=True, verbose_name="Summary for Ofsted")
    done_at_once = TextField(null=True, verbose_name="What was done at once")
    prevention = TextField(null=True, verbose_name="What will prevent a repeat")
    enquiry = Pick(
        fixed=ENQUIRY,
        null=True,
        verbose_name="Child protection enquiry",
        help_text="Ofsted wants one report for each incident; the conclusion of an enquiry is "
        "the only update it takes.",
    )
    enquiry_outcome = TextField(null=True, verbose_name="Outcome of the enquiry")

    GROUPS = {
        "Setting": ["setting", "urn", "address"],
        "The decision": ["kind", "basis", "decided_by", "decided_at", "decided_why", "aware_at"],
        "Telling Ofsted": ["told_at", "told_by", "told_how", "told_reference", "late_because"],
        "What Ofsted is told": [
            "summary",
            "done_at_once",
            "prevention",
            "enquiry",
            "enquiry_outcome",
        ],
    }
    NEEDED = [
        "kind",
        "basis",
        "decided_by",
        "decided_at",
        "decided_why",
        "aware_at",
        "told_at",
        "told_by",
        "told_how",
        "told_reference",
        "summary",
    ]

    # what is signed, and stands once it is completed: the columns of all groups but one
    STANDS = (
        *GROUPS["Setting"], "kind", "basis", "decided_by_id", "decided_at", "decided_why",
        "aware_at", *GROUPS["What Ofsted is told"],
    )  # fmt: skip

    STATUSES = ("open", "tracking", "completed")
    keeps = "submitted"
    changes = ("status", "version", *(name for names in GROUPS.values() for name in names))
    # that Ofsted was told is written down after the sign-off as well: it stays owed; and only that
    sealed = (
        "OLD.status = 'completed' AND NEW.status = 'completed' AND NOT "
        f"(OLD.told_at IS NULL AND NEW.told_at IS NOT NULL AND {same(*STANDS)})"
    )

    def __str__(self):
        return self.reference

    def parts(self):
        return [Log.get_by_id(self.id), *Assignee.rows_of(self)]

    def recipients(self) -> list[User]:
        """The people to email: everyone assigned now, but for an adult whom the concern is
        about.
        """
        shut_out = ShutOut.of(self.incident_id)
        return [assignee.user for assignee in Assignee.of(self) if assignee.user_id not in shut_out]

    def moved(self, event):
        if self.status == "completed":
            # what was saved and emptied stands in the history that the copy prints
            held = any(section.restricted and section.saved_at for section in self.sections())
            document = Document.create(
                event=event, words=self.paper(restricted=True), restricted=held
            )
            Event.write("document:add", document, event.by)

    @classmethod
    @starts("to decide")
    def trigger(
        cls, incident: Incident, by: User, kind: str | None = None, why: str | None = None
    ) -> "Log":
        """Create the incident's one log, assign every Level 5, and email them; what stands in no
        case gets one. Pressed again, or by two at once: the same log.

        kind, why: what is known already of the decision, both may be left for later.
        """
        with transaction():
            for log in cls.rows_of(incident):
                return log
            claim(incident, ("to decide",), "triggered")
            if not Case.of(incident).exists():
                Case.open_for(incident, by)
            head = Setting.letterhead(incident.setting)
            log = cls.create(
                reference=cls.number("OFS"),
                status="open",
                incident=incident,
                triggered_by=by,
                triggered_at=now(),
                setting=head.name,
                urn=head.urn,
                address=head.address,
                kind=kind,
                decided_by=by,
                decided_at=now(),
                decided_why=why,
                aware_at=incident.reported_at,
            )
            level_5 = User.level_5(incident.setting_id)
            told = list(level_5.where(User.id.not_in(ShutOut.of(incident))))
            rows = [{"log": log, "user": person, "assigned_at": now()} for person in told]
            if rows:
                Assignee.insert_many(rows).execute()
            Notice.announce("log:trigger", log, by, told, {"status": ("", "open")}, also=[incident])
        return log

    def line(self) -> Line:
        """As the chronology has it."""
        return Line(
            self.triggered_at,
            f"Notification to Ofsted triggered: {self.kind or self.reference}",
            "Ofsted log",
            self.triggered_at,
            self.triggered_by,
            [self.reference, f"it is {self.status} now"],
            significant=True,
        )

    @property
    def due_at(self) -> datetime | None:
        """When Ofsted should have been told (UTC): a setting, because the period is guidance for
        schools and law for homes.
        """
        return self.aware_at + timedelta(hours=settings.notify_hours) if self.aware_at else None

    @property
    def late(self) -> bool:
        """Whether Ofsted was told, or is still untold, after the due time. A warning, never a
        block.
        """
        return bool(self.aware_at) and (self.told_at or now()) > self.due_at  # type: ignore[operator]

    def edit(self, by: User, **values: Any) -> None:
        """Fill in the log's fields. Refused once it is completed, and for times that contradict
        each other.
        """
        with transaction():
            self.stay_open()
            if changed := self.fill_in(values):
                Event.write("log:edit", self, by, changed)
                if "enquiry" in changed:
                    enquiry.follow(self, by, changed["enquiry"][1])

    @starts(*STATUSES)
    def tell(self, by: User, **values: Any) -> "Log":
        """Write down that Ofsted was told: when, how, its reference. The same fields as those of
        edit(), asked where the clock stands, and after the sign-off too: who signed before Ofsted
        was told still owes it. Refused once that was written down.

        values: told_at (UTC), told_how, told_reference, late_because.
        """
        with transaction():
            fresh = Log.get_by_id(self.id)
            if fresh.told_at:
                raise Refused(f"It is written down already that Ofsted was told ({fresh}).")
            changed = fresh.fill_in(values | {"told_by": by})
            Event.write("log:tell", fresh, by, changed)
        return fresh

    def fill_in(self, values: dict[str, Any]) -> dict[str, tuple]:
        """Set `values` and save; returns what changed. Raises Refused for what cannot be."""
        changed = self.set(**values)
        times = ("decided_at", "aware_at", "told_at")
        given = [name for name in times if getattr(self, name)]
        errors = {name: "This is in the future." for name in given if getattr(self, name) > now()}
        aware = self.aware_at and self.aware_at.replace(second=0)  # a form shows no seconds
        if self.told_at and aware and self.told_at < aware:
            errors["told_at"] = "Ofsted cannot have been told before anybody became aware."
        if errors:
            raise Refused("The log was not saved.", errors)
        if changed:
            self.save()
        return changed

    @starts("open", "tracking")
    def assign(self, people: Iterable[User], by: User) -> "Log":
        """Make `people` the assignees, besides Level 5 who always are. Only those whose role may
        see logs; new ones are emailed.
        """
        with transaction():
            self.stay_open()
            may = {person.id for person in User.who_may("log:read", self)}
            if barred := [person.name for person in people if person.id not in may]:
                why = "may not see Ofsted logs, or has left, so cannot be assigned."
                raise Refused("Nobody was assigned.", {"assigned": f"{', '.join(barred)} {why}"})
            if shut_out := set(people) & set(
                User.select().where(User.id.in_(ShutOut.of(self.incident_id)))
            ):
                names = ", ".join(map(str, shut_out))
                why = f"{names} cannot be assigned to this log."
                raise Refused("Nobody was assigned.", {"assigned": why})
            rows = {row.user_id: row for row in Assignee.of(self, ended=True)}
            wanted = {person.id: person for person in people}
            joined = [
                person for person in people if person.id not in rows or rows[person.id].ended_at
            ]
            unticked = may - wanted.keys()  # not who has left: they were not there to be unticked
            left = [
                row
                for row in rows.values()
                if not row.ended_at and row.by_id and row.user_id in unticked
            ]
            for person in joined:
                row = rows.get(person.id) or Assignee(log=self, user=person)
                row.by, row.assigned_at, row.ended_at = by, now(), None
                row.save()
            for row in left:
                row.ended_at = now()
                row.save()
            if joined or left:
                Notice.announce(
                    "log:assign",
                    self,
                    by,
                    joined,
                    assigned=joined,
                    taken_off=[row.user for row in left],
                )
        return self

    def stay_open(self) -> None:
        """Raise Refused when this log is completed: read-only at every door."""
        if type(self).select(Log.status).where(Log.id == self.id).scalar() == "completed":
            raise Refused(
                f"{self} is completed and read-only. Reopen it first, with a reason. Nothing was "
                "saved."
            )

    @classmethod
    def stops(cls, incidents: list[int]) -> list[tuple[str, Any, str]]:
        """What a case lacks before it can close: logs that are not signed off."""
        rows = cls.select().where(cls.incident.in_(incidents), cls.status != "completed")
        return [(f"{log}: the Ofsted log is not signed off", log, "") for log in rows]

    def lacking(self) -> list[tuple[str, Any, str]]:
        """What the log itself still lacks to be completed: [(text, record to open, anchor)]."""
        needed = list(self.NEEDED)
        needed += ["late_because"] if self.told_at and self.late else []
        needed += ["enquiry_outcome"] if self.enquiry == "Concluded" else []
        fields = type(self)._meta.fields
        return [
            (fields[name].verbose_name, self, name) for name in needed if not getattr(self, name)
        ]

    def missing(self) -> list[tuple[str, Any, str]]:
        """What stops the log from being completed, its tracker included: [(text, record to open,
        anchor)].
        """
        tracker = self.tracker.first()
        not_begun = [("The safeguarding tracker has not been begun", self, "tracker")]
        return self.lacking() + (tracker.missing() if tracker else not_begun)

    @property
    def seen(self) -> str | None:
        """By what a page of this log shows the case to be: the hash of the event that changed it
        last.
        """
        return self.seen_of(self.id)

    @classmethod
    def seen_of(cls, id: int) -> str | None:
        """The same of the log with this id, asked before the log is read; None where there is no
        such log.
        """
        return next((last.hash for last in cls.latest_change(id)), None)

    @classmethod
    @composed
    def latest_change(cls, id):
        story = Event.story(cls.select(cls.incident).where(cls.id == id))
        return story.order_by(Event.id.desc()).limit(1)

    def look_again(self, seen: str | None) -> None:
        """Raise Refused, with what changed since, when the case is not as the signer saw it.
        `seen`: as `seen` was then.
        """
        changes = list(Event.story(self.incident_id))
        known = next((number for number, event in enumerate(changes, 1) if event.hash == seen), 0)
        if news := changes[known:]:
            places = {section.id: section for section in self.sections()}
            raise Refused(
                f"{self} changed while you were looking at it. Nothing was signed yet. Look at "
                "what is new, and press again:",
                links=[
                    (
                        event.sentence,
                        places.get(event.record, self) if event.subject == "section" else self,
                        "",
                    )
                    for event in news
                ],
            )

    @step(("open", "tracking"), "completed")
    def complete(self, by: User, seen: str | None = None) -> Any:
        """Sign off. `seen`: what the page showed that was signed; None where no page was looked
        at.
        """
        if seen is not None:
            self.look_again(seen)
        if missing := self.missing():
            raise Refused(f"{self} cannot be completed yet. Still to answer:", links=missing)

    @step(("open", "tracking"), "completed")
    def complete_anyway(
        self, reason: str, by: User, seen: str | None = None, untold: str | None = None
    ) -> Any:
        """A Level 5 signs off in spite of what is missing; what was missing is kept in the history.

        seen: as for complete(). untold: why Ofsted has not been told, which the page asks for where
        it has not.
        """
        if seen is not None:
            self.look_again(seen)
        missing = [text for text, _record, _anchor in self.missing()]
        why = {"untold": untold} if untold and not self.told_at else {}
        return {"reason": reason, "missing": missing} | why

    @step("completed", lambda log: "tracking" if log.tracker.exists() else "open")
    def reopen(self, reason: str, by: User) -> Any:
        return {"reason": reason}

    @property
    def signed_off(self) -> Event | None:
        """The event of the sign-off in force, or None."""
        return Event.last(self, *SIGNED) if self.status == "completed" else None

    def sections(self) -> list:
        """The tracker's sections in order; none before it is begun."""
        tracker = self.tracker.first()
        return tracker.in_order() if tracker else []

    def paper(self, restricted: bool = False) -> str:
        """The log, its incident and its tracker as the page that becomes its PDF. `restricted`:
        whether restricted sections are printed or only named. What opens less than the incident (a
        case, a contact, a task) is no part of it, nor of its history: helpers read it.
        """
        incident, sections, signed = self.incident, self.sections(), self.signed_off
        involved, assignees = Involved.of(incident), Assignee.of(self)
        apart, addenda = OfIncident.narrower(), list(Addendum.of(incident))
        history = [
            event
            for event in Event.of_incident(incident.id, restricted)
            if event.subject not in apart
        ]
        parties = front.parties(self, involved, assignees, signed)
        html = pages.get_template("pdf/log.html").render(
            log=self,
            reference=self.reference,
            letterhead=Setting.letterhead(incident.setting),
            incident=incident,
            parties=parties,
            gist=front.gist(self, sections, signed),
            timeline=front.timeline(self, self.tracker.first(), history),
            signed=signed,
            involved=involved,
            addenda=addenda,
            injuries=numbered(incident, addenda),
            attachments=list(incident.attachments),
            sections=sections,
            restricted=restricted,
            assignees=assignees,
            notices=[
                notice
                for notice in Notice.of_incident(incident.id)
                if notice.event.subject not in apart
            ],
            reads=[event for event in history if event.verb.endswith(LOOKS)],
            history=[
                event
                for event in history
                if not event.verb.endswith(LOOKS) and event.subject != "notice"
            ],
            head=Event.head(),
        )
        return annexed(html, front.index(self, parties, assignees, history))

    @classmethod
    def by_month(cls, query: Any) -> list[tuple]:
        """Of the logs in `query`, month by month (Europe/London), the latest first: [(first day,
        triggered, told in time, told late or not yet though due, completed)].
        """
        rows = query.select(cls.triggered_at, cls.aware_at, cls.told_at, cls.status)
        months: dict[date, list[int]] = {}
        for log in rows.order_by(cls.triggered_at.desc()):
            local = log.triggered_at.astimezone(LONDON)
            month = months.setdefault(local.date().replace(day=1), [0, 0, 0, 0])
            in_time = bool(log.told_at) and not log.late
            for place, counts in enumerate((True, in_time, log.late, log.status == "completed")):
                month[place] += counts
        return [(month, *counts) for month, counts in months.items()]

    @classmethod
    def matching(cls, term: str) -> Expression:
        children = (
            Incident.select(Incident.id)
            .join(Child)
            .where(contains(Child.name, term) | contains(Incident.reference, term))
        )
        return (
            contains(cls.reference, term)
            | cls.incident.in_(children)
            | contains(cls.kind, term)
            | contains(cls.told_reference, term)
        )


class Assignee(Record):
    belongs, keeps, part_of = "log", "submitted", "log"
    no_line = "who works at a log is no event in the child's life"
    changes = ("by", "assigned_at", "ended_at", "version")

    log = ForeignKeyField(Log, backref="assignees", on_delete="RESTRICT")
    user = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Person")
    by = ForeignKeyField(
        User, null=True, backref="assigned", on_delete="RESTRICT", verbose_name="Assigned by"
    )  # nobody: because of Level 5
    assigned_at = Moment(verbose_name="Assigned")
    ended_at = Moment(null=True)

    class Meta:
        indexes = ((("log", "user"), True),)

    @classmethod
    def of(cls, log: Log, ended: bool = False) -> list["Assignee"]:
        """The people assigned to a log with their names, and who assigned them, in one query.
        `ended`: also those taken off.
        """
        return [row for row in cls.all_of(log) if ended or not row.ended_at]

    @classmethod
    @composed
    def all_of(cls, log):
        by = User.alias()
        rows = cls.select(cls, *User.named(), *User.named(by))
        rows = rows.join(User, on=(cls.user == User.id)).switch(cls)
        rows = rows.left_outer_join(by, on=(cls.by == by.id), attr="by")
        return rows.where(cls.log == log).order_by(cls.id)

    @classmethod
    @composed
    def rows_of(cls, log):
        return cls.select().where(cls.log == log).order_by(cls.id)

    @classmethod
    def logs_of(cls, user: User) -> "ModelSelect[Assignee]":
        """A query of the ids of the logs that `user` is assigned to now."""
        return cls.select(cls.log).where(cls.user == user, cls.ended_at.is_null())

    @property
    def why(self):
        return f"Assigned by {self.by}" if self.by_id else "Level 5, automatically"
