"""The list of children as a school's own system (SIMS, Arbor, Bromcom) exports it, read: which
columns it has, and what each row says.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from io import StringIO
from itertools import islice
from typing import Any, NamedTuple
from unicodedata import normalize

from models.case.child import UPN, Child
from models.ground.database import fold
from models.ground.record import Refused

PLAIN_YEAR = re.compile(r"0?([1-9]|1[0-3])")  # as some systems write Year 6
HEADINGS = {  # what is kept: the headings it may stand under, the first that is there
    "name": (
        "legal name",
        "legal full name",
        "full legal name",
        "name",
        "full name",
        "pupil name",
        "student name",
    ),
    "forename": (
        "legal forename",
        "legal first name",
        "forename",
        "first name",
        "forenames",
        "forename s",
    ),
    "surname": (
        "legal surname",
        "legal last name",
        "legal family name",
        "surname",
        "last name",
        "family name",
    ),
    "date_of_birth": ("date of birth", "dob", "d o b", "birth date", "birthdate"),
    "upn": ("upn", "unique pupil number"),
    "year": (
        "year",
        "year group",
        "year taught in",
        "nc year",
        "national curriculum year",
        "curriculum year",
        "unit",
    ),
    "left_on": ("left on", "date of leaving", "leaving date", "date left", "leave date"),
}
KNOWN = (  # what such lists also hold: known for what it is, and kept nowhere here
    r"preferred|known as|chosen|middle name|initials|adno|adm no|admission|former "
    r"upn|uln|gender|sex|reg|tutor|form|class|house|title"
)
TOP = 30  # rows among which the heading is looked for: titles stand above it
SHOWN = 3  # rows that help to match the columns
DAYS = ("%d/%m/%Y", "%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%m-%Y", "%d.%m.%Y")
MOST_ROWS, MOST_COLUMNS = 100_000, 200  # of one list
COLUMNS = (
    "A row at the top must name the columns: Name (or Forename and Surname), Date of "
    "birth; UPN, Year, Left on. Nothing was saved."
)
NO_HEADING = (
    "No row at the top names the columns: the first one seems to be about a child already. Put a "
    "row above it that says what each column is, such as Name, Date of birth, UPN. Nothing was "
    "saved."
)
BOOKS = {  # how files begin that spreadsheets make by themselves, and how a CSV is made of them
    b"PK\x03\x04": "an Excel or another spreadsheet file (.xlsx, .ods)",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)",
    b"%PDF": "a PDF",
}


class Bad(NamedTuple):
    """A row that is not taken."""

    row: int
    why: str  # a sentence that begins small
    field: str = ""  # which of the fields it is about
    known: tuple[str, str] | None = None  # UPN and name as far as they can be read; None: neither
    doubtful: bool = False  # readable, and for a person to decide whom it means


def read(
    content: bytes, columns: dict[str, str] | None = None
) -> tuple[list[tuple[int, dict[str, Any]]], list[Bad], list[str]]:
    """([(row, {field: value})], [Bad], [what became of the other columns, in sentences]) of a CSV
    file (bytes). columns: {field: label of its column} as a person matched them; without, they are
    found by their usual names.

    Rows are numbered as a spreadsheet does. Raises Refused for what is no such list.
    """
    text = decoded(content)
    table = list(table_of(text))
    if columns:
        top = heading_of(table)
        named = labels(table[top])
        if not set(columns.values()) <= set(named):
            raise Refused("The columns are not those of this file. Match them again.")
        places = {field: named.index(label) for field, label in columns.items()}
    else:
        known = known_heading(table)
        if known is None:
            raise Refused(COLUMNS)
        top, places = known, columns_of(table[known])
    rows, bad, width = [], [], len(table[top])
    seen: dict[Any, int] = {}
    for row, cells in enumerate(table[top + 1 :], top + 2):
        found: dict[str, str] = {}
        try:
            if any(cells):
                if row == len(table) and not text.endswith(("\n", "\r")):
                    raise Refused(
                        "it is the last and its line does not end: the list may be cut off here."
                    )
                if len(cells) != width:
                    raise Refused(f"it has {len(cells)} cells where the heading has {width}.")
                found = {
                    field: normalize("NFC", cells[place]).strip() for field, place in places.items()
                }
                values = understood(found)
                once_only(values, row, seen)
                rows.append((row, values))
        except Refused as problem:
            bad.append(Bad(row, str(problem), next(iter(problem.errors), ""), known_by(found)))
    return rows, bad, list(left_out(table[top:], places.values()))


def known_by(cells: dict[str, str]) -> tuple[str, str] | None:
    """UPN and folded name of a row that is not taken, so that nobody takes the child for one who
    is not in the list; None where neither can be read: half a name is nobody's.
    """
    names = [cells[field] for field in ("name", "forename", "surname") if field in cells]
    upn, name = cells.get("upn", "").upper(), " ".join(fold(" ".join(names)).split())
    known = upn if re.fullmatch(UPN, upn) else "", name if all(names) else ""
    return known if any(known) else None


def table_of(text: str, most: int | None = None) -> Iterator[list[str]]:
    """The rows of a CSV text, the first `most` of them or all. Raises Refused where it is none, or
    would fill the memory.
    """
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        for number, cells in enumerate(islice(reader, most)):
            if number >= MOST_ROWS:
                raise Refused(
                    f"The list has more than {MOST_ROWS:,} rows. Export only the pupils who are "
                    "on roll. Nothing was saved."
                )
            if number < TOP and len(cells) > MOST_COLUMNS:
                raise Refused(
                    f"The list has more than {MOST_COLUMNS} columns. Export only what is needed: "
                    "name, date of birth, UPN, year, leaving date. Nothing was saved."
                )
            yield cells
    except csv.Error as problem:
        raise Refused(f"This is not a whole CSV list: {problem}. Nothing was saved.") from None


def known_heading(table: list[list[str]]) -> int | None:
    """The place of the row that names the columns by names that we know, or None."""
    return next((place for place, cells in enumerate(table[:TOP]) if columns_of(cells)), None)


def heading_of(table: list[list[str]]) -> int:
    """The place of the row that names the columns: the one whose names we know, else the first
    with two cells or more. Raises Refused where that is about a child already.
    """
    known = known_heading(table)
    if known is not None:
        return known
    several = (place for place, cells in enumerate(table[:TOP]) if sum(map(bool, cells)) > 1)
    first = next(several, None)
    if first is None:
        raise Refused(COLUMNS)
    if any(is_data(cell.strip()) for cell in table[first]):
        raise Refused(NO_HEADING)
    return first


def is_data(cell: str) -> bool:
    """Whether a cell says something of a child: a date or a UPN."""
    if re.fullmatch(UPN, cell.upper()):
        return True
    with suppress(Refused):
        return day_of(cell, "") is not None
    return False


def labels(cells: list[str]) -> list[str]:
    """What the columns of a heading are called on the screen, each by a name of its own."""
    bare = [
        " ".join("".join(one if one.isprintable() else " " for one in cell).split())[:60]
        for cell in cells
    ]
    numbered = [f"{text or 'no heading'} (column {number})" for number, text in enumerate(bare, 1)]
    own = [
        text if text and bare.count(text) == 1 else number
        for text, number in zip(bare, numbered, strict=True)
    ]
    return own if len(set(own)) == len(own) else numbered


def opened(content: bytes) -> tuple[list[str], dict[str, str], list[list[str]]]:
    """What is shown of a file (bytes) so that a person can match its columns: (the labels of the
    columns, {field: label} of those that are known by their usual names, the first rows below).
    """
    table = list(table_of(decoded(content), TOP + SHOWN))
    top = heading_of(table)
    named = labels(table[top])
    known = {field: named[place] for field, place in one_name(*usual(table[top])).items()}
    return named, known, [row for row in table[top + 1 :] if any(row)][:SHOWN]


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or Windows-1252, as spreadsheets save it. Raises Refused
    for what is none, or was cut off in a letter.
    """
    for begins, kind in BOOKS.items():
        if content.startswith(begins):
            raise Refused(
                f"This is {kind}, not a CSV list. Open it in the spreadsheet, choose File, Save "
                "as, “CSV UTF-8 (comma delimited)”, and take the file that this makes. Nothing "
                "was saved."
            )
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        code = "utf-16"
    elif content[:1] == b"\0" or content[1:2] == b"\0":
        code = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
    else:
        whole = content.decode("utf-8", "ignore")
        code = (
            "cp1252"
            if whole.isascii() and not content.isascii() and not cut(content)
            else "utf-8-sig"
        )
    try:
        return content.decode(code)
    except UnicodeDecodeError:
        raise Refused(
            "This is a list neither in UTF-8 nor in UTF-16 nor in Windows-1252, or it was cut "
            "off. Save it as “CSV UTF-8”. Nothing was saved."
        ) from None


