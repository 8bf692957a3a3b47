"""Tasks: what somebody is to do about an incident, and by when."""

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from peewee import Expression, ForeignKeyField, TextField

from models.ground.clock import LONDON, now
from models.ground.composed import composed
from models.ground.database import contains, transaction
from models.ground.fields import Day, Moment, Pick
from models.ground.record import Refused
from models.ground.words import day, due
from models.history.notice import Notice
from models.history.step import starts, step
from models.people.user import User

from .asked import as_kind
from .case import Case
from .child import Child
from .handing import HandsOver
from .incident import Incident, OfIncident
from .line import Line
from .shut_out import ShutOut
from .submission import Submission
from .template import columns

NEVER = "Never"
REPEATS = {  # how often a task comes again: days, or months
    NEVER: {},
    "Each week": {"days": 7},
    "Each month": {"months": 1},
    "Each term": {"days": 13 * 7},
    "Each year": {"months": 12},
}


def later(day: date, days: int = 0, months: int = 0) -> date:
    """`day` so many days or months later; the last day of a month stays the last of one."""
    if not months:
        return day + timedelta(days=days)
    last = day.day == monthrange(day.year, day.month)[1]
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    most = monthrange(year, month + 1)[1]
    return date(year, month + 1, most if last else min(day.day, most))


def today() -> date:
    """The day it is in Britain."""
    return now().astimezone(LONDON).date()


