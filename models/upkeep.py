"""What the installation looks after by itself, once a day, and what it warns of."""

import logging
from datetime import timedelta
from itertools import pairwise

from peewee import fn

from . import proof
from .base import LONDON, Refused, now, transaction
from .document import Document
from .draft import Draft
from .event import Event
from .notice import Notice
from .people import User
from .receipt import Receipt
from .words import pages, when

log = logging.getLogger("safeguarding")


def latest():
    """The latest event of each kind of care: {"verify", "backup", "drill", "anchor": Event or None}."""
    return {name: Event.latest(f"event:{name}") for name in ("verify", "backup", "drill", "anchor")}


def warnings(moment, latest):
    """What is wrong with the installation, or has not been looked at for too long, in sentences. `moment`: now (UTC); `latest`: see latest()."""
    if latest["verify"] and (problem := latest["verify"].detail.get("problem")):
        yield f"Something does not fit: {problem}"
    for name, days, never, old in (
        ("verify", 2, "Nothing has been checked yet.", "The last check"),
        ("backup", 2, "No backup has been made yet.", "The last good backup"),
        ("drill", 100, "No backup has been restored as a drill yet.", "The last restore drill"),
    ):
        event = latest[name]
        if not event:
            yield never
        elif moment - event.at > timedelta(days=days):
            yield f"{old} is from {when(event.at)}."
    if late := Document.late().count():
        yield f"The PDF of {late} sign-off{'' if late == 1 else 's'} could not be made yet. The log of the program says why."
    if Notice.held():
        yield "Emails are held back since a restore, until a Level 5 releases them."
    if stuck := Notice.stuck().count():
        yield f"{stuck} email{'' if stuck == 1 else 's'} could not be delivered yet."


def checked(tables):
    """The result of every check as a text for people, whatever happens: the daily email goes out all the same."""
    try:
        return " ".join(map(proof.uncounted, proof.verify(tables)))
    except Refused as problem:
        return f"SOMETHING DOES NOT FIT. {problem} Tell IT today; the page History says more."
    except Exception as problem:
        log.exception("the daily check")
        return f"THE CHECK COULD NOT BE RUN ({type(problem).__name__}). Tell IT today."


LOOKING = ("incident:read", "log:read", "log:pdf", "section:read", "attachment:read", "attachment:read_original")
FLOOR = 40  # different cases in a day that nobody is told of
TIMES = 3  # … and how many times the usual number one may open
DAYS = 14  # that make a habit


def opened(first, last, by=None):
    """How many different cases each person opened between two events (their numbers): {user id: number}."""
    query = Event.select(Event.by, fn.COUNT(Event.incident.distinct())).where(Event.id > first, Event.id <= last)
    query = query.where(Event.verb.in_(LOOKING), Event.by == by if by else Event.by.is_null(False))
    return dict(query.group_by(Event.by).tuples())


def watch():
    """Tell the other Level 5 of anybody who has opened far more cases since the last daily check than in any day before; once a day.

    Whoever downloads everything before they leave, or sits at another's screen, is seen while they do it (issue: unusually many reads).
    """
    checks = Event.select(Event.id).where(Event.verb == "event:anchor").order_by(Event.id.desc()).limit(DAYS + 1)
    days = [event.id for event in checks] or [0]
    today, head = days[0], Event.head().id
    for id, number in opened(today, head).items():
        usual = max((opened(first, last, id).get(id, 0) for last, first in pairwise(days)), default=0)
        if number <= max(FLOOR, TIMES * usual):
            continue
        with transaction():
            told = Event.select().where(Event.verb == "user:many_reads", Event.record == id, Event.id > today)
            if not told.exists():
                person = User.get_by_id(id)
                body = pages.get_template("email/many_reads.txt").render(person=person)
                letters = [(one, "Unusually many records were opened", body) for one in User.level_5() if one != person]
                Notice.queue("user:many_reads", person, None, letters)


def daily(tables):
    """Once a day (Europe/London): check everything, email the head of the history to every Level 5, forget old drafts and receipts.

    Returns whether it was due; of two processes, one does it.
    """
    before = latest()["anchor"]
    if before and before.at.astimezone(LONDON).date() >= now().astimezone(LONDON).date():
        return False
    result = checked(tables)
    with transaction():
        found = latest()
        if found["anchor"] != before:
            return False  # another process was first
        head = Event.head()
        body = pages.get_template("email/anchor.txt").render(anchor=head, result=result, backup=found["backup"], drill=found["drill"])
        letters = [(person, "History up to today", body) for person in User.level_5()]
        Notice.queue("event:anchor", Event(), None, letters, result=result)
        Draft.forget()
        Receipt.forget()
    return True
