"""Questions to the reporter of an incident: asked with a day to answer by, answered as an addendum
of theirs.
"""

from datetime import date
from typing import Any

from peewee import ForeignKeyField, TextField

from models.ground.clock import now, today
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Day, Moment, Pick
from models.ground.record import Refused
from models.history.notice import Notice
from models.history.step import starts, step
from models.people.user import User

from .incident import Addendum, Incident, OfIncident, shut_words
from .shut_out import ShutOut


class Clarification(OfIncident):
    """What the safeguarding team asks the reporter. The answer is an addendum to the incident: it
    is theirs, and stands on paper with what they reported.
    """

    STATUSES = ("asked", "answered", "withdrawn")
    keeps, changes = "submitted", ("status", "version", "addendum")
    no_line = "its answer is an addendum, which has one"

    question = TextField(
        verbose_name="What do you want to know?",
        help_text="One question, which does not suggest its answer. The reporter sees it, and "
        "their own report.",
    )
    answer_by = Day(ahead=True, verbose_name="Answer by")
    status = Pick(fixed=STATUSES, max_length=20, default="asked", index=True, verbose_name="Status")
    asked_by = ForeignKeyField(User, backref="asked", on_delete="RESTRICT", verbose_name="Asked by")
    asked_at = Moment(default=now, verbose_name="Asked")
    addendum = ForeignKeyField(Addendum, null=True, on_delete="RESTRICT", verbose_name="Answer")

    def __str__(self):
        return f"question about {self.incident}"

    reference = property(__str__)  # what an email calls it: never what is asked

    @classmethod
    @composed
    def shown_of(cls, incident):
        rows = cls.select(cls, Addendum, *User.named())
        rows = rows.join(User, on=(cls.asked_by == User.id)).switch(cls).left_outer_join(Addendum)
        return rows.where(cls.incident == incident).order_by(cls.id)

    opens = "clarification:ask"

    @classmethod
    def narrowed(cls, rows: Any, by: User) -> Any:
        """For those who ask, and for the reporter who is asked; not for others who may see the
        incident.
        """
        own = Incident.select(Incident.id).where(Incident.reported_by == by)
        within = by.within("clarification:ask")
        if within is None:
            return rows
        return rows.where(cls.incident.in_(own) | Incident.lies(within, cls.incident))

    @classmethod
    @starts(*Incident.STATUSES)
    def ask(cls, incident: Incident, by: User, question: str, answer_by: date) -> "Clarification":
        """Ask the reporter of `incident`, who is emailed. Raises Refused for a day that is past,
        and where the reporter cannot answer.
        """
        nothing = "The question was not asked."
        if answer_by < today():
            raise Refused(nothing, {"answer_by": "This day is past. Give a later one."})
        with transaction():
            reporter = incident.reported_by
            if reporter == by:
                raise Refused(f"You reported it yourself: add to the incident. {nothing}")
            cannot(reporter, incident, nothing)
            asked = cls.create(
                incident=incident,
                question=question,
                answer_by=answer_by,
                asked_by=by,
                asked_at=now(),
            )
            Notice.announce("clarification:ask", asked, by, asked.recipients())
        return asked

    def recipients(self) -> list[User]:
        """The other side: whoever asked is told of the answer, the reporter of all else; nobody who
        left or is shut out.
        """
        told = self.asked_by if self.status == "answered" else self.incident.reported_by
        shut_out = ShutOut.of(self.incident_id)
        return [told] if told.active and told.id not in shut_out else []

    def theirs(self, by: User) -> Any:
        """A question is answered by the person who reported it."""
        return by == self.incident.reported_by

    @step("asked", "answered", who=theirs)
    def answer(self, text: str, by: User) -> dict[str, Any]:
        """The reporter's answer: an addendum to their report, with the question in it."""
        cannot(by, self.incident, "Nothing was saved.")
        self.addendum = Addendum.add(self.incident, by, f"Asked “{self.question}” {text}")
        return {"also": [self.incident]}

    @step("asked", "withdrawn")
    def withdraw(self, reason: str, by: User) -> dict[str, str]:
        """It need not be answered any more."""
        return {"reason": reason}


def cannot(reporter: User, incident: Incident, nothing: str) -> None:
    """Raise Refused where `reporter` cannot answer about `incident`: a sentence, ending with
    `nothing`, what came of it.
    """
    if not reporter.active:
        raise Refused(f"{reporter} has left, and cannot be asked here. {nothing}")
    shut_out = ShutOut.of(incident)
    if reporter.id in shut_out:
        raise Refused(f"{shut_words(reporter, incident)} {nothing}")
    if not reporter.may("clarification:answer", incident):
        raise Refused(f"{reporter} has no role that answers here. {nothing}")
