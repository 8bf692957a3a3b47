"""What a form is made of: its sections, signatures, files, those who were named for it, and what
lists show of it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from peewee import CharField, DeferredForeignKey, Expression, ForeignKeyField, IntegerField

from models.ground.clock import now
from models.ground.database import transaction
from models.ground.deadlines import after
from models.ground.fields import Moment, Pick, YesNo
from models.ground.record import Record
from models.ground.words import when
from models.history.event import Event
from models.people.role import Role
from models.people.user import User

from .asked import EMPTY, Asked, as_kind
from .attachment import Kept
from .right import BEGAN, COMPLETE, DOES, FILLS, READS, REVIEWS, SUBMITTED, WRITING
from .template import UNASKED, WITHIN, Question


class SubmissionSection(Asked):
    """A section of a form."""

    belongs, keeps, part_of = "submission", "submitted", "submission"
    no_line = "its form has one"
    changes = ("answers", "questions", "saved_by", "saved_at", "version")

    submission = DeferredForeignKey("Submission", backref="section_rows", on_delete="RESTRICT")
    after = YesNo(null=True)

    @property
    def writable(self) -> bool:
        """Whether the status of its form leaves it open at all."""
        if self.after:
            signed = self.restricted and self.submission.signers()
            return self.submission.status in ((SUBMITTED,) if signed else (SUBMITTED, COMPLETE))
        return self.submission.status != COMPLETE

    def opens(self, form: Any, by: User) -> bool:
        """Whether `by`, who sees the form, reads this section."""
        return not self.restricted or REVIEWS in form.can(by)

    def open_to(self, form: Any, by: User) -> set[str]:
        """The ids of the questions that `by` may answer now."""
        self.__rel__["submission"] = form  # as it stands now
        if not self.writable or not self.opens(form, by) or self.damaged:
            return set()
        can, writing = form.can(by), form.status in WRITING
        return {
            question["id"]
            for question in self.questions
            if question["kind"] not in UNASKED
            and (
                REVIEWS in can
                if self.restricted or question.get("review")
                else bool({FILLS, BEGAN} & can) and (writing or FILLS in can and self.after)
            )
        }

    def counted(self, by: User, figures: Callable) -> dict[str, str]:
        """{question id: figure} of what is counted live. figures: a function of the name of a
        figure and a person, giving it as they count it.
        """
        return {
            question["id"]: figures(question["counts"], by)
            for question in self.questions
            if question["kind"] == "figure"
        }

    def clocks(self) -> dict[str, tuple[str, bool]]:
        """{question id: (by when it should have been, whether it is late)} of what has a clock."""
        found, form = {}, self.submission
        keyed = {
            question["key"]: section.answers.get(question["id"])
            for section in form.sections()
            for question in ([] if section.damaged else section.questions)
            if question.get("key")
        }
        for question in self.questions:
            fits = WITHIN.fullmatch(question.get("within") or "")
            since = fits and as_kind("date and time", keyed.get(fits[3]))
            if not fits or not isinstance(since, datetime):
                continue
            unit = "calendar days" if fits[2] == "days" else fits[2]
            due = after(since, int(fits[1]), unit)
            done = as_kind("date and time", self.answers.get(question["id"])) or now()
            found[question["id"]] = (when(due), isinstance(done, datetime) and done > due)
        return found

    def running(self) -> list[tuple[str, bool]]:
        """[(by when it should be, whether it is late)] of what has a clock and no answer yet."""
        if self.damaged or not any(question.get("within") for question in self.questions):
            return []
        return [clock for id, clock in self.clocks().items() if self.answers.get(id) in EMPTY]

    def ask_also(self, questions: Iterable[Question]) -> list[str]:
        """Ask what an open form did not ask yet, of this edition or of a later one; returns the
        questions that are new in it.
        """
        here = {
            question.get("key") or question["id"]: question["id"] for question in self.questions
        }
        more = []
        for one in questions:
            if (one.key or str(one.id)) in here:
                continue
            asked = one.pinned()
            if "depends" in asked:  # on the question as this form has it
                on = here.get(one.depends_on.key or asked["depends"]["on"])
                asked["depends"]["on"] = on or asked["depends"]["on"]
            here[one.key or asked["id"]] = asked["id"]
            more.append(asked)
        if more:
            self.questions = [*self.questions, *more]
            self.save()
        return [one["text"] for one in more]


class Signature(Record):
    """That somebody signed a form, in which role."""

    belongs, keeps, part_of = "submission", "fixed", "submission"
    no_line = "it stands in the line of its form"

    submission = DeferredForeignKey("Submission", backref="signature_rows", on_delete="RESTRICT")
    role = ForeignKeyField(Role, on_delete="RESTRICT")
    by = ForeignKeyField(User, on_delete="RESTRICT")
    at = Moment()
    turn = IntegerField()


class Reader(Record):
    """Somebody who was named for one form, besides those whose role reads it: whom the head names,
    or a reviewer from outside, for a time.
    """

    belongs, keeps, part_of = "submission", "submitted", "submission"
    no_line = "who reads a form is no event in the child’s life"
    changes = ("ended_at", "version")

    submission = DeferredForeignKey("Submission", backref="reader_rows", on_delete="RESTRICT")
    user = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Person")
    does = Pick(fixed=DOES, max_length=20, verbose_name="What they do")
    until = Moment(null=True, verbose_name="Until")
    by = ForeignKeyField(User, backref="readers_named", on_delete="RESTRICT")
    at = Moment()
    ended_at = Moment(null=True)

    @classmethod
    def counts_now(cls) -> Expression:
        """The condition that it counts now."""
        return cls.ended_at.is_null() & (cls.until.is_null() | (cls.until > now()))

    @classmethod
    def of(cls, user: User, *does: str) -> Any:
        """A query of the ids of the forms that `user` was named for, to do one of `does`."""
        rows = cls.select(cls.submission).where(cls.user == user, cls.counts_now())
        return rows if READS in does else rows.where(cls.does.in_(does))

    @classmethod
    def now(cls, form: Any) -> list["Reader"]:
        """Those named for a form now, with their names."""
        rows = cls.select(cls, *User.named()).join(User, on=(cls.user == User.id))
        return list(rows.where(cls.submission == form, cls.counts_now()).order_by(cls.id))


class Listed(Record):
    """What the list of a kind of form shows, filters and counts of one: written anew whenever that
    is saved, for a list of many could not read all their sections.
    """

    belongs, keeps = "submission", "free"
    no_line = "an index of what the form says"
    unvouched = {"submission": "drawn from the form", "key": "the same", "value": "the same"}

    submission = DeferredForeignKey("Submission", backref="listed", on_delete="RESTRICT")
    key = CharField(max_length=40)
    value = CharField(max_length=200)

    class Meta:
        indexes = ((("submission", "key"), False), (("key", "value"), False))


class Enclosure(Kept, Record):
    """A file that goes with an answer."""

    belongs, keeps, part_of = "submission", "fixed", "submission"
    no_line = "it goes with its form, which has a line"

    submission = DeferredForeignKey("Submission", backref="enclosures", on_delete="RESTRICT")
    question = CharField(max_length=20)
    name = CharField(max_length=200, verbose_name="File")
    kind = CharField(max_length=80)
    size = IntegerField()
    sha256 = CharField(max_length=64)
    by = ForeignKeyField(User, on_delete="RESTRICT")
    at = Moment()

    def __str__(self):
        return f"file of {self.submission}"

    @classmethod
    def enclose(
        cls, form: Any, question: str, name: str, content: bytes, by: User, looked: bool = False
    ) -> "Enclosure":
        """Keep a file with the answer to a question (its id). Raises Refused for what cannot be
        kept. looked: see Kept.keep.
        """
        cls.admit(name, content)
        row = cls(submission=form, question=question, by=by, at=now())
        with transaction():
            row.keep(name, content, looked)
            Event.write("enclosure:add", row, by, also=[form], sha256=row.sha256)
        return row
