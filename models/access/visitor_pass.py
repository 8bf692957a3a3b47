"""Visitor passes: a code for somebody without an account, by which they hand in one report."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from peewee import CharField, ForeignKeyField

from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Json, Moment
from models.ground.record import NoIncident, Record, Refused
from models.ground.words import when
from models.history.event import Event
from models.history.step import starts, step
from models.people.setting import Setting
from models.people.user import User

from .draft import ANEW, KEPT
from .proposal import hashed

LASTS = {
    "4 hours": timedelta(hours=4),
    "1 day": timedelta(days=1),
    "3 days": timedelta(days=3),
    "7 days": timedelta(days=7),
}
WRITING = timedelta(hours=2)  # that whoever began in time may go on writing
LONGEST = 400_000  # characters of what is being written
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another


def spelled() -> str:
    """A new code, as it is read out: three times four letters."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


class VisitorPass(Record):
    """A code made at reception. Of the code only a hash is kept; whether it was used is said by the
    report alone, which the office does not read.

    Whoever made the code knows it, so what is being written is not opened by it: whoever types it
    is given a code of their own for that, which counts instead from their first word on.
    """

    belongs = NoIncident("it opens an empty form, and no record")
    keeps, changes = "submitted", ("status", "version", "own", "draft", "drafted_at")
    unvouched = Record.unvouched | dict.fromkeys(
        ("own", "draft", "drafted_at"), "what somebody is still writing is no record yet"
    )
    STATUSES = ("open", "withdrawn")

    status = CharField(default="open", max_length=20, verbose_name="Status")
    for_whom = CharField(
        max_length=160,
        verbose_name="For whom",
        help_text="Name, and what brings them here. Nothing about a child.",
    )
    setting = ForeignKeyField(
        Setting, null=True, on_delete="RESTRICT", verbose_name="School or home"
    )
    code = CharField(unique=True, max_length=64)
    made_by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Made by")
    made_at = Moment(default=now, verbose_name="Made")
    until = Moment(verbose_name="Valid until")
    own = CharField(null=True, unique=True, max_length=64)  # of the code of who began to write
    draft = Json(null=True)  # [[name, value], …] as typed, theirs alone until they hand it in
    drafted_at = Moment(null=True)

    fresh_code = ""  # the code itself, on the object that has just made it, to be shown once

    def __str__(self):
        return f"pass for {self.for_whom}"

    reference = property(__str__)

    def its_setting(self) -> int | None:
        return self.setting_id

    @classmethod
    def joined(cls, query: Any) -> Any:
        """`query` with the names of who made them."""
        return query.select(cls, *User.named()).join(User, on=(cls.made_by == User.id))

    @property
    def state(self) -> str:
        """How it stands, in words for the office: not whether it was used."""
        over = now() >= self.until
        return self.status if self.status != "open" else "over" if over else "valid"

    @classmethod
    @starts()
    def make(
        cls, by: User, for_whom: str, lasts: str, setting: Setting | None = None
    ) -> "VisitorPass":
        """Make a pass, valid for as long as `lasts` says (a key of LASTS). The code is on the
        object that is returned, once.
        """
        if lasts not in LASTS:
            raise Refused("No code was made.", {"lasts": "Choose how long it is valid."})
        code = spelled()
        with transaction():
            made = cls.create(
                for_whom=for_whom,
                setting=setting,
                code=hashed(code),
                made_by=by,
                made_at=now(),
                until=now() + LASTS[lasts],
            )
            Event.write("visitor_pass:make", made, by, reason=f"Valid until {when(made.until)}.")
        made.fresh_code = code
        return made

    @step("open", "withdrawn")
    def withdraw(self, by: User) -> None:
        """It opens nothing any more. What was handed in with it stays."""

    @classmethod
    def typed(cls, code: str, own: str | None = None) -> "VisitorPass | None":
        """The pass of a code that somebody typed, as long as it is valid; None for any other. The
        code from reception counts until somebody begins to write, and afterwards in the browser
        that holds `own` (a hash); their own code counts anywhere.
        """
        one = hashed(code)
        free = cls.own.is_null() | (cls.own == own)
        found = cls.get_or_none(((cls.code == one) & free) | (cls.own == one))
        return found if found and found.usable(now()) else None

    def usable(self, typed_at: datetime) -> bool:
        """Whether a report may be handed in with it now by who typed its code at `typed_at`: who
        began in time may finish, and come back to it.
        """
        began = typed_at < self.until or self.own is not None
        return self.status == "open" and now() < (self.until + WRITING if began else self.until)

    def write(self, fields: Iterable[tuple[str, str]], own: str, anew: str | None = None) -> None:
        """Keep what is being typed, instead of what was kept before, for whoever holds `own` and,
        if there is one, the new code `anew` in its place (hashes). Raises Refused when it is too
        long, and where another began first.
        """
        kept = [
            (name.replace("\0", ""), value.replace("\0", ""))
            for name, value in fields
            if name not in (*ANEW, "code")
        ]
        if sum(len(name) + len(value) for name, value in kept) > LONGEST:
            raise Refused("This is too long to be kept. Hand it in, or keep a copy of your text.")
        cls = type(self)
        theirs = cls.own.is_null() | (cls.own == own)
        values = {"draft": kept, "drafted_at": now(), "own": anew or own}
        if not cls.update(values).where(cls.id == self.id, theirs).execute():
            raise Refused("Somebody else began to write with this code. Ask for another one.")

    @classmethod
    def forget(cls) -> None:
        """Drop what was begun and not handed in for 30 days."""
        old = cls.drafted_at < now() - KEPT
        cls.update(draft=None, drafted_at=None).where(old).execute()
