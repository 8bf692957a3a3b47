"""Editable choice lists. A record keeps the words that were chosen, so a reworded choice changes no
old record.
"""

import builtins
import tomllib
from pathlib import Path

from peewee import CharField, Expression, IntegerField, TextField

from models.ground.clock import now, today
from models.ground.composed import composed
from models.ground.database import contains
from models.ground.fields import Day, YesNo
from models.ground.record import NoIncident, Record, Refused
from models.history.event import Event

SHIPPED = Path(__file__).parents[1] / "lists.toml"


class Choice(Record):
    belongs, keeps = NoIncident("the lists are the school's"), "rows"

    list = CharField(max_length=40, index=True, verbose_name="List")
    name = CharField(
        max_length=120,
        verbose_name="Choice",
        help_text="The words people choose. Old records keep the words they were given.",
    )
    meaning = TextField(default="", verbose_name="What it means")
    use_when = TextField(default="", verbose_name="Use when")
    position = IntegerField(default=0, verbose_name="Order", help_text="Lower comes first.")
    retired = YesNo(
        default=False, verbose_name="Retired?", help_text="A retired choice is no longer offered."
    )

    since = Day(
        null=True,
        verbose_name="From",
        help_text="Of an organisation, if it did not always exist. Not offered before.",
    )
    until = Day(
        null=True, verbose_name="Until", help_text="The last day it existed. Not offered after."
    )
    successor = CharField(
        null=True,
        max_length=120,
        verbose_name="Became",
        help_text="What took its place, as it stands on this list. Old records keep its name, and "
        "say what it became.",
    )

    class Meta:
        indexes = ((("list", "name"), True),)

    def __str__(self):
        return f"{self.list}: {self.name}"

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: the choice or its meaning."""
        return contains(cls.name, term) | contains(cls.meaning, term)

    @classmethod
    def names(cls, of: str) -> "builtins.list[str]":
        """The choices of one list that are offered now, in order."""
        return [name for (name,) in cls.offered(of, today())]

    @classmethod
    @composed
    def offered(cls, of, day):
        there = (cls.since.is_null() | (cls.since <= day)) & (
            cls.until.is_null() | (cls.until >= day)
        )
        rows = cls.select(cls.name).where(cls.list == of, ~cls.retired, there)
        return rows.order_by(cls.position, cls.id).tuples()

    @classmethod
    def became(cls, of: str, name: str) -> str:
        """What took the place of a choice of one list, at the end of its line of successors; ""
        where nothing did.
        """
        rows = cls.select(cls.name, cls.successor).where(cls.list == of)
        after = {row.name: row.successor for row in rows if row.successor}
        seen = [name]
        while (following := after.get(seen[-1])) and following not in seen:
            seen.append(following)
        return seen[-1] if len(seen) > 1 else ""

    def check(self) -> None:
        """Raise Refused for days that contradict each other, and a successor that there is not."""
        super().check()
        errors = {}
        if self.since and self.until and self.until < self.since:
            errors["until"] = "This is before the day from which it is."
        others = Choice.select().where(Choice.list == self.list, Choice.name != self.name)
        if self.successor and not others.where(Choice.name == self.successor).exists():
            errors["successor"] = "It is not on the list. Add it first, in the same words."
        if errors:
            raise Refused("The choice was not saved.", errors)

    @classmethod
    def lists(cls):
        return [row.list for row in cls.select(cls.list).distinct().order_by(cls.list)]

    @classmethod
    def ship(cls) -> None:
        """Create the shipped lists that do not exist yet; a list that exists is the installation's
        own.
        """
        for of, rows in tomllib.loads(SHIPPED.read_text(encoding="utf-8")).items():
            if not cls.select().where(cls.list == of).exists():
                made = [
                    cls.create(
                        list=of,
                        position=position,
                        **({"name": row} if isinstance(row, str) else row),
                    )
                    for position, row in enumerate(rows, 1)
                ]
                Event.write(
                    "choice:add", cls(list=of, name="the shipped list"), None, also=made, at=now()
                )
