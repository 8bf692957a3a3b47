"""The list of children as a school's own system (SIMS, Arbor, Bromcom) exports it, read: which
columns it has, and what each row says.
"""

import csv
import re
from datetime import date, datetime
from io import StringIO
from typing import Any
from unicodedata import normalize

from models.case.child import Child
from models.ground.database import fold
from models.ground.record import Refused

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
DAYS = ("%d/%m/%Y", "%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%m-%Y", "%d.%m.%Y")
COLUMNS = (
    "A row at the top must name the columns: Name (or Forename and Surname), Date of "
    "birth; UPN, Year, Left on. Nothing was saved."
)


def read(
    content: bytes,
) -> tuple[list[tuple[int, dict[str, Any]]], list[tuple[int, str]], list[str]]:
    """([(row, {field: value})], [(row, what is wrong)], [what became of the other columns, in
    sentences]) of a CSV file (bytes).

    Rows are numbered as a spreadsheet does. Raises Refused for what is no such list.
    """
    text = decoded(content)
    try:
        table = list(
            csv.reader(StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
        )
    except csv.Error as problem:
        raise Refused(f"This is not a whole CSV list: {problem}. Nothing was saved.") from None
    top = next((place for place, cells in enumerate(table[:TOP]) if columns_of(cells)), None)
    if top is None:
        raise Refused(COLUMNS)
    columns = columns_of(table[top])
    rows, bad, width = [], [], len(table[top])
    seen: dict[Any, int] = {}
    for row, cells in enumerate(table[top + 1 :], top + 2):
        try:
            if any(cells):
                if row == len(table) and not text.endswith(("\n", "\r")):
                    raise Refused(
                        "it is the last and its line does not end: the list may be cut off here."
                    )
                if len(cells) != width:
                    raise Refused(f"it has {len(cells)} cells where the heading has {width}.")
                values = understood(
                    {
                        field: normalize("NFC", cells[place]).strip()
                        for field, place in columns.items()
                    }
                )
                once_only(values, row, seen)
                rows.append((row, values))
        except Refused as problem:
            bad.append((row, str(problem)))
    return rows, bad, list(left_out(table[top:], columns.values()))


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, UTF-16 or Windows-1252, as spreadsheets save it. Raises Refused
    for what is none, or was cut off in a letter.
    """
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
    """What separates the cells: that which makes a heading of one of the first lines."""
    for line in text.splitlines()[:TOP]:
        for delimiter in ",;\t":
            if columns_of(next(csv.reader([line], delimiter=delimiter))):
                return delimiter
    raise Refused(COLUMNS)


def columns_of(cells: list[str]) -> dict[str, int]:
    """{field: the place of its column} of a heading; {} for a row that is none. The legal name
    counts, whatever else stands beside it.
    """
    heading = [plainly(cell) for cell in cells]
    found = {
        field: next((name for name in names if name in heading), "")
        for field, names in HEADINGS.items()
    }
    columns = {field: heading.index(name) for field, name in found.items() if name}
    both = {"forename", "surname"} <= columns.keys()
    if "date_of_birth" not in columns or not ("name" in columns or both):
        return {}
    legal = {field for field, name in found.items() if "legal" in name}
    twofold = both and (
        "name" not in columns or ("name" not in legal and {"forename", "surname"} <= legal)
    )
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
            raise Refused(
                f"it {'has the UPN' if key == upn else 'is the child'} of row {seen[key]}."
            )
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
        raise Refused("the name is missing.")
    if set("?\ufffd") & set(values["name"]):
        raise Refused(
            "the name holds a question mark: a letter was lost when the list was saved. Save it "
            "as “CSV UTF-8”."
        )
    values["date_of_birth"] = day_of(cells["date_of_birth"], "date of birth")
    if upn := cells.get("upn", "").upper():
        values["upn"] = upn
    if "year" in cells:
        values["year"] = cells["year"]
    if "left_on" in cells:
        values["left_on"] = day_of(cells["left_on"], "leaving date")
    for sentence in Child(**values).wrong().values():
        raise Refused(sentence[0].lower() + sentence[1:])
    return values


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
