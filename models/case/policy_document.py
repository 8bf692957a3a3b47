"""Policy documents that staff are to read, in editions, and who says that they have read which."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from peewee import JOIN, CharField, ForeignKeyField, TextField, fn

from models.ground.clock import LONDON, now, today
from models.ground.database import contains, transaction
from models.ground.fields import Day, Moment, Pick
from models.ground.record import Base, NoIncident, Record, Refused
from models.history.event import Event
from models.history.step import claim, starts, step
from models.people.role import Role
from models.people.setting import Setting
from models.people.user import User, UserRole

READS = "policy_document:acknowledge"  # whoever has it is a member of staff, and reads
IN_FORCE = "in force"


class Reader(NamedTuple):
    """Somebody who is to read a policy, or has read it."""

    person: User
    at: datetime | None  # when they said that they have read it
    due_on: date  # never before the day of their account
    asked: bool  # whether it is theirs to read now; else they read it, and left or changed roles


class PolicyDocument(Record):
    """One edition of a policy. A new edition is a row of its own that takes the place of the former
    one, so that whoever read that one has still read it.
    """

    belongs, keeps = NoIncident("a policy is the school's, and about no child"), "submitted"
    changes = ("status", "version", "due_on")
    STATUSES = (IN_FORCE, "superseded", "retired")

    status = Pick(fixed=STATUSES, max_length=20, default=IN_FORCE, verbose_name="Status")
    title = CharField(
        max_length=160, verbose_name="Title", help_text="For example: Child protection policy."
    )
    edition = CharField(
        max_length=60, verbose_name="Edition", help_text="For example: September 2026."
    )
    changed = TextField(
        default="",
        verbose_name="What changed",
        help_text="Since the edition before, so that whoever knows that one finds it.",
    )
    place = TextField(
        default="",
        verbose_name="Where it is",
        help_text="A link within the school, for example https://…, or where the paper lies.",
    )
    text = TextField(
        default="", verbose_name="Its words", help_text="If it is short enough to be read here."
    )
    due_on = Day(ahead=True, verbose_name="By when it is to be read")
    setting = ForeignKeyField(
        Setting, null=True, on_delete="RESTRICT", verbose_name="School or home"
    )
    supersedes = ForeignKeyField(
        "self", null=True, unique=True, on_delete="RESTRICT", verbose_name="Takes the place of"
    )
    published_by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Published by")
    published_at = Moment(default=now, verbose_name="Published")

    def __str__(self):
        return f"{self.title}, {self.edition}"

    reference = property(__str__)

    def its_setting(self) -> int | None:
        """Its own; one for all wants a role for all of whoever changes it."""
        return self.setting_id

    @classmethod
    def matching(cls, term: str) -> Any:
        """The search condition: title, edition or what changed."""
        found = contains(cls.title, term) | contains(cls.edition, term)
        return found | contains(cls.changed, term)

    # who is to read it

    @classmethod
    def asked(cls, roles: Iterable[int]) -> Any:
        """The query of who is to read what is in force, [(document, person)], each once. `roles`:
        the ids of those that read.
        """
        there = cls.setting.is_null() | UserRole.setting.is_null()
        named = PolicyReader.select(PolicyReader.document)
        mine = named.where(PolicyReader.role == UserRole.role)
        return (
            cls.select(cls.id.alias("document"), UserRole.user.alias("person"))
            .join(UserRole, on=(there | (UserRole.setting == cls.setting)))
            .join(User, on=(UserRole.user == User.id))
            .where(cls.status == IN_FORCE, User.active, UserRole.role.in_(list(roles)))
            .where(cls.id.not_in(named) | cls.id.in_(mine))
            .distinct()
        )

    @staticmethod
    def reading() -> list[Role]:
        """The roles whose people read policies, by name."""
        return [role for role in Role.select().order_by(Role.name) if READS in role.permissions]

    @classmethod
    def asked_of(cls, by: User) -> Any:
        """The query of the ids of those in force that `by` is to read."""
        roles = {role.id for role, _setting in by.grants if READS in role.permissions}
        return cls.asked(roles).where(UserRole.user == by).select(cls.id)

    @classmethod
    def tally(cls, within: set[int] | None = None) -> dict[int, tuple[int, int]]:
        """{id: (how many have read it, how many are to in all)} of those in force. `within`: the
        ids of the schools and homes whose people and policies count, None for all. Two queries.
        """
        asked = cls.asked([role.id for role in cls.reading()])
        if within is not None:
            here = cls.setting.is_null() | cls.setting.in_(within)
            asked = asked.where(UserRole.covering(within), here)
        done = Acknowledgement.document == cls.id
        done &= Acknowledgement.user == UserRole.user
        counts = [fn.COUNT(fn.DISTINCT(one)) for one in (Acknowledgement.user, UserRole.user)]
        rows = asked.join(Acknowledgement, JOIN.LEFT_OUTER, on=done).distinct(False)
        rows = rows.select(cls.id, *counts).group_by(cls.id).tuples()
        return {id: (read, whole) for id, read, whole in rows}

    @classmethod
    def acknowledged(cls, setting: int | None = None) -> tuple[int, int]:
        """(how many have read what they are to read, how many are to in all): a person counts once
        for each policy in force. `setting`: the id of one school or home, whose people and policies
        count, with those for all; else all. Two queries.
        """
        rows = cls.tally(None if setting is None else {setting}).values()
        return sum(read for read, _whole in rows), sum(whole for _read, whole in rows)

    @classmethod
    def owed(cls, by: User) -> list[tuple["PolicyDocument", date]]:
        """[(policy, the day by which)] that `by` is to read and has not, the first due first."""
        read = Acknowledgement.select(Acknowledgement.document).where(Acknowledgement.user == by)
        rows = cls.select().where(cls.id.in_(cls.asked_of(by)), cls.id.not_in(read))
        found = list(rows.order_by(cls.due_on, cls.id))
        since = began([by.id]) if found else {}
        owed = [(one, max(one.due_on, since.get(by.id, one.due_on))) for one in found]
        return sorted(owed, key=lambda one: one[1])

    def theirs(self, by: User) -> Any:
        """Only those whom it is for say that they have read it."""
        return type(self).asked_of(by).where(PolicyDocument.id == self.id).exists()

    def read_at(self, by: User) -> datetime | None:
        """When `by` said that they have read this edition, if they did."""
        row = Acknowledgement.get_or_none(document=self, user=by)
        return row.at if row else None

    def readers(self, within: set[int] | None = None) -> list[Reader]:
        """Who is to read this edition, and who has read it, by name; in a few queries. `within`:
        the ids of the schools and homes whose people they are, None for all.
        """
        cls = type(self)
        asked = cls.asked([role.id for role in cls.reading()]).where(cls.id == self.id)
        people = User.select(*User.named())
        if within is not None:
            there = UserRole.covering(within)
            asked = asked.where(there)
            people = people.where(User.id.in_(UserRole.select(UserRole.user).where(there)))
        ids = {person for _document, person in asked.tuples()}
        rows = Acknowledgement.select().where(Acknowledgement.document == self)
        read = {row.user_id: row.at for row in rows}
        since = began(ids)
        return [
            Reader(
                one,
                read.get(one.id),
                max(self.due_on, since.get(one.id, self.due_on)),
                one.id in ids,
            )
            for one in people.where(User.id.in_(ids | set(read))).order_by(User.name, User.id)
        ]

    # what is done

    @classmethod
    def publish(
        cls,
        by: User,
        roles: Iterable[Role] = (),
        former: "PolicyDocument | None" = None,
        **values: Any,
    ) -> "PolicyDocument":
        """Put an edition in force, in place of the `former` one. `roles`: whose people are to read
        it; none of them, all of them.

        Raises Refused for a day that is past, where it says neither its words nor where it is, and
        for a title that is in force already.
        """
        made = cls(**values, supersedes=former, published_by=by, published_at=now())
        if former:
            made.setting = former.setting
        wrong = {}
        if made.due_on < today():
            wrong["due_on"] = "This day is past. Give a later one."
        if not (made.place or made.text):
            wrong["place"] = "Say where it is, or write its words below."
        if wrong:
            raise Refused("Nothing was published.", wrong)
        with transaction():
            if former:
                claim(former, [IN_FORCE], "superseded")
            where = made.setting_id
            there = cls.setting.is_null() if where is None else cls.setting == where
            same = cls.select().where(cls.status == IN_FORCE, cls.title == made.title, there)
            if same.exists():
                sentence = "One with this title is in force: publish a new edition on its page."
                raise Refused("Nothing was published.", {"title": sentence})
            made.save()
            made.read_by(roles)
            Event.write("policy_document:add", made, by, also=[former] if former else [])
        return made

    def roles(self) -> list[Role]:
        """Those whose people are to read it, by name; none for all."""
        mine = Role.select().join(PolicyReader).where(PolicyReader.document == self)
        return list(mine.order_by(Role.name))

    def read_by(self, roles: Iterable[Role]) -> None:
        """Have the people of `roles` read it, and of no other."""
        roles = set(roles)
        rows = PolicyReader.document == self
        PolicyReader.delete().where(rows, PolicyReader.role.not_in(list(roles))).execute()
        have = {row.role_id for row in PolicyReader.select().where(rows)}
        for role in sorted(roles, key=lambda one: one.id):
            if role.id not in have:
                PolicyReader.create(document=self, role=role)

    def edit(self, by: User, due_on: date, roles: Iterable[Role]) -> None:
        """Change by when it is to be read, and by whom: its words stay as they were read."""
        with transaction():
            if self.status != IN_FORCE:
                raise Refused(f"It is {self.status}, and nobody is to read it. Nothing was saved.")
            if due_on != self.due_on and due_on < today():
                sentence = "This day is past. Give a later one."
                raise Refused("Nothing was saved.", {"due_on": sentence})
            before, after = named(self.roles()), named(roles)
            changed = self.set(due_on=due_on)
            if before != after:
                changed["Who is to read it"] = before, after
                self.read_by(roles)
            self.save()
            if changed:
                Event.write("policy_document:edit", self, by, changed)

    @starts(IN_FORCE, who=theirs)
    def acknowledge(self, by: User) -> "PolicyDocument":
        """Say that `by` has read this edition. Once: said again, the first time stands."""
        with transaction():
            if self.read_at(by):
                return self
            if type(self).get_by_id(self.id).status != IN_FORCE:
                raise Refused("It is not in force any more, so it need not be read.")
            row = Acknowledgement.create(document=self, user=by, at=now())
            Event.write("policy_document:acknowledge", self, by, also=[row])
        return self

    @step(IN_FORCE, "retired")
    def retire(self, reason: str, by: User) -> dict[str, str]:
        """Nobody is to read it any more, and nothing takes its place."""
        return {"reason": reason}


def named(roles: Iterable[Role]) -> str:
    """Whose people read it, in words."""
    return ", ".join(sorted(role.name for role in roles)) or "All staff"


def began(people: Iterable[int]) -> dict[int, date]:
    """{id: the day of their account} of `people` (ids), as far as the history has it. One query."""
    first = Event.select(Event.record, fn.MIN(Event.at)).where(
        Event.subject == User.noun(), Event.verb == "user:add", Event.record.in_(list(people))
    )
    rows: Any = first.group_by(Event.record).tuples()
    return {id: at.astimezone(LONDON).date() for id, at in rows}


class PolicyReader(Base):
    """A role whose people are to read a policy; one without any is for all staff."""

    belongs, keeps, part_of = NoIncident("of a policy"), "free", "document"

    document = ForeignKeyField(PolicyDocument, on_delete="RESTRICT")
    role = ForeignKeyField(Role, on_delete="RESTRICT")

    class Meta:
        indexes = ((("document", "role"), True),)


class Acknowledgement(Base):
    """That somebody has read an edition, and when they said so."""

    belongs, keeps = NoIncident("of a policy, and about no child"), "fixed"

    document = ForeignKeyField(PolicyDocument, on_delete="RESTRICT")
    user = ForeignKeyField(User, on_delete="RESTRICT")
    at = Moment(default=now)

    class Meta:
        indexes = ((("document", "user"), True),)
