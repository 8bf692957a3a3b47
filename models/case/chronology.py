"""The chronology: everything about a child in the order in which it happened, as one reader sees
it. Each noun says its own line; a new one joins by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from models.ground.record import Base, NoIncident
from models.ground.words import day
from models.history.event import Event
from models.people.user import User

from .absence import Absence, by_week
from .child import ANOTHER, Child, OfChild
from .incident import LINKED_WRONGLY, Incident, Involved
from .line import Line
from .mark import Mark

# Decisions that are no row of their own but a step: what its line says.
STEPS = {
    "incident:not_notifiable": "Ofsted is not to be notified",
    "incident:reconsider": "Whether Ofsted is to be notified is open again",
    "case:monitor": "To be monitored until a day",
    "case:close": "Case closed",
    "case:close_anyway": "Case closed although something was missing",
    "case:confirm": "Closing of the case confirmed",
    "case:send_back": "Case not closed after all",
    "case:reopen": "Case reopened",
    "log:tell": "Ofsted told",
    "log:complete": "Ofsted log signed off",
    "log:complete_anyway": "Ofsted log signed off although something was missing",
    "log:reopen": "Ofsted log reopened",
}


def nouns() -> list[type[Base]]:
    """The models whose rows have a line: those that are of an incident, or of a child."""
    speaking = (model for model in Base.every() if hasattr(model, "line"))
    return [
        model
        for model in speaking
        if issubclass(model, OfChild) or not isinstance(model.belongs, NoIncident)
    ]


def lines(
    children: Sequence[Child], by: User, visible: Callable, absence: bool = False
) -> list[Line]:
    """The lines about `children`, whom `by` sees, the latest first; each row once. The number of
    queries is that of the nouns, however many rows there are.

    visible: the policy, which stands above the nouns; nothing is read but through it. Another child
    whom the reader may not see is named nowhere. absence: with a line for each week of it.
    """
    about, incidents = linked(children, by, visible)
    rows: list[Base] = list(incidents.values())
    for model in nouns():
        if issubclass(model, OfChild):
            rows.extend(visible(model, by).where(model.child.in_(list(children))))
        elif model is not Incident:
            among = model.among(lambda column: column.in_(list(incidents)))
            rows.extend(visible(model, by).where(among))
    rows += steps(incidents, by, visible)
    beside(rows, {Incident: incidents, Child: {one.id: one for one in children}}, by, visible)
    for model in {type(row) for row in rows}:
        if gather := getattr(model, "gather", None):
            gather([row for row in rows if type(row) is model], children)
    found = [drawn(row) for row in rows]
    if absence:
        theirs = visible(Absence, by).where(Absence.child.in_(list(children)))
        found += by_week(theirs.order_by(Absence.on))
    several = {one.id: one.first_name for one in children} if len(children) > 1 else {}
    marks = visible(Mark, by).where(Mark.child.in_(list(children))).order_by(Mark.id)
    given = {(mark.noun_of, mark.record): mark for mark in marks}
    for line in found:
        mine = about.get(line.record.its_incident() or 0, {})
        part = next((mine[one.id] for one in children if one.id in mine), "")
        if part and line.record.noun() == "incident":
            line.part = f"{part.lower()}; it is about {line.record.child}"
        whose = mine or [getattr(line.record, "child_id", None)]
        line.children = [several[id] for id in whose if id in several]
        if mark := given.get(line.key):
            line.significant, line.marked = bool(mark.significant), mark
            line.headline, line.impact = mark.headline or line.headline, mark.impact or ""
    found.sort(key=lambda line: (line.moment, line.entered or line.moment, line.key), reverse=True)
    return found


def pick(found: Iterable[Line], kind: str = "", significant: bool = False) -> list[Line]:
    """Those of `found` that are of a kind, and significant; all without either."""
    return [
        line
        for line in found
        if kind in ("", line.kind) and (not significant or line.significant and not line.withdrawn)
    ]


def linked(
    children: Sequence[Child], by: User, visible: Callable
) -> tuple[dict[int, dict[int, str]], dict[int, Incident]]:
    """({id of an incident: {id of a child: their part}}, {id: Incident}) of what `by` sees."""
    main = visible(Incident, by).where(Incident.child.in_(list(children)))
    incidents = {one.id: one for one in main}
    about: dict[int, dict[int, str]] = {one.id: {one.child_id: ""} for one in incidents.values()}
    rows = Involved.select().where(Involved.child.in_(list(children))).order_by(Involved.id)
    others: dict[int, dict[int, str]] = {}
    for row in rows:
        parts = others.setdefault(row.incident_id, {})
        if row.part == LINKED_WRONGLY:
            parts.pop(row.child_id, None)
        else:
            parts[row.child_id] = row.part
    more = [id for id, parts in others.items() if parts and id not in incidents]
    incidents |= {one.id: one for one in visible(Incident, by).where(Incident.id.in_(more))}
    for id, parts in others.items():
        if parts and id in incidents:
            about.setdefault(id, {}).update({c: p for c, p in parts.items() if c not in about[id]})
    return about, incidents


def steps(incidents: Iterable[int], by: User, visible: Callable) -> list[Event]:
    """The events of STEPS of these incidents, whose records `by` sees."""
    mine = Event.select().where(
        Event.incident.in_(list(incidents)), Event.verb.in_(tuple(STEPS)), Event.payload != ""
    )
    for model in Base.every():
        if model.noun() in {verb.partition(":")[0] for verb in STEPS} - {"incident"}:
            seen = visible(model, by).select(model.id)
            mine = mine.where((Event.subject != model.noun()) | Event.record.in_(seen))
    return list(mine)


def beside(rows: Iterable[Base], known: dict, by: User, visible: Callable) -> None:
    """Put beside each of `rows` the records that it leads to, one query for each model, through the
    policy: in place of a child whom `by` may not see stands “another child”, else nothing.
    """
    wanted: dict[type[Base], set[int]] = {}
    for row in rows:
        for field in row._meta.refs:
            wanted.setdefault(field.rel_model, set()).add(row.__data__.get(field.name) or 0)
    found: dict[type[Base], dict[int, Any]] = {}
    for model, ids in wanted.items():
        have = known.get(model, {})
        left = ids - have.keys() - {0}
        query: Iterable[Any] = ()  # of a template or a list no line speaks
        if model is User:
            query = User.select(*User.named()).where(User.id.in_(left))
        elif model is Child or not isinstance(model.belongs, NoIncident):
            query = visible(model, by).where(model.id.in_(left))
        found[model] = have | ({row.id: row for row in query} if left else {})
    for row in rows:
        for field in row._meta.refs:
            if id := row.__data__.get(field.name):
                one = found[field.rel_model].get(id)
                hidden = Child(name=ANOTHER, year="") if field.rel_model is Child else None
                row.__rel__[field.name] = one or hidden


def drawn(row: Any) -> Line:
    """The line of a row, which knows whose it is."""
    if isinstance(row, Event):
        detail = row.detail
        until = detail.get("until")  # of a case that is monitored: on which day somebody looks
        words = STEPS[row.verb]
        line = Line(
            row.at,
            words.replace("a day", day(date.fromisoformat(until))) if until else words,
            "decision",
            row.at,
            detail.get("by", ""),
            [detail.get("record", ""), detail.get("reason", "")],
        )
    else:
        line = row.line()
    line.record = row
    return line
