"""Who else may read: an incident shared with a named person, and access in an emergency."""

from datetime import timedelta
from typing import Any

from peewee import ForeignKeyField, ModelSelect, TextField

from models.ground.clock import now
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Moment
from models.ground.record import Base, NoIncident, Refused
from models.history.event import Event
from models.history.notice import Notice
from models.history.step import starts
from models.people.user import User

from .incident import ABOUT, CLEARED, Addendum, Incident, Involved, OfIncident, leave_somebody
from .shut_out import ShutOut

LASTS = timedelta(hours=24)


class Share(OfIncident):
    """An incident, and what becomes of it, opened for one person."""

    no_line = "who may read a record is no event in the child's life"
    keeps, changes = "submitted", ("ended_at", "version")

    user = ForeignKeyField(User, on_delete="RESTRICT")
    by = ForeignKeyField(User, backref="shared", on_delete="RESTRICT")
    reason = TextField()
    at = Moment(default=now)
    ended_at = Moment(null=True)

    @classmethod
    @composed
    def of(cls, incident: Any) -> Any:
        """What is shared now, with the names, in one query."""
        by = User.alias()
        query = (
            cls.select(cls, *User.named(), *User.named(by))
            .join(User, on=(cls.user == User.id))
            .switch(cls)
            .join(by, on=(cls.by == by.id), attr="by")
        )
        return query.where(cls.incident == incident, cls.ended_at.is_null()).order_by(cls.id)

    @classmethod
    def incidents_of(cls, user: User) -> "ModelSelect[Share]":
        """A query of the ids of the incidents that are shared with `user` now."""
        return cls.select(cls.incident).where(cls.user == user, cls.ended_at.is_null())

    @classmethod
    @starts(*Incident.STATUSES)
    def share(cls, incident: Incident, person: User, reason: str, by: User) -> Incident:
        """Open `incident` for `person`. Refused for an adult whom the concern is about; a second
        time nothing happens.
        """
        with transaction():
            if person.id in ShutOut.of(incident):
                raise Refused(f"This incident cannot be shared with {person}.")
            if (
                cls.select()
                .where(cls.incident == incident, cls.user == person, cls.ended_at.is_null())
                .exists()
            ):
                raise Refused(f"This incident is already shared with {person}.")
            share = cls.create(incident=incident, user=person, by=by, reason=reason)
            Event.write("incident:share", incident, by, also=[share], reason=reason, person=person)
        return incident

    @classmethod
    @starts(*Incident.STATUSES)
    def name_adult(cls, incident: Incident, person: User, reason: str, by: User) -> Incident:
        """The concern turns out to be about `person`: it is shut to them at every door, shared or
        assigned or not.
        """
        with transaction():
            if person in Involved.named(Involved.all_of(incident)):
                raise Refused(f"{person} is already named.")
            Involved.create(incident=incident, adult=person, part=ABOUT)
            leave_somebody(incident)
            shut_out = ShutOut.of(incident)
            others = [one for one in User.level_5(incident.setting_id) if one.id not in shut_out]
            ended = cls.end(incident, person)
            Addendum.add(incident, by, f"The concern is about {person}. {reason}")
            Notice.announce(
                "incident:name_adult",
                incident,
                by,
                others,
                also=ended,
                reason=reason,
                person=person,
            )
        return incident

    def not_named(incident: Incident, by: User) -> bool:  # type: ignore[misc]
        """Only a Level 5 whom the concern is not about may withdraw that somebody was named."""
        return by.is_level_5(incident) and by.id not in ShutOut.of(incident)

    @classmethod
    @starts(*Incident.STATUSES, who=not_named)
    def clear_adult(cls, incident: Incident, person: User, reason: str, by: User) -> Incident:
        """The concern is not about `person`: it opens to them again as far as their role goes. The
        other Level 5 are told.
        """
        with transaction():
            if person not in Involved.named(Involved.all_of(incident)):
                raise Refused(f"{person} is not named.")
            Involved.create(incident=incident, adult=person, part=CLEARED)
            Addendum.add(
                incident,
                by,
                f"The concern is not about {person}, who was named by mistake. {reason}",
            )
            shut_out = ShutOut.of(incident) | {person.id}
            others = [one for one in User.level_5(incident.setting_id) if one.id not in shut_out]
            Notice.announce(
                "incident:clear_adult", incident, by, others, reason=reason, person=person
            )
        return incident

    @classmethod
    @starts(*Incident.STATUSES)
    def unshare(cls, incident: Incident, person: User, by: User) -> Incident:
        """Close it again for `person`."""
        with transaction():
            ended = cls.end(incident, person)
            if not ended:
                raise Refused(f"This incident is not shared with {person}.")
            Event.write("incident:unshare", incident, by, also=ended, person=person)
        return incident

    @classmethod
    def end(cls, incident: Incident, person: User) -> list["Share"]:
        """End what is shared of `incident` with `person`; returns the rows, for the event that says
        so.
        """
        open_now = list(
            cls.select().where(cls.incident == incident, cls.user == person, cls.ended_at.is_null())
        )
        for share in open_now:
            share.ended_at = now()
            share.save()
        return open_now


class Emergency(Base):
    """Access to every record for 24 hours, for one person, with a reason."""

    belongs, keeps = NoIncident("it opens every record for one person"), "fixed"

    user = ForeignKeyField(User, backref="emergencies", on_delete="RESTRICT")
    reason = TextField()
    begun_at = Moment(default=now)

    reference = "Emergency access"  # what the email to Level 5 says

    def __str__(self):
        return "for 24 hours"

    @classmethod
    def begin(cls, by: User, reason: str) -> "Emergency":
        """Open every record for `by` for 24 hours, and tell every Level 5 at once."""
        with transaction():
            if cls.of(by):
                raise Refused("Your emergency access is already open.")
            emergency = cls.create(user=by, reason=reason, begun_at=now())
            opened = by.within("emergency:begin")
            told = User.level_5(*opened or ())
            Notice.announce("emergency:begin", emergency, by, told, reason=reason)
        return emergency

    @classmethod
    def of(cls, user: User) -> "Emergency | None":
        """The emergency access that `user` has now, or None."""
        return (
            cls.select()
            .where(cls.user == user, cls.begun_at > now() - LASTS)
            .order_by(cls.id.desc())
            .first()
        )

    @property
    def until(self):
        return self.begun_at + LASTS
