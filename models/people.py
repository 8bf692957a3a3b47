"""People who sign in, their roles, and what those roles permit."""

from uuid import uuid4

from flask_security import RoleMixin, UserMixin
from peewee import JOIN, BooleanField, CharField, ForeignKeyField, IntegerField, TextField

from .base import Moment, Record, Strings
from .permissions import SHIPPED_ROLES


class Role(RoleMixin, Record):
    name = CharField(unique=True, max_length=80, verbose_name="Name")
    level = IntegerField(verbose_name="Level", help_text="0 to 5. Every Level 5 is assigned to every Ofsted log.")
    description = TextField(default="", verbose_name="What it is for")
    permissions = Strings(default=list, verbose_name="Permissions")

    def __str__(self):
        return self.name

    @classmethod
    def ship(cls):
        """Create the shipped roles that do not exist yet."""
        for name, (level, description, permissions) in SHIPPED_ROLES.items():
            cls.get_or_create(name=name, defaults={"level": level, "description": description, "permissions": permissions})


class User(UserMixin, Record):
    name = CharField(max_length=120, verbose_name="Full name")
    job_title = CharField(max_length=120, default="", verbose_name="Job title")
    email = CharField(unique=True, max_length=254, verbose_name="Email")
    password = TextField(null=True)
    active = BooleanField(default=True, verbose_name="May sign in")
    fs_uniquifier = CharField(unique=True, max_length=64, default=lambda: uuid4().hex)
    last_login_at = Moment(null=True)
    current_login_at = Moment(null=True)
    last_login_ip = CharField(null=True, max_length=64)
    current_login_ip = CharField(null=True, max_length=64)
    login_count = IntegerField(default=0)

    __eq__, __hash__ = Record.__eq__, Record.__hash__  # Flask-Login's compare by object, so a set would hold one person twice

    def __str__(self):
        return self.name

    @property
    def label(self):
        """How a form names this person, one way only: name, job title."""
        return f"{self.name}, {self.job_title}" if self.job_title else self.name

    @property
    def roles(self):
        """Read once per object: a request builds a new User, so a change of role counts at the next request."""
        if "_roles" not in self.__dict__:
            self.__dict__["_roles"] = list(Role.select().join(UserRole).where(UserRole.user == self).order_by(Role.level.desc()))
        return self.__dict__["_roles"]

    @roles.setter
    def roles(self, _roles):
        self.__dict__.pop("_roles", None)  # Flask-Security's create_user passes roles=[]

    @property
    def level(self):
        return max((role.level for role in self.roles), default=0)

    def may(self, permission):
        """Whether any of this person's roles has `permission` ("noun:verb"). An inactive person may nothing."""
        return self.active and any(permission in role.permissions for role in self.roles)

    @classmethod
    def level_5(cls):
        """Active people with a Level 5 role: assigned to every log."""
        return cls.select().join(UserRole).join(Role).where(cls.active, Role.level == 5).distinct().order_by(cls.id)

    @classmethod
    def who_may(cls, permission):
        """Active people with `permission`, by name. Two queries, however many people."""
        people = list(
            cls.select(cls, UserRole, Role).join(UserRole, JOIN.INNER, attr="link").join(Role).where(cls.active).order_by(cls.name)
        )
        return list({p.id: p for p in people if permission in p.link.role.permissions}.values())


class UserRole(Record):
    user = ForeignKeyField(User, backref="user_roles", on_delete="RESTRICT")
    role = ForeignKeyField(Role, backref="user_roles", on_delete="RESTRICT")

    class Meta:
        indexes = ((("user", "role"), True),)
