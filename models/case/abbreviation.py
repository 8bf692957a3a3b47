"""The glossary: what the school's abbreviations mean, for the hints on a report and for whoever
reads it in fifty years.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from peewee import CharField, Expression

from models.ground.composed import composed
from models.ground.database import contains
from models.ground.fields import YesNo
from models.ground.record import NoIncident, Record
from models.history.event import Event

SHIPPED = Path(__file__).parents[1] / "abbreviations.toml"
WRITTEN = re.compile(r"[^\W_]+(?:[&/’'-][^\W_]+)*")


class Abbreviation(Record):
    """An abbreviation, or a word of our own, with its meaning: data of the school."""

    belongs, keeps = NoIncident("the glossary is the school's"), "rows"

    key = CharField(null=True, unique=True, max_length=40)  # of one that we ship
    short = CharField(
        unique=True,
        max_length=40,
        verbose_name="Abbreviation",
        help_text="As people write it, for example SENCO.",
    )
    meaning = CharField(max_length=200, verbose_name="Meaning", help_text="In full.")
    source = CharField(default="", max_length=200, verbose_name="Source")
    retired = YesNo(
        default=False,
        verbose_name="Retired?",
        help_text="A hint asks what a retired one means. Old papers keep its meaning.",
    )

    def __str__(self):
        return self.short

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: the abbreviation or its meaning."""
        return contains(cls.short, term) | contains(cls.meaning, term)

    @classmethod
    @composed
    def in_use(cls):
        return cls.select(cls.short, cls.meaning).where(~cls.retired).tuples()

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """{abbreviation: meaning} of those that people may write."""
        return dict(cls.in_use())

    @classmethod
    def used_in(cls, *texts: str | None) -> list[tuple[str, str]]:
        """[(abbreviation, meaning)] of those that stand in `texts`, in the order of the alphabet,
        retired ones too: what a paper explains at its end. A plural is the same: TAs.
        """
        words = {word for text in texts for word in WRITTEN.findall(text or "")}
        words |= {word[:-1] for word in words if word.endswith("s")}
        words |= {re.split("[’']", word)[0] for word in words}
        words |= {part for word in words for part in re.split("[/-]", word)}
        rows: Any = cls.select(cls.short, cls.meaning).order_by(cls.short).tuples()
        return [(short, meaning) for short, meaning in rows if short in words]

    @classmethod
    def ship(cls) -> None:
        """Create the shipped abbreviations that were never created here, but none that the school
        has of its own.
        """
        rows = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
        have: Any = cls.select(cls.key, cls.short).tuples()
        known = {one for row in have for one in row}
        made = [
            cls.create(key=short, short=short, meaning=meaning, source=source)
            for source, meanings in rows.items()
            for short, meaning in meanings.items()
            if short not in known
        ]
        if made:
            Event.write("abbreviation:add", cls(short="the shipped ones"), None, also=made)
