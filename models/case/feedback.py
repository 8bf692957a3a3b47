"""Thanks and corrections: what the team says to the author of a report, kept off the child's
record.
"""

from typing import Any

from peewee import ForeignKeyField, TextField

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Moment, Pick
from models.ground.record import NoIncident, Record, Refused
from models.history.event import Event
from models.history.step import starts, step
from models.people.user import User

from .incident import Incident, shut_words
from .shut_out import ShutOut

FIRST = ("first", "second", "third")  # reports of an author, which are looked at with them
KINDS = ("Thank you", "For next time")


class Feedback(Record):
    """A word to the author of a report. It is in the history, and in none of a child: neither on
    the paper of a case nor among what happened in it. models/policy.py shuts it to the adult whom
    the incident is about all the same, and emails say nothing of it.
    """

    belongs = NoIncident("it is about how a report was written, and is no part of a child's record")
    STATUSES = ("given", "read")
    keeps, changes = "submitted", ("status", "version")

    incident = ForeignKeyField(Incident, backref="feedback", on_delete="RESTRICT")
    kind = Pick(fixed=KINDS, max_length=20, verbose_name="What is it?")
    text = TextField(
        verbose_name="To the author",
        help_text="About how it was noticed and written down, never about the child: this is no "
        "part of the child’s record. The author and the safeguarding team read it.",
    )
    status = Pick(fixed=STATUSES, max_length=20, default="given", index=True, verbose_name="Status")
    given_by = ForeignKeyField(User, backref="said", on_delete="RESTRICT", verbose_name="From")
    given_at = Moment(default=now, verbose_name="Said")

    def __str__(self):
        return f"{self.kind or 'a word'} to an author"  # never whose report, nor which

    reference = property(__str__)

    def its_setting(self) -> int | None:
        """Where the report is."""
        return self.incident.its_setting()

    @classmethod
    @composed
    def ids_of(cls, incident: Any) -> Any:
        """[(id,)] of what was said to the author of an incident (an id)."""
        return cls.select(cls.id).where(cls.incident == incident).tuples()

    @classmethod
    @starts(*Incident.STATUSES)
    def give(cls, incident: Incident, by: User, kind: str, text: str) -> "Feedback":
        """Thank or correct the author of `incident`, who finds it on the home page. Raises Refused
        where nobody would read it.
        """
        author, nothing = incident.reported_by, "Nothing was saved."
        with transaction():
            if author == by:
                raise Refused(f"You reported it yourself. {nothing}")
            if not author.active:
                raise Refused(f"{author} has left, and would not read it. {nothing}")
            if author.id in ShutOut.of(incident):
                raise Refused(f"{shut_words(author, incident)} {nothing}")
            if not author.may("feedback:acknowledge", incident):
                raise Refused(f"{author} has no role that reads it here. {nothing}")
            said = cls.create(incident=incident, kind=kind, text=text, given_by=by, given_at=now())
            Event.write("feedback:give", said, by)
        return said

    def theirs(self, by: User) -> Any:
        """Only the author of the report presses Read."""
        return by == self.incident.reported_by

    @step("given", "read", who=theirs)
    def acknowledge(self, by: User) -> None:
        """The author has read it."""
