"""Signing in: sessions that can be ended, browsers that are known, attempts that are counted, the
link of the first start.
"""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField, OperationalError

from models.ground.board import Board
from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Moment
from models.ground.record import Base, NoIncident, Refused
from models.ground.settings import settings
from models.ground.words import pages
from models.history.event import Event, address
from models.history.notice import SUBJECT, Notice
from models.people.role import Role
from models.people.user import User, UserRole

from .browser import named

IDLE = timedelta(minutes=20)
LONGEST = timedelta(hours=10)
WINDOW = timedelta(minutes=15)
LIMITS = {
    "pair": 5,
    "account": 20,
    "address": 40,
}  # within WINDOW, by those who try where the account was never used
AT_HOME = 5  # within WINDOW, of one account in one browser in which its person has signed in before
KNOWN = timedelta(days=180)  # a browser that was not used for so long is a new one
SETUP = timedelta(hours=24)
SEEN = Board()  # {id of a session: when it was last seen}, where the database took no time
CHANGED = "your roles or your account were changed"


def hashed(token):
    return sha256((token or "").encode(errors="replace")).hexdigest()


class Session(Base):
    """One browser in which somebody is signed in. Only a hash of its token is kept."""

    belongs, keeps = NoIncident("a person's own"), "free"

    token = CharField(unique=True, max_length=64)
    user = ForeignKeyField(User, backref="sessions", on_delete="RESTRICT")
    begun_at = Moment(default=now)
    seen_at = Moment(default=now)
    ended_at = Moment(null=True)
    address = CharField(max_length=64, default="")
    browser = CharField(max_length=200, default="")
    why = CharField(
        max_length=100, null=True
    )  # why it was ended elsewhere, until its owner has been told
    hidden_at = Moment(null=True)  # since when its passphrase is needed to go on
    hidden_path = CharField(max_length=500, null=True)  # the page that was hidden

    @property
    def browser_named(self):
        """Its browser in words: "Firefox on Windows"."""
        return named(self.browser)

    @property
    def ran_out(self) -> bool:
        """Whether it stood idle for 20 minutes, or is older than 10 hours."""
        seen_at = max(self.seen_at, SEEN.get(self.id, self.seen_at))
        return now() - seen_at > IDLE or now() - self.begun_at > LONGEST

    @classmethod
    def begin(cls, user: User, address: str, browser: str) -> str:
        """Open a session and return its token, which goes into the browser's cookie."""
        token = secrets.token_urlsafe(32)
        with transaction():
            cls.create(token=hashed(token), user=user, address=address[:64], browser=browser[:200])
            Event.write("user:signed_in", user, user)
        return token

    @classmethod
    def find(cls, token: str | None, user: User) -> "Session | None":
        """The open session of `token` and `user`, or None: ended, idle for 20 minutes, older than
        10 hours, or never there.
        """
        session = next(iter(cls.open_with(hashed(token), user)), None)
        if not session or session.ran_out or not user.is_active:
            return None
        # often enough, without a write at each page; what is hidden runs out all the same
        if not session.hidden_at and now() - session.seen_at > timedelta(minutes=1):
            session.touch()
        return session

    @classmethod
    @composed
    def open_with(cls, token, user):
        return cls.select().where(cls.token == token, cls.user == user, cls.ended_at.is_null())

    @classmethod
    def lost(cls, token: str | None) -> tuple[User, str] | None:
        """(whose it was, why) of a session of today that ended without its owner's doing there;
        else None.

        What is typed into it is still theirs. Told once: what a copy of its cookie sends later is
        nobody's. Who may not sign in any more, or signed out, has nothing kept.
        """
        with transaction():
            session = cls.get_or_none(cls.token == hashed(token))
            if (
                not session
                or not session.user.is_active
                or now() - session.begun_at > timedelta(days=1)
            ):
                return None
            if not session.ended_at:
                return (session.user, "nothing was done for a while") if session.ran_out else None
            cls.update(why=None).where(cls.id == session.id).execute()
            return (session.user, session.why) if session.why else None

    @classmethod
    def end(cls, token: str | None, user: User) -> None:
        """End the session with this token, at sign-out."""
        with transaction():
            if (
                cls.update(ended_at=now())
                .where(cls.token == hashed(token), cls.user == user, cls.ended_at.is_null())
                .execute()
            ):
                Event.write("user:signed_out", user, user)

    @classmethod
    def end_one(cls, user: User, id: int, why: str) -> None:
        """End one session of `user`; somebody else's is left alone."""
        cls.update(ended_at=now(), why=why).where(
            cls.id == id, cls.user == user, cls.ended_at.is_null()
        ).execute()

    def touch(self) -> None:
        """Count as activity now; a disk that takes nothing ends no session."""
        cls, moment = type(self), now()
        try:
            cls.update(seen_at=moment).where(cls.id == self.id).execute()
            SEEN.pop(self.id, None)
        except OperationalError:
            SEEN[self.id] = moment

    def hide(self, path: str) -> None:
        """Lock it, in every tab, until its passphrase is typed again; `path`: where to go on then.

        What was hidden first stays the page to go on at.
        """
        cls = type(self)
        cls.update(hidden_at=now(), hidden_path=path if len(path) <= 500 else None).where(
            cls.id == self.id, cls.hidden_at.is_null()
        ).execute()

    def unhide(self) -> Any:
        """Open it again for whoever typed its passphrase; returns where to go on."""
        cls = type(self)
        cls.update(hidden_at=None, hidden_path=None).where(cls.id == self.id).execute()
        self.touch()
        return self.hidden_path or "/"

    @classmethod
    def end_all(cls, user: User, but: str | None = None, why: str = CHANGED) -> None:
        """End every session of `user`, except the one with the token `but`; each browser is told
        `why` once.
        """
        query = cls.update(ended_at=now(), why=why).where(cls.user == user, cls.ended_at.is_null())
        (query.where(cls.token != hashed(but)) if but else query).execute()

    @classmethod
    def of(cls, user: User) -> list["Session"]:
        """The sessions of `user` that are open now, newest first."""
        query = cls.select().where(
            cls.user == user,
            cls.ended_at.is_null(),
            cls.seen_at > now() - IDLE,
            cls.begun_at > now() - LONGEST,
        )
        return list(query.order_by(cls.id.desc()))


