"""Deadlines: so many hours, working or calendar days after a moment, as England counts them."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from .clock import LONDON

UNITS = ("hours", "working days", "school days", "calendar days", "school mornings")
CLOSE, END, MORNING = time(17), time(23, 59), time(8, 30)  # of a working day, of a day, of school
MOST = 400  # days, of one limit: what is longer is no clock


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> frozenset[date]:
    """The days of a year on which England does not work, with those that stand in for a weekend."""
    from holidays import country_holidays

    return frozenset(country_holidays("GB", subdiv="ENG", years=year))


def works(day: date) -> bool:
    """Whether a day is one on which an office of a council is open."""
    return day.weekday() < 5 and day not in bank_holidays(day.year)


def after(moment: datetime, number: int, unit: str) -> datetime:
    """The moment (UTC) that is `number` of `unit` after `moment` (UTC).

    Hours run through the night and a change of the clocks. A working day ends at 17:00, a calendar
    day at midnight; a school morning is 8:30 of a working day, the first one still to come counts
    as 1. School days are counted as working days: nobody has told this program the terms.
    """
    if unit not in UNITS:
        raise LookupError(f"{unit} is no unit of a deadline: {UNITS}")
    if unit == "hours":
        return moment + timedelta(hours=number)
    local = moment.astimezone(LONDON)
    day = local.date()
    if unit == "calendar days":
        return at(day + timedelta(days=number), END)
    end = MORNING if unit == "school mornings" else CLOSE
    if unit == "school mornings" and local < datetime.combine(day, MORNING, LONDON):
        day -= timedelta(days=1)
    for _day in range(number):
        day += timedelta(days=1)
        while not works(day):
            day += timedelta(days=1)
    return at(day, end)


def at(day: date, clock: time) -> datetime:
    """A time of day in London, as UTC."""
    return datetime.combine(day, clock, LONDON).astimezone(UTC)


def limit(number: int | None, unit: str | None) -> str:
    """A limit in words: 1 working day, 72 hours."""
    if not number or not unit:
        return "no limit in law"
    if unit == "school mornings":
        return "before the next school day" if number == 1 else f"before school in {number} days"
    return f"{number} {unit if number != 1 else unit.removesuffix('s')}"
