"""The roll: the list of children as the school's own system (SIMS, Arbor, Bromcom) exports it,
taken in as often as wanted.
"""

import json
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from time import sleep
from typing import Any, NamedTuple

from peewee import fn

from models.case.child import Child
from models.ground.clock import today
from models.ground.database import fold, transaction
from models.ground.record import Refused
from models.history.event import Event, plain
from models.people.setting import Setting
from models.people.user import User

from .pupil_list import Bad, read, who

BATCH = 100  # rows in one transaction
PAUSE = 0.15  # seconds after each, in which others save
SHOWN = 20  # children whom a preview names
DONE = ("added", "corrected", "as they were")
MOVES = "Somebody who looks after both moves them, on the child’s page."


def take(
    content: bytes, by: User | None = None, sure: bool = False, setting: Setting | None = None
) -> tuple[list[str], list[str]]:
    """Add the children of a CSV list (bytes), and correct those who are here already; returns
    ([what was done], [each row not taken, and why]).

    A child is known by the UPN or, where the list or we lack it, by name and date of birth. Nobody
    is removed: a leaver has a leaving date. Done in batches: cut off or killed, it is done again,
    and what is as it was is left alone. Raises Refused, and saves nothing, for what is no such
    list, or where it would do so much that a column may have slipped (unless `sure`).

    setting: the school or home whose list it is, where there are several. A child who is of none
    yet is of it then; one who is of another is left alone.
    """
    rows, bad, columns = read(content)
    if not sure and (odd := list(slipped(rows, everybody(), by, setting))):
        raise Refused(
            f"{' '.join(odd)} Perhaps a column has slipped. Nothing was saved. Where the list is "
            "right, say so: --sure."
        )
    counts: Counter[str] = Counter()
    for start in range(0, len(rows), BATCH):
        with transaction():
            done, wrong = taken(rows[start : start + BATCH], by, setting)
        counts += done
        bad += wrong
        if done["added"] or done["corrected"]:
            sleep(PAUSE)
    said = [f"Children {what}: {counts[what]:,}." for what in DONE]
    return said + columns, [f"Row {one.row} was not taken: {one.why}" for one in sorted(bad)]


def taken(batch: list, by: User | None, setting: Setting | None) -> tuple[Counter[str], list[Bad]]:
    """Add or correct the children of a few rows, in the caller's transaction: (how many of each of
    DONE, the rows that are for a person to decide).
    """
    counts: Counter[str] = Counter()
    bad = []
    known = here(batch)
    for row, values in batch:
        try:
            counts[keep(values, known, by, setting)] += 1
        except Refused as problem:
            bad.append(Bad(row, str(problem), doubtful=True))
    return counts, bad


def here(batch: list) -> dict[Any, Any]:
    """The children who may be among `batch`, in one query: {UPN: Child, (name, date of birth):
    [Child]}.
    """
    births, upns = (
        {values[key] for _row, values in batch if values.get(key)}  # a child may stand there often
        for key in ("date_of_birth", "upn")
    )
    return by_keys(
        Child.select().where(Child.date_of_birth.in_(births) | fn.UPPER(Child.upn).in_(upns))
    )


def everybody() -> dict[Any, Any]:
    """As `here`, of all the children."""
    return by_keys(Child.select())


def by_keys(children: Any) -> dict[Any, Any]:
    """The children by what they are known by: see `here`."""
    known: dict[Any, Any] = {}
    for child in children:
        note(child, known)
    return known


def note(child, known):
    known.setdefault(who(child.name, child.date_of_birth), []).append(child)
    if child.upn:
        known[child.upn.upper()] = child


def renamed(values: dict[str, Any], known: dict) -> bool:
    """Whether a child who is known by the UPN would get another name or date of birth."""
    child = known.get(values.get("upn"))
    return child is not None and who(child.name, child.date_of_birth) != who(
        values["name"], values["date_of_birth"]
    )


