"""People who sign in, and with what."""

import re
from collections.abc import Callable, Iterable
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
    fn,
)

from models.ground.clock import LONDON, today
from models.ground.composed import composed
from models.ground.database import contains, fold, transaction
from models.ground.fields import Day, Moment, Strings, YesNo
from models.ground.record import ANYWHERE, Base, NoIncident, Record, Refused
from models.ground.settings import settings
from models.ground.words import SUGGESTED, line, meant

from .role import Role
from .setting import Setting

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


def covers(settings: set[int] | None, record: Base | None = None) -> bool:
    """Whether `settings` (ids of schools and homes, None for all) have the one that `record` is of.
    What is of none wants all; without a record, any will do.
    """
    if settings is None:
        return True
    where = record.its_setting() if record is not None and settings else ANYWHERE
    return bool(settings) if where == ANYWHERE else where in settings


class Grants(list):
    """The roles of one person, each with what it is given for: [(Role, id of a school or home, or
    None for all)].
    """

    def where(self, has: Callable[[Role], bool]) -> set[int] | None:
        """The ids of the schools and homes for which this person has a role that `has`; None for
        all.
        """
        settings = {setting for role, setting in self if has(role)}
        return None if None in settings else settings

    def within(self, permission: str) -> set[int] | None:
        """Where this person has `permission`, as for where()."""
        return self.where(lambda role: permission in role.permissions)

    @property
    def level_5(self) -> set[int] | None:
        """Where this person is Level 5, as for where()."""
        return self.where(lambda role: role.level == 5)

    def stays(self, automatic: bool, record: Base) -> bool:
        """Whether being assigned to what is about `record` counts (still): what somebody was
        assigned to `automatic`ally, as Level 5, is theirs only where they are that, once a role of
        theirs is given for some schools and homes.
        """
        everywhere = not any(setting for _role, setting in self)
        return not automatic or everywhere or covers(self.level_5, record)

    def may(self, permission: str, record: Base | None = None) -> bool:
        """Whether they have it: anywhere or, where there is a record, where that is."""
        return covers(self.within(permission), record)


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
    ends_on = Day(
        null=True,
        ahead=True,
        verbose_name="Last day of the account",
        help_text="For an outside reviewer or a supply teacher: the day after, they are signed out "
        "and cannot sign in any more. Leave it empty for who stays.",
    )
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
    def of_label(cls, label: str) -> "User | None":
        """Whom a label names: see `label`."""
        name = label.rpartition(", ")[0] or label
        rows = cls.select(*cls.named()).where(cls.name.in_([name, label]))
        return next((one for one in rows if one.label == label), None)

    @classmethod
    def matching(cls, term: str) -> Expression:
        """The search condition: name, email or job title."""
        return contains(cls.name, term) | contains(cls.email, term) | contains(cls.job_title, term)

    @property  # type: ignore[override]
    def roles(self) -> list[Role]:
        """Each once, the highest level first, whatever they are given for."""
        return list(dict.fromkeys(role for role, _setting in self.grants))

    @roles.setter
    def roles(self, _roles):
        for kept in ("_grants", "_settings"):  # Flask-Security's create_user passes roles=[]
            self.__dict__.pop(kept, None)

    @property
    def grants(self) -> Grants:
        """Read once per object: a request builds a new User, so a change of role counts at the next
        request. How many schools and homes there are is read with it.
        """
        if "_grants" not in self.__dict__:
            rows = type(self).roles_of(self)
            self.__dict__["_grants"] = Grants((row.role, row.setting_id) for row in rows)
            self.__dict__["_several"] = bool(rows) and rows[0].how_many > 1
        return self.__dict__["_grants"]

    @property
    def several(self) -> bool:
        """Whether the installation has more than one school or home."""
        return bool(self.grants) and self.__dict__["_several"]

    @property
    def settings(self) -> list[Setting]:
        """The schools and homes for which this person has any role, by name, where there are
        several in the installation; else none. Read once per object.
        """
        if "_settings" not in self.__dict__:
            where = self.grants.where(lambda role: True)
            found = []
            if self.several:
                found = list(Setting.select().order_by(Setting.name))
            self.__dict__["_settings"] = [one for one in found if where is None or one.id in where]
        return self.__dict__["_settings"]

    @classmethod
    @composed
    def roles_of(cls, user):
        number = Setting.select(fn.COUNT(Setting.id))
        rows = UserRole.select(UserRole.setting, Role, number.alias("how_many")).join(Role)
        return rows.where(UserRole.user == user).order_by(Role.level.desc(), UserRole.id)

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
    def is_active(self) -> bool:
        """Whether they may sign in today."""
        return bool(self.active) and not (self.ends_on and self.ends_on < today())

    @property
    def level(self) -> int:
        return max((role.level for role in self.roles), default=0)

    def within(self, permission: str) -> set[int] | None:
        """The ids of the schools and homes in which this person has `permission`, None for all."""
        return self.grants.within(permission) if self.is_active else set()

    def may(self, permission: str, record: Base | None = None) -> bool:
        """Whether any of this person's roles has `permission` ("noun:verb"): where `record` is or,
        without one, anywhere. An inactive person may nothing.
        """
        return self.is_active and self.grants.may(permission, record)

    def is_level_5(self, record: Base | None = None) -> bool:
        """Whether this person is Level 5: where `record` is or, without one, anywhere."""
        return covers(self.grants.level_5, record)

    @property
    def knows(self) -> set[int] | None:
        """The schools and homes whose children and people a form names to this person: where they
        report, or see the list of children; None for all.
        """
        report, read = self.within("incident:report"), self.within("child:read")
        return None if report is None or read is None else report | read

    @classmethod
    def offered(cls, typed: str | None = None, within: set[int] | None = None) -> list["User"]:
        """Those who may sign in whom `typed` may mean or, without it, whom a form suggests,
        nobody where they are many. `within`: only those with a role there, or for all.
        """
        active = cls.select(*cls.named()).where(cls.active).order_by(cls.name)
        if within is not None:
            there = UserRole.select(UserRole.user).where(UserRole.covering(within))
            active = active.where(cls.id.in_(there))
        if typed is None:
            if within is None and len(cls.active_ids(SUGGESTED + 1)) > SUGGESTED:
                return []
            few = list(active.limit(SUGGESTED + 1))
            return few if len(few) <= SUGGESTED else []
        rows = list(active)
        ids = {row[0] for row in meant([(row.id, row.name) for row in rows], typed)}
        return [row for row in rows if row.id in ids]

    @classmethod
    @composed
    def active_ids(cls, most):
        return cls.select(cls.id).where(cls.active).limit(most).tuples()

    @classmethod
    def named(cls, row: Any = None) -> tuple:
        """The columns by which a page names a person and an email reaches them, of `row`, an alias
        in the query: a join takes these and no secret of signing in.
        """
        row = row or cls
        return row.id, row.name, row.job_title, row.email, row.active

    @classmethod
    def level_5(cls, *settings: int | None) -> "ModelSelect[User]":
        """Active people with a Level 5 role: assigned to every log. `settings`: only those whose
        role covers one of these schools and homes (ids; None: all of them, and what is of none).
        """
        query = cls.select().join(UserRole).join(Role).where(cls.active, Role.level == 5)
        if settings:
            query = query.where(UserRole.covering({one for one in settings if one is not None}))
        return query.distinct().order_by(cls.id)

    @classmethod
    def with_grants(cls) -> list[tuple["User", Grants]]:
        """Every active person, as far as pages name them, with their roles, by name. Two
        queries.
        """
        roles = {role.id: role for role in Role.every_one()}
        found: dict[int, tuple[User, Grants]] = {}
        for id, name, job_title, role, setting in cls.links():
            if id not in found:
                person = cls(__no_default__=True, id=id, name=name, job_title=job_title)
                found[id] = (person, Grants())
            found[id][1].append((roles[role], setting))
        return list(found.values())

    @classmethod
    @composed
    def of_session(cls, uniquifier):
        return cls.select().where(cls.fs_uniquifier == uniquifier)

    @classmethod
    @composed
    def links(cls):
        rows = cls.select(cls.id, cls.name, cls.job_title, UserRole.role, UserRole.setting)
        return rows.join(UserRole).where(cls.active).order_by(cls.name, cls.id).tuples()

    @classmethod
    def who_may(cls, permission: str, record: Base | None = None) -> list["User"]:
        """Active people with `permission`, where `record` is or, without one, anywhere; by name."""
        return [person for person, grants in cls.with_grants() if grants.may(permission, record)]


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
    """That a person has a role: for one school or home, or for all."""

    belongs, keeps, part_of = NoIncident("a person's"), "free", "user"

    user = ForeignKeyField(User, backref="user_roles", on_delete="RESTRICT")
    role = ForeignKeyField(Role, backref="user_roles", on_delete="RESTRICT")
    setting = ForeignKeyField(Setting, null=True, on_delete="RESTRICT")  # nothing: for all

    class Meta:
        indexes = ((("user", "role", "setting"), True),)

    @classmethod
    def covering(cls, settings: Iterable[int]) -> Expression:
        """The condition that a role is given for one of `settings` (ids), or for all."""
        everywhere = cls.setting.is_null()
        return everywhere | cls.setting.in_(set(settings)) if settings else everywhere
