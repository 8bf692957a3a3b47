"""The roll handed in on the screen: a file chosen, its columns matched, looked at, and imported by
the process that delivers, a few rows at a time.

The rules are those of the command (models/shelf/roll.py). The file lies in the data folder, for its
owner only, outside every backup, until it is imported, thrown away, or a day old.
"""

import json
import logging
import time
from collections import Counter
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from time import sleep
from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, OperationalError, TextField

from models.case.child import Child
from models.ground.clock import now, today
from models.ground.database import transaction
from models.ground.fields import Json, Moment, Pick
from models.ground.record import Base, NoIncident, Record, Refused, without_words
from models.ground.settings import put, settings
from models.history.event import Event
from models.history.step import step
from models.people.setting import Setting
from models.people.user import User

from . import roll
from .pupil_list import Bad, opened, read

LARGEST = 5_000_000  # bytes: some 40,000 pupils
OPEN = 5  # files that one person may have here at a time
ABANDONED, KEPT = timedelta(days=1), timedelta(days=30)  # a file; what became of it
SLICE = 15  # seconds of one round, between which emails are delivered
FIELDS = {  # what a column may be: (label, hint)
    "name": ("Full name", "Or first name and family name, if they stand in two columns."),
    "forename": ("First name", "The legal one, where the file has several."),
    "surname": ("Family name", "The legal one, where the file has several."),
    "date_of_birth": ("Date of birth", "The day first, as in 22/11/2013."),
    "upn": ("UPN", "By it a child is known again whose name has changed."),
    "year": ("Year or unit", ""),
    "left_on": ("Left on", "Whoever has left is no longer offered to those who report."),
}
log = logging.getLogger("safeguarding")


def folder() -> Path:
    """Where the files lie until they are imported."""
    return settings.folder / "rolls"


class RollColumns(Base):
    """How the columns of a file were matched: files with the same headings are matched so again."""

    belongs, keeps = NoIncident("headings of a list, and no child"), "free"

    headings = CharField(max_length=64, unique=True)  # the digest of their labels
    columns = Json()  # {field: label}
    at = Moment(default=now)

    @staticmethod
    def key(labels: list[str]) -> str:
        """The digest of a set of headings, in whatever order they stand."""
        return sha256(json.dumps(sorted(labels)).encode()).hexdigest()

    @classmethod
    def of(cls, labels: list[str]) -> dict[str, str]:
        """How these headings were matched the last time they were imported; {} for never."""
        found = cls.get_or_none(cls.headings == cls.key(labels))
        columns = found.columns if found and isinstance(found.columns, dict) else {}
        return {field: label for field, label in columns.items() if label in labels}

    @classmethod
    def remember(cls, labels: list[str], columns: dict[str, str]) -> None:
        """Match these headings so the next time."""
        row = cls.get_or_none(cls.headings == cls.key(labels)) or cls(headings=cls.key(labels))
        row.columns, row.at = columns, now()
        row.save()


