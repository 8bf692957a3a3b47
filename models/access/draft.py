"""What somebody is still writing, with the files that they chose: kept on the server, theirs alone,
until it is saved or thrown away.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from peewee import BlobField, CharField, ForeignKeyField, IntegerField, fn

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Json, Moment
from models.ground.record import Base, NoIncident, Refused
from models.ground.settings import settings
from models.people.user import User

ANEW = (
    "csrf_token",
    "once",
    "passphrase_again",
    "hints",
    "mend",
    "draft",
    "leave_out",
)  # what each page of a form has anew: no part of what is typed
KEPT = timedelta(days=30)  # what nobody came back to is forgotten
LONGEST, MOST, ALL = (
    3_000_000,
    60,
    10_000_000,
)  # characters of one draft; drafts, and characters, of one person


FILES, ROOM = 40, 5  # files held with the drafts of one person; how many of the largest they may be


def address(path: str) -> str:
    """The address of a form as the database keeps it, whatever was sent instead of one of ours."""
    return path.replace("\0", "")[:200]


class Draft(Base):
    belongs, keeps = NoIncident("what somebody is still writing is theirs alone"), "free"

    user = ForeignKeyField(User, on_delete="RESTRICT")
    path = CharField(max_length=200)  # the address of the form
    fields = Json()  # [[name, value], …] as typed
    saved_at = Moment(default=now)
    size = IntegerField(null=True)  # characters; null in those of an earlier version

    class Meta:
        indexes = ((("user", "path"), True),)

    @classmethod
    def keep(cls, user: User, path: str, fields: Sequence[tuple[str, str]]) -> None:
        """Keep what is typed into the form at `path`, instead of what was kept before. `fields`:
        [(name, value)].

        Raises Refused, and leaves what was kept before, when it is too long or there are too many:
        disks are not endless.
        """
        fields = [
            (name.replace("\0", ""), value.replace("\0", ""))
            for name, value in fields
            if name not in ANEW
        ]
        size = len(json.dumps(fields, ensure_ascii=False))
        with transaction():
            others = cls.select().where(cls.user == user, cls.path != address(path))
            if size > LONGEST or size + (others.select(fn.SUM(cls.size)).scalar() or 0) > ALL:
                raise Refused(
                    "This is too long to be kept as a draft. Save it, or keep a copy of your text."
                )
            if others.count() >= MOST:
                raise Refused(
                    f"You have {MOST} drafts. Save one of them or throw it away, and this one "
                    "can be kept."
                )
            cls.delete().where(cls.user == user, cls.path == address(path)).execute()
            cls.create(user=user, path=address(path), fields=fields, size=size)

    @classmethod
    def of(cls, user: User, path: str) -> "Draft | None":
        found = next(iter(cls.at(user, address(path))), None)
        return found if found and isinstance(found.fields, list) else None  # a damaged one is none

    @classmethod
    @composed
    def at(cls, user, path):
        return cls.select().where(cls.user == user, cls.path == path)

    @classmethod
    @composed
    def all_of(cls, user: Any) -> Any:
        """The drafts of `user`, newest first."""
        return cls.select().where(cls.user == user).order_by(cls.saved_at.desc(), cls.id.desc())

    @classmethod
    def forget(cls) -> None:
        """Drop those that nobody came back to for 30 days."""
        cls.delete().where(cls.saved_at < now() - KEPT).execute()
        kept = cls.select(cls.id).where(cls.user == Held.user, cls.path == Held.path)
        Held.delete().where(~fn.EXISTS(kept)).execute()

    @classmethod
    def drop(cls, user: User, path: str) -> None:
        """Forget what was typed at `path`, and the files that were chosen there."""
        cls.delete().where(cls.user == user, cls.path == address(path)).execute()
        Held.delete().where(Held.user == user, Held.path == address(path)).execute()


class Held(Base):
    """A file that was chosen in a form and is not saved yet: it goes with the draft of the form."""

    belongs, keeps = NoIncident("what somebody is still writing is theirs alone"), "free"

    user = ForeignKeyField(User, on_delete="RESTRICT")
    path = CharField(max_length=200)  # the address of the form
    name = CharField(max_length=200)
    size = IntegerField()
    sha256 = CharField(max_length=64)
    content = BlobField()

    class Meta:
        indexes = ((("user", "path"), False),)

    @classmethod
    def hold(cls, user: User, path: str, files: Sequence[tuple[str, bytes]]) -> None:
        """Hold files ([(name, bytes)]) with the draft at `path`, each content once. Raises Refused,
        and holds none of them, where they are too many or too much for one person.
        """
        with transaction():
            mine = cls.select(cls.path, cls.sha256, cls.size).where(cls.user == user)
            have = [(one.path, one.sha256) for one in mine]
            size = sum(one.size for one in mine)
            for name, content in files:
                digest = sha256(content).hexdigest()
                if (address(path), digest) in have:
                    continue
                have.append((address(path), digest))
                size += len(content)
                if len(have) > FILES or size > ROOM * settings.upload_mb * 1_000_000:
                    raise Refused(
                        "The files that you chose are too many, or too large, to be kept with a "
                        "draft. Save what you have begun, or choose them again when you save."
                    )
                cls.create(
                    user=user,
                    path=address(path),
                    name=name,
                    size=len(content),
                    sha256=digest,
                    content=content,
                )

    @classmethod
    def at(cls, user: User, path: str) -> list["Held"]:
        """What is held with the draft at `path`, as it was chosen, without its content."""
        names = cls.id, cls.name, cls.size, cls.sha256
        rows = cls.select(*names).where(cls.user == user, cls.path == address(path))
        return list(rows.order_by(cls.id))

    @classmethod
    def contents(cls, user: User, path: str) -> list["Held"]:
        """The same, with its content."""
        rows = cls.select().where(cls.user == user, cls.path == address(path))
        return list(rows.order_by(cls.id))

    @classmethod
    def leave_out(cls, user: User, path: str, ids: Sequence[int]) -> None:
        """Forget those with these ids, of this person and this form only."""
        mine = cls.user == user, cls.path == address(path)
        cls.delete().where(*mine, cls.id.in_(ids)).execute()