class Device(Base):
    """A browser in which somebody signed in whole: strangers elsewhere cannot lock its owner out of
    it.

    It opens nothing by itself. On a shared computer each person has a row. Only a hash of the token
    is kept, and each sign-in changes it: a copy, or one that somebody else laid there beforehand,
    is worth nothing then.
    """

    belongs, keeps = NoIncident("a person's own"), "free"

    token = CharField(max_length=64)
    user = ForeignKeyField(User, on_delete="RESTRICT")
    seen_at = Moment(default=now)

    class Meta:
        indexes = ((("token", "user"), True),)

    @classmethod
    def of(cls, token: str | None, user: User) -> "Device | None":
        """The browser with this token, where `user` has signed in within the last 180 days; else
        None.
        """
        return cls.get_or_none(
            cls.token == hashed(token), cls.user == user, cls.seen_at > now() - KNOWN
        )

    @classmethod
    def meet(cls, token: str | None, user: User, says: str = "") -> str:
        """Remember the browser with this token for `user`; the token that it has from now on.

        says: its User-Agent. A new one is told to a person who may read records, and to every
        other Level 5.
        """
        fresh = secrets.token_urlsafe(32)
        with transaction():
            known = cls.of(token, user)
            cls.update(token=hashed(fresh)).where(cls.token == hashed(token)).execute()
            if known:
                cls.update(seen_at=now()).where(cls.id == known.id).execute()
            else:
                cls.delete().where(
                    cls.token == hashed(fresh), cls.user == user
                ).execute()  # from long ago
                cls.create(token=hashed(fresh), user=user)
            if not known and user.reads:
                cls.tell(user, named(says))
        return fresh

    @staticmethod
    def tell(user, browser):
        told = [user, *(person for person in User.level_5() if person != user)]
        page = pages.get_template("email/new_browser.txt")
        letters = [
            (
                person,
                SUBJECT,
                page.render(
                    user=user,
                    to=person,
                    at=now(),
                    browser=browser,
                    address=address.get(),
                    settings=settings,
                ),
            )
            for person in told
        ]
        Notice.queue("user:new_browser", user, user, letters)

    @classmethod
    def leave(cls, user: User, but: str | None = None) -> None:
        """Take every browser of `user` for a new one, except the one with the token `but`."""
        cls.delete().where(cls.user == user, cls.token != hashed(but)).execute()

    @classmethod
    def forget(cls) -> None:
        """Drop those that were not used for 180 days."""
        cls.delete().where(cls.seen_at < now() - KNOWN).execute()


