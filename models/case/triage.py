"""Triage: the decision on an incident. A later one supersedes it, and none is overwritten."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from peewee import ForeignKeyField, ModelSelect, TextField, fn

from models.ground.clock import LONDON, now, today
from models.ground.composed import composed
from models.ground.database import transaction
from models.ground.fields import Day, Moment, Pick
from models.ground.record import Base, Refused
from models.ground.words import day
from models.history.event import Event
from models.history.step import starts
from models.people.user import User

from .case import Case, Link
from .child import Child, Flag
from .choice import Choice
from .incident import LINKED_WRONGLY, Incident, Involved, OfIncident
from .line import Line

MOST = 3  # categories of one child: more is no category (facts: vendors cap it, DSLs ask for few)
# what stays within the school, by the words we ship: above the first thresholds it wants a reason
INSIDE = ("No further action", "Monitor until a date", "Internal support", "Early help")
GRAVE = ("Targeted", "Statutory")
MONITOR = INSIDE[1]


class Triage(OfIncident):
    """What was decided on an incident: its case, risk, urgency, threshold, categories by child, and
    why (Keeping children safe in education: decisions and the reasons for them are recorded).
    """

    keeps = "fixed"
    opens = Case.opens  # whoever reports reads no decision

    by = ForeignKeyField(User, on_delete="RESTRICT", verbose_name="Decided by")
    at = Moment(default=now, verbose_name="Decided")
    case = ForeignKeyField(Case, null=True, on_delete="RESTRICT", verbose_name="Case")
    risk = Pick("risk", verbose_name="Risk to the child", help_text="As it is now.")
    urgency = Pick("urgency", verbose_name="Urgency")
    threshold = Pick(
        "threshold",
        verbose_name="Threshold",
        help_text="By the threshold document of your local safeguarding partnership.",
    )
    decision = Pick("decision", verbose_name="Decision")
    review_on = Day(
        ahead=True, null=True, verbose_name="Look again on", help_text="Needed to monitor."
    )
    rationale = TextField(
        verbose_name="Why: the rationale",
        help_text="What you weighed, for somebody who reads it in five years.",
    )
    not_referred = TextField(
        null=True,
        verbose_name="Why it was not referred",
        help_text="Needed where a referral was considered and not made.",
    )

    UNANSWERED = {
        "risk": "Choose how great the risk is now.",
        "rationale": "Say why: what you weighed, and what decided.",
    }

    def __str__(self):
        return f"triage of {self.incident}"

    reference = property(__str__)

    def parts(self) -> list[Base]:
        categories = Category.select().where(Category.triage == self.id).order_by(Category.id)
        return [Triage.get_by_id(self.id), *categories]

    @classmethod
    @composed
    def of(cls, incident: Any) -> Any:
        """Every decision on an incident, the one in force first, with who decided and the case."""
        query = cls.select(cls, Case, *User.named()).join(User).switch(cls)
        query = query.left_outer_join(Case, on=(cls.case == Case.id), attr="case")
        return query.where(cls.incident == incident).order_by(cls.id.desc())

    @classmethod
    @composed
    def decided(cls, incidents: Any) -> Any:
        """The decisions on several incidents (a list of ids), in order, without their words."""
        rows = cls.select(cls.id, cls.incident, cls.decision, cls.at)
        return rows.where(cls.incident.in_(incidents)).order_by(cls.id)

    @classmethod
    def in_force(cls) -> "ModelSelect[Triage]":
        """A query of the ids of the latest decision on each incident."""
        return cls.select(fn.MAX(cls.id)).group_by(cls.incident)

    @classmethod
    @starts(*Incident.STATUSES)
    def decide(
        cls,
        incident: Incident,
        by: User,
        opens: bool = False,
        case: Case | None = None,
        categories: Iterable[tuple[Child, str, str]] = (),
        flags: Iterable[str] = (),
        adult: str | None = None,
        **answers: Any,
    ) -> "Triage":
        """Decide on `incident`. opens: a new case; case: an open one it becomes part of; neither:
        no case, closed here.

        categories: [(child, part, category)], at most MOST of each child, who must be linked.
        flags: kinds that the child gets from today. adult: of a new case, the adult at risk whom it
        is about. answers: the other fields. Raises Refused.
        """
        categories = list(dict.fromkeys(categories))
        errors = cls.wrong(incident, opens, case, categories, answers)
        if errors:
            raise Refused("The triage was not saved.", errors)
        with transaction():
            if opens:
                case = Case.open_for(incident, by, adult)
            elif case:
                case.take_in(incident, by)
            triage = cls.create(incident=incident, by=by, at=now(), case=case, **answers)
            for child, part, name in categories:
                Category.create(
                    incident=incident, triage=triage, child=child, part=part, category=name
                )
            fresh = Incident.get_by_id(incident.id)
            also = [fresh] if fresh.stage != "triaged" else []
            if also:
                fresh.reach("triaged")
            if added := Flag.add(fresh.child, flags):
                Event.write("child:flag", fresh.child, by, flags=[one.kind for one in added])
            Event.write("triage:decide", triage, by, also=also)
        return triage

    @staticmethod
    def wrong(
        incident: Incident, opens: bool, case: Case | None, categories: list, answers: dict
    ) -> dict[str, str]:
        """What contradicts itself: {field: sentence}."""
        errors, today = {}, now().astimezone(LONDON).date()
        if wrong := Category.wrong(incident, categories):
            errors["categories"] = wrong
        decision, threshold = answers.get("decision"), answers.get("threshold")
        if decision == MONITOR and not answers.get("review_on"):
            errors["review_on"] = "Say on which day somebody looks again."
        if answers.get("review_on") and answers["review_on"] < today:
            errors["review_on"] = "This day is past. Give a later one."
        if decision in INSIDE and threshold in GRAVE and not answers.get("not_referred"):
            errors["not_referred"] = f"At “{threshold}”, say why it is not referred."
        if opens and case:
            errors["case"] = "Choose a new case, or one that is open: not both."
        return errors

    own: Sequence["Category"] = ()  # of the children whose chronology it is: see gather()

    @classmethod
    def gather(cls, rows: list["Triage"], children: Sequence[Child]) -> None:
        """Put beside each of `rows` its categories of `children`, and of nobody else."""
        found, ids = cls.given([row.id for row in rows]), {child.id for child in children}
        for row in rows:
            row.own = [one for one in found.get(row.id, []) if one.child_id in ids]

    @staticmethod
    def given(triages: Iterable[int]) -> dict[int, list["Category"]]:
        """The categories of `triages` (ids), without the children's names."""
        found: dict[int, list[Category]] = {}
        rows = Category.select().where(Category.triage.in_(list(triages)))
        for row in rows.order_by(Category.id):
            found.setdefault(row.triage_id, []).append(row)
        return found

    def line(self) -> Line:
        """As the chronology has it."""
        categories = [f"{one.part.lower()}: {one.category}" for one in self.own]
        return Line(
            self.at,
            f"Decided: {self.decision}",
            "decision",
            self.at,
            self.by,
            [
                *categories,
                f"risk {self.risk.lower()}",
                self.threshold.lower(),
                str(self.case or ""),
            ],
            significant=self.threshold in GRAVE,
            action=self.decision,
            review=f"To be looked at again on {day(self.review_on)}" if self.review_on else "",
            source=f"{self.by}, {self.incident}",
        )

    def chosen(self) -> dict[str, list[str]]:
        """What was chosen, by the list it was chosen from; categories as the child's whom the
        incident is about.
        """
        picks = [one for one in self._meta.fields.values() if isinstance(one, Pick)]
        rows = Category.select().where(Category.triage == self.id).order_by(Category.id)
        own = [one.category for one in rows if one.child_id == self.incident.child_id]
        return {one.of: [getattr(self, one.name)] for one in picks} | {"category": own}

    @classmethod
    def to_look_at(cls, person: User, visible: Callable) -> Any:
        """A query of the decisions in force after which `person` looks again on a day still to
        come: in the cases that they lead and, where there is no case, those that they made.

        visible: the policy, which stands above the nouns.
        """
        later = cls.alias()
        after = later.select(later.id).where(later.incident == cls.incident, later.id > cls.id)
        now_in = Link.select(Link.incident).where(Link.ended_at.is_null())
        led = now_in.where(
            Link.case.in_(visible(Case, person).where(Case.led_by(person)).select(Case.id))
        )
        theirs = cls.incident.in_(led) | ((cls.by == person) & cls.incident.not_in(now_in))
        return visible(cls, person).where(cls.review_on >= today(), ~fn.EXISTS(after), theirs)

    @classmethod
    def stops(cls, incidents: list[int]) -> list[tuple[str, Any, str]]:
        """What a case lacks before it can close: a decision on each of its incidents."""
        done = cls.select(cls.incident).where(cls.incident.in_(incidents))
        undone = Incident.select().where(Incident.id.in_(incidents), Incident.id.not_in(done))
        return [(f"Triage of {one}", one, "triage") for one in undone.order_by(Incident.id)]