class Task(HandsOver, OfIncident):
    """What somebody is to do about an incident, and by when. An alert stays until it is done:
    reading is not doing.
    """

    STATUSES = ("open", "done", "cancelled")
    holders, unfinished, held_by = {"owner": "task"}, ("open",), "task:done"
    keeps, changes = "submitted", ("status", "version", "effect", "evidence", "owner")

    incident: Any = ForeignKeyField(Incident, null=True, backref="tasks", on_delete="RESTRICT")
    submission = ForeignKeyField(
        Submission, null=True, backref="tasks", on_delete="RESTRICT", verbose_name="Form"
    )
    what = TextField(verbose_name="What is to be done", help_text="One thing that one person does.")
    owner = ForeignKeyField(
        User, on_delete="RESTRICT", verbose_name="Who does it", help_text="Type part of the name."
    )
    due_on = Day(ahead=True, verbose_name="Due")
    status = Pick(fixed=STATUSES, max_length=20, default="open", index=True, verbose_name="Status")
    given_by = ForeignKeyField(User, backref="given", on_delete="RESTRICT", verbose_name="Given by")
    given_at = Moment(default=now, verbose_name="Given")
    effect = TextField(null=True, verbose_name="What came of it")
    evidence = TextField(null=True, verbose_name="Evidence")
    urgency = Pick("urgency", null=True, max_length=40, verbose_name="Urgency")
    repeats = Pick(
        fixed=tuple(REPEATS),
        null=True,
        default=NEVER,
        max_length=20,
        verbose_name="Repeats",
        help_text="Done, it comes again, until it was the last time or one is cancelled: for the "
        "same person, in the same words, counted from the day it was due. Each term means every 13 "
        "weeks.",
    )

    next_one: "Task | None" = None  # of one that repeats and was done just now

    def __str__(self):
        return f"task about {self.of}"

    reference = property(__str__)  # what an email calls it: never what is to be done

    @property
    def of(self) -> Any:
        """What it is about: an incident or, of what a form asked for, the form."""
        return self.incident or self.submission

    def its_setting(self) -> int | None:
        return self.of.its_setting()

    @classmethod
    def with_child(cls, rows: Any) -> Any:
        """See HandsOver: with the form, where it is about one."""
        rows = rows.select(cls, Incident, Child, Submission).left_outer_join(Incident)
        return rows.left_outer_join(Child).switch(cls).left_outer_join(Submission)

    @property
    def gist(self) -> str:
        """What is to be done, and by when."""
        return f"{self.what}, {due(self.due_on)[0]}"

    @property
    def often(self) -> str:
        """How often it comes again, to follow on what it is."""
        return f", {self.repeats.lower()}" if self.repeats else ""

    @classmethod
    @composed
    def shown_of(cls, incident):
        rows = cls.select(cls, *User.named()).join(User, on=(cls.owner == User.id))
        return rows.where(cls.incident == incident).order_by(cls.due_on)

    opens = "task:read"

    @classmethod
    def narrowed(cls, rows: Any, by: User) -> Any:
        """Whoever reports does not follow what is done about it: without task:read, only one's
        own.
        """
        within = by.within("task:read")
        if within is None:
            return rows
        return rows.where((cls.owner == by) | Incident.lies(within, cls.incident))

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: what is to be done, or the incident."""
        found = Incident.select(Incident.id).where(Incident.matching(term))
        forms = Submission.select(Submission.id).where(contains(Submission.reference, term))
        return contains(cls.what, term) | cls.incident.in_(found) | cls.submission.in_(forms)

    @classmethod
    @starts(*Incident.STATUSES)
    def give(
        cls,
        incident: Incident,
        by: User,
        what: str,
        owner: User,
        due_on: date,
        visible: Callable,
        urgency: str | None = None,
        repeats: str | None = None,
    ) -> "Task":
        """Give a task to `owner`, who is emailed. Raises Refused for a day that is past, for
        somebody who may not see the incident, and where the case of it is closed: a task would stop
        nothing there.

        visible: the policy, a function of a model and a person, for it stands above the nouns.
        """
        if due_on < today():
            raise Refused(
                "The task was not saved.", {"due_on": "This day is past. Give a later one."}
            )
        if closed := Case.all_closed(incident, by, visible):
            names = " and ".join(map(str, closed))
            which = "is closed. Reopen it" if len(closed) == 1 else "are closed. Reopen one"
            raise Refused(f"{names} {which} first. The task was not saved.")
        with transaction():
            if not visible(Incident, owner).where(Incident.id == incident.id).exists():
                sentence = f"{owner} may not see this incident. Share it with them first."
                raise Refused("The task was not saved.", {"owner": sentence})
            task = cls.create(
                incident=incident,
                what=what,
                owner=owner,
                due_on=due_on,
                urgency=urgency,
                repeats=None if repeats == NEVER else repeats,
                given_by=by,
                given_at=now(),
            )
            Notice.announce("task:give", task, by, task.recipients())
        return task

    @classmethod
    def of_row(
        cls, form: Submission, question: dict, row: dict, by: User, closed: bool
    ) -> "Task | None":
        """The task that a row of a table of a form becomes: its first cell says what, a person in
        it who does it, else `by`; a date when it is due, else in four weeks. None where it is one
        already, or says nothing.

        closed: of a restricted section, so not for all who see the incident of the form.
        """
        kinds = {one.name: one.kind for one in columns(question)}
        first = next(iter(kinds))
        what = str(row.get(first) or "").strip()
        if not what:
            return None
        named = [row.get(name) for name, kind in kinds.items() if kind == "person"]
        days = [row.get(name) for name, kind in kinds.items() if kind == "date"]
        owner = next((User.of_label(name) for name in named if name), None) or by
        due_on = as_kind("date", next(filter(None, days), None)) or later(today(), days=28)
        if cls.select().where(cls.submission == form, cls.what == what).exists():
            return None
        task = cls.create(
            incident=None if closed else form.incident_id,
            submission=form,
            what=what,
            owner=by if form.shut_to(owner) else owner,
            due_on=due_on,
            given_by=by,
            given_at=now(),
        )
        Notice.announce("task:give", task, by, task.recipients())
        return task

    @classmethod
    def stops(cls, incidents: list[int]) -> list[tuple[str, Any, str]]:
        """What a case lacks before it can close: tasks that are neither done nor cancelled."""
        rows = cls.select().where(cls.incident.in_(incidents), cls.status == "open")
        return [(f"Task: {task.what}{task.often}", task, "") for task in rows.order_by(cls.due_on)]

    def line(self) -> Line:
        """As the chronology has it."""
        stands = f"due {day(self.due_on)}" if self.status == "open" else self.status
        return Line(
            self.given_at,
            self.what,
            "task",
            self.given_at,
            facts=[str(self.owner), stands, self.effect or "", self.of.reference],
            source=f"{self.given_by}, {self.of}",
            action=self.effect or stands,
        )

    def recipients(self) -> list[User]:
        """Its owner, unless the concern turned out to be about them."""
        shut_out = ShutOut.of(self.incident_id) if self.incident_id else ()
        return [] if self.owner_id in shut_out else [self.owner]

    def theirs(self, by: User) -> Any:
        """A task is done by the person who owns it, or by somebody who gives tasks."""
        return by == self.owner or by.may("task:give", self)

    @step("open", "done", who=theirs)
    def done(
        self,
        effect: str,
        by: User,
        evidence: str | None = None,
        last: list[str] | bool = False,
        visible: Callable | None = None,
    ) -> dict[str, str]:
        """It is done; `effect`: what came of it, `evidence`: what shows it. One that repeats makes
        the next one, unless this was the `last`.

        visible: the policy, as for `give`; by it the next one goes to somebody who sees it.
        """
        self.effect, self.evidence = effect, evidence
        if REPEATS.get(self.repeats) and not last:
            self.next_one = self.again(by, visible)
        return {"reason": "It was the last time."} if last and self.repeats else {}

    def heirs(self) -> list[User]:
        """Whose the next one may be, the first first: whoever had this one, who leads a case that
        it stands in, and who gave it.
        """
        if not self.incident_id:
            return [self.owner, self.given_by]
        cases = Case.of(self.incident_id).where(Case.status.in_(Case.ALIVE))
        return [self.owner, *(case.lead for case in cases if case.lead), self.given_by]

    def again(self, by: User, visible: Callable | None = None) -> "Task":
        """Give the next one, of a task that `by` just did: in the same transaction, so once.

        Its owner is told where somebody else did this one. Who left, is shut out, or does not see
        the incident any more, gets no more: then it is whose `heirs` says or, failing them too, of
        whoever did this one.
        """
        due_on = later(self.due_on, **REPEATS[self.repeats])
        while due_on < today():  # done so late that this one is past as well
            due_on = later(due_on, **REPEATS[self.repeats])
        shut_out = ShutOut.of(self.incident_id)

        def may(person: User) -> bool:
            if not person.active or person.id in shut_out:
                return False
            seen = visible and visible(Incident, person).where(Incident.id == self.incident_id)
            return seen is None or seen.exists()

        owner = next(filter(may, self.heirs()), by)
        task = Task.create(
            incident=self.incident,
            what=self.what,
            owner=owner,
            due_on=due_on,
            urgency=self.urgency,
            repeats=self.repeats,
            given_by=self.given_by,
            given_at=now(),
        )
        Notice.announce("task:give", task, None, [owner] if owner != by else [])
        return task

    @step("open", "cancelled")
    def cancel(self, reason: str, by: User) -> dict[str, str]:
        """It is not to be done any more, nor again."""
        return {"reason": reason}


Submission.becomes_task = Task.of_row
