"""Signing in: sessions that can be ended, failed attempts that slow an attacker, and the link of the first start."""

import secrets
from datetime import timedelta
from hashlib import sha256

from peewee import CharField, ForeignKeyField, OperationalError

from .base import Base, Moment, NoCase, Refused, now, transaction
from .event import Event
from .people import Role, User, UserRole

IDLE = timedelta(minutes=20)
LONGEST = timedelta(hours=10)
WINDOW = timedelta(minutes=15)
LIMITS = {"pair": 5, "account": 20, "address": 40}  # failures within WINDOW; the owner elsewhere is slowed by "account" only
SETUP = timedelta(hours=24)
SEEN = {}  # {id of a session: when it was last seen}, where the database took no time


def hashed(token):
    return sha256(token.encode()).hexdigest()


class Session(Base):
    """One browser in which somebody is signed in. Only a hash of its token is kept."""

    belongs, keeps = NoCase("a person's own"), "free"

    token = CharField(unique=True, max_length=64)
    user = ForeignKeyField(User, backref="sessions", on_delete="RESTRICT")
    begun_at = Moment(default=now)
    seen_at = Moment(default=now)
    ended_at = Moment(null=True)
    address = CharField(max_length=64, default="")
    browser = CharField(max_length=200, default="")

    @classmethod
    def begin(cls, user, address, browser):
        """Open a session and return its token, which goes into the browser's cookie."""
        token = secrets.token_urlsafe(32)
        with transaction():
            cls.create(token=hashed(token), user=user, address=address[:64], browser=browser[:200])
            Event.write("user:signed_in", user, user)
        return token

    @classmethod
    def find(cls, token, user):
        """The open session of `token` and `user`, or None: ended, idle for 20 minutes, older than 10 hours, or never there."""
        moment = now()
        session = cls.get_or_none(cls.token == hashed(token or ""), cls.user == user, cls.ended_at.is_null())
        seen_at = session and max(session.seen_at, SEEN.get(session.id, session.seen_at))
        if not session or moment - seen_at > IDLE or moment - session.begun_at > LONGEST:
            return None
        if moment - session.seen_at > timedelta(minutes=1):  # often enough, without a write at each page
            session.touch()
        return session

    @classmethod
    def ran_out(cls, token, user):
        """Whether this was an open session of `user` that merely stood idle: what is typed into it is still theirs."""
        session = cls.get_or_none(cls.token == hashed(token or ""), cls.user == user, cls.ended_at.is_null())
        return bool(session) and now() - session.begun_at < timedelta(days=1)

    @classmethod
    def end(cls, token, user):
        """End the session with this token, at sign-out."""
        with transaction():
            if cls.update(ended_at=now()).where(cls.token == hashed(token), cls.user == user, cls.ended_at.is_null()).execute():
                Event.write("user:signed_out", user, user)

    @classmethod
    def end_one(cls, user, id):
        """End one session of `user`; somebody else's is left alone."""
        cls.update(ended_at=now()).where(cls.id == id, cls.user == user, cls.ended_at.is_null()).execute()

    def touch(self):
        """Count as activity now; a disk that takes nothing ends no session."""
        cls, moment = type(self), now()
        try:
            cls.update(seen_at=moment).where(cls.id == self.id).execute()
            SEEN.pop(self.id, None)
        except OperationalError:
            SEEN[self.id] = moment

    @classmethod
    def end_all(cls, user, but=None):
        """End every session of `user`, except the one with the token `but`."""
        query = cls.update(ended_at=now()).where(cls.user == user, cls.ended_at.is_null())
        (query.where(cls.token != hashed(but)) if but else query).execute()

    @classmethod
    def of(cls, user):
        """The sessions of `user` that are open now, newest first."""
        query = cls.select().where(cls.user == user, cls.ended_at.is_null(), cls.seen_at > now() - IDLE, cls.begun_at > now() - LONGEST)
        return list(query.order_by(cls.id.desc()))


class Attempt(Base):
    """A failed sign-in or code. Kept in the database, so that no restart forgets it."""

    belongs, keeps = NoCase("the installation's"), "free"

    account = CharField(max_length=254, index=True)
    address = CharField(max_length=64, index=True)
    at = Moment(default=now, index=True)

    @classmethod
    def fail(cls, account, address):
        """Count a failure, and forget those that no longer matter."""
        cls.create(account=account.casefold()[:254], address=address)
        cls.delete().where(cls.at < now() - timedelta(days=1)).execute()

    @classmethod
    def check(cls, account, address):
        """Raise Refused when there were too many failures in the last 15 minutes, for this account, this address, or both together."""
        recent = cls.select().where(cls.at > now() - WINDOW)
        by_account, by_address = cls.account == account.casefold()[:254], cls.address == address
        counts = {"pair": recent.where(by_account, by_address).count(), "account": recent.where(by_account).count(),
                  "address": recent.where(by_address).count()}  # fmt: skip
        if any(counts[kind] >= limit for kind, limit in LIMITS.items()):
            raise Refused("Too many attempts. Wait 15 minutes, then try again.")

    @classmethod
    def forget(cls, account, address):
        """After a success, the failures of this account from this address no longer count."""
        cls.delete().where(cls.account == account.casefold()[:254], cls.address == address).execute()


class SetupLink(Base):
    """The single-use link of the first start. Only a hash of its token is kept."""

    belongs, keeps = NoCase("the installation's"), "free"

    token = CharField(unique=True, max_length=64)
    made_at = Moment(default=now)
    used_at = Moment(null=True)

    @classmethod
    def make(cls):
        """A new token; links made before no longer work."""
        token = secrets.token_urlsafe(32)
        with transaction():
            cls.update(used_at=now()).where(cls.used_at.is_null()).execute()
            cls.create(token=hashed(token))
        return token

    @classmethod
    def valid(cls, token):
        """Whether `token` may still be used: once, within 24 hours, and only while there is nobody."""
        link = cls.get_or_none(cls.token == hashed(token), cls.used_at.is_null())
        return bool(link) and now() - link.made_at < SETUP and not User.select().exists()

    @classmethod
    def use(cls, token, people):
        """Create the first people: [(role name, name, email, password hash)]. Raises Refused when the link is spent."""
        with transaction():
            if not cls.valid(token):
                raise Refused("This link has been used or is too old. Start the server again for a new one. Nothing was saved.")
            cls.update(used_at=now()).where(cls.token == hashed(token)).execute()
            for role, name, email, password in people:
                user = User.create(name=name, email=email, password=password)
                UserRole.create(user=user, role=Role.get(Role.name == role))
                Event.write("user:add", user, None, role=role)
