"""Injuries and marks: the rows of a report's body map, and where each stands on the drawing.

The drawing (static/body.svg) says which views and areas there are; no list of them is kept beside.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree  # noqa: S405 it reads our own drawing

from models.ground.fields import Rows
from models.ground.words import counted, pages
from models.history.drawing import as_address, outlines

DRAWING = Path(__file__).parents[2] / "static" / "body.svg"
SHIPPED = Path(__file__).parents[1] / "body.toml"
SVG = "{http://www.w3.org/2000/svg}"
POINT = re.compile("([0-9]{1,4}) ([0-9]{1,4})")  # of a view, from its left and its top
SET = ("x", "y", "font-size")  # of a word of the drawing
DISC = 18  # how large a number is drawn
TALL, SQUARE = 34, 54  # millimetres: how wide a figure is on paper


class View(NamedTuple):
    """One of the figures of the body map."""

    name: str
    left: int  # where it stands on the sheet
    width: int
    height: int

    @property
    def title(self) -> str:
        return self.name.capitalize()


class Area(NamedTuple):
    """A part of the body in one view, and its middle."""

    name: str
    view: View
    x: int
    y: int

    @property
    def part(self) -> str:
        """What it is, without view and side: “Front: left forearm” is a forearm."""
        return re.sub(r"\b(left|right) ", "", self.name.partition(": ")[2])


class Prompt(NamedTuple):
    """What is said where marks are: where they lie in some areas, or the child is so young."""

    says: str
    source: str
    areas: Sequence[str] = ()
    months: int = 0


@cache
def sheet() -> dict[View, Any]:
    """The views, in their order, each with its drawing as XML."""
    root = ElementTree.parse(DRAWING).getroot()  # noqa: S314 our own
    found = {}
    for group in root.iter(f"{SVG}g"):
        if size := group.get("data-size"):
            left = re.search(r"\d+", group.get("transform", "0"))
            width, height = map(int, size.split())
            found[View(str(group.get("id")), int(left[0]) if left else 0, width, height)] = group
    return found


@cache
def areas() -> dict[str, Area]:
    """The areas of all views by their names, in their order."""
    found = {}
    for view, group in sheet().items():
        for shape in group.iter(f"{SVG}polygon"):
            if name := shape.get("data-area"):
                points = [tuple(map(float, one.split(","))) for one in shape.get("points").split()]
                x, y = (round(sum(axis) / len(points)) for axis in zip(*points, strict=True))
                found[name] = Area(name, view, x, y)
    return found


@cache
def prompts() -> list[Prompt]:
    """What is shipped, in order."""
    told = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return [Prompt(**row) for row in told["prompt"]]


class Injuries(Rows):
    """The rows of a body map: one for each injury or mark."""

    AT = "at"  # the column that nobody reads: the point of the view that was touched

    def __init__(self, columns=None, **kwargs):
        columns = {
            "side": ("Where on the body", areas),
            "place": "Exact place, in words",
            "kind": ("Kind", "kind of injury or mark"),
            "size": "Size in cm",
            "colour": "Colour",
            "broken": ("Skin broken", ["No", "Yes", "Not seen"]),
            self.AT: "Point on the drawing",
            "note": "Note",
        }
        kwargs.setdefault("verbose_name", "Injuries or marks")
        kwargs.setdefault("help_text", "One for each. Leave empty if there is none.")
        super().__init__(columns, **kwargs)


@dataclass(frozen=True)
class Injury:
    """One row with its number in the incident; `later`: the addendum that it came with, if any."""

    number: int
    row: dict
    later: Any = None

    @cached_property
    def area(self) -> Area | None:
        """Where it lies; None for one of before there was a body map, or told in words only."""
        return areas().get(str(self.row.get("side") or ""))

    @property
    def point(self) -> tuple[int, int] | None:
        """Its place in the view: what was touched, else the middle of its area."""
        if not self.area:
            return None
        return point_of(self.row) or (self.area.x, self.area.y)

    @property
    def where(self) -> str:
        """Where it is, in words."""
        told = [self.row.get("side"), self.row.get("place")]
        return "; ".join(str(one) for one in told if one) or "Place not given"

    @property
    def facts(self) -> list[str]:
        """What else is said of it."""
        labels = {"size": "{} cm", "colour": "colour: {}", "broken": "skin broken: {}"}
        told = [(name, self.row.get(name)) for name in ("kind", *labels, "note")]
        return [
            value if name == "size" and "cm" in value else labels.get(name, "{}").format(value)
            for name, value in ((name, str(value)) for name, value in told if value)
        ]


def point_of(row: dict) -> tuple[int, int] | None:
    """The point of the view that was touched, if any."""
    found = POINT.fullmatch(str(row.get(Injuries.AT) or ""))
    return (int(found[1]), int(found[2])) if found else None


def settled(rows: Iterable[dict] | None) -> list[dict]:
    """Rows as they are kept: a point that lies in no view of its area is none, and a row that has
    only a point is no mark.
    """
    kept = []
    for row in rows or ():
        area, point = areas().get(str(row.get("side") or "")), point_of(row)
        lies = area and point and point[0] <= area.view.width and point[1] <= area.view.height
        if row.get(Injuries.AT) and not lies:
            row = row | {Injuries.AT: ""}
        if any(row.values()):
            kept.append(row)
    return kept


def numbered(incident: Any, addenda: Iterable[Any]) -> list[Injury]:
    """The injuries and marks of an incident, those that were added later after the first."""
    told = [(None, row) for row in incident.injuries or ()]
    told += [(one, row) for one in addenda for row in one.injuries or ()]
    return [Injury(number, row, later) for number, (later, row) in enumerate(told, 1)]


def by_view(found: Iterable[Injury]) -> list[tuple[View, list[Injury]]]:
    """The views in which any of these lies, each with its own."""
    found = list(found)
    drawn = {view: [one for one in found if one.area and one.area.view == view] for view in sheet()}
    return [(view, some) for view, some in drawn.items() if some]


def met(found: Iterable[Injury], born: date | None, noticed: date) -> list[tuple[Prompt, list]]:
    """The prompts that these meet, each with the numbers of which it says so: none for one that is
    of the age alone. born: None where the reader may not know it.
    """
    found, told = list(found), []
    for prompt in prompts():
        here = [one.number for one in found if one.area and one.area.part in prompt.areas]
        month = (noticed.year - born.year) * 12 + noticed.month - born.month if born else 999
        young = month - (noticed.day < born.day if born else 0) < prompt.months
        if found and (here or young):
            told.append((prompt, here))
    return told


def figure(view: View, found: Iterable[Injury]) -> str:
    """The drawing of one view with the numbers of these, as an SVG for paper."""
    ElementTree.register_namespace("", SVG[1:-1])
    parts = []
    for part in sheet()[view]:
        if part.get("class") == "areas":
            continue
        words = list(part.iter(f"{SVG}text"))
        for one in words:
            drawn = outlines(one.text or "", *(float(one.get(key, 0)) for key in SET))
            parts.append(f'<path d="{drawn}" fill="#3b4652" stroke="none"/>')
        if not words:
            parts.append(ElementTree.tostring(part, encoding="unicode"))
    for one in found:
        x, y = one.point or (0, 0)
        number = outlines(str(one.number), x, y + DISC / 2, DISC * 1.4)
        parts.append(f'<circle cx="{x}" cy="{y}" r="{DISC}" fill="#0b4f5c" stroke="#fff"/>')
        parts.append(f'<path d="{number}" fill="#fff" stroke="none"/>')
    size = f'width="{view.width}" height="{view.height}"'
    return (
        f'<svg xmlns="{SVG[1:-1]}" {size} viewBox="0 0 {view.width} {view.height}">'
        '<g fill="#fff" stroke="#55606c" stroke-width="3" stroke-linejoin="round" '
        f'stroke-linecap="round">{"".join(parts)}</g></svg>'
    )


def figures(found: Iterable[Injury]) -> list[tuple[str, str, int, int]]:
    """For paper: [(title, address of the picture, width, height in millimetres)] of each view in
    which something lies.
    """
    told = []
    for view, some in by_view(found):
        wide = TALL if view.height > view.width else SQUARE
        picture = as_address(figure(view, some))
        told.append((title(view, some), picture, wide, wide * view.height // view.width))
    return told


def title(view: View, found: Sequence[Injury]) -> str:
    """What stands below a figure: “Front: marks 1 and 3”."""
    *most, last = [str(one.number) for one in found]
    numbers = f"marks {', '.join(most)} and {last}" if most else f"mark {last}"
    return f"{view.title}: {numbers}"


def counted_marks(rows: Sequence[dict] | None) -> str:
    """How many there are, as a fact of a line of the chronology; "" for none."""
    return f"{counted(len(rows), 'mark')} on the body map" if rows else ""


pages.filters.update(figures=figures)
