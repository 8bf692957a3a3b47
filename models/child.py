"""The child or young person."""

from peewee import CharField, ForeignKeyField

from .base import Day, Pick, Record, contains, now
from .words import day


class Child(Record):
    name = CharField(max_length=120, index=True, verbose_name="Full name", help_text="First name and family name, never initials.")
    date_of_birth = Day(verbose_name="Date of birth")
    upn = CharField(max_length=13, unique=True, null=True, verbose_name="UPN", help_text="Unique pupil number, 13 characters.")
    year = CharField(max_length=20, default="", verbose_name="Year or unit")
    left_on = Day(null=True, verbose_name="Left on")

    def __str__(self):
        return self.name

    def parts(self):
        return [Child.get_by_id(self.id), *Flag.select().where(Flag.child == self.id).order_by(Flag.id)]

    @property
    def label(self):
        """How a form names this child, one way only: name, year, date of birth."""
        return f"{self.name}, {self.year or 'no year'}, born {day(self.date_of_birth)}"

    @classmethod
    def matching(cls, term):
        """The search condition: name or UPN."""
        return contains(cls.name, term) | contains(cls.upn, term)

    @classmethod
    def on_roll(cls):
        """Everyone whom a report may be about: not left before today."""
        return cls.select().where(cls.left_on.is_null() | (cls.left_on >= now().date())).order_by(cls.name)


class Flag(Record):
    child = ForeignKeyField(Child, backref="flags", on_delete="RESTRICT")
    kind = Pick("flag", verbose_name="Flag")
    since = Day(verbose_name="Since")
    until = Day(null=True, verbose_name="Until")