def cut(content: bytes) -> bool:
    """Whether the file ends within a letter of UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as problem:
        return problem.reason == "unexpected end of data"
    return False


def delimiter_of(text: str) -> str:
    """What separates the cells: that which makes a heading of one of the first rows, else that
    which makes the most cells.
    """
    tops = {delimiter: begun(text, delimiter) for delimiter in ",;\t"}
    for place in range(TOP):
        for delimiter, rows in tops.items():
            if place < len(rows) and columns_of(rows[place]):
                return delimiter
    return max(tops, key=lambda one: max((len(cells) for cells in tops[one]), default=0))


def begun(text: str, delimiter: str) -> list[list[str]]:
    """The first rows, as far as they can be read with this delimiter."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for cells in islice(csv.reader(StringIO(text, newline=""), delimiter=delimiter), TOP):
            rows.append(cells)
    return rows


def columns_of(cells: list[str]) -> dict[str, int]:
    """{field: the place of its column} of a heading; {} for a row that is none. The legal name
    counts, whatever else stands beside it.
    """
    columns, found = usual(cells)
    both = {"forename", "surname"} <= columns.keys()
    if "date_of_birth" not in columns or not ("name" in columns or both):
        return {}
    return one_name(columns, found)


def usual(
    cells: list[str], headings: dict[str, tuple[str, ...]] = HEADINGS
) -> tuple[dict[str, int], dict[str, str]]:
    """({field: the place of its column}, {field: its heading or ""}) of the columns that are known
    by their usual names, which are `headings`.
    """
    heading = [plainly(cell) for cell in cells]
    found = {
        field: next((name for name in names if name in heading), "")
        for field, names in headings.items()
    }
    return {field: heading.index(name) for field, name in found.items() if name}, found


