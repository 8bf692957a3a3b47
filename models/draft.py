"""What somebody is still writing: kept on the server, theirs alone, until it is saved or thrown away."""

from datetime import timedelta

from peewee import CharField, ForeignKeyField

from .base import Base, Json, Moment, NoCase, now, transaction
from .people import User

ANEW = ("csrf_token", "once", "passphrase_again", "draft")  # what each page of a form has anew: no part of what is typed
KEPT = timedelta(days=30)  # what nobody came back to is forgotten


def address(path):
    """The address of a form as the database keeps it, whatever was sent instead of one of ours."""
    return path.replace("\0", "")[:200]


class Draft(Base):
    belongs, keeps = NoCase("what somebody is still writing is theirs alone"), "free"

    user = ForeignKeyField(User, on_delete="RESTRICT")
    path = CharField(max_length=200)  # the address of the form
    fields = Json()  # [[name, value], …] as typed
    saved_at = Moment(default=now)

    class Meta:
        indexes = ((("user", "path"), True),)

    @classmethod
    def keep(cls, user, path, fields):
        """Keep what is typed into the form at `path`, instead of what was kept before. `fields`: [(name, value)]."""
        fields = [[name.replace("\0", ""), value.replace("\0", "")] for name, value in fields if name not in ANEW]
        with transaction():
            cls.drop(user, path)
            cls.create(user=user, path=address(path), fields=fields)

    @classmethod
    def of(cls, user, path):
        found = cls.get_or_none(cls.user == user, cls.path == address(path))
        return found if found and isinstance(found.fields, list) else None  # a damaged one is none

    @classmethod
    def forget(cls):
        """Drop those that nobody came back to for 30 days."""
        cls.delete().where(cls.saved_at < now() - KEPT).execute()

    @classmethod
    def drop(cls, user, path):
        cls.delete().where(cls.user == user, cls.path == address(path)).execute()
