"""People who sign in, and with what."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from unicodedata import normalize
from uuid import uuid4

from email_validator import EmailNotValidError, validate_email
from flask_security import UserMixin, WebAuthnMixin
from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    DateTimeField,
    Expression,
    ForeignKeyField,
    IntegerField,
    ModelSelect,
    TextField,
)

from models.ground.clock import LONDON
from models.ground.database import contains, db, fold, transaction
from models.ground.fields import Moment, Strings, YesNo
from models.ground.record import Base, NoIncident, Record, Refused
from models.ground.settings import settings
from models.ground.words import SUGGESTED, line, meant

from .role import Role

MORNING = "07:30"  # when the one email a day goes out to those who chose no quiet hours


def normal(email: str | None) -> str:
    """The one form of an email, however it is spelled: wide letters, ligatures and capitals made
    plain, the domain as people read it. What is no email at all is made plain too, so that it can
    be counted.
    """
    plain = normalize("NFKC", (email or "")[:1000])
    plain = "".join(letter for letter in plain if letter.isprintable()).strip().lower()
    try:
        return normalize(
            "NFKC", validate_email(plain, check_deliverability=False).normalized.lower()
        )
    except EmailNotValidError:
        return plain


class Email(CharField):
    """An email, stored and looked for in its one form: two spellings of it are one."""

    def db_value(self, value):
        return None if value is None else normal(value)


class User(UserMixin, Record):
    belongs, keeps = NoIncident("people are the school's"), "rows"
    unvouched = Record.unvouched | dict.fromkeys(
        ("last_login_at", "current_login_at", "last_login_ip", "current_login_ip", "login_count"),
        "the sign-ins themselves are events",
    ) | dict.fromkeys(
        ("password", "fs_uniquifier", "tf_primary_method", "tf_totp_secret", "tf_last_counter",
         "mf_recovery_codes", "fs_webauthn_user_handle"),
        "a secret of signing in; that it was changed is an event, and no digest of it is kept",
    )  # fmt: skip

    id: Any  # as Base says, which UserMixin hides
    name = CharField(max_length=120, verbose_name="Full name")
    job_title = CharField(max_length=120, default="", verbose_name="Job title")
    email = Email(unique=True, max_length=254, verbose_name="Email")
    password = TextField(null=True)
    active = YesNo(default=True, verbose_name="May sign in?")
    fs_uniquifier = CharField(unique=True, max_length=64, default=lambda: uuid4().hex)
    last_login_at = Moment(null=True)
    current_login_at = Moment(null=True)
    last_login_ip = CharField(null=True, max_length=64)
    current_login_ip = CharField(null=True, max_length=64)
    login_count = IntegerField(default=0)
    tf_primary_method = CharField(null=True, max_length=20)
    tf_totp_secret = TextField(null=True)  # encrypted by Flask-Security with a key of ours
    tf_last_counter = BigIntegerField(null=True)  # so that a code works once
    mf_recovery_codes = Strings(null=True)  # encrypted likewise
    fs_webauthn_user_handle = CharField(null=True, unique=True, max_length=64)  # type: ignore[assignment]
    # When emails come. The history vouches for it: it decides when somebody was told.
    daily = YesNo(null=True, verbose_name="Emails about records")
    progress = YesNo(
        null=True, verbose_name="Tell me once a day which sections of my logs were saved"
    )
    quiet_from = CharField(null=True, max_length=5, verbose_name="No emails from")  # 18:00, London
    quiet_until = CharField(null=True, max_length=5, verbose_name="No emails until")

    # Flask-Login's compare by object, so a set would hold one person twice
    __eq__, __hash__ = Record.__eq__, Record.__hash__  # type: ignore[assignment]

    def __str__(self):
        return self.name

    def check(self) -> None:
        """Raise Refused for a second account of one email, and for a name in which a line or a link
        could hide.
        """
        super().check()
        for field in ("name", "job_title"):
            if line(getattr(self, field) or "") != (getattr(self, field) or ""):
                raise Refused(
                    "Nothing was saved.",
                    {field: "This holds a sign that is no letter: type it again."},
                )

    def parts(self) -> list[Base]:
        """Who this is, what they may do, and with which keys they sign in: who could read is
        evidence too.
        """
        links = [
            link
            for model in (UserRole, WebAuthn)
            for link in model.select().where(model.user == self).order_by(model.id)
        ]
        return [User.get_by_id(self.id), *links]

    @property
    def label(self) -> str:
        """How a form names this person, one way only: name, job title."""
        return f"{self.name}, {self.job_title}" if self.job_title else self.name

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: name, email or job title."""
        return contains(cls.name, term) | contains(cls.email, term) | contains(cls.job_title, term)

    @property  # type: ignore[override]
    def roles(self) -> list[Role]:
        """Read once per object: a request builds a new User, so a change of role counts at the next
        request.
        """
        if "_roles" not in self.__dict__:
            self.__dict__["_roles"] = list(
                Role.select()
                .join(UserRole)
                .where(UserRole.user == self)
                .order_by(Role.level.desc())
            )
        return self.__dict__["_roles"]

    @roles.setter
    def roles(self, _roles):
        self.__dict__.pop("_roles", None)  # Flask-Security's create_user passes roles=[]

    @property
    def reads(self) -> bool:
        """Whether any role lets this person read records: their factor and email are changed only
        with a Level 5's approval.
        """
        return any(role.reads for role in self.roles)

    def check_tf_required(self, tf_setup_methods: Any, tf_fresh: Any) -> tuple[bool, Any]:
        """Flask-Security asks at each sign-in: a second factor is required of everyone (DfE
        standards), but in the demonstration.
        """
        return not settings.demo or bool(tf_setup_methods), tf_setup_methods

    def check_tf_required_setup(self):
        return not settings.demo

    @classmethod
    def namesakes(cls, people: Iterable["User"]) -> dict[int, list["User"]]:
        """The other accounts of the same name, however it is spelt: {id of one of `people`:
        [User]}. One query.

        The same words, without accents and hyphens, in any order.
        """
        known: dict[tuple[str, ...], list[User]] = {}
        for one in cls.select().order_by(cls.id):
            known.setdefault(tuple(sorted(re.findall(r"\w+", fold(one.name)))), []).append(one)
        groups = {one.id: group for group in known.values() for one in group}
        return {person.id: [one for one in groups[person.id] if one != person] for person in people}

    @classmethod
    def readers(cls) -> set[int]:
        """The ids of those who have a role that reads. Two queries."""
        reading = [role.id for role in Role.select() if role.reads]
        return {
            link.user_id
            for link in UserRole.select(UserRole.user).where(UserRole.role.in_(reading))
        }

    def quiet(self, moment: datetime) -> bool:
        """Whether `moment` (UTC) is in the hours, of the clock in London, in which this person
        wants no email.
        """
        begin, end = self.quiet_from, self.quiet_until
        if not begin or not end:
            return False
        clock = f"{moment.astimezone(LONDON):%H:%M}"
        return begin <= clock < end if begin < end else clock >= begin or clock < end

    def daily_due(self, moment: datetime) -> datetime:
        """When this person's daily email was due last, at `moment` (both UTC): each day at the end
        of their quiet hours, else at MORNING.
        """
        clock = time.fromisoformat(self.quiet_until or MORNING)
        due = datetime.combine(moment.astimezone(LONDON), clock, LONDON)
        if due.astimezone(UTC) > moment:
            due -= timedelta(days=1)  # by the clock on the wall, whatever the night was
        return due.astimezone(UTC)

    @property
    def has_factor(self) -> bool:
        return bool(self.tf_primary_method) or self.webauthn.exists()  # type: ignore[attr-defined]  # a query here

    def use_code(self, counter: int) -> bool:
        """Claim the counter of a code of the authenticator app: True for exactly one of those who
        use the same code at the same time, for the others it has moved since they read this person.
        """
        read, column = self.tf_last_counter, User.tf_last_counter
        with transaction():
            same = column.is_null() if read is None else column == read
            won = User.update(tf_last_counter=counter).where(User.id == self.id, same).execute()
        self.tf_last_counter = counter
        self._dirty.discard(
            "tf_last_counter"
        )  # so that a later save() does not put an older one back
        return bool(won)

    def spend(self, left: list[str]) -> bool:
        """Leave these recovery codes, one of which was used: True for one of those who use one at
        the same time.
        """
        read = self.mf_recovery_codes
        with transaction():
            won = User.get_by_id(self.id).mf_recovery_codes == read
            if won:
                User.update(mf_recovery_codes=left).where(User.id == self.id).execute()
        self.mf_recovery_codes = left
        self._dirty.discard("mf_recovery_codes")
        return won

    def forget_factor(self) -> None:
        """Remove every second factor; the next sign-in asks for a new one before anything opens."""
        self.tf_primary_method = self.tf_totp_secret = self.tf_last_counter = (
            self.mf_recovery_codes
        ) = None
        WebAuthn.delete().where(WebAuthn.user == self).execute()

    @property
    def level(self) -> int:
        return max((role.level for role in self.roles), default=0)

    def may(self, permission: str) -> bool:
        """Whether any of this person's roles has `permission` ("noun:verb"). An inactive person may
        nothing.
        """
        return self.active and any(permission in role.permissions for role in self.roles)

    @classmethod
    def offered(cls, typed: str | None = None) -> list["User"]:
        """Those who may sign in whom `typed` may mean or, without it, whom a form suggests,
        nobody where they are many.
        """
        active = cls.select(*cls.named()).where(cls.active).order_by(cls.name)
        if typed is None:
            few = list(active.limit(SUGGESTED + 1))
            return few if len(few) <= SUGGESTED else []
        rows = list(active)
        ids = {row[0] for row in meant([(row.id, row.name) for row in rows], typed)}
        return [row for row in rows if row.id in ids]

    @classmethod
    def named(cls, row: Any = None) -> tuple:
        """The columns by which a page names a person and an email reaches them, of `row`, an alias
        in the query: a join takes these and no secret of signing in.
        """
        row = row or cls
        return row.id, row.name, row.job_title, row.email, row.active

    @classmethod
    def level_5(cls) -> "ModelSelect[User]":
        """Active people with a Level 5 role: assigned to every log."""
        return (
            cls.select()
            .join(UserRole)
            .join(Role)
            .where(cls.active, Role.level == 5)
            .distinct()
            .order_by(cls.id)
        )

    @classmethod
    def with_permissions(cls) -> list[tuple["User", set[str]]]:
        """Every active person, as far as pages name them, with the set of their permissions, by
        name: [(User, {permission})]. Two queries.
        """
        permissions = {role.id: role.permissions for role in Role.select()}
        links = (
            cls.select(cls.id, cls.name, cls.job_title, UserRole.role)
            .join(UserRole)
            .where(cls.active)
            .order_by(cls.name, cls.id)
        )
        found: dict[int, tuple[User, set[str]]] = {}
        for id, name, job_title, role in db.execute(links).fetchall():
            if id not in found:
                person = cls(__no_default__=True, id=id, name=name, job_title=job_title)
                found[id] = (person, set())
            found[id][1].update(permissions[role])
        return list(found.values())

    @classmethod
    def who_may(cls, permission: str) -> list["User"]:
        """Active people with `permission`, by name."""
        return [
            person for person, permissions in cls.with_permissions() if permission in permissions
        ]


