"""How values read: dates, yes and no; and the Jinja environment of emails and PDFs, which need no web request."""

import re
from contextlib import suppress
from datetime import date, datetime
from difflib import SequenceMatcher
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from .base import DAMAGED, LONDON, LONG_AGO, now
from .settings import settings

ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(\.\d+)?\+00:00)?")


def when(moment):
    """A moment (UTC) as people in Britain read it: 22 November 2026, 14:05."""
    if moment == LONG_AGO:
        return DAMAGED
    local = moment.astimezone(LONDON)
    return f"{local.day} {local:%B %Y, %H:%M}"


def day(value):
    return DAMAGED if value == LONG_AGO.date() else f"{value.day} {value:%B %Y}"


def shown(value):
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


def paragraphs(text):
    """Text as a list of lines; empty lines are dropped."""
    return [line for line in (text or "").splitlines() if line.strip()]


def told(value):
    """A value as the history holds it (JSON), as text: dates and times (UTC) are recognised by their form."""
    if isinstance(value, str) and ISO.fullmatch(value):
        with suppress(ValueError):  # a reference that looks like a date and is none
            return shown(datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {told(item)}" for key, item in value.items() if item)
    return "; ".join(map(told, value)) if isinstance(value, list) else shown(value)


def as_typed(value):
    """What a browser sends of a date, or of a date and time (local), as people read it; any other text as it is."""
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?", value):
            typed = datetime.fromisoformat(value)
            return when(typed.replace(tzinfo=LONDON)) if "T" in value else day(typed)
    return value


def compared(before, after):
    """What became of a text: [(kind, words)], kind being "same", "gone" or "new". Very long texts are not compared word by word."""
    old, new = (re.findall(r"\s*\S+", told(value)) for value in (before, after))
    if len(old) * len(new) > 1_000_000:
        return [("gone", "".join(old)), ("new", "".join(new))]
    parts = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        parts += [("same", "".join(old[a:b]))] if kind == "equal" else [("gone", "".join(old[a:b])), ("new", "".join(new[c:d]))]
    return [(kind, text) for kind, text in parts if text]


FILTERS = {"as_typed": as_typed, "compared": compared, "told": told, "when": when, "day": day, "shown": shown, "paragraphs": paragraphs}

pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    undefined=StrictUndefined,
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
pages.filters.update(FILTERS)
pages.globals.update(settings=settings, now=now)
