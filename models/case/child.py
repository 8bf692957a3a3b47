"""The child or young person."""

from collections import Counter
from collections.abc import Container, Iterable
from datetime import date, timedelta
from functools import lru_cache
from re import fullmatch
from typing import Any

from peewee import CharField, Expression, ForeignKeyField, ModelSelect, TextField, fn

from models.ground.clock import now, today
from models.ground.composed import composed
from models.ground.database import contains, db, fold, transaction
from models.ground.fields import Day, Moment, Pick
from models.ground.record import Base, NoIncident, Record, Refused
from models.ground.settings import settings
from models.ground.words import SUGGESTED, bare, day, meant
from models.history.event import Event
from models.history.step import starts
from models.people.setting import Setting
from models.people.user import User

from .line import Line

# Common Basic Data Set: I, O and S are not used; temporary ones end in a letter
UPN = "[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]"
# in a Persian or Sinhala name, or pasted with one; nobody sees them, and they are part of the
# spelling
JOINERS = "\u200c\u200d\u00a0"
EARLIEST = date(1900, 1, 1)
ANOTHER = "another child"  # what stands for one who is not to be named


class Child(Record):
    belongs, keeps = (
        NoIncident("the roll is the school's; what is about a child is of an incident"),
        "rows",
    )

    name = CharField(
        max_length=120,
        index=True,
        verbose_name="Full name",
        help_text="First name and family name, never initials.",
    )
    date_of_birth = Day(born=True, verbose_name="Date of birth")
    upn = CharField(
        max_length=13,
        unique=True,
        null=True,
        verbose_name="UPN",
        help_text="Unique pupil number, 13 characters.",
    )
    year = CharField(max_length=20, default="", verbose_name="Year or unit")
    left_on = Day(null=True, verbose_name="Left on")
    setting = ForeignKeyField(
        Setting, null=True, on_delete="RESTRICT", verbose_name="School or home"
    )

    first_setting = False  # whether it was given just now
    alike = False  # whether somebody else among those offered has the same name and year

    def __str__(self):
        return self.name

    def wrong(
        self, names: Iterable[str] = ("name", "date_of_birth", "upn", "year", "left_on")
    ) -> dict[str, str]:
        """What cannot be, of the fields `names`: {field: sentence}. The panel and the roll ask the
        same.

        The check letter of a UPN is not judged: a child who was refused for it could not be
        reported about.
        """
        problems, born = {}, self.date_of_birth
        if not born or not EARLIEST <= born <= today():
            problems["date_of_birth"] = (
                "The date of birth is missing, in the future or before 1900."
            )
        if self.upn and not fullmatch(UPN, self.upn):
            problems["upn"] = (
                "The UPN is not a letter, eleven digits, and a digit or letter. The letters I, O "
                "and S are not used."
            )
        if born and self.left_on and self.left_on < born:
            problems["left_on"] = "The leaving date is before the date of birth."
        for name, longest in (("name", 120), ("year", 20)):
            text = getattr(self, name)
            if len(text) > longest or not all(
                letter.isprintable() or letter in JOINERS for letter in text
            ):
                problems[name] = (
                    f"The {name} is longer than {longest} letters, or holds what is no letter."
                )
        return {name: sentence for name, sentence in problems.items() if name in names}

    def check(self) -> None:
        """Raise Refused, with the sentences at the fields, for what cannot be; what was here before
        and is left alone stops nothing.
        """
        names = {field.name for field in self.dirty_fields}
        if problems := self.wrong(names | ({"left_on"} if "date_of_birth" in names else set())):
            raise Refused("Nothing was saved.", problems)
        super().check()

    def its_setting(self) -> int | None:
        return self.setting_id

    def set(self, **values: Any) -> dict[str, tuple[Any, Any]]:
        changed = super().set(**values)
        self.first_setting = "setting" in changed and changed["setting"][0] is None
        return changed

    def takes_along(self) -> list[Base]:
        """The first school or home of a child is that of what was reported so far as well. Later
        ones are not: whoever read it goes on, and nobody else begins to.
        """
        rows = self.incident_set
        along = list(rows.where(rows.model.setting.is_null())) if self.first_setting else []
        for incident in along:
            incident.setting = self.setting
            incident.save()
        return along

    @property
    def label(self) -> str:
        """How a form names this child, one way only: name and year; of those whom `offered` found
        alike, the date of birth too.
        """
        return self.in_full if self.alike else self.short

    @property
    def short(self):
        return f"{self.name}, {self.year or 'no year'}"

    @property
    def first_name(self) -> str:
        """The first word of the name."""
        return self.name.split(" ")[0]

    @property
    def age(self) -> int:
        """How old this child is today, in years."""
        day, born = today(), self.date_of_birth
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

    @property
    def in_full(self) -> str:
        """How a paper names this child: name, year, date of birth."""
        return f"{self.short}, born {day(self.date_of_birth)}"

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: name or UPN."""
        return contains(cls.name, term) | contains(cls.upn, term)

    @classmethod
    @composed
    def counted(cls):
        return cls.select(fn.COUNT(cls.id), fn.SUM(cls.version), fn.MAX(cls.id)).tuples()

    @classmethod
    def on_roll(cls) -> "ModelSelect[Child]":
        """Everyone whom a report may be about: not left before today."""
        return (
            cls.select().where(cls.left_on.is_null() | (cls.left_on >= today())).order_by(cls.name)
        )

    @classmethod
    def offered(
        cls, typed: str | None = None, within: Container[int] | None = None
    ) -> list["Child"]:
        """Those on roll whom `typed` may mean or, without it, whom a form suggests, nobody where
        they are many. `within`: only those of these schools and homes.

        Whoever reports reads a date of birth only where nothing else tells two apart.
        """
        rows = known_names(stamp(), today())
        if within is not None:
            rows = [row for row in rows if row[3] in within]
        if typed is None and len(rows) > SUGGESTED:
            return []
        wanted = meant(rows, typed)
        names = {bare(name) for _id, name, _year, _setting in wanted}
        count = Counter(
            (fold(name), fold(year)) for _id, name, year, _setting in rows if bare(name) in names
        )
        found = list(cls.select().where(cls.id.in_([row[0] for row in wanted])).order_by(cls.name))
        for child in found:
            child.alike = count[fold(child.name), fold(child.year)] > 1
        return found


def stamp() -> tuple:
    """What changes whenever a row of the children does."""
    return (settings.database, *Child.counted()[0])


@lru_cache(maxsize=1)
def known_names(_stamp: tuple, _today: date) -> list[tuple]:
    """[(id, name, year, school or home)] of those on roll, read anew when a child was changed or a
    day begins: reading two thousand for each name typed would be a third of what a report costs.
    """
    columns = Child.id, Child.name, Child.year, Child.setting
    return db.execute(Child.on_roll().select(*columns)).fetchall()


class OfChild(Record, abstract=True):
    """What is of one child and of no incident. Seen by whoever sees the child and has `permission`;
    shut, at every door and in the history, to a colleague who is related to the child.

    The base gives the foreign key and the rule of models/policy.py.
    """

    belongs = NoIncident("a child's")
    permission = "child:read"
    child = ForeignKeyField(
        Child,
        backref=lambda key: f"{key.model.noun()}s",
        on_delete="RESTRICT",
        verbose_name="Child",
    )

    def its_setting(self) -> int | None:
        """The child's."""
        return self.child.setting_id

    @classmethod
    def where_may(cls, rows: Any, by: User, permission: str) -> Any:
        """`rows`, a query of what is of children whom `by` sees, without those where they have no
        `permission`.
        """
        within = by.within(permission)
        if within is None:
            return rows
        return rows.where(cls.child.in_(Child.select(Child.id).where(Child.setting.in_(within))))


