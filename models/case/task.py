"""Tasks: what somebody is to do about an incident, and by when."""

from collections.abc import Callable
from datetime import date
from typing import Any

from peewee import Expression, ForeignKeyField, TextField

from models.ground.clock import LONDON, now
from models.ground.database import contains, transaction
from models.ground.fields import Day, Moment, Pick
from models.ground.record import Refused
from models.history.notice import Notice
from models.history.step import starts, step
from models.people.user import User

from .incident import Incident, OfIncident, ShutOut


class Task(OfIncident):
    """What somebody is to do about an incident, and by when. An alert stays until it is done:
    reading is not doing.
    """

    STATUSES = ("open", "done", "cancelled")
    keeps, changes = "submitted", ("status", "version", "effect")

    what = TextField(verbose_name="What is to be done", help_text="One thing that one person does.")
    owner = ForeignKeyField(
        User, on_delete="RESTRICT", verbose_name="Who does it", help_text="Type part of the name."
    )
    due_on = Day(verbose_name="Due")
    status = Pick(fixed=STATUSES, max_length=20, default="open", index=True, verbose_name="Status")
    given_by = ForeignKeyField(User, backref="given", on_delete="RESTRICT", verbose_name="Given by")
    given_at = Moment(default=now, verbose_name="Given")
    effect = TextField(null=True, verbose_name="What came of it")

    def __str__(self):
        return f"task about {self.incident}"

    reference = property(__str__)  # what an email calls it: never what is to be done

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
        return contains(cls.what, term) | cls.incident.in_(found)

    @classmethod
    @starts(*Incident.STATUSES)
    def give(
        cls, incident: Incident, by: User, what: str, owner: User, due_on: date, visible: Callable
    ) -> "Task":
        """Give a task to `owner`, who is emailed. Raises Refused for a day that is past, and for
        somebody who may not see the incident.

        visible: the policy, a function of a model and a person, for it stands above the nouns.
        """
        if due_on < now().astimezone(LONDON).date():
            raise Refused(
                "The task was not saved.", {"due_on": "This day is past. Give a later one."}
            )
        with transaction():
            if not visible(Incident, owner).where(Incident.id == incident.id).exists():
                sentence = f"{owner} may not see this incident. Share it with them first."
                raise Refused("The task was not saved.", {"owner": sentence})
            task = cls.create(
                incident=incident,
                what=what,
                owner=owner,
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
        return [(f"Task: {task.what}", task, "") for task in rows.order_by(cls.due_on)]

    def recipients(self) -> list[User]:
        """Its owner, unless the concern turned out to be about them."""
        return [] if self.owner_id in ShutOut.of(self.incident_id) else [self.owner]

    def theirs(self, by: User) -> Any:
        """A task is done by the person who owns it, or by somebody who gives tasks."""
        return by == self.owner or by.may("task:give", self)

    @step("open", "done", who=theirs)
    def done(self, effect: str, by: User) -> None:
        """It is done; `effect`: what came of it."""
        self.effect = effect

    @step("open", "cancelled")
    def cancel(self, reason: str, by: User) -> dict[str, str]:
        """It is not to be done any more."""
        return {"reason": reason}
