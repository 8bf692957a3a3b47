"""The annexes of every paper: what its abbreviations mean, and who the people in it are, so that a
stranger understands it in 75 years.
"""

from collections.abc import Iterable
from datetime import date, datetime
from html import escape
from typing import Any, NamedTuple

from models.ground.clock import LONDON
from models.ground.words import day
from models.history.paper import words

from .abbreviation import Abbreviation
from .hiding import mentioned

END = "</body>"
CELL = '<td width="{}%">{}</td>'


class Somebody(NamedTuple):
    """A person for the index: the name, what they are, and a moment (UTC) or day on which they had
    to do with it; None where there is none.
    """

    name: str
    role: str
    at: datetime | date | None = None


def index(text: str, people: Iterable[Somebody]) -> list[tuple[str, str, str]]:
    """(name, roles, first and last day) of those of `people` whose name stands in `text`, by name:
    so that the index names nobody whom the paper does not.
    """
    given = [one for one in people if one.name]
    said = mentioned(text, {one.name for one in given})
    rows: dict[str, tuple[dict[str, None], set[date]]] = {}
    for name, role, at in given:
        if name in said:
            roles, days = rows.setdefault(name, ({}, set()))
            roles |= {role: None} if role else {}
            days |= {local(at)} if at else set()
    return [
        (name, "; ".join(roles), span(days))
        for name, (roles, days) in sorted(rows.items(), key=lambda row: row[0].casefold())
    ]


def local(at: datetime | date) -> date:
    """The day of it in Britain."""
    return at.astimezone(LONDON).date() if isinstance(at, datetime) else at


def span(days: set[date]) -> str:
    """The first of the days and the last, in words."""
    if not days:
        return "–"
    first, last = min(days), max(days)
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def table(title: str, heads: tuple[tuple[str, int], ...], rows: Iterable[Any]) -> str:
    """A table as a paper has it."""
    head = "".join(f'<th width="{width}%">{name}</th>' for name, width in heads)
    body = "".join(
        f"<tr>{''.join(CELL.format(w, escape(t)) for (_n, w), t in zip(heads, row, strict=True))}"
        "</tr>"
        for row in rows
    )
    return f'<h2>{title}</h2><table class="grid" repeat="1"><tr>{head}</tr>{body}</table>'


def annexed(html: str, people: Iterable[Somebody]) -> str:
    """A page of templates/pdf with its annexes at the end: each where there is something in it.

    Everything that is put on paper goes through here once, before its words are frozen. `people`:
    those who have to do with it; only whom the page names already is listed.
    """
    text, more = words(html), ""
    if known := index(text, people):
        heads = (("Name", 30), ("Who", 40), ("Had to do with it", 30))
        more += table("People in this paper", heads, known)
    if short := Abbreviation.used_in(text, *(role for _name, role, _days in known)):
        more += table("Abbreviations used", (("Short", 16), ("In full", 84)), short)
    before, end, after = html.rpartition(END)
    return f"{before}{more}{end}{after}"
