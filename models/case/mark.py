"""Marks: which lines of a child's chronology are significant, and their headlines."""

from typing import Any

from peewee import CharField, ForeignKeyField, IntegerField

from models.ground.clock import now
from models.ground.database import transaction
from models.ground.fields import Moment, Pick, YesNo
from models.ground.record import Base
from models.history.event import Event
from models.history.step import starts
from models.people.user import User

from .child import Child, OfChild

IMPACT = ["+ for the better", "− for the worse"]


class Mark(OfChild):
    """What somebody says of one line of a chronology: that it is significant, or not, and a
    headline of their own. A later one supersedes it; none is overwritten.
    """

    keeps = "fixed"
    no_line = "it says something of another line"

    noun_of = CharField(max_length=40)
    record = IntegerField()
    significant = YesNo(verbose_name="Is it significant?")
    headline = CharField(
        null=True,
        max_length=160,
        verbose_name="Headline",
        help_text="One line of your own, plain enough for the family. Empty: as it is.",
    )
    impact = Pick(
        fixed=IMPACT, null=True, max_length=40, verbose_name="What did it mean for the child?"
    )
    by = ForeignKeyField(User, on_delete="RESTRICT")
    at = Moment(default=now)

    @classmethod
    @starts()
    def mark(cls, child: Child, row: Base, by: User, **values: Any) -> "Mark":
        """Mark the line of `row` in the chronology of `child`. The event is of the row where not
        all who see the child may see that, so that they do not read of it.
        """
        own = getattr(row, "permission", "") != OfChild.permission
        with transaction():
            mark = cls.create(
                child=child, noun_of=row.noun(), record=row.id, by=by, at=now(), **values
            )
            Event.write("child:mark", row if own else child, by, also=[mark])
        return mark
