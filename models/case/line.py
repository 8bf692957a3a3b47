"""A line of a chronology: what a row says of itself in the order of when it happened."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from models.ground.clock import LONDON
from models.ground.words import day, when

HEADLINE, FACT = 160, 240  # characters: a chronology is headlines, the record has the whole


def clip(text: str, most: int) -> str:
    """The beginning of a text as one line."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most].rstrip()} …"


@dataclass
class Line:
    """What one row says: a headline, and a few facts. Each noun makes its own (`line`).

    on: when it happened, a moment (UTC) or a day. kind: what it is, in a word. entered: when it was
    written down (UTC); None where that is not known. who: who wrote it. until, period: where it
    lasted, and as its source said it. significant: unless a person marks it otherwise. action,
    review: for the columns of partnerships. withdrawn: why it does not count.
    """

    on: datetime | date
    headline: str
    kind: str
    entered: datetime | None = None
    who: Any = ""
    facts: list[str] = field(default_factory=list)
    until: date | None = None
    period: str = ""
    significant: bool = False
    action: str = ""
    review: str = ""
    source: str = ""
    withdrawn: str = ""
    # the chronology says these
    record: Any = None
    impact: str = ""
    marked: Any = None
    part: str = ""
    children: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.headline = clip(self.headline, HEADLINE)
        self.facts = [clip(text, FACT) for text in self.facts]

    @property
    def key(self) -> tuple[str, int]:
        """By which a mark finds it."""
        return self.record.noun(), self.record.id

    @property
    def moment(self) -> datetime:
        """By what it is put in order: a day begins at midnight."""
        if isinstance(self.on, datetime):
            return self.on
        return datetime.combine(self.on, time(), LONDON).astimezone(UTC)

    @property
    def first(self) -> date:
        """The day on which it happened, or began, in Britain."""
        on = self.on
        return on.astimezone(LONDON).date() if isinstance(on, datetime) else on

    @property
    def said(self) -> str:
        """When it happened, in words."""
        if self.period:
            return self.period
        if isinstance(self.on, datetime):
            return when(self.on)
        if self.until and self.until != self.on:
            return f"{day(self.on)} to {day(self.until)}"
        return day(self.on)

    @property
    def entered_later(self) -> str:
        """When it was entered, in words, where that is another time than when it happened: the hour
        alone on the same day.
        """
        if not self.entered or self.entered == self.on:
            return ""
        local = self.entered.astimezone(LONDON)
        if local.date() != self.first:
            return when(self.entered)
        return f"{local:%H:%M}" if isinstance(self.on, datetime) else ""

    @property
    def told(self) -> list[str]:
        """Its facts, and who wrote it, without what is empty."""
        return [text for text in (self.part, *self.facts, str(self.who or "")) if text]
