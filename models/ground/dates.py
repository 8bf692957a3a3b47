"""Dates and times as people in Britain type them, read; and written as a form shows them.

What is impossible, or could mean two things, is refused with a sentence that says what to type:
nothing is guessed.
"""

import re
from calendar import monthrange
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from unicodedata import decimal, normalize

from .clock import LONDON, now

EXAMPLE = {
    "date": "24/11/2026",
    "day, month or year": "24/11/2026, 3/2025 or 2025",
    "birth": "24/11/2013",
    "date and time": "24/11/2026 14:05",
    "time": "14:05",
}
NOT_ONE = {
    "date": "This is not a date.",
    "day, month or year": "This is not a day, a month with its year, or a year.",
    "birth": "This is not a date.",
    "ahead": "This is not a date.",
    "date and time": "This is not a date and time.",
    "time": "This is not a time of day.",
}
MONTHS = [date(2000, month, 1).strftime("%B").lower() for month in range(1, 13)]
EARLIEST, LATEST = 1800, 2100  # years in which anything here can have happened, or be due
AHEAD = 10  # years; a two-digit year beyond them may as well be of the century before
NEAR = timedelta(days=183)  # a day without its year that is further back may as well be the next
SOON = timedelta(days=14)  # the example of a day that is ahead
DAYS = [(date(2024, 1, 1) + timedelta(days=n)).strftime("%A").lower() for n in range(7)]
WORDS = {"today": 0, "yesterday": -1, "tomorrow": 1}

SEPARATED = re.compile(r"(\d{1,2})(?P<by>[-/.]| )(\d{1,2})(?:(?P=by)(\d{4}|\d{2}))?")
NAMED = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]*(?:of )?([a-z]{3,9})\.?(?:[-/. ]*(\d{4}|\d{2}))?"
)
MONTH_ALONE = re.compile(
    r"(?:(?P<month>\d{1,2})[-/. ]|(?P<name>[a-z]{3,9})\.?[-/. ]*)?(?P<year>\d{4})"
    r"|(?P<first>\d{4})[-/.](?P<second>\d{1,2})"
)
YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
TWELVE = r"(\d{1,2})(?:[:.](\d{2}))?(?::(\d{2}))? ?([ap])\.?m\.?"
CLOCK = re.compile(TWELVE + r"|(\d{1,2})[:.](\d{2})(?::(\d{2}))?|(\d{2})(\d{2})")
TIME_THEN_DAY = re.compile(r"(?P<time>\d{1,2}:\d\d(?: ?[ap]\.?m\.?)?) (?P<day>(?![ap]\.?m\.?$).+)")
DAY_THEN_TIME = re.compile(r"(?:(?P<day>.+?)(?: |(?<=\d)t))?(?P<time>[\d:.]+(?: ?[ap]\.?m\.?)?)")


class Unread(ValueError):
    """Why what was typed is not taken, and what to type, in a sentence for the reader."""


def example(kind: str) -> str:
    """A day or moment as it may be typed; one that is ahead for a field that looks ahead."""
    return written(now().astimezone(LONDON).date() + SOON) if kind == "ahead" else EXAMPLE[kind]


class Span(NamedTuple):
    """A month or a year, typed in place of a day: its first day, its last, and its words."""

    first: date
    last: date
    words: str


class Read(NamedTuple):
    """What was typed: the day or moment, and how sure that is."""

    value: date | datetime | time | Span
    relative: bool = False  # it counts from the day on which it is read: today, 14:05, 24 Nov
    yearless: bool = False  # its year was not typed, or it may mean another day of that name
    clock: str | None = None  # BST or GMT, where that was typed


def tidy(text: str) -> str:
    """What was typed in small letters, digits of any script as ours, with single spaces, and
    without what tells nothing: commas, “at”, “on”.
    """
    text = normalize("NFKC", text).replace("–", "-").replace("—", "-").replace("‑", "-")
    text = "".join(sign if (digit := decimal(sign, None)) is None else str(digit) for sign in text)
    text = re.sub(r"\b(?:at|on|the)\b|,|\bo['’]?clock\b", " ", text.casefold())
    return re.sub(r" ?([-/:]) ?", r"\1", " ".join(text.split()))


def in_any_year(month, day):
    """Raise Unread for a day that no year has."""
    if not 1 <= month <= 12:
        raise Unread(f"There is no month {month}.")
    if not 1 <= day <= monthrange(2000, month)[1]:
        raise Unread(f"There is no {day} {MONTHS[month - 1].capitalize()}.")


def real_day(year, month, day):
    """The date, or Unread with why there is none."""
    in_any_year(month, day)
    if day > monthrange(year, month)[1]:
        raise Unread(f"There is no {day} {MONTHS[month - 1].capitalize()} {year}.")
    if year > LATEST:
        raise Unread("This is in the future.")
    if year < EARLIEST:
        raise Unread(f"The year {year} cannot be right.")
    return date(year, month, day)


