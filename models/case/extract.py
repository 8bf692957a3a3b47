"""Copies of a chronology: one for each named recipient, with why they get it."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Json, Moment, Pick
from models.ground.record import Refused
from models.ground.words import day, pages, when
from models.history.event import Event
from models.history.step import starts
from models.people.setting import Setting
from models.people.user import User

from .annex import Somebody, annexed
from .child import Child, OfChild
from .line import FACT, Line, clip

WHICH = ["Significant lines", "All lines"]
AS_HERE, COURT, PARTNERS = "As on the page", "For a court", "For a partnership"
COLUMNS = {  # the headings, each with its share of the width
    AS_HERE: (("When", 18), ("What", 46), ("What it is, who wrote it, when", 36)),
    # Public Law Outline: the local authority's chronology
    COURT: (("Serial no.", 8), ("Date", 18), ("Event", 44), ("Witness or document reference", 30)),
    # Tayside's multi-agency chronology
    PARTNERS: (
        ("Date", 13),
        ("Significant event", 29),
        ("Source", 16),
        ("Impact + or −", 10),
        ("Action", 19),
        ("Review", 13),
    ),
}
SPREAD = ("When", "What", "What it is", "Facts", "Written by", "Entered")  # as here, on a sheet
FORMS = ["PDF", "CSV"]


class Extract(OfChild):
    """A copy of a child's chronology for one named recipient, as its maker saw it: its words are
    kept, and printed on each page is for whom.
    """

    keeps, permission = "fixed", "extract:make"
    no_line = "a copy of the chronology"

    recipient = CharField(
        max_length=160,
        verbose_name="For whom",
        help_text="One person, by name and office. Another person gets a copy of their own.",
    )
    reason = TextField(verbose_name="Why they get it", help_text="On what ground it is shared.")
    which = Pick(fixed=WHICH, max_length=40, verbose_name="Which lines")
    columns = Pick(fixed=list(COLUMNS), max_length=40, verbose_name="Columns")
    form = Pick(fixed=FORMS, max_length=10, verbose_name="As")
    words = TextField()
    lines = IntegerField(verbose_name="How many lines")
    # of which it tells: who may not see one any more reads none of it
    incidents = Json(default=list)
    by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Made by")
    at = Moment(default=now, verbose_name="Made")

    def __str__(self):
        return f"chronology of {self.child} for {self.recipient}"

    @property
    def download_name(self) -> str:
        """The name it is handed out under: no name of a child."""
        made = day(self.at.date()).replace(" ", "-")
        return f"chronology-{self.id}-{made}.{self.form.lower()}"

    @classmethod
    @starts()
    def make(cls, child: Child, lines: Sequence[Line], by: User, **asked: Any) -> "Extract":
        """Make the copy of `lines`, the chronology as `by` sees it, oldest first."""
        chosen = [line for line in lines if not line.withdrawn]
        if asked["which"] == WHICH[0]:
            chosen = [line for line in chosen if line.significant]
        if not chosen:
            raise Refused("Nothing was made.", {"which": "There is no such line to be copied."})
        about = {line.record.its_incident() for line in chosen} - {None}
        copy = cls(
            child=child, lines=len(chosen), incidents=sorted(about), by=by, at=now(), **asked
        )
        rows = [cells(line, copy.columns, number) for number, line in enumerate(chosen, 1)]
        headings = COLUMNS[copy.columns]
        if copy.form == "CSV":
            names = [name for name, _width in headings]
            if copy.columns == AS_HERE:  # a cell for each: a sheet is sorted and filtered
                names, rows = list(SPREAD), [spread(line) for line in chosen]
            copy.words = as_csv([names, *rows])
        else:
            html = pages.get_template("pdf/chronology.html").render(
                copy=copy,
                child=child,
                letterhead=Setting.letterhead(child.setting),
                headings=headings,
                rows=rows,
                head=Event.head(),
            )
            copy.words = annexed(html, [*people(copy), *wrote(chosen)])
        with transaction():
            copy.save()
            Event.write(
                "extract:make",
                copy,
                by,
                recipient=copy.recipient,
                reason=copy.reason,
                lines=f"{len(chosen)}, {copy.which.lower()}",
            )
        return copy


def people(copy: Extract) -> list[Somebody]:
    """The child, for whom the copy is, and who made it."""
    return [
        Somebody(copy.child.name, "the child"),
        Somebody(copy.recipient, "for whom this copy is", copy.at),
        Somebody(copy.by.name, copy.by.job_title, copy.at),
    ]


def wrote(chosen: Sequence[Line]) -> list[Somebody]:
    """Whoever has to do with what the lines of a copy are of, with when that was written down: who
    wrote it, first or here, whose it is.
    """
    parts = {
        (id, line.entered)
        for line in chosen
        for field in line.record._meta.sorted_fields
        if getattr(field, "rel_model", None) is User and (id := line.record.__data__[field.name])
    }
    rows = User.select(*User.named()).where(User.id.in_({id for id, _at in parts}))
    people = {one.id: one for one in rows}
    return [Somebody(people[id].name, people[id].job_title, at) for id, at in parts] + [
        Somebody(line.record.written_by, "wrote it first", line.record.written_at)
        for line in chosen
        if getattr(line.record, "written_by", None)
    ]


def cells(line: Line, columns: str, number: int) -> list[str]:
    """The row of one line in the columns of that name. What is not known is left empty: a dash
    would be taken for the minus of an impact.
    """
    what = line.headline
    facts = " · ".join(line.told)
    if columns == AS_HERE:
        entered = line.entered_later
        said = [line.kind, facts, f"entered {entered}" if entered else ""]
        return [line.said, what, " · ".join(filter(None, said))]
    if columns == COURT:
        return [str(number), line.said, f"{what} ({line.kind})", line.source or facts]
    source = line.source or facts or line.kind
    return [line.said, what, source, line.impact[:1], clip(line.action, FACT), line.review]


def spread(line: Line) -> list[str]:
    """The row of one line under SPREAD."""
    facts = " · ".join(text for text in (line.part, *line.facts) if text)
    entered = when(line.entered) if line.entered else ""
    return [line.said, line.headline, line.kind, facts, str(line.who or ""), entered]


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Rows as CSV, in which no cell is a formula."""
    out = StringIO()
    risky = ("=", "+", "-", "@", "\t", "\r")
    for row in rows:
        csv.writer(out).writerow([f"'{cell}" if cell.startswith(risky) else cell for cell in row])
    return out.getvalue()
