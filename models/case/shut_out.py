"""Who is shut out of an incident, whatever their role: a view of the database."""

from typing import Any

from peewee import IntegerField, Model

from models.ground.composed import composed
from models.ground.database import db
from models.people.user import User


class ShutOut(Model):
    """Who sees nothing of which incident, whatever their role: a view of the database, derived anew
    whenever it is asked (migration 0012).

    An adult whom the concern is about, as long as that was not withdrawn; a member of staff who is
    related to a child in it; and either of all that stands in one case with such an incident.
    """

    user = IntegerField()
    incident = IntegerField()

    class Meta:
        database = db
        primary_key = False
        table_name = "shut_out"

    @classmethod
    def of(cls, incident: Any) -> set[int]:
        """The ids of those who are shut out of `incident`."""
        return {user for (user,) in cls.users_of(getattr(incident, "id", incident))}

    @classmethod
    @composed
    def users_of(cls, incident):
        return cls.select(cls.user).where(cls.incident == incident).tuples()

    @classmethod
    @composed
    def anything(cls, by: Any) -> Any:
        """Whether a person (an id) is shut out of anything: a row, or none."""
        return cls.select(cls.incident).where(cls.user == by).limit(1).tuples()

    @classmethod
    def incidents_of(cls, by: User) -> Any:
        """A query of the ids of the incidents that `by` is shut out of."""
        return cls.select(cls.incident).where(cls.user == by.id)