class Roll(Record):
    """A list of children that somebody handed in on the screen, and what becomes of it."""

    STATUSES = ("to match", "reading", "to confirm", "importing", "imported", "stopped")
    WAITING = STATUSES[:3]  # its file is here, and nothing was saved
    belongs, keeps = NoIncident("the roll is the school's; the file is whose who chose it"), "free"

    by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Chosen by")
    at = Moment(default=now, verbose_name="Chosen")
    name = CharField(max_length=200, verbose_name="File")
    digest = CharField(max_length=64)  # SHA-256 of the file
    status = Pick(fixed=STATUSES, max_length=20, default="to match", verbose_name="Status")
    problem = TextField(null=True)  # a sentence for whoever chose it
    headings = Json()  # the labels of its columns
    columns = Json()  # {field: label}, as matched
    found = Json(null=True)  # what an import would do (Preview), while it is looked at
    bad = Json(null=True)  # [[row, label of the column, sentence, whether a person decides]]
    leavers = Json(null=True)  # ids of those who are said to have left
    counts = Json(null=True)  # how many were added, corrected, as they were; who left
    total = IntegerField(default=0)  # rows that can be taken
    upto = IntegerField(default=0)  # of them, those that are done
    setting = ForeignKeyField(  # whose list it is, where there are several
        Setting, null=True, on_delete="RESTRICT", verbose_name="School or home"
    )

    def __str__(self):
        return self.name

    reference = property(__str__)

    def its_setting(self) -> int | None:
        return self.setting_id  # of none, it is of all

    @property
    def file(self) -> Path:
        return folder() / f"{self.id}.csv"

    @classmethod
    def hand_in(cls, by: User, name: str, content: bytes, setting: Setting | None = None) -> "Roll":
        """Take a file (bytes) in, with its columns matched as far as they are known. Raises Refused
        for what is too large or no such list. setting: the school or home whose list it is, where
        there are several.
        """
        if len(content) > LARGEST:
            raise Refused(
                f"The file is larger than {LARGEST // 1_000_000} MB. Export only the columns that "
                "are needed: name, date of birth, UPN, year, leaving date."
            )
        headings, usual, _rows = opened(content)
        with transaction():
            if cls.select().where(cls.by == by, cls.status.in_(cls.WAITING)).count() >= OPEN:
                raise Refused(
                    f"You have {OPEN} lists here that are not imported. Throw one of them away "
                    "first."
                )
            row = cls.create(
                by=by,
                setting=setting,
                name="".join(one for one in name if one.isprintable())[-200:] or "Without a name",
                digest=sha256(content).hexdigest(),
                headings=headings,
                columns=RollColumns.of(headings) or usual,
            )
            put(row.file, content)
        return row

    def content(self) -> bytes:
        """The file. Raises Refused where it is not here any more."""
        content = self.file.read_bytes() if self.file.exists() else b""
        if sha256(content).hexdigest() != self.digest:
            raise Refused("The file is not here any more. Choose it again.")
        return content

    def match_columns(self, columns: dict[str, str]) -> None:
        """Say which column ({field: label}) is what; the list is read next. Raises Refused for what
        cannot be.
        """
        columns = {field: label for field, label in columns.items() if label}
        wrong = {}
        if "name" in columns and {"forename", "surname"} & columns.keys():
            wrong["name"] = "Choose either the full name, or first name and family name."
        elif "name" not in columns and not {"forename", "surname"} & columns.keys():
            wrong["name"] = "Choose where the name stands, or first name and family name below."
        elif "name" not in columns:
            for field in {"forename", "surname"} - columns.keys():
                wrong[field] = "Choose where it stands: a name has both parts."
        if "date_of_birth" not in columns:
            wrong["date_of_birth"] = "Choose where the date of birth stands."
        for field, label in columns.items():
            if label not in self.headings:
                wrong[field] = "This is no column of the file. Choose one that is."
            elif list(columns.values()).count(label) > 1:
                wrong[field] = f"“{label}” is chosen more than once."
        if wrong:
            raise Refused("The list was not read.", wrong)
        self.columns, self.status = columns, "reading"
        self.found = self.bad = self.problem = None
        self.save()

    def theirs(self, by: User) -> Any:
        """Only the person who chose the file imports it."""
        return by == self.by

    @step("to confirm", "importing", who=theirs)
    def take(
        self, by: User, seen: str = "", sure: Any = None, leavers: Any = None
    ) -> dict[str, Any]:
        """Import it: `seen`, the digest of the preview that was looked at; `sure`, that no column
        has slipped; `leavers`, that those who are not in it have left.
        """
        found = self.found
        if seen != found["digest"]:
            raise Refused("The preview is another one now. Look at it, and press again.")
        if found["odd"] and not sure:
            sentence = "Say that the list is right, or throw it away."
            raise Refused("A column may have slipped. Nothing was saved.", {"sure": sentence})
        self.leavers = found["absent"] if leavers and by.may("child:read", self) else []
        counts = found["counts"]
        if not counts["added"] + counts["corrected"] + len(self.leavers):
            raise Refused("There is nothing to import: everybody is here as the list says.")
        self.counts, self.upto, self.problem = dict.fromkeys((*roll.DONE, "left"), 0), 0, None
        RollColumns.remember(self.headings, self.columns)
        expected = counts | {"left": len(self.leavers), "not taken": len(self.bad)}
        return {"expected": expected, "sure": bool(found["odd"])} | self.said(expected)

    def said(self, counts: dict[str, int]) -> dict[str, Any]:
        """What the history says of a list besides its name: its digest, and how many."""
        numbers = ", ".join(f"{number:,} {what}" for what, number in counts.items())
        return {"sha256": self.digest, "reason": f"Children: {numbers}."}

    @step(WAITING, "stopped", who=theirs)
    def drop(self, by: User) -> None:
        """Throw it away, with its file."""
        self.end("It was thrown away, and nothing of it was saved.")

    def end(self, problem: str | None) -> None:
        """Keep no child of it; the caller saves."""
        self.problem, self.found, self.leavers = problem, None, None
        self.file.unlink(missing_ok=True)

    # what the process that delivers does

    def parsed(self) -> tuple[list, list[Bad]]:
        """([(row, values)], [Bad]) of the file, by the columns that were matched."""
        rows, bad, _others = read(self.content(), self.columns)
        return rows, bad

    def lines(self, bad: list[Bad]) -> list[list]:
        """Bad rows as they are kept and shown."""
        label = self.columns.get
        named = "" if "name" in self.columns else f"{label('forename')}, {label('surname')}"
        columns = {"name": label("name") or named}
        return [
            [one.row, columns.get(one.field) or label(one.field, ""), one.why, one.doubtful]
            for one in sorted(bad, key=lambda one: one.row)
        ]

    def look(self, problem: str | None = None) -> None:
        """Find out what an import would do, and have the person look at it."""
        try:
            rows, bad = self.parsed()
            found, doubtful = roll.preview(rows, bad, self.by, self.setting)
        except Refused as refused:
            self.back(str(refused))
            return
        with transaction():
            fresh = Roll.get_by_id(self.id)
            known = (self.status, self.columns, self.upto)
            if (fresh.status, fresh.columns, fresh.upto) == known:  # else another was first
                fresh.found, fresh.bad = found._asdict(), self.lines([*bad, *doubtful])
                fresh.total, fresh.status, fresh.problem = len(rows), "to confirm", problem
                fresh.save()

    def back(self, problem: str, stop: bool = False) -> None:
        """Let the person match the columns again, with a sentence; or `stop`, as where the file is
        gone or some of it is saved.
        """
        with transaction():
            fresh = Roll.get_by_id(self.id)
            if fresh.status == self.status:
                if stop or fresh.upto or not self.file.exists():
                    fresh.status = "stopped"
                    fresh.end(problem)
                else:
                    fresh.status, fresh.problem, fresh.found = "to match", problem, None
                fresh.save()

    def proceed(self, until: float) -> None:
        """Import on, from where it stands, until the monotonic clock says `until`. Killed, it goes
        on there: the rows of a transaction are saved with how far they go.
        """
        if not self.by.may("roll:take", self):
            self.back("Whoever began it may not import the roll any more.", stop=True)
            return
        try:
            rows, bad = self.parsed()
            seen = self.found["digest"] if not self.upto else ""
            if seen and roll.preview(rows, bad, self.by, self.setting)[0].digest != seen:
                self.look("The roll has changed since you looked. Look again, and press again.")
                return
        except Refused as refused:
            self.back(str(refused))
            return
        whole = len(rows) + len(self.leavers or ())
        while self.upto < whole and time.monotonic() < until:
            wrote = self.batch(rows)
            if wrote is None:
                return  # another process is at it
            if wrote:
                sleep(roll.PAUSE)
        if self.upto >= whole:
            self.finish()

    def batch(self, rows: list) -> bool | None:
        """Import the next rows or, after the last, let the next leavers leave; returns whether any
        child was saved, and None where another process was first.
        """
        with transaction():
            fresh = Roll.get_by_id(self.id)
            if (fresh.status, fresh.upto) != ("importing", self.upto):
                return None
            if fresh.upto < len(rows):
                some = rows[fresh.upto : fresh.upto + roll.BATCH]
                counts, bad = roll.taken(some, self.by, self.setting)
                known = {line[0] for line in fresh.bad}
                lines = [line for line in self.lines(bad) if line[0] not in known]
                fresh.bad = sorted([*fresh.bad, *lines])
                fresh.upto += len(some)
            else:
                start = fresh.upto - len(rows)
                ids = fresh.leavers[start : start + roll.BATCH]
                counts = Counter(left=fresh.leave(ids))
                fresh.upto += len(ids)
            fresh.counts = {what: fresh.counts[what] + counts[what] for what in fresh.counts}
            fresh.save()
        self.__data__ |= fresh.__data__
        return bool(counts["added"] + counts["corrected"] + counts["left"])

    def leave(self, ids: list[int]) -> int:
        """Those of `ids` who are still on roll leave today; returns how many."""
        there = Child.id.in_(ids) & Child.left_on.is_null()
        gone = list(roll.on_roll(self.setting).where(there, Child.date_of_birth <= today()))
        for child in gone:
            changed = child.set(left_on=today())
            child.save()
            Event.write("child:edit", child, self.by, changed, reason="Not in the list.")
        return len(gone)

    def finish(self) -> None:
        """All is imported: say so in the history, and keep no child of the file."""
        with transaction():
            fresh = Roll.get_by_id(self.id)
            if fresh.status != "importing":
                return
            fresh.status = "imported"
            done = fresh.counts | {"not taken": len(fresh.bad)}
            Event.write("roll:finish", fresh, None, **fresh.said(done))
            fresh.end(None)
            fresh.save()


