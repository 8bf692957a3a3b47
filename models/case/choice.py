"""Editable choice lists. A record keeps the words that were chosen, so a reworded choice changes no
old record.
"""

import builtins
import tomllib
from pathlib import Path

from peewee import CharField, Expression, IntegerField, TextField

from models.ground.clock import now
from models.ground.database import contains
from models.ground.fields import YesNo
from models.ground.record import NoIncident, Record
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
        return [
            row.name
            for row in cls.select(cls.name)
            .where(cls.list == of, ~cls.retired)
            .order_by(cls.position, cls.id)
        ]

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
