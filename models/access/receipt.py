"""A form that was saved: sent again, it shows what it made instead of making it twice."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from peewee import CharField, ForeignKeyField

from models.ground.clock import now
from models.ground.fields import Moment
from models.ground.record import Base, NoIncident
from models.people.user import User

KEPT = timedelta(days=30)


def written(token: str) -> str:
    """A token as the database keeps it, whatever was sent instead of one of ours."""
    return token.replace("\0", "")[:64]


class Receipt(Base):
    """Every form carries a token of its own; this says that it was used, for what, and where that
    is shown.
    """

    belongs, keeps = NoIncident("a person's own: where a form led them"), "free"

    token = CharField(max_length=64)
    user = ForeignKeyField(User, on_delete="RESTRICT")
    content = CharField(max_length=64)
    path = CharField(max_length=300)
    at = Moment(default=now)

    class Meta:
        indexes = ((("user", "token", "content"), True),)

    @staticmethod
    def digest(sent):
        return sha256(repr(sorted(sent)).encode()).hexdigest()

    @classmethod
    def keep(cls, token: str, user: User, sent: Sequence[tuple[str, str]], path: str) -> None:
        """Note, in the transaction of the change, that `sent` ([(name, text)]) was saved and is
        shown at `path`.
        """
        if token:
            cls.create(token=written(token), user=user, content=cls.digest(sent), path=path[:300])

    @classmethod
    def forget(cls) -> None:
        """Drop those older than 30 days."""
        cls.delete().where(cls.at < now() - KEPT).execute()

    @classmethod
    def same(
        cls, token: str | None, user: User, sent: Sequence[tuple[str, str]]
    ) -> "Receipt | None":
        """The receipt of the very same form sent before with the same content, or None."""
        if not token:
            return None
        return cls.get_or_none(
            cls.token == written(token), cls.user == user, cls.content == cls.digest(sent)
        )

    @classmethod
    def earlier(cls, token: str | None, user: User) -> "Receipt | None":
        """The receipt of the same form, whatever it held then: somebody went back, changed it, and
        sent it again.
        """
        if not token:
            return None
        mine = cls.select().where(cls.token == written(token), cls.user == user)
        return mine.order_by(cls.id.desc()).first()
