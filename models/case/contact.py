"""Contacts: whom outside was told or asked about an incident, what was shared, and on what ground;
what they answered, and what came of it.
"""

from datetime import datetime
from typing import Any

from peewee import CharField, Expression, ForeignKeyField, IntegerField, TextField, fn

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import DAMAGED, contains, transaction
from models.ground.deadlines import after
from models.ground.fields import Json, Moment, Pick
from models.ground.record import Refused
from models.history.event import Event, plain
from models.history.step import starts, step
from models.people.user import User

from .asked import readable
from .incident import Incident, OfIncident
from .line import Line
from .profile import DIRECTIONS, KINDS, Profile, Rung, Step, rungs

TOLD, HEARD = DIRECTIONS
REFERRAL = KINDS[0]
ANSWERED = ("Referral", "Consultation")  # what an answer is waited for
TELEPHONE = "Telephone"
NEXT = "the next one"  # the step of a ladder that is taken where nobody says which


class Contact(OfIncident):
    """One contact with a body about an incident. What was submitted stays; an acknowledgement, the
    rungs climbed and the outcome are added.
    """

    STATUSES = ("waiting", "acknowledged", "noted", "concluded")
    LIVING = STATUSES[:3]
    keeps = "submitted"
    changes = ("status", "acknowledged_at", "answer", "outcome", "concluded_at", "version")
    opens = "contact:read"  # whoever reports does not follow who else was told

    body = Pick("body", max_length=120, index=True, verbose_name="Body")
    kind = Pick(fixed=KINDS, max_length=40, verbose_name="What it was")
    direction = Pick(fixed=DIRECTIONS, max_length=40, verbose_name="Who told whom")
    person = CharField(
        max_length=120, verbose_name="Person", help_text="Full name and post: whom you spoke with."
    )
    at = Moment(verbose_name="When")
    how = Pick("how contacted", max_length=120, verbose_name="How")
    their_reference = CharField(null=True, max_length=80, verbose_name="Their reference")
    shared = TextField(
        null=True, verbose_name="What was shared", help_text="What they were told or sent."
    )
    ground = Pick("ground for sharing", null=True, verbose_name="On what ground")
    not_shared = TextField(
        null=True,
        verbose_name="Why not shared",
        help_text="Where something, or everything, was kept back: why.",
    )
    advice = TextField(null=True, verbose_name="What they said or advised")
    identifier = CharField(
        null=True,
        max_length=40,
        verbose_name="Consistent identifier",
        help_text="Leave it empty: the law provides for one number for each child, and regulations "
        "have yet to name it.",
    )
    questions = Json(default=list)
    answers = Json(default=dict)
    ladder = Json(default=list)
    status = Pick(fixed=STATUSES, max_length=20, index=True, verbose_name="Status")
    recorded_by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Recorded by")
    recorded_at = Moment(verbose_name="Recorded")
    acknowledged_at = Moment(null=True, verbose_name="Acknowledged")
    answer = TextField(null=True, verbose_name="Their answer")
    outcome = TextField(null=True, verbose_name="Outcome")
    concluded_at = Moment(null=True, verbose_name="Outcome known")

    GROUPS = {
        "With whom": ["body", "kind", "direction", "person", "at", "how", "their_reference"],
        "What was shared": ["shared", "ground", "not_shared"],
        "What they said": ["advice", "identifier"],
    }
    climbed: int | None = None  # how far up its ladder; a list asks it with its rows

    def __str__(self):
        return f"contact with {self.body} about {self.incident}"

    @property
    def reference(self) -> str:
        """What an email calls it."""
        return f"contact about {self.incident}"

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: body, person, reference, or the incident."""
        found = Incident.select(Incident.id).where(Incident.matching(term))
        own = contains(cls.body, term) | contains(cls.person, term)
        return own | contains(cls.their_reference, term) | cls.incident.in_(found)

    @classmethod
    @starts(*Incident.STATUSES)
    def add(
        cls, incident: Incident, by: User, answers: dict[str, Any] | None = None, **values: Any
    ) -> "Contact":
        """Record a contact about `incident`. answers: {id of a question of the body's form: value};
        the questions are kept as they are now. Raises Refused for what contradicts itself.
        """
        profile = Profile.of(values.get("body"))
        questions = profile.pinned() if profile else []
        asked = {one["id"] for one in questions}
        given = {
            key: plain(value)
            for key, value in (answers or {}).items()
            if key in asked and value not in (None, "", [])
        }
        if errors := cls.wrong(values):
            raise Refused("The contact was not saved.", errors)
        waits = values["kind"] in ANSWERED and values["direction"] == TOLD
        climb = rungs(profile.ladder) if profile and waits else []
        with transaction():
            contact = cls.create(
                incident=incident,
                questions=questions,
                answers=given,
                ladder=[rung._asdict() for rung in climb],
                status="waiting" if waits else "noted",
                recorded_by=by,
                recorded_at=now(),
                **values,
            )
            Event.write("contact:add", contact, by)
        return contact

    @staticmethod
    def wrong(values: dict[str, Any]) -> dict[str, str]:
        """What contradicts itself: {field: sentence}."""
        errors = {}
        if values["at"] > now():
            errors["at"] = "This is in the future. Give the time it was."
        shared, ground, kept = (values.get(name) for name in ("shared", "ground", "not_shared"))
        if shared and not ground and values["direction"] == TOLD:
            errors["ground"] = "Say on what ground it was shared."
        if ground and not shared:
            errors["shared"] = "Say what was shared on this ground."
        if values["direction"] == TOLD and not shared and not kept:
            errors.setdefault("shared", "Say what was shared or, below, why nothing was.")
        return errors

    # the ladder

    @property
    def rungs(self) -> list[Rung]:
        """The rungs of its ladder; none of one that is damaged."""
        return [] if DAMAGED in self.ladder else [Rung(**one) for one in self.ladder]

    @property
    def awaited(self) -> Step | None:
        """The step that is due next if no answer comes; None where none is waited for."""
        return self.next_step if self.status == "waiting" else None

    @property
    def steps(self) -> list[Step]:
        """Its rungs as people choose them, each with when it is due."""
        return [
            Step(place, rung, after(self.at, rung.number, rung.unit))
            for place, rung in enumerate(self.rungs, 1)
        ]

    @property
    def next_step(self) -> Step | None:
        """The step above the highest that was taken, whether or not an answer came; None where
        there is none.
        """
        reached = self.reached
        return next((one for one in self.steps if one.id > reached), None)

    @property
    def reached(self) -> int:
        """How far up its ladder it was gone, as the number of a step."""
        if self.climbed is not None:
            return self.climbed
        return Escalation.select(HIGHEST).where(Escalation.contact == self.id).scalar()

    @classmethod
    @composed
    def shown_of(cls, incident):
        rows = cls.select(cls, cls.steps_taken(), *User.named())
        rows = rows.join(User, on=(cls.recorded_by == User.id))
        return rows.where(cls.incident == incident).order_by(cls.at.desc())

    @classmethod
    def steps_taken(cls) -> Any:
        """For a query of contacts: a column `climbed`, how far up its ladder each has come."""
        return Escalation.select(HIGHEST).where(Escalation.contact == cls.id).alias("climbed")

    def line(self) -> Line:
        """As the chronology has it."""
        said = self.shared or self.not_shared or self.advice or ""
        facts = [self.direction, self.person, self.how, said, self.incident.reference]
        return Line(
            self.at,
            f"{self.kind}: {self.body}",
            "contact",
            self.recorded_at,
            self.recorded_by,
            facts,
            action=self.outcome or self.answer or self.status,
            source=f"{self.body}, {self.their_reference or self.incident}",
        )

    @classmethod
    def stops(cls, incidents: list[int]) -> list[tuple[str, Any, str]]:
        """What a case lacks before it can close: referrals without an outcome."""
        rows = cls.select(cls, Incident).join(Incident).where(cls.incident.in_(incidents))
        rows = rows.where(cls.kind == REFERRAL, cls.direction == TOLD, cls.status != "concluded")
        return [(f"Referral to {row.body}: its outcome", row, "") for row in rows.order_by(cls.at)]

    def answered(self) -> list[tuple[str, Any]]:
        """[(question, answer)] of the body's form, for showing; of what was answered. Of one that
        is damaged what is left, as it stands.
        """
        if DAMAGED in self.questions or DAMAGED in self.answers:
            return [(DAMAGED, f"{self.questions} {self.answers}")]
        pairs = [
            (one["text"], readable(one, self.answers.get(one["id"]))) for one in self.questions
        ]
        return [(text, answer) for text, answer in pairs if answer not in (None, "", [])]

    # what is added later

    @step("waiting", "acknowledged")
    def acknowledge(self, at: datetime, answer: str | None, by: User) -> None:
        """They said that they have it, and perhaps what they decided."""
        if at > now():
            raise Refused("Nothing was saved.", {"at": "This is in the future."})
        if at < self.at.replace(second=0):
            raise Refused("Nothing was saved.", {"at": "This is before the contact itself."})
        self.acknowledged_at, self.answer = at, answer

    @step(LIVING, "concluded")
    def conclude(self, outcome: str, by: User) -> None:
        """What came of it."""
        self.outcome, self.concluded_at = outcome, now()

    @step(("waiting", "acknowledged"), lambda contact: contact.status)
    def escalate(
        self, whom: str, what: str, by: User, level: Step | None | str = NEXT
    ) -> dict[str, str]:
        """Go up a step: to whom, and what they said. One may disagree with an answer, too.

        level: which step of the ladder they are on; None for somebody who is on none.
        """
        step = self.next_step if isinstance(level, str) else level
        Escalation.create(
            incident=self.incident_id,
            contact=self,
            by=by,
            at=now(),
            rung=step.rung.what if step else None,
            reached=max(self.reached, step.id if step else 0),
            whom=whom,
            what=what,
        )
        self.climbed = None
        return {"reason": f"To {whom}."}

    def a_referral(self, by: User) -> bool:
        """A pack is made from a referral that we made."""
        return self.kind == REFERRAL and self.direction == TOLD


class Escalation(OfIncident):
    """That somebody went up a rung: to whom, and what they said."""

    keeps, part_of = "fixed", "contact"
    no_line = "a rung stands on the page of its contact"
    opens = Contact.opens

    contact = ForeignKeyField(Contact, backref="escalations", on_delete="RESTRICT")
    by = ForeignKeyField(User, on_delete="RESTRICT")
    at = Moment()
    rung = CharField(null=True, max_length=200)
    # how far up the ladder it is now; of one from before steps were chosen, each was the next
    reached = IntegerField(null=True)
    whom = CharField(max_length=120, verbose_name="To whom")
    what = TextField(verbose_name="What was said")

    @classmethod
    def of(cls, contact: Contact) -> "list[Escalation]":
        """Those of a contact in order, with who wrote them, in one query."""
        rows = cls.select(cls, *User.named()).join(User)
        return list(rows.where(cls.contact == contact).order_by(cls.id))


HIGHEST = fn.COALESCE(fn.MAX(Escalation.reached), fn.COUNT(Escalation.id))  # of one contact
