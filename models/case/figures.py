"""Figures: what a form counts live from the records, over the year up to now, as one reader sees
them: nobody learns from a number of what is not theirs.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from peewee import fn

from models.ground.clock import now, today
from models.history.event import Event
from models.people.user import User

from .absence import CODES, Absence
from .case import Case
from .child import Child, Flag
from .contact import REFERRAL, Contact
from .feedback import FIRST
from .incident import Incident
from .log import Log
from .policy_document import PolicyDocument
from .school import School
from .submission import Submission
from .task import Task
from .template import Template
from .triage import Triage

YEAR = timedelta(days=365)
PLANS = ("Child protection plan", "Child in need", "Looked after", "Social worker allocated")
EXCLUDED = CODES["E"]
NOTHING = "–"  # where there is nothing to count from


def count(name: str, by: User, visible: Callable) -> str:
    """The figure of this name as `by` counts it, in words. visible: the policy, which stands above
    the nouns.
    """
    return str(COUNTS[name](lambda model: visible(model, by), now() - YEAR))


def reports_of(prefix: str) -> Callable:
    """Forms of one kind that were begun within the year."""

    def counted(rows, since):
        mine = rows(Submission).join(Template).where(Template.prefix == prefix)
        return mine.where(Submission.begun_at >= since).count()

    return counted


def since_in(model: Any, column: Any, *more: Any) -> Callable:
    """The rows of a model whose moment lies within the year."""
    return lambda rows, since: rows(model).where(column >= since, *more).count()


def acknowledged(rows: Callable, since: datetime) -> str:
    """How many hours passed, in the middle of all cases, until somebody had a report in hand."""
    mine = rows(Incident).where(Incident.reported_at >= since)
    at = dict(mine.select(Incident.id, Incident.reported_at).tuples())
    seen = Event.select(Event.record, fn.MIN(Event.at)).where(
        Event.subject == "incident",
        Event.verb == "incident:acknowledge",
        Event.record.in_(list(at)),
    )
    found: Any = seen.group_by(Event.record).tuples()
    hours = [(moment - at[id]).total_seconds() / 3600 for id, moment in found]
    return f"{median(hours):.1f}" if hours else NOTHING


def on_time(rows: Callable, since: datetime) -> str:
    """How many of those of whom Ofsted was told were told within the time."""
    told = list(rows(Log).where(Log.triggered_at >= since, Log.told_at.is_null(False)))
    return f"{sum(not log.late for log in told)} of {len(told)}" if told else NOTHING


def closed(rows: Callable, since: datetime) -> int:
    """Cases that are closed now and were opened, or closed, within the year."""
    shut = Event.select(Event.record).where(
        Event.subject == "case",
        Event.verb.in_(("case:close", "case:close_anyway")),
        Event.at >= since,
    )
    return rows(Case).where(Case.status == "closed", Case.id.in_(shut)).count()


def with_plan(rows: Callable, _since: datetime) -> int:
    """Children with a flag that says so, now."""
    flags = rows(Flag).where(Flag.until.is_null() | (Flag.until >= today()), Flag.kind.in_(PLANS))
    return flags.select(Flag.child).distinct().count()


def files_received(rows: Callable, _since: datetime) -> str:
    """How many files of earlier schools came, of all that should."""
    all_of = rows(School)
    return f"{all_of.where(School.received).count()} of {all_of.count()}"


def half_days(*kinds: str) -> Callable:
    """Days of absence within the year: of some kinds, or of all."""

    def counted(rows, since):
        mine = rows(Absence).where(Absence.on >= since.date())
        mine = mine.where(Absence.kind.in_(kinds)) if kinds else mine
        return f"{(mine.select(fn.SUM(Absence.half_days)).scalar() or 0) / 2:g}"

    return counted


def by_new_staff(rows: Callable, since: datetime) -> int:
    """Reports within the year that were among the first of their author."""
    number = Incident.alias()
    earlier = number.select(fn.COUNT(number.id)).where(
        number.reported_by == Incident.reported_by, number.id < Incident.id
    )
    mine = rows(Incident).where(Incident.reported_at >= since)
    return mine.where(earlier < len(FIRST)).count()


def policies_read(_rows: Callable, _since: datetime) -> str:
    """How many of those who are to read the policies in force have, of how many."""
    done, all_of = PolicyDocument.acknowledged()
    return f"{done} of {all_of}" if all_of else NOTHING


COUNTS: dict[str, Callable] = {
    "incidents reported": since_in(Incident, Incident.reported_at),
    "hours until acknowledged (median)": acknowledged,
    "incidents triaged": lambda rows, since: (
        rows(Triage).where(Triage.at >= since).select(Triage.incident).distinct().count()
    ),
    "referrals made": since_in(Contact, Contact.at, Contact.kind == REFERRAL),
    "referrals with an outcome": since_in(
        Contact, Contact.at, Contact.kind == REFERRAL, Contact.outcome.is_null(False)
    ),
    "Ofsted notifications": since_in(Log, Log.triggered_at),
    "Ofsted told on time": on_time,
    "cases opened": since_in(Case, Case.opened_at),
    "cases closed": closed,
    "cases open now": lambda rows, _since: rows(Case).where(Case.status.in_(Case.ALIVE)).count(),
    "tasks overdue now": lambda rows, _since: (
        rows(Task).where(Task.status == "open", Task.due_on < today()).count()
    ),
    "children with a plan or social worker now": with_plan,
    "files of earlier schools received": files_received,
    "restraints": reports_of("RES"),
    "missing episodes": reports_of("MIS"),
    "children on roll": lambda rows, _since: (
        rows(Child).where(Child.left_on.is_null() | (Child.left_on >= today())).count()
    ),
    "absence days": half_days(),
    "exclusion days": half_days(EXCLUDED),
    "staff with an account": lambda _rows, _since: User.select().where(User.active).count(),
    "reports by new staff": by_new_staff,
    "policies acknowledged": policies_read,
    "concerns about adults": reports_of("LLC"),
    "admissions": reports_of("ADM"),
    "discharges": reports_of("DIS"),
}