TOLD = ["Yes", "Not yet", "No"]
AHEAD = timedelta(days=7)  # a review is asked for so long before its day


class Flag(OfChild):
    """What everybody who helps a child must have in mind, from when, and until when."""

    keeps, part_of = "rows", "child"

    kind = Pick("flag", verbose_name="Flag")
    since = Day(verbose_name="Since")
    until = Day(null=True, verbose_name="Until", help_text="Leave empty while it lasts.")
    review_on = Day(
        ahead=True,
        null=True,
        verbose_name="Look again on",
        help_text="The safeguarding team finds it on the home page a week before.",
    )
    told = Pick(fixed=TOLD, null=True, verbose_name="Has the family been told?")
    told_why = TextField(null=True, verbose_name="If not: why not?")
    added_at = Moment(null=True)  # empty in rows from before it was kept

    def __str__(self):
        return f"{self.kind}, {self.child}"

    @classmethod
    def add(cls, child: Child, kinds: Iterable[str]) -> "list[Flag]":
        """Give `child` the flags of `kinds` from today, but those they have now; returns the new
        ones. Inside the caller's transaction, which writes the event.
        """
        have = {flag.kind for flag in cls.in_force(child)}
        return [
            cls.create(child=child, kind=kind, since=today(), added_at=now())
            for kind in dict.fromkeys(kinds)
            if kind not in have
        ]

    @classmethod
    def in_force(cls, child: "Child | int") -> "ModelSelect[Flag]":
        """A query of the flags that `child` has today."""
        return cls.select().where(cls.child == child, cls.lasting()).order_by(cls.since)

    @property
    def lasts(self) -> bool:
        """Whether it is in force today."""
        return self.until is None or self.until >= today()

    @classmethod
    def lasting(cls) -> Expression:
        """The condition that a flag is in force today."""
        return cls.until.is_null() | (cls.until >= today())

    @classmethod
    def due(cls) -> Expression:
        """The condition that somebody has to look at a flag again."""
        return cls.lasting() & (cls.review_on <= today() + AHEAD)

    def wrong(self) -> dict[str, str]:
        """What contradicts itself: {field: sentence}."""
        errors = {}
        if self.since > today():
            errors["since"] = "This is in the future. Give the day it began."
        if self.until and self.until < self.since:
            errors["until"] = "This is before it began."
        if self.review_on and self.review_on < today():
            errors["review_on"] = "This day is past. Give a later one."
        if self.told in TOLD[1:] and not self.told_why:
            errors["told_why"] = "Say why the family has not been told."
        return errors

    @classmethod
    @starts()
    def flag(cls, child: Child, by: User, **values: Any) -> "Flag":
        """Set a flag. Raises Refused for what contradicts itself, and where `child` has it now."""
        row = cls(child=child, added_at=now(), **values)
        errors = row.wrong()
        with transaction():
            if row.kind in {flag.kind for flag in cls.in_force(child)}:
                errors["kind"] = f"{child} has this flag already."
            if errors:
                raise Refused("Nothing was saved.", errors)
            row.save()
            Event.write("child:flag", child, by, flags=[row.kind])
        return row

    def change(self, by: User, **values: Any) -> None:
        """Look at it again: another day of review, or that the family was told by now."""
        with transaction():
            changed = self.set(**values)
            errors = {name: said for name, said in self.wrong().items() if name in values}
            if errors:
                raise Refused("Nothing was saved.", errors)
            if changed:
                self.save()
                Event.write("child:flag", self.child, by, changed, flags=[self.kind])

    @starts()
    def unflag(self, until: date, reason: str, by: User) -> "Flag":
        """It lasted until a day, and why it ends. It stays in the chronology."""
        with transaction():
            fresh = Flag.get_by_id(self.id)
            if fresh.until:
                raise Refused(f"It was ended already: {fresh.kind}. Nothing was changed.")
            if until < fresh.since or until > today():
                raise Refused(
                    "Nothing was changed.",
                    {"until": "Give a day between the one it began and today."},
                )
            fresh.until = until
            fresh.save()
            Event.write("child:unflag", fresh.child, by, flags=[fresh.kind], reason=reason)
        return fresh

    def line(self) -> Line:
        """As the chronology has it."""
        told = {"Yes": "the family was told", None: ""}.get(self.told, "the family was not told")
        return Line(
            self.since,
            f"Flag: {self.kind}",
            "flag",
            self.added_at,
            until=self.until,
            facts=[told],
            review=f"To be looked at again on {day(self.review_on)}" if self.review_on else "",
        )
