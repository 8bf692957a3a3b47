"""Which duties stand on an incident, when they are due, and by which contact they were done."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from peewee import ColumnBase

from models.ground.clock import LONDON, now
from models.ground.database import contains, fold
from models.people.user import User

from .case import Case, Link
from .child import Child
from .contact import HEARD, REFERRAL, TELEPHONE, TOLD, Contact
from .duty import SINCE, Duty
from .incident import ABOUT, Incident, Involved
from .triage import Category, Triage

RECENT = timedelta(days=60)  # what stands in no living case is looked at for so long
MOST = 300  # incidents with a duty that are looked through for one person
REPORTED, DECIDED = SINCE[1:3]


class Owed(NamedTuple):
    """A duty that stands on an incident."""

    duty: Duty
    incident: Incident
    due_at: datetime | None
    done: Contact | None  # the contact by which it was done: derived, never stored
    call: Contact | None = None  # the telephone call that it follows in writing

    @property
    def ends(self) -> str:
        """What ends it, in a sentence."""
        if not self.duty.body:
            return "No contact ends it: it stands as long as what it came of."
        by = f"a contact with “{self.duty.body}” is recorded"
        return f"Done once {by}{', in any way but by telephone' if self.call else ''}."


class Known(NamedTuple):
    """What is recorded of an incident that a duty asks for."""

    incident: Incident
    triage: Triage | None
    categories: set[str]
    contacts: list[Contact]
    named: bool  # whether it is about an adult with an account
    case: bool  # whether a case was opened for it

    def fits(self, kind: str, value: str) -> tuple[datetime | None, Contact | None] | None:
        """Whether a rule fits: None, or the moment that it tells (None for no moment of its own)
        and the contact by which it fits.
        """
        plain: dict[str, bool] = {
            "category": value in self.categories,
            "decision": bool(self.triage) and self.triage.decision == value,  # type: ignore[union-attr]
            "topic": fold(value) in fold(self.incident.topic),
            "intervention": bool(self.incident.intervention),
            "adult": self.named,
        }
        if kind in plain:
            return (None, None) if plain[kind] else None
        left = self.incident.child.left_on
        if kind == "left" and left and self.case:
            return datetime.combine(left, time(12), LONDON).astimezone(UTC), None
        for one in self.contacts:
            if kind == "contact" and one.body == value:
                return one.at, one
            by_telephone = one.kind == REFERRAL and one.direction == TOLD and one.how == TELEPHONE
            if kind == "telephone" and one.body == value and by_telephone:
                return one.at, one
            if kind == "answer" and (moment := answered_at(one, value)):
                return moment, one
        return None

    def moment(self, since: str, told: datetime | None) -> datetime:
        """The moment (UTC) that a limit is counted from."""
        if told:
            return told
        if since == DECIDED and self.triage:
            return self.triage.at
        return self.incident.reported_at if since == REPORTED else self.incident.noticed_at

    def done(self, duty: Duty, by: Contact | None, kind: str) -> Contact | None:
        """The first contact that does a duty: with its body, and not the one it came of."""
        for one in self.contacts:
            heard = one.direction == HEARD
            rung = kind == "telephone" and by and (one.how == TELEPHONE or one.at < by.at)
            if duty.body and one.body == duty.body and not heard and not rung and one != by:
                return one
        return None

    def owes(self, duty: Duty) -> Owed | None:
        """What a duty asks here; None where no rule of it fits."""
        for kind, value in duty.rules():
            if found := self.fits(kind, value):
                told, by = found
                moment = self.moment(duty.since, told)
                call = by if kind == "telephone" else None
                done = self.done(duty, by, kind)
                return Owed(duty, self.incident, duty.due_at(moment), done, call)
        return None


def answered_at(contact: Contact, text: str) -> datetime | None:
    """The moment that was answered to a question of a contact, if any was."""
    for question, answer in contact.answered():
        if question == text and isinstance(answer, datetime):
            return answer
    return None


def owed(
    incidents: Iterable[Incident],
    duties: list[Duty] | None = None,
    contacts: Iterable[Contact] | None = None,
) -> list[Owed]:
    """The duties that stand on `incidents`, which have their children; in a few queries, however
    many there are. Those that are done come last, those that are due first come first.

    duties, contacts: those in force, and those of the incidents, where they are known already.
    """
    rows = {one.id: one for one in incidents}
    duties = Duty.in_force() if duties is None else duties
    if not rows or not duties:
        return []
    here = list(rows)
    if contacts is None:
        contacts = Contact.select().where(Contact.incident.in_(here))
    made: dict[int, list[Contact]] = {}
    for contact in sorted(contacts, key=lambda one: one.at):
        made.setdefault(contact.incident_id, []).append(contact)
    triages: dict[int, Triage] = {}
    for triage in Triage.decided(here):
        triages[triage.incident_id] = triage
    given, about = categories(triages.values()), adults(here)
    left = [one.id for one in rows.values() if one.child.left_on]
    cases = set(Case.select(Case.incident).where(Case.incident.in_(left)).tuples() if left else ())
    found: list[Owed] = []
    for id, incident in rows.items():
        made_here, of_incident = made.get(id, []), (id,) in cases
        known = Known(
            incident, triages.get(id), given.get(id, set()), made_here, id in about, of_incident
        )
        found += filter(None, map(known.owes, duties))
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda one: (bool(one.done), one.due_at or never))


def categories(triages: Iterable[Triage]) -> dict[int, set[str]]:
    """The categories that decisions gave: {id of the incident: {category}}."""
    given: dict[int, set[str]] = {}
    ids = [one.id for one in triages]
    for row in Category.select().where(Category.triage.in_(ids)) if ids else ():
        given.setdefault(row.incident_id, set()).add(row.category)
    return given


def adults(incidents: list[int]) -> set[int]:
    """Those of `incidents` (ids) that are about an adult with an account, while that stands."""
    named: dict[tuple, str] = {}
    for row in Involved.called(incidents):
        named[row.incident_id, row.adult_id] = row.part
    return {incident for (incident, _adult), part in named.items() if part == ABOUT}


def owed_of(by: User, visible: Callable) -> list[Owed]:
    """The duties that stand where `by` writes down contacts: they are the team's, not one
    person's.

    visible: the policy, which stands above the nouns.
    """
    duties = Duty.in_force()
    theirs = Incident.where_may(visible(Incident, by), by, "contact:add")
    return owed(concerned(theirs, duties, MOST), duties)


def concerned(query: Any, duties: list[Duty], limit: int) -> list[Incident]:
    """Of the incidents in `query`, the latest on which a duty may stand: of a living case, or
    reported lately.
    """
    rules = (asks(kind, value) for duty in duties for kind, value in duty.rules())
    conditions = [rule for rule in rules if rule is not None]
    if not conditions:
        return []
    living = Link.select(Link.incident).join(Case, on=(Link.case == Case.id))
    living = living.where(Link.ended_at.is_null(), Case.status.in_(Case.ALIVE))
    lately = (Incident.reported_at > now() - RECENT) | Incident.id.in_(living)
    rows = query.select(Incident, Child).join(Child).where(lately, reduce(or_, conditions))
    return list(rows.order_by(Incident.reported_at.desc()).limit(limit))


def asks(kind: str, value: str) -> ColumnBase | None:
    """The condition that a rule may fit an incident; None for a rule that makes a task instead."""
    if kind == "category":
        return Incident.id.in_(Category.select(Category.incident).where(Category.category == value))
    if kind == "decision":
        return Incident.id.in_(Triage.select(Triage.incident).where(Triage.decision == value))
    if kind in ("contact", "telephone"):
        return Incident.id.in_(Contact.select(Contact.incident).where(Contact.body == value))
    if kind == "answer":
        return Incident.id.in_(Contact.select(Contact.incident))
    if kind == "adult":
        return Incident.id.in_(Involved.select(Involved.incident).where(Involved.part == ABOUT))
    if kind == "left":
        return Child.left_on.is_null(False) & Incident.id.in_(Case.select(Case.incident))
    if kind == "intervention":
        return Incident.intervention
    return contains(Incident.topic, value) if kind == "topic" else None
