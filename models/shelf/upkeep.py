"""What the installation looks after by itself, once a day, and what it warns of."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from peewee import InterfaceError, OperationalError, fn

from models.access.accounts import end_accounts
from models.access.draft import Draft
from models.access.receipt import Receipt
from models.access.signin import Device
from models.access.visitor_pass import VisitorPass
from models.case.scanner import Quarantine
from models.ground.clock import LONDON, now
from models.ground.database import db, transaction
from models.ground.record import Base, Refused, without_words
from models.ground.settings import settings
from models.ground.words import counted, pages, when
from models.history.document import Document
from models.history.event import Event
from models.history.notice import SUBJECT, Notice
from models.history.seal import fingerprint, stamp, vouch
from models.people.user import User
from models.permissions import VOCABULARY

from . import proof
from .sheet import Sheet

SKEW = timedelta(
    hours=1
)  # what is further in the future than this was written by a clock that was wrong
SILENT = timedelta(minutes=15)  # a deliverer of which nothing was heard for as long is dead
ROOM = 200_000_000  # bytes that should be free on the disk
log = logging.getLogger("safeguarding")
RENEWED = timedelta(
    days=30
)  # at most, between two stamps: the old ones are covered before they age


def beat() -> None:
    """Note that the deliverer is alive: a file in the data folder, for a row would be a write to
    the database every two seconds.
    """
    file, moment = settings.folder / "deliverer", now().timestamp()
    file.touch()
    os.utime(file, (moment, moment))


def heard() -> datetime | None:
    """When the deliverer was last heard of, or None."""
    file = settings.folder / "deliverer"
    return datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.exists() else None


def silent(moment: datetime) -> bool:
    """Whether the deliverer is dead at `moment` (UTC): nothing heard for 15 minutes, or never,
    although an email waits for as long.
    """
    last = heard()
    if last:
        return abs(moment - last) > SILENT
    return (
        Notice.select()
        .where(Notice.status == "waiting", Notice.queued_at < moment - SILENT)
        .exists()
    )


def latest() -> dict[str, Event | None]:
    """The latest event of each kind of care: {"verify", "backup", "drill", "anchor": Event or
    None}.
    """
    kinds = ("verify", "backup", "drill", "anchor", "stamp")
    found = Event.latest_of_each(*(f"event:{kind}" for kind in kinds))
    return {kind: found.get(f"event:{kind}") for kind in kinds}


def warnings(moment: datetime, latest: dict[str, Event | None]) -> Iterator[str]:
    """What is wrong with the installation, or has not been looked at for too long, in sentences.
    `moment`: now (UTC); `latest`: see latest().
    """
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
        elif event.at - moment > SKEW:
            yield f"{old} is from {when(event.at)}, which has not come yet: the clock was wrong."
    if silent(moment):
        yield (
            "Nothing is being delivered, neither emails nor PDFs, and nothing is checked. "
            "Start the program again."
        )
    if latest["anchor"] and latest["anchor"].detail.get("unstamped"):
        yield (
            f"The time stamping authority gave no stamp on {when(latest['anchor'].at)}. It is "
            "asked again each day."
        )
    yield from Quarantine.warnings()
    if late := Document.late().count():
        yield (
            f"The PDF of {counted(late, 'sign-off')} could not be made yet. The "
            "log of the program says why."
        )
    if unmade := Sheet.late():
        yield (
            f"{len(unmade)} emergency sheet{'' if len(unmade) == 1 else 's'} could not be made for "
            "two days. The log of the program says why."
        )
    if Notice.held():
        yield "Emails are held back since a restore, until a Level 5 releases them."
    if stuck := Notice.stuck().count():
        yield f"{counted(stuck, 'email')} could not be delivered yet."


def checked(tables: list[type[Base]]) -> str:
    """The result of every check as a text for people, whatever happens: the daily email goes out
    all the same.
    """
    try:
        return " ".join(map(proof.uncounted, proof.verify(tables)))
    except Refused as problem:
        return f"SOMETHING DOES NOT FIT. {problem} Tell IT today; the page History says more."
    except Exception as problem:
        log.error("the daily check: %s", without_words(problem))
        return f"THE CHECK COULD NOT BE RUN ({type(problem).__name__}). Tell IT today."


LOOKING = [verb for verb in VOCABULARY if verb.endswith((":read", ":read_original", ":pdf"))]
FLOOR = 40  # different cases in a day that nobody is told of
TIMES = 3  # … and how many times the usual number one may open
DAYS = 14  # that make a habit


def opened(first: int, last: int, by: int | None = None) -> dict[int, int]:
    """How many different incidents, and children’s pages, each person opened between two events
    (their numbers): {user id: number}.
    """
    what = fn.COALESCE(Event.incident, Event.record * -1)  # a child is of no incident
    query = Event.select(Event.by, fn.COUNT(what.distinct()))
    query = query.where(Event.id > first, Event.id <= last)
    query = query.where(Event.verb.in_(LOOKING), Event.by == by if by else Event.by.is_null(False))
    return dict(query.group_by(Event.by).tuples())  # type: ignore[arg-type]


def watch() -> None:
    """Tell the other Level 5 of anybody who has opened far more cases since the last daily check
    than in any day before; once a day.

    Whoever downloads everything before they leave, or sits at another's screen, is seen while they
    do it (issue: unusually many reads).
    """
    checks = (
        Event.select(Event.id)
        .where(Event.verb == "event:anchor")
        .order_by(Event.id.desc())
        .limit(DAYS + 1)
    )
    days = [event.id for event in checks] or [0]
    today, head = days[0], Event.head().id  # type: ignore[union-attr]
    for id, number in opened(today, head).items():
        usual = max(
            (opened(first, last, id).get(id, 0) for last, first in pairwise(days)), default=0
        )
        if number <= max(FLOOR, TIMES * usual):
            continue
        with transaction():
            told = Event.select().where(
                Event.verb == "user:many_reads", Event.record == id, Event.id > today
            )
            if not told.exists():
                person = User.get_by_id(id)
                body = pages.get_template("email/many_reads.txt").render(person=person)
                letters = [(one, SUBJECT, body) for one in User.level_5() if one != person]
                Notice.queue("user:many_reads", person, None, letters)


def stamp_due(moment: datetime, last: Event | None) -> bool:
    """Whether a time stamp is due: none yet, a copy kept since the last, or a month gone by.

    moment: now (UTC). last: the event of the last stamp, or None.
    """
    if not last or moment - last.at >= RENEWED:
        return True
    return Event.select().where(Event.verb == "document:keep", Event.id > last.id).exists()


def daily(tables: list[type[Base]]) -> bool:
    """Once a day (Europe/London): check everything, email the signed head of the history to every
    Level 5, have it time-stamped where that is due, end the accounts whose last day has passed,
    forget old drafts and receipts.

    A stamp of the head vouches for all before it: every copy kept, and the stamps of other years.
    Returns whether it was due; of two processes, one does it.
    """
    before, moment = latest()["anchor"], now()
    ahead = before and before.at - moment > SKEW  # by a clock that was wrong: that was not today's
    if (
        before
        and not ahead
        and before.at.astimezone(LONDON).date() >= moment.astimezone(LONDON).date()
    ):
        return False
    result = checked(tables)
    head, asked = Event.head(), settings.timestamp_url and stamp_due(now(), latest()["stamp"])
    line = f"history {head.hash}"  # type: ignore[union-attr]
    token = stamp(line) if asked else None  # waits for the network, so before the transaction
    with transaction():
        found = latest()
        if found["anchor"] != before:
            return False  # another process was first
        if token:
            Event.write("event:stamp", Event(), None, head=line, token=token)
        body = pages.get_template("email/anchor.txt").render(
            line=line,
            signed=vouch(line),
            certificate=fingerprint(),
            result=result,
            backup=found["backup"],
            drill=found["drill"],
        )
        letters = [(person, SUBJECT, body) for person in User.level_5()]
        Notice.queue(
            "event:anchor",
            Event(),
            None,
            letters,
            result=result,
            unstamped=bool(asked and not token),
        )
        end_accounts()
        Device.forget()
        Draft.forget()
        Receipt.forget()
        VisitorPass.forget()
    return True


def health() -> dict[str, str]:
    """How the installation stands, in a word each, for a monitor: nothing here is written, or says
    anything of a record.
    """
    moment = now()
    found = {"database": "ok", "deliverer": "ok", "disk": "ok", "check": "ok"}
    try:
        room = shutil.disk_usage(settings.folder).free >= ROOM and os.access(
            settings.folder, os.W_OK
        )
    except OSError:
        room = False
    found["disk"] = "ok" if room else "full"
    try:
        with db.connection_context() if db.is_closed() else nullcontext():
            check = latest()["verify"]
            found["deliverer"] = "silent" if not heard() or silent(moment) else "ok"
    except (OperationalError, InterfaceError):
        return found | {"database": "away", "deliverer": "unknown", "check": "unknown"}
    if not check or not -SKEW < moment - check.at < timedelta(days=2):
        found["check"] = "late"
    elif check.detail.get("problem"):
        found["check"] = "failed"
    return found
