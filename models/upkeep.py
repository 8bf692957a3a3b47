"""What the installation looks after by itself, once a day, and what it warns of."""

import logging
from datetime import timedelta

from . import proof
from .base import LONDON, Refused, now, transaction
from .document import Document
from .draft import Draft
from .event import Event
from .notice import Notice
from .people import User
from .receipt import Receipt
from .signin import Device
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
        return " ".join(proof.verify(tables))
    except Refused as problem:
        return f"SOMETHING DOES NOT FIT. {problem} Tell IT today; the page History says more."
    except Exception as problem:
        log.exception("the daily check")
        return f"THE CHECK COULD NOT BE RUN ({type(problem).__name__}). Tell IT today."


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
        people = list(User.level_5())
        anchor = Event.write("event:anchor", Event(), None, told=people, result=result)
        body = pages.get_template("email/anchor.txt").render(anchor=anchor, result=result, backup=found["backup"], drill=found["drill"])
        for person in people:
            Notice.queue(anchor, person, f"History up to event {anchor.id}", body)
        Device.forget()
        Draft.forget()
        Receipt.forget()
    return True
