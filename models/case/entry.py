"""Entries by hand: what is known of a child from before, or from elsewhere, with its own dates."""

from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from models.ground.clock import now, today
from models.ground.database import transaction
from models.ground.dates import stretched
from models.ground.fields import Day, Moment, Pick, YesNo
from models.ground.record import Refused
from models.history.event import Event
from models.history.step import starts
from models.people.user import User

from .attachment import Kept
from .child import EARLIEST, Child, OfChild
from .line import Line


class Entry(OfChild):
    """A line that somebody writes into a chronology by hand: a page of an earlier school's file,
    what an agency told. Once submitted it never changes; it is withdrawn with a reason, and stays.
    """

    keeps, permission = "submitted", "entry:read"
    changes = ("withdrawn_at", "withdrawn_by", "withdrawn_why", "version")

    happened_on = Day(
        roughly=True,
        verbose_name="When did it happen?",
        help_text="The day, or the first one; where the source has no day, the month or the year.",
    )
    until = Day(null=True, roughly=True, verbose_name="Until", help_text="Where it lasted.")
    period = CharField(
        null=True,
        max_length=60,
        verbose_name="As the source puts it",
        help_text="For example: Easter 2025. It stands in place of the day. Left empty, it is the "
        "month or the year that you gave.",
    )
    headline = CharField(
        max_length=160, verbose_name="Headline", help_text="One line, plain enough for the family."
    )
    text = TextField(verbose_name="What it says", help_text="The facts, good ones too.")
    source = Pick("source", max_length=60, verbose_name="Where this is from")
    origin = CharField(
        null=True,
        max_length=160,
        verbose_name="Which school, agency or person",
        help_text="The full name.",
    )
    pages = CharField(
        null=True, max_length=60, verbose_name="Pages", help_text="For example: 3 and 4."
    )
    significant = YesNo(default=False, verbose_name="Is it significant?")
    entered_by = ForeignKeyField(
        User, backref="entered", on_delete="RESTRICT", verbose_name="Entered by"
    )
    entered_at = Moment(default=now, verbose_name="Entered")
    withdrawn_at = Moment(null=True, verbose_name="Withdrawn")
    withdrawn_by = ForeignKeyField(
        User, null=True, backref="withdrew", on_delete="RESTRICT", verbose_name="Withdrawn by"
    )
    withdrawn_why = TextField(null=True, verbose_name="Why it was withdrawn")

    def __str__(self):
        return f"entry about {self.child}"

    @classmethod
    @starts()
    def add(cls, child: Child, by: User, files: Any = (), **values: Any) -> "Entry":
        """Add an entry. files: [(name, bytes)] of what was scanned, with whether the virus scanner
        looked at it. In place of a day may stand a month or a year (Span). Raises Refused for a day
        that is still to come, and for a file that cannot be kept.
        """
        happened, until, period = stretched(
            values["happened_on"], values.get("until"), values.get("period"), today()
        )
        values |= {"happened_on": happened, "until": until, "period": period}
        errors = {}
        if not (happened and EARLIEST <= happened <= today()):
            errors["happened_on"] = "This is in the future, or before 1900. Give the day it was."
        if until and happened and until < happened:
            errors["until"] = "This is before it began."
        if errors:
            raise Refused("The entry was not saved.", errors)
        for name, content, *_looked in files:
            Scan.admit(name, content)
        with transaction():
            entry = cls.create(child=child, entered_by=by, entered_at=now(), **values)
            for name, content, *looked in files:
                Scan(entry=entry, child=child).keep(name, content, *looked)
            Event.write("entry:add", entry, by)
        return entry

    @starts()
    def withdraw(self, reason: str, by: User) -> "Entry":
        """It was a mistake, or of another child. It stays, struck through."""
        with transaction():
            fresh = Entry.get_by_id(self.id)
            if fresh.withdrawn_at:
                raise Refused("This entry was withdrawn already. Nothing was changed.")
            fresh.set(withdrawn_at=now(), withdrawn_by=by, withdrawn_why=reason)
            fresh.save()
            Event.write("entry:withdraw", fresh, by, reason=reason)
        return fresh

    def line(self) -> Line:
        """As the chronology has it."""
        pages = f"pages {self.pages}" if self.pages else ""
        return Line(
            self.happened_on,
            self.headline,
            self.source.lower(),
            self.entered_at,
            self.entered_by,
            [self.origin or "", pages],
            until=self.until,
            period=self.period or "",
            significant=bool(self.significant),
            source=", ".join(filter(None, [self.origin or self.source, pages])),
            withdrawn=self.withdrawn_why or "",
        )


class Scan(Kept, OfChild):
    """A page, or several, of what an entry was taken from."""

    keeps, part_of, permission = "fixed", "entry", "entry:read"
    no_line = "it stands on the page of its entry"

    entry = ForeignKeyField(Entry, backref="scans", on_delete="RESTRICT")
    name = CharField(max_length=200)
    kind = CharField(max_length=100)
    size = IntegerField()
    sha256 = CharField(max_length=64)

    def __str__(self):
        return self.name