class Category(OfIncident):
    """A category, given to one child of an incident in one triage, with the part they had."""

    keeps, part_of = "fixed", "triage"
    no_line = "it stands in the line of its triage"
    opens = Case.opens

    triage = ForeignKeyField(Triage, backref="categories", on_delete="RESTRICT")
    child = ForeignKeyField(Child, on_delete="RESTRICT", verbose_name="Child")
    part = Pick("child's part", max_length=60, verbose_name="Part")
    category = Pick("category", max_length=120, verbose_name="Category")

    @staticmethod
    def wrong(incident: Incident, categories: list) -> str:
        """What is wrong with the categories that are given on `incident`: a sentence, or ""."""
        linked = {incident.child_id, *(one.child_id for one in Involved.of(incident))}
        by_child: dict[int, set[str]] = {}
        for child, _part, name in categories:
            by_child.setdefault(child.id, set()).add(name)
        if any(id not in linked for id in by_child):
            return "A category is given to a child who is not linked to it."
        if any(len(names) > MOST for names in by_child.values()):
            return f"Give each child at most {MOST} categories."
        if not by_child.get(incident.child_id):
            return f"Give {incident.child} at least one category."
        return ""

    @classmethod
    def of(cls, triages: Iterable[int]) -> dict[int, list["Category"]]:
        """The categories of each of `triages` (ids), with the children: {id: [Category]}."""
        ids = list(triages)
        found: dict[int, list[Category]] = {}
        rows = cls.select(cls, Child).join(Child).where(cls.triage.in_(ids))
        for row in rows.order_by(cls.id) if ids else ():
            found.setdefault(row.triage_id, []).append(row)
        return found


def affected(incidents: Iterable[Incident]) -> list[Child]:
    """The children who were affected by any of `incidents`, by what was said last of each: in the
    decision in force, or in the report.
    """
    incidents, part = list(incidents), Choice.names("child's part")[0]
    ids = [one.id for one in incidents]
    parts = {(row.id, row.child_id): part for row in incidents}
    for row in Involved.select().where(Involved.incident.in_(ids)).order_by(Involved.id):
        if row.child_id:
            parts[row.incident_id, row.child_id] = row.part
    latest = Triage.in_force().where(Triage.incident.in_(ids))
    for one in Category.select().where(Category.triage.in_(latest)).order_by(Category.id):
        key = one.incident_id, one.child_id
        if parts.get(key, LINKED_WRONGLY) != LINKED_WRONGLY:
            parts[key] = one.part
    found = {child for (_incident, child), said in parts.items() if said == part}
    return list(Child.select().where(Child.id.in_(found)).order_by(Child.name))
