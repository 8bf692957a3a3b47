"""The roll: the list of children as the school's own system (SIMS, Arbor, Bromcom) exports it, taken in as often as wanted."""

import csv
from datetime import datetime
from io import StringIO
from re import fullmatch

from .base import Refused, now, transaction
from .child import Child
from .event import Event

BATCH = 100  # rows in one transaction, so that nobody who saves meanwhile waits long
HEADINGS = {  # what is kept: the headings it may stand under
    "name": ("name", "full name", "pupil name", "legal name"),
    "forename": ("forename", "first name", "legal forename"),
    "surname": ("surname", "last name", "family name", "legal surname"),
    "date_of_birth": ("date of birth", "dob"),
    "upn": ("upn", "unique pupil number"),
    "year": ("year", "year group", "unit"),
    "left_on": ("left on", "date of leaving", "leaving date"),
}


def take(content, by=None):
    """Add the children of a CSV list (bytes), and correct those who are here already; returns ([what was done], [each row not taken, and why]).

    A child is known by the UPN or, where the list or we lack it, by name and date of birth. Nobody is removed: a leaver has a leaving
    date. Done in batches: cut off or killed, it is done again, and what is as it was is left alone. Raises Refused for what is no such list.
    """
    rows, bad = read(content)
    counts = {"added": 0, "corrected": 0, "as they were": 0}
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        with transaction():
            known = here(batch)
            for line, values in batch:
                try:
                    counts[keep(values, known, by)] += 1
                except Refused as problem:
                    bad.append((line, str(problem)))
    done = [f"{number:,} children {what}." for what, number in counts.items()]
    return done, [f"Row {line} was not taken: {why}" for line, why in sorted(bad)]


def read(content):
    """([(row number, {field: value})], [(row number, what is wrong)]) of a CSV file; the heading is row 1."""
    try:
        table = csv.reader(StringIO(content.decode("utf-8-sig"), newline=""))
        heading = [cell.strip().casefold() for cell in next(table, [])]
        cells_of = list(table)
    except csv.Error as problem:
        raise Refused(f"This is not a whole CSV list: {problem} (line {table.line_num}). Nothing was saved.") from None
    except UnicodeDecodeError:
        raise Refused("This is not a list in UTF-8, or it was cut off. Save it as “CSV UTF-8”. Nothing was saved.") from None
    columns = {field: heading.index(name) for field, names in HEADINGS.items() for name in names if name in heading}
    if "date_of_birth" not in columns or not ("name" in columns or {"forename", "surname"} <= columns.keys()):
        raise Refused(
            "The first row must name the columns: Name (or Forename and Surname), Date of birth; UPN, Year, Left on. Nothing was saved."
        )
    rows, bad, seen = [], [], {}
    for number, cells in enumerate(cells_of, 2):
        if not any(cells):
            continue
        try:
            if len(cells) != len(heading):
                raise Refused(f"it has {len(cells)} cells where the heading has {len(heading)}.")
            values = understood({field: cells[place].strip() for field, place in columns.items()})
            who = values.get("upn") or (values["name"], values["date_of_birth"])
            if who in seen:
                raise Refused(f"it is the same child as in row {seen[who]}.")
            seen[who] = number
            rows.append((number, values))
        except Refused as problem:
            bad.append((number, str(problem)))
    return rows, bad


def understood(cells):
    """What a row says, as a child's fields. Raises Refused for the first thing that cannot be."""
    values = {"name": cells.get("name") or f"{cells.get('forename', '')} {cells.get('surname', '')}".strip()}
    if not values["name"] or not cells.get("surname", "?") or not cells.get("forename", "?"):
        raise Refused("the name is missing.")
    values["date_of_birth"] = day_of(cells["date_of_birth"], "date of birth")
    if not values["date_of_birth"] or values["date_of_birth"] > now().date():
        raise Refused("the date of birth is missing or in the future.")
    if upn := cells.get("upn", "").upper():
        if not fullmatch(r"[A-Z]\d{11}[A-Z0-9]", upn):
            raise Refused("the UPN is not a letter, eleven digits, and a digit or letter.")
        values["upn"] = upn
    if "year" in cells:
        values["year"] = cells["year"]
    if "left_on" in cells:
        values["left_on"] = day_of(cells["left_on"], "leaving date")
    for name, longest in (("name", 120), ("year", 20)):
        text = values.get(name, "")
        if len(text) > longest or not text.isprintable():
            raise Refused(f"the {name} is longer than {longest} letters, or holds what is no letter.")
    return values


def day_of(text, what):
    """A date written 22/11/2013 or 2013-11-22; None for nothing."""
    for form in ("%d/%m/%Y", "%Y-%m-%d") if text else ():
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            pass
    if text:
        raise Refused(f"the {what} is not a date such as 22/11/2013.")
    return None


def here(batch):
    """The children among those of `batch` who are here already, by UPN and by name and date of birth, in one query."""
    names, upns = ([values.get(key) for _line, values in batch if values.get(key)] for key in ("name", "upn"))
    known = {}
    for child in Child.select().where(Child.name.in_(names) | Child.upn.in_(upns)):
        note(child, known)
    return known


def note(child, known):
    known[child.name, child.date_of_birth] = child
    if child.upn:
        known[child.upn] = child


def keep(values, known, by):
    """Add or correct one child, with its event; returns which. Raises Refused when the UPN says one child, name and date of birth another."""
    child = known.get(values.get("upn")) or known.get((values["name"], values["date_of_birth"]))
    if not child:
        child = Child.create(**values)
        note(child, known)
        Event.write("child:add", child, by)
        return "added"
    if values.get("upn") and child.upn and child.upn != values["upn"]:
        raise Refused("a child of this name and date of birth is here with another UPN. Correct one of them by hand.")
    if child.name != values["name"] and child.date_of_birth != values["date_of_birth"]:
        raise Refused("the child with this UPN has another name and another date of birth here. Correct one of them by hand.")
    changed = child.set(**values)
    if not changed:
        return "as they were"
    child.save()
    Event.write("child:edit", child, by, changed)
    return "corrected"