def slipped(rows: list, known: dict, by: User | None, setting: Setting | None) -> Iterator[str]:
    """What the list would do to so many that a column may have slipped, in sentences. known: the
    children who are here.
    """
    total = len(rows)
    count: Counter[str] = Counter()
    for _row, values in rows:
        child = known.get(values.get("upn")) or next(
            iter(known.get(who(values["name"], values["date_of_birth"]), [])), None
        )
        if child and left_alone(child, by, setting):
            continue  # left alone, whatever the list says
        count["renamed"] += renamed(values, known)
        count["added"] += not child
        if child:
            count["first UPN"] += bool(values.get("upn")) and not child.upn
            count["gone"] += leaves(child, values)
    there = on_roll(setting).count()
    if count["renamed"] > max(1, total // 20):
        yield f"{count['renamed']} children who are here would get another name or date of birth."
    if count["first UPN"] > max(10, total // 3):
        yield (
            f"{count['first UPN']} children would get a UPN who had none: see whether it "
            "stands beside the right names."
        )
    if count["gone"] > max(1, total // 3):
        yield f"{count['gone']} children would have left."
    if count["added"] > 10 and there > max(10, 2 * (total - count["added"])):
        yield (
            f"{count['added']} children would be added, and most of the {there} who are here "
            "are not in the list."
        )


def leaves(child: Child, values: dict[str, Any]) -> bool:
    """Whether a child would have left who has not."""
    return bool(values.get("left_on")) and not child.left_on and values["left_on"] < today()


def match(values: dict[str, Any], known: dict) -> Child | None:
    """The child here whom the row is about, or None. Raises Refused where the UPN says one child,
    and name and date of birth another.
    """
    namesakes = known.get(who(values["name"], values["date_of_birth"]), [])
    child = known.get(values.get("upn"))
    if not child:
        if len(namesakes) > 1:
            raise Refused(
                "more than one child of this name and date of birth is here. Correct them by hand."
            )
        if namesakes and values.get("upn") and namesakes[0].upn:
            raise Refused(
                "a child of this name and date of birth is here with another UPN. If they are "
                "two children, add this one by hand; if not, correct the UPN."
            )
        return namesakes[0] if namesakes else None
    if renamed(values, known):
        if namesakes:
            raise Refused(
                "the UPN is one child’s here, the name and date of birth another’s. Correct them "
                "by hand."
            )
        if not set(fold(child.name).split()) & set(fold(values["name"]).split()):
            raise Refused(
                "the child with this UPN has another name here, with no word in common. Correct "
                "it by hand."
            )
        if child.name != values["name"] and child.date_of_birth != values["date_of_birth"]:
            raise Refused(
                "the child with this UPN has another name and another date of birth here. "
                "Correct one of them by hand."
            )
    return child


def keep(values: dict[str, Any], known: dict, by: User | None, setting: Setting | None) -> str:
    """Add or correct one child, with its event; returns which. Raises Refused as judged does."""
    what, child, changed = judged(values, known, by, setting)
    if what != "as they were":
        child.save()
        verb = "child:add" if what == "added" else "child:edit"
        Event.write(verb, child, by, changed, also=child.takes_along())
    return what


def left_alone(child: Child, by: User | None, setting: Setting | None) -> str:
    """Why a list of `setting` says nothing of `child`, in a sentence; "" where it does. Nobody
    gains by a list: a child of none yet is taken in by somebody whose role is for all, or by the
    command.
    """
    if not setting or child.setting_id == setting.id:
        return ""
    if by and by.within("roll:take") is not None:
        return "this child is here already, and not of this school or home. " + MOVES
    return f"this child is of {child.setting} here. {MOVES}" if child.setting_id else ""


def on_roll(setting: Setting | None) -> Any:
    """A query of those on roll in `setting`, or of all."""
    rows = Child.on_roll()
    return rows.where(Child.setting == setting) if setting else rows


def judged(
    values: dict[str, Any], known: dict, by: User | None, setting: Setting | None
) -> tuple[str, Child, dict[str, tuple]]:
    """What one row means, with nothing saved: (one of DONE, the child as it would be, {field:
    (before, after)} of one who is here). `known` is told. Raises Refused as match does, and for a
    child who is left alone.
    """
    child = match(values, known)
    if child and (why := left_alone(child, by, setting)):
        raise Refused(why)
    values = values | ({"setting": setting} if setting else {})
    if not child:
        child = Child(**values)
        note(child, known)
        return "added", child, {}
    namesakes = known[who(child.name, child.date_of_birth)]
    changed = child.set(**values)
    if not changed:
        return "as they were", child, {}
    namesakes.remove(child)
    note(child, known)
    return "corrected", child, changed


class Preview(NamedTuple):
    """What an import would do, with nothing saved."""

    counts: dict[str, int]  # of each of DONE
    added: list  # [row, name, year] of the first few
    corrected: list  # [row, name, {field: [before, after]}] of the first few
    odd: list[str]  # why a column may have slipped, in sentences
    absent: list[int]  # ids of those on roll who are not in the list
    unsure: str  # why nobody can be said to be absent, in a sentence; "" where it can be said
    digest: str  # of all of it: what was looked at is what is done


def preview(
    rows: list, bad: list[Bad], by: User, setting: Setting | None
) -> tuple[Preview, list[Bad]]:
    """(What the import of `rows` by `by` would do, the rows that are for a person to decide). bad:
    the rows that cannot be read, whose children are in the list all the same.
    """
    known = everybody()
    odd = list(slipped(rows, known, by, setting))
    there = on_roll(setting)
    roll = [(child.id, child.upn, child.name) for child in there if not child.left_on]
    counts: Counter[str] = Counter()
    outcome, doubtful, met = [], [], set()
    added: list = []
    corrected: list = []
    for row, values in rows:
        try:
            what, child, changed = judged(values, known, by, setting)
        except Refused as problem:
            named = (values.get("upn") or "", who(values["name"], values["date_of_birth"])[0])
            doubtful.append(Bad(row, str(problem), known=named, doubtful=True))
            continue
        counts[what] += 1
        met.add(child.id)
        changes = {name: [plain(one) for one in pair] for name, pair in changed.items()}
        outcome.append([row, what, child.id, changes])
        if what == "added" and len(added) < SHOWN:
            added.append([row, child.name, child.year])
        if what == "corrected" and len(corrected) < SHOWN:
            corrected.append([row, child.name, changes])
    going = sum("left_on" in changes for _row, _what, _id, changes in outcome)
    absent, unsure = missing(roll, met, [*bad, *doubtful], going)
    sealed = json.dumps([outcome, odd, absent, unsure], sort_keys=True).encode()
    return Preview(
        {what: counts[what] for what in DONE}, added, corrected, odd, absent, unsure,
        sha256(sealed).hexdigest(),
    ), doubtful  # fmt: skip


def missing(roll: list, met: set, bad: list[Bad], going: int) -> tuple[list[int], str]:
    """(The ids of those on roll who are not in the list, why that cannot be said). roll: [(id, UPN,
    name)]; met: the ids of those whom the list names; going: how many leave by the list itself.

    A row that cannot be read whole still names its child; where it names nobody, anybody may be
    meant. A list that lacks a third of the roll is a part of it, or another one.
    """
    if any(one.known is None for one in bad):
        return [], "A row does not even say whom it is about: it could be one of them."
    upns, names = ({one.known[place] for one in bad if one.known} - {""} for place in (0, 1))
    absent = [
        id
        for id, upn, name in roll
        if id not in met
        and (upn or "").upper() not in upns
        and " ".join(fold(name).split()) not in names
    ]
    if len(absent) + going > max(1, len(roll) // 3) and absent:
        return [], (
            f"The list lacks {len(absent):,} of the {len(roll):,} who are on roll: it may be a "
            "part of it, or a column has slipped."
        )
    return absent, ""
