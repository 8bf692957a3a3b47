"""Who begins, fills in, reads, reviews and signs a form: roles, for each template."""

from collections.abc import Iterable, Mapping
from typing import Any

from peewee import ForeignKeyField, IntegerField

from models.ground.composed import composed
from models.ground.fields import Pick
from models.ground.record import NoIncident, Record, Refused
from models.people.role import Role
from models.people.user import User

from .template import Template

BEGINS, FILLS, READS, REVIEWS, STANDS_IN, SIGNS = DOES = (
    "begins", "fills", "reads", "reviews", "stands in", "signs",
)  # fmt: skip
BEGAN = "began"  # no right of a role: who began a form fills it in until it is submitted
READING = (FILLS, READS, REVIEWS, SIGNS)  # what opens a form to a role
OPEN, RETURNED, SUBMITTED, COMPLETE = STATUSES = ("open", "returned", "submitted", "complete")
WRITING = (OPEN, RETURNED)  # while a form is filled in; later it is locked
NAMED = (READS, REVIEWS)  # what somebody can be named for
SIGNERS = 4  # signatures of one form, at most
CLOSED = (
    "Only a Level 5 who does not gain by it lets more people into a form that is in use. Nothing "
    "was changed: ask one."
)


class Right(Record):
    """What a role does with the forms of a template; of those who sign, in which order."""

    belongs, keeps = NoIncident("what forms ask is the school's"), "free"
    part_of = "template"

    template = ForeignKeyField(Template, backref="rights", on_delete="RESTRICT")
    role = ForeignKeyField(Role, on_delete="RESTRICT")
    does = Pick(fixed=DOES, max_length=20)
    position = IntegerField(default=0)

    class Meta:
        indexes = ((("template", "does", "role"), True), (("role", "does"), False))

    @classmethod
    def of(cls, template: Template | int) -> dict[str, list[Role]]:
        """{what is done: [Role]} of a template, signers in their order. One query."""
        found: dict[str, list[Role]] = {does: [] for does in DOES}
        rows = cls.select(cls, Role).join(Role).where(cls.template == template)
        for row in rows.order_by(cls.position, cls.id):
            found[row.does].append(row.role)
        return found

    @classmethod
    @composed
    def begun_by(cls, roles: Any) -> Any:
        """The templates in force from which one of `roles` (ids) begins a form, in their order."""
        mine = cls.select(cls.template).where(cls.role.in_(roles), cls.does == BEGINS)
        rows = Template.select().where(Template.in_force, ~Template.trackers())
        return rows.where(Template.id.in_(mine)).order_by(Template.heading, Template.name)

    @classmethod
    def templates(cls, roles: Iterable[int], *does: str) -> Any:
        """A query of the ids of the templates whose forms one of `roles` (ids) may so."""
        return cls.select(cls.template).where(cls.role.in_(list(roles)), cls.does.in_(does))

    @classmethod
    def give(cls, template: Template, wanted: Mapping[str, Iterable[Role]], by: User | None) -> Any:
        """Make the rights of `template` those that are `wanted`: {what is done: [Role]}. Returns
        {what: (before, after)} of what changed.

        Where it is in use, whoever lets more people in is Level 5 and has none of the roles that
        are let in (trust: widening waits for a Level 5). by: None for what is shipped.
        """
        before = cls.of(template)
        given = {does: list(wanted.get(does, ())) for does in DOES}
        if len(given[SIGNS]) > SIGNERS:
            raise Refused("The template was not saved.", {"signs": f"At most {SIGNERS} sign."})
        more = {
            role
            for does in (BEGINS, *READING, STANDS_IN)
            for role in given[does]
            if role not in before[does]
        }
        closed = [role for does in READING for role in given[does] if not role.reads]
        if by and closed and template.stands_on != "incident":
            wrong = (
                f"The role {closed[0]} opens no records. Give it “Open forms that are no child’s” "
                "first, which waits for a Level 5."
            )
            raise Refused("The template was not saved.", {"reads": wrong})
        in_use = template.in_force or template.begun()
        if by and more and in_use and (by.level < 5 or more & set(by.roles)):
            raise Refused("The template was not saved.", {"reads": CLOSED})
        cls.delete().where(cls.template == template).execute()
        rows = [
            {"template": template, "role": role, "does": does, "position": position}
            for does in DOES
            for position, role in enumerate(dict.fromkeys(given[does]), 1)
        ]
        if rows:
            cls.insert_many(rows).execute()
        return {
            does: (", ".join(map(str, before[does])), ", ".join(map(str, given[does])))
            for does in DOES
            if before[does] != given[does]
        }

    @classmethod
    def stay_offered(cls, template: Template, by: User) -> None:
        """Refuse that a form is put in force by somebody who is not Level 5, or whom it lets into
        more than the edition in force does.
        """
        if template.is_tracker or not template.in_force:
            return
        if by.level < 5:
            wrong = "Only a Level 5 puts a form in force, for that opens records. Ask one."
            raise Refused("The template was not saved.", {"in_force": wrong})
        rows = Template.select().where(Template.in_force, template.same_kind)
        before = rows.first()
        if not before:
            return
        old, new = cls.of(before), cls.of(template)
        more = {
            role for does in (*READING, STANDS_IN) for role in new[does] if role not in old[does]
        }
        if more & set(by.roles):
            wrong = "It lets your own role into more than the edition before. Ask another Level 5."
            raise Refused("The template was not saved.", {"in_force": wrong})
