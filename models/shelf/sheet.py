"""Emergency sheets: for each Level 5 who wants one, a PDF made anew each night of who is on a plan
and whom to ring, encrypted, to be opened by any reader of PDFs when nothing else works.

The sheet is locked by a passphrase of its person (AES-256, as PDF 2.0 has it). Neither the
passphrase nor a hash of it that could be guessed at is kept: only the key of the file and what the
PDF says of the passphrase, under the installation's own key. On disk there is never a plain one.
"""

import io
import json
import logging
import secrets
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.fernet import Fernet, InvalidToken
from peewee import CharField, ForeignKeyField, TextField

from models.case.annex import Somebody, annexed
from models.case.case import Case
from models.case.child import Child, Flag
from models.case.guidance import Guidance
from models.case.incident import Incident
from models.case.relation import Relation
from models.ground.clock import LONDON, now
from models.ground.database import transaction
from models.ground.fields import Json, Moment
from models.ground.record import Base, NoIncident, Refused, without_words
from models.ground.settings import put, settings
from models.ground.words import pages
from models.history.event import Event
from models.history.paper import to_pdf
from models.history.step import starts
from models.people.setting import Setting
from models.people.user import User

SHORTEST = 12  # characters of a passphrase
PLAN = ("child protection", "child in need", "looked after")  # what a flag of a plan begins with
OLD = timedelta(days=2)
VALUES = ("O", "U", "OE", "UE", "Perms")  # what a PDF says of its passphrase
AGAIN: dict[int, datetime] = {}  # {id of a sheet that could not be made: when it is tried again}
log = logging.getLogger("safeguarding")


class Entry(NamedTuple):
    """One child on a sheet, as far as its reader sees it."""

    child: Child
    flags: list[Flag]
    cases: list[Case]
    people: list[Relation]


def own_key() -> Fernet:
    """What keeps the keys of the sheets apart from whoever has the database alone."""
    secret = settings.secret("secret.key", lambda: secrets.token_hex(32).encode())
    return Fernet(urlsafe_b64encode(sha256(b"emergency sheet:" + secret).digest()))


