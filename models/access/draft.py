"""What somebody is still writing: kept on the server, theirs alone, until it is saved or thrown
away.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, fn

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Json, Moment
from models.ground.record import Base, NoIncident, Refused
from models.people.user import User

ANEW = (
    "csrf_token",
    "once",
    "passphrase_again",
    "hints",
    "mend",
    "draft",
)  # what each page of a form has anew: no part of what is typed
KEPT = timedelta(days=30)  # what nobody came back to is forgotten
LONGEST, MOST, ALL = (
    3_000_000,
    60,
    10_000_000,
)  # characters of one draft; drafts, and characters, of one person


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
            cls.drop(user, path)
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

    @classmethod
    def drop(cls, user: User, path: str) -> None:
        cls.delete().where(cls.user == user, cls.path == address(path)).execute()
