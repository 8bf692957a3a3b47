"""The case: what belongs together about one child, or one adult at risk, and how it is closed."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from peewee import CharField, Expression, ForeignKeyField, ModelSelect, TextField, fn

from models.ground.clock import LONDON, now
from models.ground.composed import composed
from models.ground.database import contains, transaction
from models.ground.fields import Day, Moment, Pick
from models.ground.record import Base, Refused
from models.ground.settings import settings
from models.history.event import LOOKS, Event
from models.history.notice import Notice
from models.history.step import starts, step
from models.people.user import User
from models.permissions import VOCABULARY

from .child import Child
from .handing import HandsOver
from .incident import PARENTS, Incident, OfIncident, leave_somebody
from .line import Line
from .shut_out import ShutOut

CHILD_TOLD = ["Yes", "Not yet", "Not in their interest", "Too young to be told"]
TOLD = ("Yes",)  # of either list: the others want a reason


class Case(HandsOver, OfIncident):
    """What belongs together about one child, or one adult at risk. It hangs on the incident that it
    was opened for; which incidents stand in it, `Link` says.
    """

    STATUSES = ("open", "monitoring", "to confirm", "closed")
    ALIVE = STATUSES[:3]
    holders, unfinished = {"lead": "lead", "deputy": "deputy"}, ALIVE
    # whoever reports does not follow it; of who is shut out of one incident in it: models/policy.py
    held_by = opens = "case:read"
    keeps = "submitted"
    changes = (
        "status", "lead", "deputy", "monitor_until", "child_told", "child_told_why", "parents_told",
        "parents_why", "risk_reviewed_on", "outcome", "version",
    )  # fmt: skip

    reference = CharField(unique=True, max_length=20, verbose_name="Reference")
    status = Pick(fixed=STATUSES, max_length=20, index=True, verbose_name="Status")
    adult = CharField(
        null=True,
        max_length=120,
        verbose_name="Adult at risk",
        help_text="Whom it is about, where that is not the incident’s child.",
    )
    opened_by = ForeignKeyField(
        User, backref="opened", on_delete="RESTRICT", verbose_name="Opened by"
    )
    opened_at = Moment(verbose_name="Opened")
    lead = ForeignKeyField(
        User, null=True, backref="leads", on_delete="RESTRICT", verbose_name="Lead"
    )
    deputy = ForeignKeyField(
        User,
        null=True,
        backref="deputises",
        on_delete="RESTRICT",
        verbose_name="Deputy",
        help_text="Who stands in for the lead.",
    )
    monitor_until = Day(null=True, verbose_name="Monitor until")

    child_told = Pick(
        fixed=CHILD_TOLD, null=True, verbose_name="Was the child told what was decided?"
    )
    child_told_why = TextField(null=True, verbose_name="If the child was not told: why not?")
    parents_told = Pick(
        fixed=PARENTS, null=True, verbose_name="Were the parents told what was decided?"
    )
    parents_why = TextField(null=True, verbose_name="If the parents were not told: why not?")
    risk_reviewed_on = Day(
        null=True,
        verbose_name="Risk reviewed on",
        help_text="When the risk was last looked at again.",
    )
    outcome = TextField(
        null=True,
        verbose_name="Outcome",
        help_text="What is different for the child now, and what was learned.",
    )

    GROUPS = {
        "Who leads": ["lead", "deputy"],
        "Before it can close": [
            "child_told", "child_told_why", "parents_told", "parents_why", "risk_reviewed_on",
            "outcome",
        ],
    }  # fmt: skip

    def __str__(self):
        return self.reference

    @property
    def subject(self) -> str:
        """Whom it is about: an adult at risk, or the child of the incident it was opened for."""
        return self.adult or str(self.incident.child)

    @property
    def asked(self) -> list[str]:
        """What is asked of it before it can close: of an adult at risk nothing that is of a child
        alone.
        """
        names = self.GROUPS["Before it can close"]
        of_child = ("child", "parents") if self.adult else ()
        return [name for name in names if not name.startswith(of_child)]

    @property
    def label(self) -> str:
        """How a form names it."""
        return f"{self.reference}, {self.subject}"

    def parts(self) -> list[Base]:
        return [
            Case.get_by_id(self.id),
            *Link.select().where(Link.case == self.id).order_by(Link.id),
        ]

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: reference, child, adult at risk."""
        children = Incident.select(Incident.id).join(Child).where(contains(Child.name, term))
        found = contains(cls.reference, term) | contains(cls.adult, term)
        return found | cls.incident.in_(children)

    # opening, and what stands in it

    @classmethod
    def open_for(cls, incident: Incident, by: User, adult: str | None = None) -> "Case":
        """Open a case for `incident`, inside the caller's transaction. `adult`: the name of an
        adult at risk; else it is about the incident's child.

        Whoever opens it leads it, where they may read cases.
        """
        case = cls.create(
            reference=cls.number("CASE"),
            status="open",
            incident=incident,
            adult=adult,
            opened_by=by,
            opened_at=now(),
            lead=by if by.may("case:read", incident) else None,
        )
        Link.create(incident=incident, case=case, by=by, at=now())
        leave_somebody(incident)
        Event.write("case:open", case, by)
        return case

    @classmethod
    def of(cls, incident: "Incident | int") -> "ModelSelect[Case]":
        """A query of the cases in which an incident stands now."""
        return (
            cls.select()
            .join(Link, on=(Link.case == cls.id))
            .where(Link.incident == incident, Link.ended_at.is_null())
            .order_by(cls.id)
        )

    @classmethod
    @composed
    def now_of(cls, incident: Any) -> Any:
        """As of(), as rows."""
        return cls.of(incident)

    @classmethod
    @composed
    def ids_of(cls, incident: Any) -> Any:
        """[(id,)] of the cases in which an incident (an id) stands now."""
        here = Link.select(Link.case).where(Link.incident == incident, Link.ended_at.is_null())
        return here.order_by(Link.case).tuples()

    @classmethod
    @composed
    def alive_about(cls, child: Any) -> Any:
        """[(id,)] of the cases about a child (an id) that are not closed."""
        return cls.select(cls.id).where(cls.about(child), cls.status.in_(cls.ALIVE)).tuples()

    @classmethod
    def about(cls, child: "Child | int") -> Expression:
        """The condition that `child` is linked to an incident in a case."""
        links = Link.select(Link.case).where(Link.ended_at.is_null())
        return cls.id.in_(links.where(Link.incident.in_(Incident.concerning(child))))

    @classmethod
    def all_closed(cls, incident: Incident, by: User, visible: Callable) -> "list[Case]":
        """The cases in which `incident` stands, where all of them are closed, as far as `by` sees
        them; nothing where one is not, or it stands in none.

        visible: the policy, which stands above the nouns.
        """
        cases = cls.now_of(incident.id)
        if not cases or any(case.status in cls.ALIVE for case in cases):
            return []
        return list(visible(cls, by).where(cls.id.in_(cases)).order_by(cls.id))

    def incidents(self) -> Any:
        """A query of the ids of the incidents that stand in it now."""
        return Link.select(Link.incident).where(Link.case == self.id, Link.ended_at.is_null())

    def shut_out(self) -> set[int]:
        """The ids of those who are shut out of any incident in it, and so of all of it."""
        rows: Any = ShutOut.select(ShutOut.user).where(ShutOut.incident.in_(self.incidents()))
        return {user for (user,) in rows.tuples()}

    def take_in(self, incident: Incident, by: User, reason: str | None = None) -> None:
        """Have `incident` stand in this case too, inside the caller's transaction. Refused for a
        closed case; where it stands there already, nothing happens.
        """
        fresh = Case.get_by_id(self.id)
        if fresh.status == "closed":
            raise Refused(f"{self} is closed. Reopen it first, or choose another case.")
        here = Link.incident == incident, Link.case == self.id, Link.ended_at.is_null()
        if not Link.select().where(*here).exists():
            link = Link.create(incident=incident, case=self, by=by, at=now(), reason=reason)
            leave_somebody(incident)
            Event.write("case:add", fresh, by, entry=incident)
            if reason:  # it is about the incident, which may be moved out again: see move()
                Event.write("case:add", link, by, reason=reason)

    @classmethod
    @starts(*Incident.STATUSES)
    def add(cls, incident: Incident, case: "Case", reason: str, by: User) -> Incident:
        """Have `incident` stand in `case` as well: what two children had part in may be in the
        cases of both.
        """
        with transaction():
            case.take_in(incident, by, reason)
        return incident

    @classmethod
    @starts(*Incident.STATUSES)
    def move(
        cls, incident: Incident, origin: "Case", case: "Case | None", reason: str, by: User
    ) -> Incident:
        """Move `incident` out of `origin` into `case`, or into a new one for None. All that hangs
        on it goes along, and the history of both says so; why, that of the incident alone: whoever
        is shut out of it may see `origin` from now on.
        """
        with transaction():
            origin.stay_open()
            link = Link.get_or_none(
                Link.incident == incident, Link.case == origin, Link.ended_at.is_null()
            )
            if not link:
                raise Refused(
                    "Nothing was moved.", {"origin": f"{incident} does not stand in {origin}."}
                )
            if case == origin:
                raise Refused("Nothing was moved.", {"case": f"It stands in {origin} already."})
            if origin.incident_id == incident.id:
                sentence = f"{origin} was opened for {incident}. Add it to the other case instead."
                raise Refused("Nothing was moved.", {"origin": sentence})
            link.ended_at = now()
            link.save()
            if case:
                case.take_in(incident, by, reason)
            else:
                case = cls.open_for(incident, by)
            Event.write("case:move", origin, by, entry=incident, to=case)
            Event.write("case:move", link, by, to=case, reason=reason)
        return incident

    # what is done with it

    def recipients(self) -> list[User]:
        """Lead and deputy, unless they are shut out by now."""
        shut_out = self.shut_out()
        people = {one.id: one for one in (self.lead, self.deputy) if one}
        return [one for one in people.values() if one.active and one.id not in shut_out]

    def edit(self, by: User, **values: Any) -> None:
        """Say who leads, and what is needed before it can close. Refused when it is closed, and for
        a lead or deputy who may not read it. A new one is emailed.
        """
        with transaction():
            self.stay_open()
            may = {person.id for person in User.who_may("case:read", self)}
            may -= self.shut_out()
            changed = self.set(**values)
            errors = {
                name: f"{after} may not read this case. Choose somebody who may."
                for name, (_before, after) in changed.items()
                if name in ("lead", "deputy") and after and after.id not in may
            }
            if self.deputy and self.deputy == self.lead:
                errors["deputy"] = "This is the lead. Choose somebody else, or nobody."
            reviewed = changed.get("risk_reviewed_on", (None, None))[1]
            if reviewed and reviewed > now().astimezone(LONDON).date():
                errors["risk_reviewed_on"] = "This is in the future. Give the day it was."
            if errors:
                raise Refused("The case was not saved.", errors)
            if changed:
                self.save()
                new = [changed[name][1] for name in ("lead", "deputy") if name in changed]
                told = [one for one in new if one and one != by]
                Notice.announce("case:edit", self, by, told, changed)

    def stay_open(self) -> None:
        """Raise Refused when this case is closed: read-only at every door."""
        if Case.get_by_id(self.id).status == "closed":
            raise Refused(f"{self} is closed. Reopen it first. Nothing was saved.")

    @step("open", "monitoring")
    def monitor(self, until: date, reason: str, by: User) -> dict[str, str]:
        """Nothing is to be done now but to look again on a day: a case is not kept open “to
        monitor” without one.
        """
        if until <= now().astimezone(LONDON).date():
            raise Refused("Nothing was changed.", {"until": "Give a day that is still to come."})
        self.monitor_until = until
        return {"reason": reason, "until": until.isoformat()}

    def missing(self) -> list[tuple[str, Any, str]]:
        """What stops the case from being closed: [(text, record to open, anchor)].

        Its own fields, and what each noun of its incidents says by `stops`.
        """
        label = {name: field.verbose_name for name, field in self._meta.fields.items()}
        needed = ["child_told", "parents_told", "risk_reviewed_on", "outcome"]
        needed += ["child_told_why"] if self.child_told not in (None, *TOLD) else []
        needed += ["parents_why"] if self.parents_told not in (None, *TOLD) else []
        needed = [name for name in needed if name in self.asked]
        found: list[tuple[str, Any, str]] = [
            (label[name], self, name) for name in needed if not getattr(self, name)
        ]
        incidents = [id for (id,) in self.incidents().tuples()]
        waiting = Incident.select().where(
            Incident.id.in_(incidents), Incident.status == "to decide"
        )
        found += [(f"{one}: is a notification due?", one, "") for one in waiting]
        for model in OfIncident.every():
            if stops := getattr(model, "stops", None):
                found += stops(incidents)
        return found

    def ends(self) -> str:
        """Where closing leads: a second person signs first where the school wants that."""
        return "to confirm" if settings.second_sign_off else "closed"

    @step(("open", "monitoring"), ends)
    def close(self, by: User) -> None:
        """Close it. Refused, with links to what is missing."""
        if missing := self.missing():
            raise Refused(f"{self} cannot be closed yet. Still to do:", links=missing)

    @step(("open", "monitoring"), ends)
    def close_anyway(self, reason: str, by: User) -> dict[str, Any]:
        """Close it in spite of what is missing, which is kept in the history; of the incidents
        besides the one it was opened for without a word, for not everybody who sees it sees those.
        """
        missing = [
            text
            if record.its_incident() == self.incident_id
            else "Something about another incident"
            for text, record, _anchor in self.missing()
        ]
        return {"reason": reason, "missing": missing}

    def another(self, by: User) -> bool:
        """Another person than the one who closed it signs this."""
        last = Event.last(self, "case:close", "case:close_anyway")
        return by.is_level_5(self) and not (last and last.by_id == by.id)

    @step("to confirm", "closed", who=another)
    def confirm(self, by: User) -> None:
        """The second signature. Refused, with links, where something came in meanwhile, unless it
        is to be closed although something is missing.
        """
        last = Event.last(self, "case:close", "case:close_anyway")
        if last and last.verb == "case:close" and (missing := self.missing()):
            raise Refused(f"{self} cannot be closed yet. Still to do:", links=missing)

    @step("to confirm", "open")
    def send_back(self, reason: str, by: User) -> dict[str, str]:
        """It is not to be closed yet."""
        return {"reason": reason}

    @step(("monitoring", "closed"), "open")
    def reopen(self, reason: str, by: User) -> dict[str, str]:
        self.monitor_until = None
        return {"reason": reason}

    # what lists and reminders ask

    def resting(self, changed_at: datetime) -> bool:
        """Whether nothing happened in it, open as it is, for longer than the school wants, or the
        day has come until which it was monitored.
        """
        if self.status == "monitoring":
            return bool(self.monitor_until and self.monitor_until <= now().date())
        return self.status == "open" and changed_at < now() - timedelta(days=settings.case_days)

    @classmethod
    def led_by(cls, person: User) -> Expression:
        """The condition that `person` leads it, or stands in for the lead, while it is open or
        monitored.
        """
        theirs = (cls.lead == person) | (cls.deputy == person)
        return theirs & cls.status.in_(("open", "monitoring"))

    def line(self) -> Line:
        """As the chronology has it."""
        return Line(
            self.opened_at,
            f"{self.reference} opened",
            "case",
            self.opened_at,
            self.opened_by,
            [f"about {self.adult}" if self.adult else "", f"it is {self.status} now"],
        )

    @classmethod
    def updated(cls, cases: Iterable[int]) -> dict[int, datetime]:
        """When each of `cases` (ids) last changed, in any of its incidents: {id: UTC}."""
        looks = [verb for verb in VOCABULARY if verb.endswith(LOOKS)]
        rows: Any = (
            Link.select(Link.case, fn.MAX(Event.at))
            .join(Event, on=(Event.incident == Link.incident))
            .where(Link.case.in_(list(cases)), Link.ended_at.is_null())
            .where(Event.verb.not_in(looks), Event.subject != "notice")
            .group_by(Link.case)
        )
        return {case: Event.at.python_value(at) for case, at in rows.tuples()}


class Link(OfIncident):
    """That an incident stands in a case, from when, and until it was moved."""

    keeps, part_of, changes = "submitted", "case", ("ended_at", "version")
    no_line = "that an incident stands in a case is no event in the child's life"
    opens = Case.opens

    case = ForeignKeyField(Case, backref="links", on_delete="RESTRICT", verbose_name="Case")
    by = ForeignKeyField(User, on_delete="RESTRICT")
    at = Moment(default=now)
    reason = TextField(null=True)
    ended_at = Moment(null=True)

    def __str__(self):
        return f"{self.incident} in {self.case}"
