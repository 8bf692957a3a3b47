"""What the school wants recorded, whom to tell and which numbers to ring: the school's own words,
beside every form on which somebody reports.
"""

from typing import NamedTuple

from peewee import CharField, ForeignKeyField, TextField

from models.ground.composed import composed
from models.ground.record import NoIncident, Record, Refused
from models.ground.words import paragraphs
from models.people.setting import Setting
from models.people.user import User

TEXT = (
    "Report what worries you about a child, on the day, however small it seems.\n"
    "Write what you saw, heard or were told, in the words that were used, with full names and "
    "times. Keep what you think apart from it.\n"
    "Do not promise to keep it secret, do not ask leading questions, and do not look into it "
    "yourself."
)
ELSEWHERE = (
    "If it is about the Designated Safeguarding Lead, go to the head.\n"
    "If it is about the head, go to the chair of governors.\n"
    "You may always ring the Local Authority Designated Officer (LADO), children’s social care or "
    "the police yourself."
)


class Call(NamedTuple):
    """Somebody of the safeguarding team, as a form names them."""

    name: str
    title: str


class Guidance(Record):
    """One for the installation, and one for each school or home that has its own."""

    belongs, keeps = NoIncident("what is told to all who report"), "rows"

    setting = ForeignKeyField(
        Setting, null=True, unique=True, on_delete="RESTRICT", verbose_name="School or home"
    )
    text = TextField(
        default=TEXT,
        verbose_name="What the school wants recorded",
        help_text="A paragraph on each line. It stands beside the report form.",
    )
    duty = CharField(
        default="",
        max_length=120,
        verbose_name="Duty telephone of the safeguarding team",
        help_text="The number that somebody answers while the school is open.",
    )
    numbers = TextField(
        default="",
        verbose_name="Other numbers",
        help_text="One on each line, for example: Children’s social care (MASH), 01632 960123. "
        "They stand where there is danger, and on the emergency sheet.",
    )
    elsewhere = TextField(
        default=ELSEWHERE,
        verbose_name="Where to go if it is about the DSL or the head",
        help_text="One on each line, with the numbers: the head, the chair of governors, the LADO. "
        "Visitors read it before they write.",
    )

    def __str__(self):
        where = f" at {self.setting}" if self.setting_id else ""
        return f"What to record{where}"

    reference = property(__str__)

    def check(self) -> None:
        """Raise Refused for a second one of the same school or home, or of all."""
        super().check()
        same = (
            Guidance.setting == self.setting_id if self.setting_id else Guidance.setting.is_null()
        )
        if Guidance.select().where(same, Guidance.id != (self.id or 0)).exists():
            raise Refused("There is one already: edit that. Nothing was saved.")

    @classmethod
    def of(cls, setting: int | None) -> "Guidance":
        """What counts at a school or home (an id): its own, else that of all, else what we ship."""
        rows = {row.setting_id: row for row in cls.all_of_them()}
        return rows.get(setting) or rows.get(None) or cls()

    @classmethod
    @composed
    def all_of_them(cls):
        return cls.select()

    @property
    def ring(self) -> list[str]:
        """The numbers to ring in danger, ours first: each a line."""
        head = Setting.letterhead(self.setting)
        own = [f"Safeguarding team on duty, {self.duty}"] if self.duty else []
        own += [f"{head.name}, {head.phone}"] if head.phone else []
        return [*own, *paragraphs(self.numbers)]

    @property
    def bodies(self) -> list[str]:
        """The numbers of the bodies, each a line."""
        return list(paragraphs(self.numbers))

    @staticmethod
    def team(setting: int | None) -> list[Call]:
        """The safeguarding team of a school or home (an id; None for all): who triages there, as a
        form names them.
        """
        found = [
            person
            for person, grants in User.with_grants()
            if (within := grants.within("triage:decide")) is None or setting in within
        ]
        return [Call(one.name, one.job_title) for one in found]