class WebAuthn(WebAuthnMixin, Record):
    """A passkey, as a second factor."""

    belongs, keeps, part_of = NoIncident("a person's own"), "free", "user"
    unvouched = Record.unvouched | dict.fromkeys(
        ("sign_count", "lastuse_datetime", "backup_state", "transports", "extensions"),
        "it changes when somebody signs in with it",
    )

    user = ForeignKeyField(User, backref="webauthn", on_delete="RESTRICT")
    name = CharField(max_length=80)
    credential_id = BlobField(unique=True)
    public_key = BlobField()
    sign_count = IntegerField(default=0)
    transports = Strings(null=True)
    backup_state = BooleanField()
    device_type = CharField(max_length=40)
    extensions = CharField(null=True, max_length=255)
    lastuse_datetime = DateTimeField()
    usage = CharField(max_length=20)

    def use(self, asked_at: datetime, used_at: datetime) -> bool:
        """True for one of those who show the same answer to a challenge: none that was asked for
        before the last use.

        asked_at, used_at: UTC, naive, as Flask-Security keeps them.
        """
        cls, read = type(self), self.lastuse_datetime
        with transaction():
            same = (cls.id == self.id) & (cls.lastuse_datetime == read)
            return asked_at >= read and bool(
                cls.update(lastuse_datetime=used_at).where(same).execute()
            )

    def get_user_mapping(self):
        return {"id": self.user_id}


class UserRole(Record):
    belongs, keeps, part_of = NoIncident("a person's"), "free", "user"

    user = ForeignKeyField(User, backref="user_roles", on_delete="RESTRICT")
    role = ForeignKeyField(Role, backref="user_roles", on_delete="RESTRICT")

    class Meta:
        indexes = ((("user", "role"), True),)
