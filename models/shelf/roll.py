"""The roll: the list of children as the school's own system (SIMS, Arbor, Bromcom) exports it,
taken in as often as wanted.
"""

from collections import Counter
from collections.abc import Iterator
from time import sleep
from typing import Any

from peewee import fn

from models.case.child import Child
from models.ground.clock import now
from models.ground.database import fold, transaction
from models.ground.record import Refused
from models.history.event import Event
from models.people.setting import Setting
from models.people.user import User

from .pupil_list import read, who

BATCH = 100  # rows in one transaction
PAUSE = 0.15  # seconds after each, in which others save


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
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    if not sure and (odd := list(slipped(batches, len(rows), setting))):
        raise Refused(
            f"{' '.join(odd)} Perhaps a column has slipped. Nothing was saved. Where the list is "
            "right, say so: --sure."
        )
    counts = {"added": 0, "corrected": 0, "as they were": 0}
    for batch in batches:
        before = counts["as they were"] + len(bad)
        with transaction():
            known = here(batch)
            for row, values in batch:
                try:
                    counts[keep(values, known, by, setting)] += 1
                except Refused as problem:
                    bad.append((row, str(problem)))
        if counts["as they were"] + len(bad) < before + len(batch):
            sleep(PAUSE)
    done = [f"Children {what}: {number:,}." for what, number in counts.items()]
    return done + columns, [f"Row {row} was not taken: {why}" for row, why in sorted(bad)]


def here(batch: list) -> dict[Any, Any]:
    """The children who may be among `batch`, in one query: {UPN: Child, (name, date of birth):
    [Child]}.
    """
    births, upns = (
        [values[key] for _row, values in batch if values.get(key)]
        for key in ("date_of_birth", "upn")
    )
    known: dict[Any, Any] = {}
    for child in Child.select().where(
        Child.date_of_birth.in_(births) | fn.UPPER(Child.upn).in_(upns)
    ):
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


def slipped(batches: list, total: int, setting: Setting | None = None) -> Iterator[str]:
    """What the list would do to so many that a column may have slipped, in sentences."""
    count: Counter[str] = Counter()
    for batch in batches:
        known = here(batch)
        for _row, values in batch:
            child = known.get(values.get("upn")) or next(
                iter(known.get(who(values["name"], values["date_of_birth"]), [])), None
            )
            count["renamed"] += renamed(values, known)
            count["added"] += not child
            if child:
                count["first UPN"] += bool(values.get("upn")) and not child.upn
                count["gone"] += (
                    bool(values.get("left_on"))
                    and not child.left_on
                    and values["left_on"] < now().date()
                )
    on_roll = Child.on_roll()
    there = (on_roll.where(Child.setting == setting) if setting else on_roll).count()
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
    """Add or correct one child, with its event; returns which. Raises Refused as match does, and
    for a child of another school or home than `setting`.
    """
    child = match(values, known)
    if child and setting and child.setting_id not in (None, setting.id):
        raise Refused(
            f"this child is of {child.setting} here. Somebody who looks after both moves them, on "
            "the child’s page."
        )
    values = values | ({"setting": setting} if setting else {})
    if not child:
        child = Child.create(**values)
        note(child, known)
        Event.write("child:add", child, by)
        return "added"
    namesakes = known[who(child.name, child.date_of_birth)]
    changed = child.set(**values)
    if not changed:
        return "as they were"
    namesakes.remove(child)
    note(child, known)
    child.save()
    Event.write("child:edit", child, by, changed, also=child.takes_along())
    return "corrected"