def whole_year(short, month, day, kind, today):
    """The date of a year typed with two digits. A birth is in the century in which it is past, any
    other day in this one.
    """
    year = 2000 + short
    if kind == "birth" and (year, month, day) > (today.year, today.month, today.day):
        year -= 100
    found = real_day(year, month, day)
    if (kind == "date and time" and found > today) or year > today.year + AHEAD:
        raise Unread(f"Write the year with four digits: {year} is in the future.")
    return found


def latest_day(month, day, today):
    """The latest such day that is not in the future; of 29 February that of the last leap year."""
    in_any_year(month, day)
    for year in range(today.year, today.year - 9, -1):
        if day <= monthrange(year, month)[1] and date(year, month, day) <= today:
            return date(year, month, day)
    raise Unread("Write the year too.")  # no nine years are without a 29 February but about 1900


def coming_day(month, day, today):
    """The first such day that is not past."""
    in_any_year(month, day)
    for year in range(today.year, today.year + 9):
        if day <= monthrange(year, month)[1] and date(year, month, day) >= today:
            return date(year, month, day)
    raise Unread("Write the year too.")


def coming_weekday(text, today):
    """A day of the week that is still to come, as `read_day` has it: the first such day after
    today or, of “next Friday”, that of the week after this one, which not everybody means by it.
    None for what names no day of the week.
    """
    asked, _space, name = text.rpartition(" ")
    named = [day for day in DAYS if len(name) > 2 and day.startswith(name.rstrip("."))]
    if asked not in ("", "this", "next") or not named:
        return None
    place = DAYS.index(named[0])
    monday = today - timedelta(days=today.weekday())
    if asked == "next":
        return monday + timedelta(days=7 + place), True, True
    day = today + timedelta(days=(place - today.weekday() - 1) % 7 + 1)
    return day, True, place == today.weekday()


def read_day(text, kind, today):
    """A day as it was typed: (date, whether it counts from today, whether its year was left out,
    or it may mean another day of that name).
    """
    if text in WORDS:
        return today + timedelta(days=WORDS[text]), True, False
    if kind == "ahead" and (coming := coming_weekday(text, today)):
        return coming
    weekday, _space, rest = text.partition(" ")
    named = [name for name in DAYS if len(weekday) > 2 and name.startswith(weekday.rstrip("."))]
    found, relative, yearless = numbers(rest if named else text, kind, today)
    if named and found.strftime("%A").lower() != named[0]:
        raise Unread(f"{found:%d/%m/%Y} is a {found:%A}.")
    return found, relative, yearless


def numbers(text: str, kind: str, today: date) -> Any:
    """The same of a day that is written with its number: 24/11/2026, 24 Nov."""
    if whole := YEAR_FIRST.fullmatch(text):
        return real_day(*map(int, whole.groups())), False, False
    if whole := SEPARATED.fullmatch(text):
        day, _by, month, year = whole.groups()
        month = int(month)
        if 1 <= int(day) <= 12 < month <= 31:
            raise Unread(f"There is no month {month}: the day comes first, then the month.")
    elif whole := NAMED.fullmatch(text):
        day, name, year = whole.groups()
        name = "sep" if name == "sept" else name
        month = next((n for n, full in enumerate(MONTHS, 1) if full.startswith(name)), None)
        if not month:
            raise Unread(f"“{name}” is no month.")
    else:
        raise Unread("")
    if not year and kind == "birth":
        raise Unread("Write the year too.")
    if not year:
        found = (coming_day if kind == "ahead" else latest_day)(month, int(day), today)
        return found, True, True
    if len(year) == 2:
        return whole_year(int(year), month, int(day), kind, today), False, False
    return real_day(int(year), month, int(day)), False, False


def read_span(text):
    """A month with its year, or a year, as it was typed: 3/2025, March 2025, 2025. None for what
    is neither.
    """
    whole = MONTH_ALONE.fullmatch(text)
    if not whole:
        return None
    year, name = int(whole["year"] or whole["first"]), whole["name"]
    number = whole["month"] or whole["second"]
    if not (name or number):
        return Span(real_day(year, 1, 1), date(year, 12, 31), str(year))
    named = (n for n, full in enumerate(MONTHS, 1) if name and full.startswith(name))
    month = int(number) if number else next(named, 0)
    if name and not month:
        raise Unread(f"“{name}” is no month.")
    first = real_day(year, month, 1)
    last = first.replace(day=monthrange(year, month)[1])
    return Span(first, last, f"{MONTHS[month - 1].capitalize()} {year}")