class Attempt(Base):
    """A passphrase or code that is being judged, or was wrong. Kept in the database, so that no
    restart forgets it.
    """

    belongs, keeps = NoIncident("the installation's"), "free"

    account = CharField(max_length=254, index=True)
    address = CharField(max_length=64, index=True)
    device = IntegerField(null=True)  # the Device in which its own person may be trying
    at = Moment(default=now, index=True)

    @classmethod
    def reserve(cls, account: str, address: str, device: Device | None = None) -> "Attempt":
        """Count an attempt before it is judged, so that many at once are all counted, and return
        it.

        account: an email in its one form. device: the Device where the account was used before, or
        None. Raises Refused after too many in 15 minutes: of this account in this browser;
        elsewhere of this account, from this address, or both together.
        """
        account, elsewhere = account[:254], cls.device.is_null()
        with transaction():
            recent = cls.select().where(cls.at > now() - WINDOW)
            by_account, by_address = cls.account == account, cls.address == address
            if device:
                full = recent.where(by_account, cls.device == device.id).count() >= AT_HOME
            else:
                counts = {
                    "pair": recent.where(elsewhere, by_account, by_address).count(),
                    "account": recent.where(elsewhere, by_account).count(),
                    "address": recent.where(elsewhere, by_address).count(),
                }
                full = any(counts[kind] >= limit for kind, limit in LIMITS.items())
            if full:
                raise Refused("Too many attempts. Wait 15 minutes, then try again.")
            cls.delete().where(cls.at < now() - timedelta(days=1)).execute()
            return cls.create(account=account, address=address, device=device and device.id)

    def take_back(self) -> None:
        """It was right: it does not count."""
        with transaction():
            self.delete_instance()

    @classmethod
    def forget(cls, account: str, address: str, device: Device | None = None) -> None:
        """After a whole sign-in, the failures of this account in this browser, or else from this
        address, no longer count.
        """
        where = (
            cls.device == device.id if device else cls.device.is_null() & (cls.address == address)
        )
        cls.delete().where(cls.account == account[:254], where).execute()


class SetupLink(Base):
    """The single-use link of the first start. Only a hash of its token is kept."""

    belongs, keeps = NoIncident("the installation's"), "free"

    token = CharField(unique=True, max_length=64)
    made_at = Moment(default=now)
    used_at = Moment(null=True)

    @classmethod
    def make(cls) -> str:
        """A new token; links made before no longer work."""
        token = secrets.token_urlsafe(32)
        with transaction():
            cls.update(used_at=now()).where(cls.used_at.is_null()).execute()
            cls.create(token=hashed(token))
        return token

    @classmethod
    def valid(cls, token: str) -> bool:
        """Whether `token` may still be used: once, within 24 hours, and only while there is
        nobody.
        """
        link = cls.get_or_none(cls.token == hashed(token), cls.used_at.is_null())
        return link is not None and now() - link.made_at < SETUP and not User.select().exists()

    @classmethod
    def use(cls, token: str, people: list[tuple[str, str, str, str]]) -> None:
        """Create the first people: [(role name, name, email, password hash)]. Raises Refused when
        the link is spent.
        """
        with transaction():
            if not cls.valid(token):
                raise Refused(
                    "This link has been used or is too old. Start the server again for a new "
                    "one. Nothing was saved."
                )
            cls.update(used_at=now()).where(cls.token == hashed(token)).execute()
            for role, name, email, password in people:
                user = User.create(name=name, email=email, password=password)
                UserRole.create(user=user, role=Role.get(Role.name == role))
                Event.write("user:add", user, None, role=role)
