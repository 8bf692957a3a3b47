"""Absence: the half days on which a child was not there, read in from the school's own system."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from peewee import CharField, IntegerField

from models.ground.clock import today
from models.ground.fields import Day, Moment
from models.ground.words import counted, day

from .child import Child, OfChild
from .line import Line

# The attendance codes of England (Working together to improve school attendance), as words.
CODES = {
    "I": "Illness",
    "M": "Medical or dental appointment",
    "E": "Suspended or permanently excluded",
    "C": "Leave in exceptional circumstances",
    "R": "Religious observance",
    "S": "Study leave",
    "T": "Parent travelling for work",
    "G": "Holiday not granted",
    "N": "No reason yet",
    "O": "Absent without permission",
    "U": "Late, after the register was closed",
}
HERE = ("/", "\\", "L", "P", "V", "W", "B", "K", "J1", "D", "X", "Y", "Z", "#")  # not absent
TERMS = ((9, 1), (4, 15), (1, 1))  # from when a term is counted, near enough for every school


class Absence(OfChild):
    """Half days of one day and one kind on which a child was absent."""

    keeps = "rows"
    no_line = "it stands beside the chronology, and in it by the week where that is asked"

    on = Day(verbose_name="Day")
    half_days = IntegerField(verbose_name="Half days")
    kind = CharField(max_length=80, verbose_name="Kind")
    read_at = Moment(verbose_name="Read in")

    class Meta:
        indexes = ((("child", "on", "kind"), True),)

    @classmethod
    def this_term(cls, child: Child) -> Any:
        """A query of the absence of `child` since the term began."""
        return cls.select().where(cls.child == child, cls.on >= term()).order_by(cls.on)


def term() -> date:
    """The day from which this term is counted."""
    day = today()
    month, first = next(begin for begin in TERMS if begin <= (day.month, day.day))
    return date(day.year, month, first)


def in_words(rows: Iterable[Absence]) -> dict[str, Any] | None:
    """What the page says of absence this term: how many half days, how many of them on the day of
    the week on which most are, of which kinds, and when it was read in; None where there is none.
    """
    rows = list(rows)
    if not rows:
        return None
    weekdays, kinds = Counter[str](), Counter[str]()
    for row in rows:
        weekdays[f"{row.on:%A}s"] += row.half_days
        kinds[row.kind] += row.half_days
    name, most = weekdays.most_common(1)[0]
    return {
        "half_days": sum(weekdays.values()),
        "most": most,
        "weekday": name,
        "kinds": [f"{kind}: {count}" for kind, count in kinds.most_common()],
        "since": day(term()),
        "read_at": max(row.read_at for row in rows),
    }


def by_week(rows: Iterable[Absence]) -> list[Line]:
    """Absence as lines of a chronology, one for each week."""
    weeks: dict[tuple[int, date], list[Absence]] = {}
    for row in rows:
        monday = row.on - timedelta(days=row.on.weekday())
        weeks.setdefault((row.child_id, monday), []).append(row)
    found = []
    for week in weeks.values():
        count = sum(row.half_days for row in week)
        kinds = "; ".join(dict.fromkeys(row.kind for row in week))
        line = Line(
            week[0].on,
            f"Absent {counted(count, 'half day')}",
            "absence",
            until=week[-1].on,
            facts=[kinds],
        )
        line.record = week[0]
        found.append(line)
    return found
