"""Handing over: what a leaver was to do goes to a colleague, all of it in one press and one
email.

A noun joins by being a HandsOver and saying which of its columns name whoever is to do it; nothing
else knows its name.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from models.ground.database import transaction
from models.ground.record import Base, Refused
from models.ground.words import pages
from models.history.event import Event
from models.history.notice import HANDED, SUBJECT, Notice
from models.people.user import User

from .child import Child
from .incident import Incident


class HandsOver:
    """A record that somebody holds until it is finished, and hands over when they leave.

    holders: {column that names them: as what they hold it}. unfinished: the statuses in which there
    is something to hand over. held_by: the permission that whoever holds one needs, where
    it is, besides seeing its incident. The verb hand_over of the noun is the permission, too.
    """

    held_by = ""

    holders: dict[str, str] = {}
    unfinished: tuple[str, ...] = ()

    @classmethod
    def with_child(cls, rows: Any) -> Any:
        """`rows`, a query, with whom each is about; a noun of no incident says it in its own
        way.
        """
        return rows.select(cls, Incident, Child).join(Incident).join(Child)

    @property
    def gist(self) -> str:
        """What it is, in the words of a list."""
        return str(self)

    def hand_over(self: Any, column: str, to: User, by: User) -> bool:
        """Give it to `to`, in the caller's transaction; False where it has another holder by now,
        or is finished.
        """
        model, holder = type(self), getattr(self, column)
        field = getattr(model, column)
        moved = model.update({field: to, model.version: model.version + 1}).where(
            model.id == self.id, field == holder, model.status.in_(self.unfinished)
        )
        if not moved.execute():
            return False
        fresh = model.get_by_id(self.id)
        Event.write(f"{model.noun()}:hand_over", fresh, by, {column: (holder, to)})
        return True


class Held(NamedTuple):
    """One thing that a leaver holds: the record, the column that names them, and why it cannot be
    handed over, "" where it can.
    """

    record: Any
    column: str
    why: str

    @property
    def key(self) -> str:
        """By which a form names it."""
        return f"{self.record.noun()}-{self.record.id}-{self.column}"

    @property
    def part(self) -> str:
        """As what it is held."""
        return self.record.holders[self.column]


def kinds(by: User) -> list[Any]:
    """The nouns that `by` may hand over."""
    found = [model for model in Base.every() if issubclass(model, HandsOver)]
    return [model for model in found if by.within(f"{model.noun()}:hand_over") != set()]


def unfinished(model: Any, by: User, visible: Callable) -> Any:
    """A query of what is held of a noun, where `by` may hand it over."""
    rows = visible(model, by).where(model.status.in_(model.unfinished))
    return Incident.where_may(rows, by, f"{model.noun()}:hand_over")


def holders(by: User, visible: Callable) -> list[User]:
    """Whoever holds something that `by` may see and hand over, by name, leavers included.

    visible: the policy, a function of a model and a person.
    """
    ids: set[int] = set()
    for model in kinds(by):
        rows = unfinished(model, by, visible)
        for column in model.holders:
            ids |= {id for (id,) in rows.select(getattr(model, column)).distinct().tuples() if id}
    return list(User.select(*User.named()).where(User.id.in_(ids)).order_by(User.name))


def held(person: User, to: User, by: User, visible: Callable) -> list[Held]:
    """What `person` holds, as far as `by` may see it, each with why `to` cannot have it, if so."""
    rows: list[tuple[Any, str]] = []
    for model in kinds(by):
        there = unfinished(model, by, visible)
        for column in model.holders:
            query = there.where(getattr(model, column) == person).order_by(model.id)
            rows += [(row, column) for row in model.with_child(query)]
    cases = {row.its_incident() for row, _column in rows}
    seen = visible(Incident, to).where(Incident.id.in_(cases)).select(Incident.id)
    open_to = {id for (id,) in seen.tuples()}
    shut = f"{to} may not see it. Share it with them first."
    cannot = f"{to} may not hold it, by their role."
    found = []
    for row, column in rows:
        holds = not row.held_by or to.may(row.held_by, row)
        why = shut if row.its_incident() not in open_to else "" if holds else cannot
        found.append(Held(row, column, why))
    return found


def hand_over(person: User, to: User, keys: Iterable[str], by: User, visible: Callable) -> int:
    """Hand over to `to` those of the things that `person` holds whose keys are given; returns how
    many.

    One event each, and one email to the receiver, which says how many and nothing else. What was
    handed over or finished meanwhile is left; Raises Refused when nothing is left.
    """
    nothing = "Nothing was handed over."
    if to == person:
        raise Refused(nothing, {"to": "Choose somebody else than whoever hands over."})
    if not to.active:
        raise Refused(nothing, {"to": f"{to} may not sign in any more. Choose somebody else."})
    wanted = set(keys)
    with transaction():
        found = [one for one in held(person, to, by, visible) if one.key in wanted]
        if shut := [one for one in found if one.why]:
            raise Refused(f"{shut[0].why} {nothing}")
        number = sum(one.record.hand_over(one.column, to, by) for one in found)
        if not number:
            raise Refused(
                f"{nothing} None of it is {person}’s any more, or nothing was ticked: see below."
            )
        body = pages.get_template("email/handed_over.txt").render(by=by, number=number)
        if to != by:
            Notice.queue(HANDED, to, by, [(to, SUBJECT, body)])
    return number
