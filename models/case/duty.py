"""What the law asks when something of a kind is recorded: notes with a clock, as data."""

from datetime import datetime
from pathlib import Path
from typing import Any

from peewee import CharField, IntegerField, TextField

from models.ground.composed import composed
from models.ground.deadlines import MOST, UNITS, after, limit
from models.ground.fields import Pick, YesNo
from models.ground.record import NoIncident, Record, Refused
from models.ground.words import paragraphs

from .profile import ship

SHIPPED = Path(__file__).parents[1] / "duties.toml"
WHEN = {  # by what a note appears: (what is written after the colon, what that means)
    "category": ("Honour-based", "given in the triage in force"),
    "decision": ("LADO", "of the triage in force"),
    "topic": ("slogan", "a word of the incident’s topic"),
    "intervention": ("yes", "physical intervention was used"),
    "adult": ("named", "the concern is about an adult with an account"),
    "contact": ("Operation Encompass", "a contact with this body"),
    "telephone": ("MASH", "a referral to this body by telephone"),
    "answer": ("When did the child return?", "a contact’s question, answered with a time"),
    "left": ("yes", "the child left, and had a case"),
    "enquiry": ("Opened", "a child protection enquiry; a task is made of it"),
}
SINCE = ("it was noticed", "it was reported", "it was decided", "the contact", "the answer")


class Duty(Record):
    """A duty with its source and clock. Never a block: a banner, and a line among what needs the
    team today once it is nearly due.
    """

    belongs, keeps = NoIncident("the duties are the law's, and their notes the school's"), "rows"

    key = CharField(null=True, unique=True, max_length=40)  # of one that we ship
    name = CharField(
        unique=True, max_length=160, verbose_name="Duty", help_text="What is to be done, in brief."
    )
    says = TextField(default="", verbose_name="What it says")
    appears = TextField(
        verbose_name="When it appears",
        help_text="One rule on each line, and one that fits is enough: "
        + "; ".join(f"“{kind}: {value}” ({says})" for kind, (value, says) in WHEN.items())
        + ".",
    )
    who = CharField(default="", max_length=120, verbose_name="Who acts")
    body = CharField(
        default="",
        max_length=120,
        verbose_name="Done by a contact with",
        help_text="The body, as it is under Bodies or on the list “body”.",
    )
    amount = IntegerField(
        null=True, verbose_name="Limit", help_text="A number; empty where there is no limit."
    )
    unit = Pick(
        fixed=UNITS,
        null=True,
        verbose_name="Limit in",
        help_text="A working day ends at 17:00. School days are counted as working days. A school "
        "morning is 8:30 of the next working day.",
    )
    since = Pick(fixed=SINCE, verbose_name="Counted from when")
    source = CharField(default="", max_length=200, verbose_name="Source")
    edition = CharField(default="", max_length=80, verbose_name="Edition")
    position = IntegerField(default=0, verbose_name="Order", help_text="Lower comes first.")
    switched_on = YesNo(default=True, verbose_name="Switched on?")

    def __str__(self):
        return self.name

    def rules(self) -> list[tuple[str, str]]:
        """When it appears, as [(kind, value)]."""
        pairs = (line.partition(":") for line in paragraphs(self.appears))
        return [(kind.strip(), value.strip()) for kind, _colon, value in pairs]

    @property
    def limit(self) -> str:
        """Its limit in words."""
        return limit(self.amount, self.unit)

    def due_at(self, moment: datetime) -> datetime | None:
        """When it is due that is counted from `moment`; None without a limit."""
        return after(moment, self.amount, self.unit) if self.amount and self.unit else None

    def check(self) -> None:
        """Raise Refused for a rule that does not say when, and half a limit."""
        super().check()
        errors = {}
        for kind, value in self.rules():
            if kind not in WHEN or not value:
                errors["appears"] = (
                    f"“{kind}: {value}” says not when. Begin a line with one of: "
                    f"{', '.join(WHEN)}; then a colon, and what."
                )
        if bool(self.amount) != bool(self.unit):
            errors["unit"] = "Give both a number and what it counts, or neither."
        if self.amount is not None and not 0 < self.amount <= MOST:
            errors["amount"] = f"Give a number from 1 to {MOST}, or leave it empty."
        if errors:
            raise Refused("Nothing was saved.", errors)

    @classmethod
    @composed
    def in_force(cls) -> Any:
        """Those that are switched on, in order."""
        return cls.select().where(cls.switched_on).order_by(cls.position, cls.id)

    @classmethod
    def ship(cls) -> None:
        """Create the shipped duties that were not created yet; what is there is the school's."""
        ship(cls, SHIPPED)