def one_name(columns: dict[str, int], found: dict[str, str]) -> dict[str, int]:
    """The columns without a second way to the name: whole, or in two; the legal one counts."""
    both = {"forename", "surname"} <= columns.keys()
    legal = {field for field, name in found.items() if "legal" in name}
    twofold = both and (
        "name" not in columns or ("name" not in legal and {"forename", "surname"} <= legal)
    )
    if "name" not in columns:
        return columns
    return {
        field: place
        for field, place in columns.items()
        if field not in ({"name"} if twofold else {"forename", "surname"})
    }


def plainly(cell: str) -> str:
    """A heading without capitals and signs: “D.O.B.” is “d o b”."""
    return " ".join(re.findall(r"\w+", cell.casefold().replace("_", " ")))


def left_out(table, places):
    """The columns of which nothing is kept, in sentences: those that are known for what they are,
    and those that are not.
    """
    others = {
        place: heading.strip() for place, heading in enumerate(table[0]) if place not in places
    }
    others = {
        place: heading or f"column {place + 1}, which has no heading"
        for place, heading in others.items()
        if heading or any(row[place : place + 1] not in ([], [""]) for row in table[1:])
    }
    expected = {name for names in HEADINGS.values() for name in names}
    known = [
        name
        for name in others.values()
        if plainly(name) in expected or re.match(rf"({KNOWN})\b", plainly(name))
    ]
    strange = [name for name in others.values() if name not in known]
    if known:
        yield f"Known, and not kept here: {'; '.join(known)}."
    if strange:
        yield (
            f"Not understood, and left out: {'; '.join(strange)}. If one of them is a name, "
            "date of birth, UPN, year or leaving date, rename it."
        )


def once_only(values, row, seen):
    """Refuse a child who stands in the list twice. Two with a UPN each may share name and date of
    birth: they are two.
    """
    upn, bare = values.get("upn"), who(values["name"], values["date_of_birth"])
    for key in [upn, (bare, "without")] if upn else [bare]:
        if key in seen:
            why = f"it {'has the UPN' if key == upn else 'is the child'} of row {seen[key]}."
            raise Refused(why, {"upn" if key == upn else "name": why})
    for key in (upn, bare) if upn else (bare, (bare, "without")):
        seen.setdefault(key, row)


def who(name: str, born: date) -> tuple[str, date]:
    """By what a child without a UPN is known: the name however it is spelt, and the date of
    birth.
    """
    return " ".join(fold(name).split()), born


def understood(cells: dict[str, str]) -> dict[str, Any]:
    """What a row says, as a child's fields. Raises Refused for the first thing that cannot be."""
    names = [cells["name"]] if "name" in cells else [cells["forename"], cells["surname"]]
    values: dict[str, Any] = {"name": " ".join(" ".join(names).split())}
    if not all(names):
        raise of("name", "the name is missing.")
    if set("?\ufffd") & set(values["name"]):
        raise of(
            "name",
            "the name holds a question mark: a letter was lost when the list was saved. Save it "
            "as “CSV UTF-8”.",
        )
    if values["name"][0] in "=+-@":
        raise of("name", f"the name begins with “{values['name'][0]}”: it may be a formula.")
    values["date_of_birth"] = day(cells, "date_of_birth", "date of birth")
    if upn := cells.get("upn", "").upper():
        values["upn"] = upn
    if "year" in cells:
        plain = PLAIN_YEAR.fullmatch(cells["year"])
        values["year"] = f"Year {plain[1]}" if plain else cells["year"]
    if "left_on" in cells:
        values["left_on"] = day(cells, "left_on", "leaving date")
    for field, sentence in Child(**values).wrong().items():
        raise of(field, sentence[0].lower() + sentence[1:])
    return values


def of(field: str, sentence: str) -> Refused:
    """What is wrong with a row, and with which field of it."""
    return Refused(sentence, {field: sentence})


def day(cells: dict[str, str], field: str, what: str) -> date | None:
    """The date in the cell of `field`, or None."""
    try:
        return day_of(cells[field], what)
    except Refused as problem:
        raise of(field, str(problem)) from None


def day_of(text: str, what: str) -> date | None:
    """A date such as 22/11/2013, 2013-11-22 or 22 November 2013, alone or with midnight; None for
    nothing.
    """
    bare = re.sub(r"[ T]00:00(:00(\.0+)?)?$", "", " ".join(text.split()))
    for form in DAYS if bare else ():
        try:
            return datetime.strptime(bare, form).date()
        except ValueError:
            pass
    if text:
        raise Refused(f"the {what} is not a date such as 22/11/2013.")
    return None