def go_on() -> None:
    """Read and import what people handed in, one list after the other, for SLICE seconds at most.
    What goes wrong with one list stops no other, and no email.
    """
    until = time.monotonic() + SLICE
    due = Roll.select().where(Roll.status.in_(("reading", "importing"))).order_by(Roll.id)
    for row in list(due):
        if time.monotonic() >= until:
            return
        try:
            if row.status == "reading":
                row.look()
            else:
                row.proceed(until)
        except (OperationalError, OSError):
            raise  # the disk is full, the database busy: it goes on there as soon as it can
        except Exception as problem:
            log.error("the roll: %s", without_words(problem))
            Roll.get_by_id(row.id).back("Something went wrong on our side. Tell IT.")
        if row.status == "importing":
            return  # the next one is compared with the roll as this one leaves it


def forget() -> None:
    """Drop the files that nobody imported for a day, and after 30 days what became of them."""
    old = Roll.status.in_(Roll.WAITING) & (Roll.at < now() - ABANDONED)
    ended = Roll.status.in_(("imported", "stopped")) & (Roll.at < now() - KEPT)
    if Roll.select().where(old | ended).exists():
        Roll.delete().where(old | ended).execute()
    used = Roll.select(Roll.id).where(Roll.status.in_((*Roll.WAITING, "importing")))
    kept = {f"{row.id}.csv" for row in used}
    for file in folder().glob("*") if folder().exists() else ():
        if file.name not in kept and time.time() - file.stat().st_mtime > 60:
            file.unlink(missing_ok=True)  # a minute: one may be on its way in
