"""How values read: dates, yes and no; and the Jinja environment of emails and PDFs, which need no
web request.
"""

import re
from collections import Counter
from contextlib import suppress
from datetime import date, datetime
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any
from unicodedata import category

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from .clock import LONDON, now, today
from .database import DAMAGED, fold
from .fields import LONG_AGO
from .settings import settings

# they write what follows the other way round
TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# the effort (see there) up to which what changed is shown on the page of the record itself
INLINE = 2_000
# … and that of all changes on one page together; what is above is compared when somebody asks
PAGE = 40_000
MOST = 150_000  # pairs of words, of one comparison: a second or two in the worst case
SUGGESTED = 50  # names on a page to choose from; where there are more, what was typed is looked for
OF_OFSTED = ("to decide", "triggered", "not notifiable")  # of an incident
ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(\.\d+)?\+00:00)?")


@lru_cache(maxsize=20_000)
def bare(name: str) -> tuple[str, ...]:
    """A name as it is typed in a hurry: without accents, capitals, hyphens and apostrophes; its
    words in a tuple.
    """
    plain = re.sub(r"['’ʼ`]", "", fold(name).replace("đ", "d"))
    return tuple(re.sub(r"[^\w\s]", " ", plain).split())


def meant(rows: list[tuple], typed: str | None) -> list[tuple]:
    """Those of `rows`, [(id, name, …)], whom `typed` (a name, part of one, or a label that begins
    with one) may mean; all when it is None.
    """
    if typed is None:
        return rows
    words = bare(typed)
    names = {typed, *(typed[: comma.start()] for comma in re.finditer(", ", typed))}
    if not words:
        return []
    same = [row for row in rows if row[1] in names or bare(row[1]) == words]
    return same or [row for row in rows if all(word in " ".join(bare(row[1])) for word in words)]


def twice(local: datetime) -> bool:
    """Whether the clocks in Britain showed `local` twice: in the hour of October after which they
    go back.
    """
    first, second = (local.replace(tzinfo=LONDON, fold=fold).utcoffset() for fold in (0, 1))
    return first > second  # type: ignore[operator]  # Britain has an offset at all times


def minute(local: datetime) -> str:
    return f"{day(local)}, {local:%H:%M}"


def when(moment: datetime) -> str:
    """A moment (UTC) as people in Britain read it: 22 November 2026, 14:05; with BST or GMT where
    the clocks showed it twice.
    """
    if moment == LONG_AGO:
        return DAMAGED
    local = moment.astimezone(LONDON)
    return f"{minute(local)} {local:%Z}" if twice(local) else minute(local)


def day(value: date) -> str:
    return DAMAGED if value == LONG_AGO.date() else f"{value.day} {value:%B %Y}"


def span(seconds: float) -> str:
    """A length of time (seconds) as people say it: 20 min, 5 h, 12 days."""
    if seconds < 3600:
        return f"{max(int(seconds // 60), 1)} min"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} days"


def age(moment: datetime) -> str:
    """How long ago a moment (UTC) was: 12 days."""
    return span((now() - moment).total_seconds())


def due(moment: datetime | date) -> tuple[str, str]:
    """When something is due that is due at a moment (UTC), or on a date: (words, "late", "soon" or
    ""). Never by colour alone: the words say it.
    """
    if not isinstance(moment, datetime):
        days = (moment - today()).days
        if days < 0:
            return "1 day late" if days == -1 else f"{-days} days late", "late"
        near = {0: "due today", 1: "due tomorrow"}.get(days)
        return near or f"due {day(moment)}", "soon" if near else ""
    left = (moment - now()).total_seconds()
    if left < 0:
        return f"{span(-left)} late", "late"
    return f"due in {span(left)}", "soon" if left <= 86400 else ""


def clock(moment: datetime) -> str:
    """A moment (UTC) as near as it is: 17:01 today, 17:01 tomorrow; else as `when` has it."""
    local = moment.astimezone(LONDON)
    days = (local.date() - today()).days
    name = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
    return f"{local:%H:%M} {name}" if name and not twice(local) else when(moment)


