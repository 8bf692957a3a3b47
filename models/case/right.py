"""Who begins, fills in, reads, reviews and signs a form: roles, for each template."""

from collections.abc import Iterable, Mapping
from typing import Any

from peewee import ForeignKeyField, IntegerField

from models.access.proposal import Proposal
from models.ground.composed import composed
from models.ground.fields import Pick
from models.ground.record import NoIncident, Record, Refused
from models.history.event import Event
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
NOT_AS_ASKED = (
    "Who may open it was changed since this was asked for. Refuse it, and have it asked for again."
)
Roles = Mapping[str, list[Role]]  # {what is done: [who does it]}


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

        Where it is in use, letting more people in waits for a Level 5 who has none of the roles
        that are let in (trust: widening waits for a Level 5): it is asked for, and the rest counts
        at once. by: None for what is shipped.
        """
        before = cls.of(template)
        given = {does: list(dict.fromkeys(wanted.get(does, ()))) for does in DOES}
        if len(given[SIGNS]) > SIGNERS:
            raise Refused("The template was not saved.", {"signs": f"At most {SIGNERS} sign."})
        closed = [role for does in READING for role in given[does] if not role.reads]
        if by and closed and template.stands_on != "incident":
            wrong = (
                f"The role {closed[0]} opens no records. Give it “Open forms that are no child’s” "
                "first, which waits for a Level 5."
            )
            raise Refused("The template was not saved.", {"reads": wrong})
        more = cls.more(before, given, (BEGINS, *READING, STANDS_IN))
        in_use = template.in_force or template.begun()
        signs = given[SIGNS] != before[SIGNS]  # IT dropping one is no narrowing: nobody looks then
        if by and in_use and (more and not cls.settles(by, more) or signs and by.level < 5):
            kept = {does: [one for one in before[does] if one in given[does]] for does in DOES}
            kept[SIGNS] = before[SIGNS]
            cls.ask("form", template, kept, given, more, by)
            given = kept
        cls.delete().where(cls.template == template).execute()
        rows = [
            {"template": template, "role": role, "does": does, "position": position}
            for does in DOES
            for position, role in enumerate(given[does], 1)
        ]
        if rows:
            cls.insert_many(rows).execute()
        return {
            does: (", ".join(map(str, before[does])), ", ".join(map(str, given[does])))
            for does in DOES
            if before[does] != given[does]
        }

    @staticmethod
    def more(before: Roles, given: Roles, doing: Iterable[str]) -> set[Role]:
        """The roles that are let in, to one of what is done in `doing`."""
        return {role for does in doing for role in given[does] if role not in before[does]}

    @staticmethod
    def settles(by: User, more: set[Role]) -> bool:
        """Whether `by` decides that these roles are let in: a Level 5 who does not gain by it."""
        return by.level == 5 and not more & set(by.roles)

    @classmethod
    def ask(
        cls, kind: str, template: Template, old: Roles, new: Roles, more: set[Role], by: User
    ) -> None:
        """Ask for a Level 5: what is asked for is what the roles may then, and it holds only while
        they may what they may now.
        """
        value = {
            "template": template.id,
            "form": str(template),
            "before": ids_of(old),
            "wanted": ids_of(new),
            "gain": sorted(role.id for role in more),
        }
        Proposal.make(by, kind, value=value)

    @classmethod
    def offer(cls, template: Template, by: User) -> bool:
        """Whether `by` puts a form in force: a Level 5, whom it lets into no more than the edition
        in force does. Else it is asked for.
        """
        if template.is_tracker:
            return True
        before = Template.select().where(Template.in_force, template.same_kind).first()
        new = cls.of(template)
        old = cls.of(before) if before else {does: [] for does in DOES}
        more = cls.more(old, new, (*READING, STANDS_IN)) if before else set()
        if cls.settles(by, more):
            return True
        cls.ask("offer", template, old, new, more, by)
        return False

    @classmethod
    def approved(cls, kind: str, value: dict[str, Any], by: User) -> Template:
        """Do what was asked for of a template, which is returned. Raises Refused where it is not
        any more what was asked for.
        """
        template = Template.get_by_id(value["template"])
        now = ids_of(cls.of(template))
        if now != value["wanted" if kind == "offer" else "before"]:
            raise Refused(NOT_AS_ASKED)
        if kind == "offer":
            if not cls.offer(template, by):
                raise Refused(NOT_AS_ASKED)
            changed, also = template.set(in_force=True), template.takes_along()
            template.check()
            template.save()
        else:
            roles = {role.id: role for role in Role.select()}
            wanted = {
                does: [roles[one] for one in some if one in roles]
                for does, some in value["wanted"].items()
            }
            changed, also = cls.give(template, wanted, by), []
        Event.write("template:edit", template, by, changed, also=also)
        return template


def ids_of(rights: Roles) -> dict[str, list[int]]:
    return {does: [role.id for role in some] for does, some in rights.items()}


Proposal.brought |= dict.fromkeys(("form", "offer"), Right.approved)
