"""The schools that a child was at before, and whether their file has come."""

from datetime import date
from typing import Any

from peewee import CharField

from models.ground.clock import now, today
from models.ground.database import transaction
from models.ground.fields import Day, Moment, YesNo
from models.ground.record import Refused
from models.ground.words import day
from models.history.event import Event
from models.history.step import starts
from models.people.user import User

from .child import Child, OfChild
from .line import Line


class School(OfChild):
    """A school that the child was at before. Its child protection file should have come with the
    child: whether it has is asked until it is there (Keeping children safe in education).
    """

    keeps, changes = "submitted", ("received", "received_on", "version")

    name = CharField(max_length=160, verbose_name="School", help_text="Its full name, and town.")
    since = Day(null=True, verbose_name="From")
    until = Day(null=True, verbose_name="Until")
    received = YesNo(null=True, verbose_name="Has its file come?")
    received_on = Day(null=True, verbose_name="When did the file come?")
    added_at = Moment(default=now)

    def __str__(self):
        return self.name

    @classmethod
    @starts()
    def school(cls, child: Child, by: User, **values: Any) -> "School":
        """Write down a school from before. Raises Refused for days that contradict each other."""
        row = cls(child=child, added_at=now(), **values)
        errors = {}
        if not row.since and not row.until:
            errors["until"] = "Give one of the two days, as near as it is known."
        if row.since and row.until and row.until < row.since:
            errors["until"] = "This is before the child came there."
        if row.received_on and (not row.received or row.received_on > today()):
            errors["received_on"] = "Give the day on which it came, and only where it has."
        if errors:
            raise Refused("Nothing was saved.", errors)
        with transaction():
            row.save()
            Event.write("child:school", child, by, also=[row])
        return row

    @starts()
    def received_file(self, on: date, by: User) -> "School":
        """Its file has come."""
        with transaction():
            fresh = School.get_by_id(self.id)
            if fresh.received:
                raise Refused(f"The file of {fresh} is here already. Nothing was changed.")
            if on > today():
                raise Refused("Nothing was changed.", {"on": "This is in the future."})
            fresh.set(received=True, received_on=on)
            fresh.save()
            Event.write("child:received_file", fresh.child, by, also=[fresh])
        return fresh

    @property
    def file(self) -> str:
        """What became of its file, in words."""
        if self.received:
            return f"file received{f' on {day(self.received_on)}' if self.received_on else ''}"
        return "file not received"

    def line(self) -> Line:
        """As the chronology has it."""
        return Line(
            self.since or self.until,
            f"At {self.name}",
            "earlier school",
            self.added_at,
            until=self.until if self.since else None,
            period="" if self.since else f"until {day(self.until)}",
            facts=[self.file],
        )