def shown(value: Any) -> str:
    """Any plain value as text: '' for nothing, Yes/No, UK dates, lists with semicolons."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, list | tuple):
        return "; ".join(shown(item) for item in value)
    return str(value)


def said(status: str) -> str:
    """A status as pages say it: those of a notification name whose decision it is, which triage is
    not.
    """
    return f"Ofsted: {status}" if status in OF_OFSTED else status


def line(value: object) -> str:
    """Text as one line in which nothing can pass for another line, a link or another order: for
    names in emails.
    """
    typed = str(value)
    return "".join(
        " " if c in "{}\u2028\u2029" or category(c) == "Cc" or c in TURNS else c for c in typed
    )


def paragraphs(text: str | None) -> list[str]:
    """Text as a list of lines; empty lines are dropped."""
    return [line for line in (text or "").splitlines() if line.strip()]


def from_history(value: Any) -> str:
    """A value as the history holds it (JSON), as text: dates and times (UTC) are recognised by
    their form.
    """
    if isinstance(value, str) and ISO.fullmatch(value):
        with suppress(ValueError):  # a reference that looks like a date and is none
            return shown(
                datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
            )
    if isinstance(value, dict):
        return ", ".join(f"{key}: {from_history(item)}" for key, item in value.items() if item)
    return "; ".join(map(from_history, value)) if isinstance(value, list) else shown(value)


def as_typed(value: str) -> str:
    """What a browser sends of a date, or of a date and time (local), as people read it; any other
    text as it is.
    """
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?", value):
            typed = datetime.fromisoformat(value)
            return minute(typed) if "T" in value else day(typed)
    return value


def words(value: Any) -> list[str]:
    return re.findall(r"\s*\S+", from_history(value))


def apart(old: list[str], new: list[str]) -> tuple[int, int]:
    """Where two lists of words differ: (how many are the same at the beginning, how many after that
    at the end).
    """
    shorter = min(len(old), len(new))
    start = next((place for place in range(shorter) if old[place] != new[place]), shorter)
    end = next(
        (place for place in range(shorter - start) if old[-1 - place] != new[-1 - place]),
        shorter - start,
    )
    return start, end


def pairs(old: list[str], new: list[str]) -> int:
    """How many pairs of equal words a comparison looks at: what it costs grows with them."""
    counts = Counter(new)
    return sum(number * counts[word] for word, number in Counter(old).items())


def effort(before: Any, after: Any) -> int:
    """What showing the two versions of a text costs a page: the words to be read, and the pairs to
    be looked at. Very long ones are not even split.
    """
    letters = len(from_history(before)) + len(from_history(after))
    if letters > 10 * INLINE:
        return letters
    old, new = words(before), words(after)
    start, end = apart(old, new)
    return len(old) + len(new) + pairs(old[start : len(old) - end], new[start : len(new) - end])


def compared(before: Any, after: Any) -> list[tuple[str, str]]:
    """What became of a text: [(kind, words)], kind being "same", "gone" or "new". Where more than
    MOST pairs of words are apart, they are not compared.
    """
    old, new = words(before), words(after)
    start, end = apart(old, new)
    old_end, new_end = len(old) - end, len(new) - end
    if pairs(old[start:old_end], new[start:new_end]) > MOST:
        steps = [("replace", start, old_end, start, new_end)]
    else:
        matcher = SequenceMatcher(None, old[start:old_end], new[start:new_end], autojunk=False)
        steps = [
            (kind, a + start, b + start, c + start, d + start)
            for kind, a, b, c, d in matcher.get_opcodes()
        ]
    parts = [("same", "".join(old[:start]))]
    for kind, a, b, c, d in steps:
        parts += (
            [("same", "".join(old[a:b]))]
            if kind == "equal"
            else [("gone", "".join(old[a:b])), ("new", "".join(new[c:d]))]
        )
    return [(kind, text) for kind, text in [*parts, ("same", "".join(old[old_end:]))] if text]


# what is written otherwise than by the rules of `plural`
PLURALS = {"child": "children", "person": "people", "school or home": "schools and homes"}


def plural(noun: str) -> str:
    """The plural of a noun as a list or a sentence has it: of “note to an author” it is the note
    that is counted.
    """
    if noun in PLURALS:
        return PLURALS[noun]
    head, of, rest = re.fullmatch(r"(.+?)(?:( of | to | for )(.+))?", noun).groups("")  # type: ignore[union-attr]
    if re.search(r"[^aeiou]y$", head):
        return f"{head[:-1]}ies{of}{rest}"
    return f"{head}{'es' if re.search(r'(s|x|z|ch|sh)$', head) else 's'}{of}{rest}"


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 body, 15 bodies, 1,204 people."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def capital(text: object) -> str:
    """Text with a capital at its beginning, as a heading has it."""
    said = str(text)
    return said[:1].upper() + said[1:]


FILTERS = {
    "counted": counted,
    "capital": capital,
    "line": line,
    "as_typed": as_typed,
    "compared": compared,
    "effort": effort,
    "from_history": from_history,
    "when": when,
    "age": age,
    "clock": clock,
    "due": due,
    "day": day,
    "shown": shown,
    "said": said,
    "paragraphs": paragraphs,
}

pages = Environment(
    loader=FileSystemLoader(Path(__file__).parents[2] / "templates"),
    undefined=StrictUndefined,
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
pages.filters.update(FILTERS)
pages.globals.update(settings=settings, now=now)