def stretched(
    begun: date | Span | None, until: date | Span | None, period: str | None, today: date
) -> tuple[date | None, date | None, str | None]:
    """(first day, last day, words) of what was given as days, months or years: a month lasts from
    its first day to its last, but not beyond `today`, and says itself, unless `period` does.
    """
    spans = [one for one in (begun, until) if isinstance(one, Span)]
    if spans and not period:
        said = [one.words if isinstance(one, Span) else plain(one) for one in (begun, until) if one]
        period = " to ".join(dict.fromkeys(said))
    first = begun.first if isinstance(begun, Span) else begun
    last = until if until else begun if isinstance(begun, Span) else None
    if isinstance(last, Span):
        last = min(last.last, today) if last.first <= today else last.last
    return first, last, period


def plain(day: date) -> str:
    """A day in words: 3 March 2025."""
    return f"{day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"


def read_time(text):
    """A time of day as it was typed: 14:05, 9.30, 1405, 9:05am."""
    whole = CLOCK.fullmatch(text)
    if not whole:
        raise Unread("")
    h12, m12, s12, half, h, m, s, h4, m4 = whole.groups()
    hour, minute, second = (int(part or 0) for part in (h12 or h or h4, m12 or m or m4, s12 or s))
    if half:
        if not 1 <= hour <= 12:
            raise Unread(f"There is no {hour} {half}m.")
        if hour == 12 and minute == 0:
            raise Unread("Write noon as 12:00 and midnight as 00:00.")
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise Unread(f"There is no {hour:02}:{minute:02} on a clock that ends at 23:59.")
    return time(hour, minute, second)


def read_moment(text, today):
    """A day and a time, both local, as they were typed."""
    zone = re.fullmatch(r"(.+?) ?(bst|gmt)", text)
    clock, text = (zone[2].upper(), zone[1]) if zone else (None, text)
    if text == "now":
        return Read(now().astimezone(LONDON).replace(tzinfo=None), True)
    parts = TIME_THEN_DAY.fullmatch(text) or DAY_THEN_TIME.fullmatch(text)
    if not parts or not CLOCK.fullmatch(parts["time"]):
        day_alone(text, today)
    day, hours = parts["day"], parts["time"]
    if not day and re.fullmatch(r"\d{1,2}\.(0[1-9]|1[012])", hours):
        raise Unread("This could be a day or a time.")
    digits, whole = re.fullmatch(r"\d{4}", hours), re.search(r"\d{4}", day or "")
    if digits and (not whole and day not in WORDS if day else hours[:2] in ("19", "20")):
        raise Unread("This could be a year or a time.")
    found = read_day(day, "date and time", today) if day else (today, True, False)
    return Read(datetime.combine(found[0], read_time(hours)), *found[1:], clock)


def day_alone(text, today):
    """Raise Unread for what has a day and no time, or neither."""
    found, _relative, _yearless = read_day(text, "date and time", today)
    raise Unread(f"This says the day, {found:%d/%m/%Y}, and no time.")


def read(text: str, kind: str, today: date | None = None) -> Read | None:
    """What somebody typed as a "date", one that is "ahead", the date of a "birth", a "day, month or
    year" (a Span where it is no day), a "date and time" (local, without zone) or a "time"; None for
    nothing. Raises Unread.

    today: the day that “today” means, when it is not this one.
    """
    today = today or now().astimezone(LONDON).date()
    typed = tidy(text)
    if not typed:
        return None
    try:
        if len(typed) > 60:
            raise Unread("")
        if kind == "date and time":
            return read_moment(typed, today)
        if kind == "time":
            return Read(read_time(typed))
        if kind == "day, month or year" and (span := read_span(typed)):
            return Read(span)
        midnight = re.sub(r"(?<=\d)[t ]00:00(:00)?$", "", typed)
        return Read(*read_day(midnight, kind, today))
    except Unread as why:
        reason = str(why) or NOT_ONE[kind]
        raise Unread(f"{reason} Type it like this: {example(kind)}.") from None


def distant(found: Any, kind: str, today: date | None = None) -> bool:
    """Whether a day without its year is to be looked at before it is believed: in a time, which is
    of the past, when it is far back; in a date, which may be ahead, always.
    """
    today = today or now().astimezone(LONDON).date()
    return found.yearless and (kind != "date and time" or today - found.value.date() > NEAR)


def written(value: Any) -> str:
    """A date, a local time without zone, or a time of day as a form shows it: 24/11/2026 14:05."""
    if isinstance(value, time):
        return f"{value:%H:%M}"
    pattern = "{0.day:02}/{0.month:02}/{0.year:04}"
    clock = f" {value:%H:%M}" if isinstance(value, datetime) else ""
    return pattern.format(value) + clock
