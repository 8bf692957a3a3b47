"""What a body's form asks, and when to go up a rung where no answer comes: the school's data."""

import re
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from peewee import CharField, IntegerField, TextField

from models.ground.deadlines import MOST, limit
from models.ground.fields import Pick, YesNo
from models.ground.record import NoIncident, Record, Refused
from models.ground.words import paragraphs
from models.history.event import Event

from .choice import Choice
from .template import column

SHIPPED = Path(__file__).parents[1] / "profiles.toml"
KINDS = ("Referral", "Consultation", "Notification", "Information received", "Meeting")
BODIES, RECORDS = "Bodies and people", "Records with a clock"
DIRECTIONS = ("We told them", "They told us")
RUNG = re.compile(r"(\d{1,3})\s+(hour|working day|school day|calendar day)s?\s*\|\s*(\S.*)")


class Rung(NamedTuple):
    """A step up where no answer comes: so long after the contact, and what is done then."""

    number: int
    unit: str
    what: str

    @property
    def limit(self) -> str:
        """How long after the contact, in words."""
        return limit(self.number, self.unit)


class Step(NamedTuple):
    """A rung as people choose it: the number that it has on its ladder, and when it is due."""

    id: int
    rung: Rung
    due_at: datetime

    @property
    def label(self) -> str:
        """How a form names it."""
        return f"Step {self.id}: {self.rung.what}"


def rungs(text: str) -> list[Rung]:
    """The rungs that are written one on a line: “1 working day | Chase the duty desk”. Raises
    ValueError with the line that is none.
    """
    found = []
    for line in paragraphs(text):
        read = RUNG.fullmatch(line.strip())
        if not read or not 0 < int(read[1]) <= MOST:
            raise ValueError(line)
        found.append(Rung(int(read[1]), f"{read[2]}s", read[3].strip()))
    return found


class Profile(Record):
    """A body that is told or asked, or that tells us: what its form asks besides what every contact
    asks, and the ladder to climb when it does not answer.
    """

    belongs, keeps = NoIncident("what bodies ask is the school's"), "rows"

    key = CharField(null=True, unique=True, max_length=40)  # of one that we ship
    name = CharField(
        unique=True,
        max_length=120,
        verbose_name="Body",
        help_text="Offered under “Add a contact”, besides the list “body”.",
    )
    purpose = TextField(default="", verbose_name="When it is used")
    kind = Pick(fixed=KINDS, null=True, verbose_name="Mostly a")
    direction = Pick(fixed=DIRECTIONS, null=True, verbose_name="Mostly")
    questions = TextField(
        default="",
        verbose_name="What its form asks",
        help_text="One question on each line, with the kind of its answer: “Police reference”, "
        "“Their account | long text”, “When did the child return? | date and time”, “Is the "
        "child safe now? | yes/no”, “Risk | list: risk”. A contact keeps the questions as they "
        "were when it was added.",
    )
    ladder = TextField(
        default="",
        verbose_name="When it does not answer",
        help_text="One step on each line, the first one first: “1 working day | Chase the duty "
        "desk”. Counted from the contact, in hours, working days, school days or calendar days.",
    )
    own_record = YesNo(
        null=True,
        verbose_name="Is it a record of your own, with a clock, and no body?",
        help_text="Yes sets it apart from the bodies where one is chosen.",
    )
    source = CharField(default="", max_length=200, verbose_name="Source")
    position = IntegerField(default=0, verbose_name="Order", help_text="Lower comes first.")
    retired = YesNo(default=False, verbose_name="Retired?", help_text="No longer offered.")

    def __str__(self):
        return self.name

    def check(self) -> None:
        """Raise Refused for a rung or a list that cannot be read."""
        super().check()
        errors = {}
        try:
            rungs(self.ladder)
        except ValueError as wrong:
            errors["ladder"] = (
                f"“{wrong}” is no step. Write it as: 1 working day | Chase the duty desk."
            )
        known = set(Choice.lists())
        for line in paragraphs(self.questions):
            _text, bar, kind = (part.strip() for part in line.rpartition("|"))
            named = kind.removeprefix("list:").strip()
            if bar and kind.startswith("list:") and named not in known:
                errors["questions"] = f"There is no list “{named}”: see Lists for those there are."
        if errors:
            raise Refused("Nothing was saved.", errors)

    def pinned(self) -> list[dict[str, Any]]:
        """Its questions as a contact keeps them: plain data, as a section of a tracker has it."""
        read = [column(line.strip()) for line in paragraphs(self.questions)]
        return [
            {
                "id": str(number),
                "text": one.name,
                "help": "",
                "kind": "short text" if one.kind == "time" else one.kind,
                "required": False,
                "source": "",
                "choices": one.choices or [],
            }
            for number, one in enumerate(read, 1)
        ]

    @classmethod
    def of(cls, body: str | None) -> "Profile | None":
        """The profile of a body, if it has one."""
        return cls.get_or_none(cls.name == body, ~cls.retired) if body else None

    @property
    def apart(self) -> bool:
        """Whether it is a record of the school's own; of one that nobody answered it for, as
        shipped.
        """
        return self.key in own_records() if self.own_record is None else self.own_record

    @classmethod
    def bodies(cls) -> list[str]:
        """Whom a contact may be with, and what else is written down as one: see `grouped`."""
        return [name for names in cls.grouped().values() for name in names]

    @classmethod
    def grouped(cls) -> dict[str, list[str]]:
        """Whom a contact may be with: those that have a profile, then the rest of the list “body”;
        and, apart from them, the records with a clock that are written down as one.
        """
        known = cls.select(cls.name, cls.key, cls.own_record).where(~cls.retired)
        rows = list(known.order_by(cls.position, cls.id))
        apart = [row.name for row in rows if row.apart]
        bodies = dict.fromkeys([row.name for row in rows] + Choice.names("body"))
        return {BODIES: [name for name in bodies if name not in apart], RECORDS: apart}

    @classmethod
    def ship(cls) -> None:
        """Create the shipped profiles that were not created yet; what is there is the school's."""
        ship(cls, SHIPPED)


@cache
def own_records() -> frozenset[str]:
    """The keys of what we ship as records, not as bodies."""
    rows = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return frozenset(key for key, values in rows.items() if values.get("own_record"))


def ship(model: Any, file: Path) -> None:
    """Create the rows of `file` (a table for each key) that were never created here."""
    rows = tomllib.loads(file.read_text(encoding="utf-8"))
    known = {row.key for row in model.select(model.key)}
    made = [
        model.create(key=key, position=position, **values)
        for position, (key, values) in enumerate(rows.items(), 1)
        if key not in known
    ]
    if made:
        Event.write(f"{model.noun()}:add", model(name="the shipped ones"), None, also=made)