def lock_of(passphrase: str) -> str:
    """What is kept to lock the sheets of each night for this passphrase: not the passphrase."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.encrypt(passphrase, algorithm="AES-256")
    made: Any = writer._encryption
    kept = {name: b64encode(getattr(made.values, name)).decode() for name in VALUES}
    kept["key"] = b64encode(made._key).decode()
    return own_key().encrypt(json.dumps(kept).encode()).decode()


def locked(pdf: bytes, lock: str) -> bytes:
    """`pdf` encrypted, in memory, for the passphrase that `lock` was made of. Raises Refused where
    the key of the installation is another one by now.
    """
    from pypdf import PdfWriter

    try:
        kept = {k: b64decode(v) for k, v in json.loads(own_key().decrypt(lock.encode())).items()}
    except InvalidToken:
        raise Refused("The sheet’s key cannot be read: choose the passphrase anew.") from None
    writer, out = PdfWriter(clone_from=io.BytesIO(pdf)), io.BytesIO()
    # a passphrase nobody knows, in place of which comes what the PDF is to say of the real one
    writer.encrypt(secrets.token_urlsafe(32), algorithm="AES-256")
    made, entry = writer._encryption, writer._encrypt_entry
    from pypdf.generic import ByteStringObject, NameObject

    made._key = kept["key"]  # type: ignore[union-attr]
    for name in VALUES:
        setattr(made.values, name, kept[name])  # type: ignore[union-attr]
        entry[NameObject(f"/{name}")] = ByteStringObject(kept[name])  # type: ignore[index]
    writer.write(out)
    return out.getvalue()


class Sheet(Base):
    """The emergency sheet of one Level 5: it holds what they may read, and nobody else opens it."""

    belongs, keeps = NoIncident("each is of one person"), "free"

    user = ForeignKeyField(User, unique=True, backref="sheets", on_delete="RESTRICT")
    lock = TextField()
    chosen_at = Moment(default=now)
    made_at = Moment(null=True)
    sha256 = CharField(null=True, max_length=64)
    holds = Json(default=list)  # [[ids of children], [ids of cases]]: what must still be theirs

    def __str__(self):
        return f"the emergency sheet of {self.user}"

    @property
    def path(self) -> Path:
        """Where it lies."""
        return settings.folder / "sheets" / f"{self.user_id}.pdf"

    @classmethod
    @starts()
    def choose(cls, by: User, passphrase: str) -> "Sheet":
        """Choose the passphrase that opens the sheet of `by`, from the next one on; the one made
        with another passphrase is removed.
        """
        if len(passphrase) < SHORTEST:
            sentence = f"Choose {SHORTEST} characters or more: four words that do not belong."
            raise Refused("Nothing was saved.", {"passphrase": sentence})
        if not passphrase.isprintable():
            sentence = "This holds a sign that no reader of PDFs lets you type. Choose another one."
            raise Refused("Nothing was saved.", {"passphrase": sentence})
        lock = lock_of(passphrase)
        with transaction():
            sheet = cls.get_or_none(cls.user == by) or cls(user=by)
            sheet.lock, sheet.chosen_at, sheet.made_at = lock, now(), None
            sheet.sha256, sheet.holds = None, []
            sheet.save()
            Event.write("sheet:choose", sheet, by)
        sheet.path.unlink(missing_ok=True)
        AGAIN.pop(sheet.id, None)
        return sheet

    @classmethod
    def of(cls, by: User) -> "Sheet | None":
        """The sheet of `by`, if they chose a passphrase for one."""
        return cls.get_or_none(cls.user == by)

    def due(self) -> bool:
        """Whether it is of another day than today (Europe/London), or was not made yet."""
        today = now().astimezone(LONDON).date()
        return not self.made_at or self.made_at.astimezone(LONDON).date() != today

    @classmethod
    def make_due(cls, visible: Callable) -> int:
        """Make those that are due; returns how many. One that cannot be made holds up none of the
        others, and who is no Level 5 any more has none. visible: the policy.
        """
        made = 0
        for sheet in list(cls.select(cls, User).join(User).order_by(cls.id)):
            if not sheet.user.active or not sheet.user.may("sheet:choose"):
                sheet.path.unlink(missing_ok=True)
                continue
            if not sheet.due() or AGAIN.get(sheet.id, now()) > now():
                continue
            try:
                sheet.make(visible)
                made += 1
            except Exception as problem:  # its text may quote a record
                AGAIN[sheet.id] = now() + timedelta(hours=1)
                log.error("emergency sheet %s: %s", sheet.id, without_words(problem))
        return made

    def make(self, visible: Callable) -> None:
        """Make it as its person would read it now, and put it in the place of the last one."""
        entries = list(gather(self.user, visible))
        content = locked(to_pdf(self.words(entries), seconds=300), self.lock)
        cases = {case.id for entry in entries for case in entry.cases}
        with transaction():
            fresh = type(self).get_by_id(self.id)
            if fresh.lock != self.lock:
                return  # another passphrase was chosen meanwhile
            put(self.path, content)
            self.path.chmod(0o600)
            fresh.made_at, fresh.sha256 = now(), sha256(content).hexdigest()
            fresh.holds = [sorted(entry.child.id for entry in entries), sorted(cases)]
            fresh.save()
            Event.write("sheet:make", fresh, None, sha256=fresh.sha256)

    def words(self, entries: Iterable[Entry]) -> str:
        """The page that becomes its PDF."""
        entries, by = list(entries), self.user
        within = by.within("sheet:choose")
        setting = next(iter(within)) if within and len(within) == 1 else None
        guidance = Guidance.of(setting)
        html = pages.get_template("pdf/sheet.html").render(
            sheet=self,
            by=by,
            letterhead=Setting.letterhead(guidance.setting),
            guidance=guidance,
            team=Guidance.team(setting),
            entries=entries,
            head=Event.head(),
        )
        return annexed(
            html,
            [
                *(Somebody(one.name, one.title) for one in Guidance.team(setting)),
                *(Somebody(entry.child.name, "child") for entry in entries),
                *(Somebody(one.who, one.kind.lower(), one.added_at)
                  for entry in entries for one in entry.people),
            ],
        )  # fmt: skip

    def content(self, visible: Callable) -> bytes:
        """What is downloaded, as long as all that stands in it is still its person's to read.

        Raises Refused where there is none, and where something was shut to them since it was made:
        then another is made in its place at once.
        """
        if not self.made_at or not self.path.exists():
            raise Refused("The sheet has not been made yet. It comes within a few minutes.")
        content = self.path.read_bytes()
        shut = any(
            visible(model, self.user).where(model.id.in_(ids)).count() < len(ids)
            for model, ids in zip((Child, Case), self.holds, strict=False)
        )
        if shut or sha256(content).hexdigest() != self.sha256:
            with transaction():
                fresh = type(self).get_by_id(self.id)
                fresh.made_at, fresh.sha256, fresh.holds = None, None, []
                fresh.save()
            self.path.unlink(missing_ok=True)
            raise Refused("The sheet is being made anew. It comes within a few minutes.")
        return content

    @classmethod
    def late(cls) -> list["Sheet"]:
        """Those that were not made for two days, of people who still have one."""
        rows = cls.select(cls, User).join(User).where(cls.chosen_at < now() - OLD, User.active)
        rows = rows.where(cls.made_at.is_null() | (cls.made_at < now() - OLD))
        return [one for one in rows if one.user.may("sheet:choose")]


def gather(by: User, visible: Callable) -> Iterator[Entry]:
    """The children on a plan, and of the open cases, as far as `by` sees them, by name."""
    alive = visible(Case, by).where(Case.status.in_(Case.ALIVE))
    rows = alive.select(Case, Incident, Child).join(Incident).join(Child).order_by(Case.id)
    cases: dict[int, list[Case]] = {}
    for case in rows:
        cases.setdefault(case.incident.child_id, []).append(case)
    flags: dict[int, list[Flag]] = {}
    today = now().astimezone(LONDON).date()
    in_force = Flag.until.is_null() | (Flag.until >= today)
    for flag in visible(Flag, by).where(in_force).order_by(Flag.since):
        flags.setdefault(flag.child_id, []).append(flag)
    planned = {
        id for id, some in flags.items() if any(f.kind.lower().startswith(PLAN) for f in some)
    }
    children = list(
        visible(Child, by).where(Child.id.in_({*cases, *planned})).order_by(Child.name, Child.id)
    )
    around: dict[int, list[Relation]] = {}
    people = visible(Relation, by).where(
        Relation.child.in_([child.id for child in children]), Relation.ended_at.is_null()
    )
    for one in people.order_by(Relation.id):
        around.setdefault(one.child_id, []).append(one)
    for child in children:
        yield Entry(
            child, flags.get(child.id, []), cases.get(child.id, []), around.get(child.id, [])
        )
