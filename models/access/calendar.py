"""Secret calendar addresses: by one, a calendar asks when something is due, and learns no other
word. No case is known here.
"""

import secrets
from contextlib import suppress
from datetime import timedelta
from hmac import compare_digest

from peewee import CharField, ForeignKeyField, OperationalError

from models.ground.board import Board
from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Moment
from models.ground.record import Base, NoIncident
from models.ground.words import pages
from models.history.event import Event
from models.history.notice import SUBJECT, Notice
from models.people.user import User

from .signin import hashed

UNUSED = timedelta(days=180)  # an address that no calendar asked for so long is ended
SELDOM = timedelta(hours=1)  # between two notes of when it was asked
COST = timedelta(seconds=2)  # that one wrong address costs the network address it comes from …
MOST = timedelta(minutes=1)  # … and what it may run up before it has to wait
WRONG = Board()  # {number of a network address: until when its wrong ones count}


class Calendar(Base):
    """The calendar address of one person: one at a time, of which only a hash is kept."""

    belongs, keeps = NoIncident("a person's own"), "free"

    user = ForeignKeyField(User, unique=True, backref="calendars", on_delete="RESTRICT")
    token = CharField(unique=True, max_length=64)
    made_at = Moment(default=now)
    seen_at = Moment(null=True)  # when a calendar asked, within the hour

    @classmethod
    def make(cls, user: User) -> str:
        """A new address for `user`, who is emailed; returns its token, which is shown once. The one
        before opens nothing from now on.
        """
        token, body = secrets.token_urlsafe(32), pages.get_template("email/calendar.txt").render()
        with transaction():
            cls.delete().where(cls.user == user).execute()
            cls.create(user=user, token=hashed(token))
            Notice.queue("user:calendar", user, user, [(user, SUBJECT, body)])
        return token

    @classmethod
    def end(cls, user: User, by: User | None) -> bool:
        """End the address of `user` for good; False when there was none."""
        with transaction():
            ended = cls.delete().where(cls.user == user).execute()
            if ended:
                Event.write("user:no_calendar", user, by)
        return bool(ended)

    @classmethod
    def of(cls, user: User) -> "Calendar | None":
        """The address of `user` that opens something now, or None."""
        one = cls.get_or_none(cls.user == user)
        return one if one and not one.ran_out else None

    @property
    def ran_out(self) -> bool:
        """Whether no calendar asked for it within 180 days."""
        return now() - (self.seen_at or self.made_at) > UNUSED

    @classmethod
    def find(cls, token: str) -> "Calendar | None":
        """The address with this token, of somebody who may still sign in; None for one that is
        unknown, ended, unused for long, or of a leaver: all the same.

        Looked up by a hash, which nobody can steer towards one that is there, and compared in
        constant time.
        """
        digest = hashed(token)
        one = cls.select(cls, User).join(User).where(cls.token == digest).first()
        known = compare_digest(one.token if one else "0" * 64, digest)
        if not one or not known or not one.user.is_active or one.ran_out:
            return None
        if not one.seen_at or now() - one.seen_at > SELDOM:
            with suppress(OperationalError), transaction():  # a full disk shuts no calendar
                cls.update(seen_at=now()).where(cls.id == one.id).execute()
        return one


def run_up(place: int) -> timedelta:
    """What the wrong ones of a network address (its number) add up to now; none where a clock that
    was ahead wrote more than can be.
    """
    left = WRONG.get(place, now()) - now()
    return left if timedelta(0) < left < 2 * MOST else timedelta(0)


def waits(place: int) -> bool:
    """Whether a network address asked for so many wrong ones that it has to wait."""
    return run_up(place) > MOST


def count_wrong(place: int) -> None:
    """Count a wrong one against a network address. A calendar that still asks for an old address
    now and then runs up nothing; whoever guesses waits.
    """
    WRONG[place] = now() + run_up(place) + COST
