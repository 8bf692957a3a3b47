"""The people around a child: parents, household, brothers and sisters, and relatives among the
staff.
"""

from typing import Any

from peewee import CharField, ForeignKeyField, TextField

from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Moment, Pick, YesNo
from models.ground.record import Refused
from models.history.event import Event
from models.history.step import starts
from models.people.user import User

from .child import Child, OfChild
from .incident import Incident, leave_somebody


class Relation(OfChild):
    """Somebody around a child. A relative who works here sees nothing about the child, whatever
    their role (see ShutOut): a member of staff who is a parent would read of other people's
    reports about their own family.
    """

    keeps = "submitted"
    changes = ("responsible", "household", "reached", "ended_at", "version")
    no_line = "who is around a child is no event: the child's page shows them beside it"

    kind = Pick("relation", max_length=60, verbose_name="Who this is to the child")
    name = CharField(
        null=True, max_length=120, verbose_name="Name", help_text="First name and family name."
    )
    other = ForeignKeyField(
        Child,
        null=True,
        backref="related",
        on_delete="RESTRICT",
        verbose_name="Another child on the list",
        help_text="A brother or sister here. Type part of the name.",
    )
    user = ForeignKeyField(
        User,
        null=True,
        backref="relatives",
        on_delete="RESTRICT",
        verbose_name="A colleague",
        help_text="Somebody with an account here. They see nothing about this child from then on.",
    )
    responsible = YesNo(null=True, verbose_name="Do they have parental responsibility?")
    household = YesNo(null=True, verbose_name="Do they live with the child?")
    reached = TextField(null=True, verbose_name="How they are reached")
    added_at = Moment(default=now, verbose_name="Added")
    ended_at = Moment(null=True, verbose_name="Ended")

    def __str__(self):
        return f"{self.who} ({self.kind.lower()} of {self.child})"

    @property
    def who(self) -> str:
        """The name: of the colleague, of the other child, or as it was written."""
        return str(self.user or self.other or self.name)

    @property
    def facts(self) -> list[str]:
        """What matters of them, in a few words each."""
        lives = {True: "lives with the child", False: "does not live there"}
        return [
            *(["parental responsibility"] if self.responsible else []),
            *([lives[self.household]] if self.household is not None else []),
            *([self.user.job_title] if self.user and self.user.job_title else []),
        ]

    @classmethod
    @starts()
    def relate(cls, child: Child, by: User, **values: Any) -> "Relation":
        """Write down somebody around `child`. Raises Refused unless exactly one of name, other and
        user is given, and where it is there already.

        A colleague is shut out of all that is about the child from this moment.
        """
        given = {name: values.get(name) for name in ("name", "other", "user") if values.get(name)}
        errors = {}
        if len(given) != 1:
            errors["name"] = "Give a name, or another child, or a colleague: one of the three."
        elif given.get("other") == child:
            errors["other"] = "This is the child."
        with transaction():
            same = [getattr(cls, name) == value for name, value in given.items()]
            now_there = cls.select().where(cls.child == child, cls.ended_at.is_null(), *same)
            if same and not errors and now_there.exists():
                errors[next(iter(given))] = "This person is written down already."
            if errors:
                raise Refused("Nothing was saved.", errors)
            relation = cls.create(child=child, added_at=now(), **values)
            if relation.user:  # nobody left who would decide, and the whole is undone
                for (incident,) in Incident.concerning(child).tuples():
                    leave_somebody(incident)
            Event.write("child:relate", child, by, also=[relation], person=str(relation))
        return relation

    def no_relative(self, by: User) -> bool:
        """A relative cannot change this themselves, and a colleague is taken off by a Level 5."""
        return by != self.user and (self.user_id is None or by.is_level_5(self.child))

    @classmethod
    def children_of(cls, user: User) -> Any:
        """A query of the ids of the children to whom `user` is related now."""
        return cls.select(cls.child).where(cls.user == user, cls.ended_at.is_null())

    @classmethod
    def of(cls, child: Child) -> list["Relation"]:
        """Those around `child` now, with the names, in one query."""
        other = Child.alias()
        rows = cls.select(cls, other.id, other.name, other.year, *User.named())
        rows = rows.left_outer_join(other, on=(cls.other == other.id), attr="other").switch(cls)
        rows = rows.left_outer_join(User, on=(cls.user == User.id))
        return list(rows.where(cls.child == child, cls.ended_at.is_null()).order_by(cls.id))

    @starts(who=no_relative)
    def unrelate(self, reason: str, by: User) -> "Relation":
        """It is so no more, or was a mistake. What was shut to a colleague opens again as far as
        their role goes, so a Level 5 does that.
        """
        with transaction():
            fresh = Relation.get_by_id(self.id)
            if fresh.ended_at:
                raise Refused("It was ended already. Nothing was changed.")
            fresh.ended_at = now()
            fresh.save()
            Event.write("child:unrelate", fresh.child, by, also=[fresh], reason=reason)
        return fresh
