"""Absence and exclusion, as the school's own system exports it, taken in as often as wanted."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from models.case.absence import CODES, HERE, Absence
from models.case.child import EARLIEST, Child
from models.ground.clock import now, today
from models.ground.database import transaction
from models.ground.record import Refused
from models.history.event import Event
from models.people.setting import Setting
from models.people.user import User

from .pupil_list import HEADINGS as ROLL
from .pupil_list import TOP, day_of, decoded, usual, who
from .roll import here

HEADINGS = {name: ROLL[name] for name in ("upn", "name", "forename", "surname", "date_of_birth")}
HEADINGS |= {
    "on": ("date", "day", "session date", "date of absence"),
    "half_days": ("half days", "sessions", "number of sessions"),
    "session": ("session", "am pm", "half day"),
    "kind": ("code", "mark", "kind", "reason", "absence code", "attendance code"),
}
COLUMNS = (
    "A row at the top must name the columns: UPN (or Name and Date of birth), Date, Code; and "
    "Session (AM, PM) or Half days. Nothing was saved."
)
BATCH = 200  # children in one transaction


def take(
    content: bytes, by: User | None = None, setting: Setting | None = None
) -> tuple[list[str], list[str]]:
    """Take in a CSV list of absence (bytes); returns ([what was done], [each row not taken, and
    why]). Taken in again it changes nothing; where a day and kind stands with other half days now,
    it is corrected. What was present is left out. Raises Refused for what is no such list.

    setting: the school or home whose list it is, where there are several. A child who is of another
    is left alone.
    """
    rows, bad = read(content)
    known = here(rows)
    told: dict[int, dict[tuple, set[str]]] = {}  # of each child, of each day and kind
    for row, values in rows:
        try:
            theirs = told.setdefault(child_of(values, known, setting), {})
            halves = theirs.setdefault((values["on"], values["kind"]), set())
            if halves and values["halves"] <= halves and "session" not in values:
                raise Refused("this day and kind stands in the list already.")
            halves |= values["halves"]
        except Refused as problem:
            bad.append((row, str(problem)))
    counts = {"added": 0, "corrected": 0, "as they were": 0}
    children = sorted(told)
    for start in range(0, len(children), BATCH):
        with transaction():
            keep(children[start : start + BATCH], told, counts, by)
    done = [f"Days of absence {what}: {number:,}." for what, number in counts.items()]
    return done, [f"Row {row} was not taken: {why}" for row, why in sorted(bad)]


def keep(children: list[int], told: dict, counts: dict[str, int], by: User | None) -> None:
    """Save what the list says of `children` (ids), with an event for each that changed."""
    rows = Absence.select().where(Absence.child.in_(children))
    have = {(row.child_id, row.on, row.kind): row for row in rows}
    for child in Child.select().where(Child.id.in_(children)):
        changed = []
        for (on, kind), halves in told[child.id].items():
            row = have.get((child.id, on, kind))
            if row and row.half_days == len(halves):
                counts["as they were"] += 1
                continue
            counts["corrected" if row else "added"] += 1
            row = row or Absence(child=child, on=on, kind=kind)
            row.set(half_days=len(halves), read_at=now())
            row.save()
            changed.append(row)
        if changed:
            Event.write("child:absence", child, by, also=changed, days=len(changed))


def read(content: bytes) -> tuple[list[tuple[int, dict[str, Any]]], list[tuple[int, str]]]:
    """([(row, its values)], [(row, what is wrong)]) of the list; what was present is left out."""
    text = decoded(content)
    delimiter = max(",;\t", key=lambda one: max(map(len, table_of(text, one)[:TOP]), default=0))
    table, rows, bad = table_of(text, delimiter), [], []
    top = next((place for place, cells in enumerate(table[:TOP]) if columns_of(cells)), None)
    if top is None:
        raise Refused(COLUMNS)
    columns = columns_of(table[top])
    for row, cells in enumerate(table[top + 1 :], top + 2):
        if not any(cells):
            continue
        try:
            if len(cells) != len(table[top]):
                raise Refused(f"it has {len(cells)} cells where the heading has {len(table[top])}.")
            values = understood({name: cells[place].strip() for name, place in columns.items()})
            rows += [(row, values)] if values else []
        except Refused as problem:
            bad.append((row, str(problem)))
    return rows, bad


def table_of(text: str, delimiter: str) -> list[list[str]]:
    """The cells of a CSV text."""
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as problem:
        raise Refused(f"This is not a whole CSV list: {problem}. Nothing was saved.") from None


def columns_of(cells: list[str]) -> dict[str, int]:
    """{field: the place of its column} of a heading; {} for a row that is none."""
    columns, _headings = usual(cells, HEADINGS)
    named = "name" in columns or {"forename", "surname"} <= columns.keys()
    whose = "upn" in columns or (named and "date_of_birth" in columns)
    return columns if whose and {"on", "kind"} <= columns.keys() else {}


def understood(cells: dict[str, str]) -> dict[str, Any] | None:
    """What a row says; None where the child was there. Raises Refused for what cannot be."""
    code = cells["kind"].upper()
    if code in HERE:
        return None
    if not code:
        raise Refused("the code is missing.")
    on = day_of(cells["on"], "date")
    if not on or not EARLIEST <= on <= today():
        raise Refused("the date is missing, in the future or before 1900.")
    values: dict[str, Any] = {"on": on, "kind": CODES.get(code, cells["kind"])[:80]}
    values["upn"] = cells.get("upn", "").upper()
    names = [cells["name"]] if "name" in cells else [cells.get("forename"), cells.get("surname")]
    values["name"] = " ".join(" ".join(filter(None, names)).split())
    values["date_of_birth"] = day_of(cells.get("date_of_birth", ""), "date of birth")
    return values | dict(halves_of(cells))


def halves_of(cells: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Which half days a row tells of: by its session, by their number, else both."""
    session, number = cells.get("session", "").upper(), cells.get("half_days", "")
    if session:
        if session not in ("AM", "PM"):
            raise Refused("the session is neither AM nor PM.")
        yield "session", session
        yield "halves", {session}
    elif number in ("1", "2", ""):
        yield "halves", {"AM"} if number == "1" else {"AM", "PM"}
    else:
        raise Refused("the number of half days is neither 1 nor 2.")


def child_of(values: dict[str, Any], known: dict, setting: Setting | None = None) -> int:
    """The id of the child here whom a row is about. Raises Refused where there is none, or two, or
    only one who is of another school or home than `setting`.
    """
    same = [known[values["upn"]]] if values["upn"] in known else []
    if not same and values["name"] and values["date_of_birth"]:
        same = known.get(who(values["name"], values["date_of_birth"]), [])
    theirs = [one for one in same if not setting or one.setting_id in (None, setting.id)]
    if same and not theirs:
        raise Refused("this child is of another school or home.")
    same = theirs
    if len(same) != 1:
        raise Refused("no child here is known by this." if not same else "it fits two children.")
    return same[0].id
