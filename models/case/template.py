"""What trackers and other forms ask. Edited in the panel; what is begun keeps the text it was begun
with.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

from peewee import CharField, Expression, ForeignKeyField, IntegerField, TextField, fn

from models.ground.database import transaction
from models.ground.fields import Pick, YesNo
from models.ground.record import NoIncident, Record, Refused
from models.history.event import Event
from models.people.user import User

from .choice import Choice

SHIPPED = Path(__file__).parents[1] / "templates"
KINDS = [
    "short text",
    "long text",
    "date",
    "date and time",
    "yes/no",
    "one of a list",
    "several of a list",
    "rating",
    "table of rows",
    "number",
    "money",
    "person",
    "child",
    "organisation",
    "file",
    "figure",
    "heading",
]
OWN = ["number", "money", "person", "child"]  # kinds that have a field of their own
CELLS = ["short text", "long text", "date", "date and time", "time", "yes/no", "rating", *OWN]
UNASKED = ("heading", "figure", "file")  # the kinds that nobody types an answer to
FORM_ONLY = ("file", "figure")  # of what is no safeguarding tracker
ANSWERS = {"yes/no": ["Yes", "No"]}  # of a kind that has them without a list
CONDITIONS = ("yes/no", "one of a list", "several of a list", "rating")  # what may be followed from
SHOWS = ["earlier incidents"]
KEY = re.compile("[a-z][a-z0-9_]*")
CHOSEN = ("one of a list", "several of a list", "rating")  # the kinds that take a choice list
ORGANISATION = "organisation"  # the list from which such a question is answered
STANDS_ON = ["Ofsted log", "incident", "child", "adult", "nothing"]
TRACKER = STANDS_ON[0]
HOW_MANY = ["any number", "one at a time", "one"]
REPEATS = {  # how often a form is owed: months
    "Each month": 1,
    "Each term": 4,
    "Each 6 months": 6,
    "Each year": 12,
}
FIGURES = [  # what a figure counts, over the year up to now: see models/case/figures.py
    "incidents reported",
    "hours until acknowledged (median)",
    "incidents triaged",
    "referrals made",
    "referrals with an outcome",
    "Ofsted notifications",
    "Ofsted told on time",
    "cases opened",
    "cases closed",
    "cases open now",
    "tasks overdue now",
    "children with a plan or social worker now",
    "files of earlier schools received",
    "restraints",
    "missing episodes",
    "children on roll",
    "absence days",
    "exclusion days",
    "staff with an account",
    "reports by new staff",
    "policies acknowledged",
    "concerns about adults",
    "admissions",
    "discharges",
]
TODAY = (  # those of them that are as they stand now
    "cases open now",
    "tasks overdue now",
    "children with a plan or social worker now",
    "children on roll",
    "staff with an account",
    "policies acknowledged",
    "files of earlier schools received",
)
LISTED = ["column", "filter", "figure"]  # how the list of a form shows an answer
PREFIX = re.compile("[A-Z]{2,5}")
TAKEN = ("INC", "OFS", "CASE", "VR")  # what other references begin with
WITHIN = re.compile(r"(\d{1,3}) (hours|days|working days) after (\w+)")
RATINGS = ["1 – not in place", "2 – beginning", "3 – mostly in place", "4 – fully in place"]


class Column(NamedTuple):
    """A column of a table: what its cells are, and what may be chosen there (None: anything)."""

    name: str
    kind: str = "short text"
    choices: list | None = None


def column(line: str) -> "Column":
    """A column as it is written in the panel: “Who”, “By when | date”, “Rating | list: threshold”,
    “Done? | yes/no”. A kind that there is not is part of the name.
    """
    name, bar, kind = (part.strip() for part in line.rpartition("|"))
    if bar and name and kind.startswith("list:"):
        return Column(name, "one of a list", Choice.names(kind.removeprefix("list:").strip()))
    if bar and name and kind in CELLS:
        return Column(name, kind, RATINGS if kind == "rating" else ANSWERS.get(kind))
    return Column(line.strip())


def columns(question: dict[str, Any]) -> list["Column"]:
    """The columns of a pinned table. Those without a kind are pinned as their names, as they all
    were in earlier versions.
    """
    return [Column(one) if isinstance(one, str) else Column(**one) for one in question["choices"]]


class Ordered(Record, abstract=True):
    """A row among its siblings, in an order that people change."""

    belongs, keeps = NoIncident("what forms ask is the school's"), "rows"

    def siblings(self):
        raise NotImplementedError

    def stays_in_order(self, rows):
        """Raise Refused where the siblings cannot stand in the order of `rows`."""

    def place_last(self):
        self.position = (self.siblings().select(fn.MAX(type(self).position)).scalar() or 0) + 1

    def move(self, by: User, places: int) -> None:
        """Move up (-1) or down (+1) among the siblings; at the end of the row nothing happens."""
        with transaction():
            rows = list(self.siblings().order_by(type(self).position, type(self).id))  # type: ignore[misc]
            old = rows.index(self)
            new = min(max(old + places, 0), len(rows) - 1)
            rows.insert(new, rows.pop(old))
            self.stays_in_order(rows)
            for position, row in enumerate(rows, 1):
                row.set(position=position)
                row.save()
            if new != old:
                Event.write(
                    f"{self.noun()}:edit", self, by, {"position": (old + 1, new + 1)}, also=rows
                )


class Template(Record):
    belongs, keeps = NoIncident("what forms ask is the school's"), "rows"

    name = CharField(unique=True, max_length=120, verbose_name="Name")
    purpose = TextField(default="", verbose_name="What it is for")
    in_force = YesNo(
        default=False,
        verbose_name="In force?",
        help_text="The one edition of its kind that is begun from now on. What is begun already "
        "keeps its own.",
    )
    stands_on = Pick(
        fixed=STANDS_ON,
        null=True,
        max_length=20,
        verbose_name="What it stands on",
        help_text="Ofsted log: it is what Begin safeguarding tracker begins.",
    )
    prefix = CharField(
        null=True,
        max_length=5,
        verbose_name="Prefix of its references",
        help_text="Two to five capitals, as AUD for AUD-2026-0001. Editions of one form have the "
        "same.",
    )
    edition = CharField(null=True, max_length=40, verbose_name="Edition")
    heading = CharField(
        null=True,
        max_length=60,
        verbose_name="Heading in the menu Forms",
        help_text="For example: Homes.",
    )
    basis = TextField(null=True, verbose_name="Legal basis")
    source = TextField(null=True, verbose_name="Where its questions are from")
    notice = TextField(
        null=True, verbose_name="Notice", help_text="What whoever fills it in must know first."
    )
    news = TextField(
        null=True,
        verbose_name="What changed between editions",
        help_text="Shown to whoever fills it in. A line for each edition.",
    )
    how_many = Pick(fixed=HOW_MANY, null=True, max_length=20, verbose_name="How many there may be")
    due_days = IntegerField(
        null=True, verbose_name="Days until it is submitted", help_text="Counted from its begin."
    )
    repeats = Pick(
        fixed=tuple(REPEATS), null=True, max_length=20, verbose_name="How often it is owed"
    )
    headline = CharField(
        null=True,
        max_length=200,
        verbose_name="Headline",
        help_text="Its line in lists and in the chronology. {measure} stands for the answer to the "
        "question with that key.",
    )

    def __str__(self):
        return self.name

    @property
    def is_tracker(self) -> bool:
        """Whether it is the safeguarding tracker of an Ofsted log."""
        return self.stands_on in (None, TRACKER)

    @property
    def draws(self) -> bool:
        """Whether its list offers to draw a closed case: of a check that nobody asks for."""
        return self.stands_on == "incident" and self.heading == "Quality"

    @classmethod
    def trackers(cls) -> Expression:
        """The condition that a template is one of the safeguarding tracker."""
        return cls.stands_on.is_null() | (cls.stands_on == TRACKER)

    @property
    def same_kind(self) -> Expression:
        """The condition that a template is another edition of this form."""
        others = Template.id != (self.id or 0)
        kind = Template.trackers() if self.is_tracker else Template.prefix == self.prefix
        return kind & others

    def check(self) -> None:
        """Raise Refused where no tracker would be in force, and for what no form can be."""
        super().check()
        errors = {}
        alike = list(Template.select().where(self.same_kind))
        if self.is_tracker:
            if not self.in_force and not any(one.in_force for one in alike):
                errors["in_force"] = "One template must be in force. Choose another one first."
        else:
            if not PREFIX.fullmatch(self.prefix or ""):
                errors["prefix"] = "Write two to five capital letters, as AUD."
            elif self.prefix in TAKEN:
                errors["prefix"] = f"{self.prefix} begins the references of something else."
            elif any(one.stands_on != self.stands_on for one in alike):
                errors["prefix"] = "A form that stands on something else has this prefix already."
            if self.stands_on == "adult" and self.how_many not in (None, HOW_MANY[0]):
                errors["how_many"] = (
                    "About an adult there may be any number: else whoever begins one would learn "
                    "that there is another."
                )
            if self.due_days is not None and not 0 < self.due_days < 1000:
                errors["due_days"] = "Give 1 to 999 days, or leave it empty."
        before = self.id and Template.get_by_id(self.id)
        if before and before.begun():
            for name in ("stands_on", "prefix"):
                if getattr(before, name) != getattr(self, name):
                    errors[name] = "It has been begun with this already. Copy it, to change it."
        if errors:
            raise Refused("The template was not saved.", errors)

    def begun(self) -> bool:
        """Whether anything was begun from it."""
        return any(model.select().where(model.template == self).exists() for model in begun_from())

    def takes_along(self) -> list["Template"]:
        """One edition of a form is in force: choosing this one retires the others."""
        others = (
            list(Template.select().where(Template.in_force, self.same_kind))
            if self.in_force
            else []
        )
        for other in others:
            other.in_force = False
            other.save()
        return others

    @classmethod
    def current(cls) -> "Template":
        """The tracker template in force. Raises Refused when there is none."""
        if template := cls.get_or_none(cls.in_force, cls.trackers()):
            return template
        raise Refused("No tracker template is in force. Ask the DSL to choose one under Templates.")

    def sections_asked(self) -> list[tuple["TemplateSection", list["Question"]]]:
        """[(TemplateSection, [Question])] in order, without what is retired. Two queries."""
        questions: dict[int, list[Question]] = {}
        for question in (
            Question.select()
            .join(TemplateSection)
            .where(TemplateSection.template == self, ~Question.retired)
            .order_by(Question.position, Question.id)
        ):
            questions.setdefault(question.section_id, []).append(question)
        sections = self.sections.where(~TemplateSection.retired).order_by(
            TemplateSection.position, TemplateSection.id
        )
        return [(section, questions.get(section.id, [])) for section in sections]


class TemplateSection(Ordered):
    template = ForeignKeyField(Template, backref="sections", on_delete="RESTRICT")
    position = IntegerField(default=0)
    title = CharField(max_length=120, verbose_name="Title")
    help = TextField(
        default="",
        verbose_name="Help",
        help_text="Shown under the title, to the person who fills it in.",
    )
    restricted = YesNo(
        default=False,
        verbose_name="Restricted?",
        help_text="Only people with the permission for restricted sections can read it.",
    )
    retired = YesNo(
        default=False,
        verbose_name="Retired?",
        help_text="New trackers no longer have it. Begun ones keep it.",
    )
    shows = Pick(
        fixed=SHOWS,
        null=True,
        max_length=40,
        verbose_name="What it shows besides",
        help_text="Earlier incidents: links to the child’s earlier incidents, to those who may "
        "see them.",
    )
    after = YesNo(
        null=True,
        verbose_name="After it was submitted?",
        help_text="Filled in once the form has been submitted: feedback, an outcome.",
    )

    def __str__(self):
        return self.title

    def opens(self, by: User) -> bool:
        """Only somebody who may read restricted sections takes that mark off one."""
        return by.may("section:read_restricted")

    def siblings(self):
        return TemplateSection.select().where(TemplateSection.template == self.template_id)


class Question(Ordered):
    section = ForeignKeyField(TemplateSection, backref="questions", on_delete="RESTRICT")
    position = IntegerField(default=0)
    text = CharField(max_length=300, verbose_name="Question")
    help = TextField(default="", verbose_name="Help", help_text="Shown under the question.")
    kind = Pick(fixed=KINDS, default="long text", verbose_name="Kind of answer")
    options = TextField(
        default="",
        verbose_name="Own choices, or columns",
        help_text="One choice on each line. Of a table one column on each line; its kind may stand "
        "behind it: “Agreed action | long text”, “By when | date”, “Seen | date and time”, “From "
        "| time”, “Done? | yes/no”, “How well | rating”, “Level | list: threshold”.",
    )
    required = YesNo(default=False, verbose_name="Needed to complete?")
    source = CharField(
        max_length=200,
        default="",
        verbose_name="Source",
        help_text="The guidance or rule that asks for it.",
    )
    retired = YesNo(
        default=False,
        verbose_name="Retired?",
        help_text="New trackers no longer ask it. Begun ones keep it.",
    )
    depends_on = ForeignKeyField(
        "self",
        null=True,
        on_delete="RESTRICT",
        deferrable="INITIALLY DEFERRED",  # a copy is made in the order of ids
        verbose_name="Follows from",
        help_text="An earlier question of this section. This one is then asked only after one of "
        "the answers below.",
    )
    depends_answer = TextField(
        null=True,
        verbose_name="Asked after the answer",
        help_text="Yes, No, or a choice of that question’s list. Several: one on each line.",
    )
    key = CharField(
        null=True,
        max_length=40,
        verbose_name="Key",
        help_text="Small letters. The same in each edition: by it last year’s answer stands beside "
        "this year’s, and a headline finds the answer.",
    )
    for_review = YesNo(
        null=True,
        verbose_name="Answered by who reviews it?",
        help_text="A governor’s comment, for example.",
    )
    public = YesNo(
        null=True,
        verbose_name="In the version for the public?",
        help_text="Never what names a person.",
    )
    listed = CharField(
        null=True,
        max_length=40,
        verbose_name="In the list of such forms",
        help_text="Any of: column, filter, figure.",
    )
    makes_tasks = YesNo(
        null=True,
        verbose_name="Does each row become a task?",
        help_text="Of a table with a column that is a date: when it is submitted.",
    )
    within = CharField(
        null=True,
        max_length=80,
        verbose_name="Clock",
        help_text="Of a date and time: “24 hours after happened_at”, the key of another question. "
        "Hours, days or working days. It warns, and never blocks.",
    )

    def __str__(self):
        return self.text

    @property
    def lists_as(self) -> list[str]:
        """How the list of such forms shows its answer: some of LISTED."""
        return [one.strip() for one in (self.listed or "").split(",") if one.strip()]

    @property
    def depends_answers(self):
        """The answers after which it is asked."""
        return [line.strip() for line in (self.depends_answer or "").splitlines() if line.strip()]

    def answers(self) -> list[str]:
        """What can be answered, where it is chosen; none where it is written."""
        return ANSWERS.get(self.kind) or (self.choices() if self.kind in CONDITIONS else [])

    def earlier(self) -> list["Question"]:
        """The questions of its section that this one may follow from."""
        rows = self.siblings().where(~Question.retired, Question.kind.in_(CONDITIONS))
        before = Question.position < self.position if self.id else True
        return list(rows.where(before).order_by(Question.position, Question.id))

    def stays_in_order(self, rows):
        """A question stands behind the one that it follows from."""
        places = {row.id: place for place, row in enumerate(rows)}
        for row in rows:
            if places.get(row.depends_on_id, -1) > places[row.id]:
                raise Refused(
                    f"“{row}” follows from “{row.depends_on}” and has to stay behind it. Nothing "
                    "was moved."
                )

    def siblings(self):
        return Question.select().where(Question.section == self.section_id)

    def check(self) -> None:
        """Raise Refused when a list has no choices, a table no columns, or a condition can never
        hold.
        """
        super().check()
        errors = {}
        asks = self.kind in ("one of a list", "several of a list", "table of rows")
        if self.from_list and self.kind not in (*CHOSEN, ORGANISATION):
            errors["from_list"] = (
                "This kind of answer takes no list: change the kind, or choose no list here."
            )
        elif asks and self.from_list and not self.choices():
            errors["from_list"] = (
                f"The list “{self.from_list}” offers nothing: choose another, or add choices to it "
                "under Lists first."
            )
        elif asks and not self.choices():
            errors["options"] = (
                "Write what is asked for, one column on each line."
                if self.kind == "table of rows"
                else "Write the choices, one on each line, or choose a list above."
            )
        elif self.kind == "table of rows":
            read = [column(line) for line in self.choices()]
            if empty := [one.name for one in read if one.choices == []]:
                errors["options"] = f"The list of “{empty[0]}” has no choices."
            elif len({one.name for one in read}) < len(read):
                errors["options"] = "Two columns have the same name."
        errors |= self.wrong_condition()
        errors |= self.wrong_in_form()
        if self.id and (after := self.left_without()):
            errors["retired" if self.retired else "kind"] = (
                f"“{after}” follows from this question. Change that one first."
            )
        if errors:
            raise Refused("The question was not saved.", errors)

    def wrong_in_form(self) -> dict[str, str]:
        """What is wrong with what only a form other than a tracker has: {field: sentence}."""
        errors = {}
        if self.section.template.is_tracker and self.kind in FORM_ONLY:
            errors["kind"] = "A safeguarding tracker has no such question: choose another kind."
        if self.key:
            same = Question.select().join(TemplateSection)
            same = same.where(TemplateSection.template == self.section.template_id)
            same = same.where(Question.key == self.key, Question.id != (self.id or 0))
            if not KEY.fullmatch(self.key):
                errors["key"] = "Write small letters, digits and _, beginning with a letter."
            elif same.exists():
                errors["key"] = "Another question of this template has this key."
        counted = self.kind in (*CONDITIONS, ORGANISATION)
        if wrong := [one for one in self.lists_as if one not in LISTED]:
            errors["listed"] = f"“{wrong[0]}” is none of: {', '.join(LISTED)}."
        elif self.lists_as and self.section.restricted:
            errors["listed"] = "What a restricted section says stands in no list."
        elif set(self.lists_as) - {"column"} and not counted:
            errors["listed"] = "Only what is chosen can be a filter or a figure."
        naming = ("person", "child", "table of rows", "file")
        if self.public and (self.section.restricted or self.kind in naming):
            errors["public"] = "This may name a person: the public does not read it."
        if self.makes_tasks and not any(one.kind == "date" for one in self.table()):
            errors["makes_tasks"] = "Its table needs a column that is a date: “By when | date”."
        if self.within and (self.kind != "date and time" or not WITHIN.fullmatch(self.within)):
            errors["within"] = "Write it of a date and time, as “24 hours after happened_at”."
        if self.kind == "figure" and self.options.strip() not in FIGURES:
            errors["options"] = f"Write which figure: {', '.join(FIGURES)}."
        return errors

    def table(self) -> list["Column"]:
        """The columns of a table; of another kind none."""
        if self.kind != "table of rows":
            return []
        return [column(line) for line in self.choices()]

    def wrong_condition(self) -> dict[str, str]:
        """What is wrong with what it follows from: {field: sentence}."""
        if not self.depends_on:
            written = "Choose the question that this answer belongs to, or leave both empty."
            return {"depends_on": written} if self.depends_answers else {}
        if self.depends_on not in self.earlier():
            wrong = "Choose an earlier question of this section, with answers to choose from."
            return {"depends_on": wrong}
        can = self.depends_on.answers()
        if not self.depends_answers or any(one not in can for one in self.depends_answers):
            wrong = f"Write answers of “{self.depends_on}”, one on each line: {', '.join(can)}."
            return {"depends_answer": wrong}
        return {}

    def left_without(self) -> Any:
        """The first question that could never be asked any more if this one were saved, or None."""
        can = [] if self.retired else self.answers()
        after = Question.select().where(Question.depends_on == self.id, ~Question.retired)
        return next((one for one in after if not set(one.depends_answers) <= set(can)), None)

    @property
    def from_list(self) -> str:
        """The choice list that its choices are taken from; "" where they are its own."""
        if self.kind == ORGANISATION:
            return ORGANISATION
        first, _colon, name = self.options.partition(":")
        return name.strip() if first == "list" else ""

    def choices(self) -> list[str]:
        """The choices or columns as they are now."""
        if self.from_list:
            return Choice.names(self.from_list)
        return (
            RATINGS
            if self.kind == "rating" and not self.options.strip()
            else [line.strip() for line in self.options.splitlines() if line.strip()]
        )

    def pinned(self) -> dict[str, Any]:
        """The question as a begun tracker keeps it: plain data, with the choices of today.

        A condition that can never hold, for its question is retired or its list has other choices
        now, is left out: what is asked needlessly does no harm, what is not asked may.
        """
        choices: list[Any] = self.choices()
        if self.kind == "table of rows":
            read = [column(line) for line in choices]
            choices = [one.name if one == Column(one.name) else one._asdict() for one in read]
        pinned = {
            "id": str(self.id),
            "text": self.text,
            "help": self.help,
            "kind": self.kind,
            "required": bool(self.required),
            "source": self.source,
            "choices": choices,
        }
        if self.from_list:  # so that what was decided at triage can be suggested
            pinned["list"] = self.from_list
        extra = {
            "key": self.key,
            "review": bool(self.for_review),
            "public": bool(self.public),
            "listed": self.lists_as,
            "tasks": bool(self.makes_tasks),
            "within": self.within,
            "counts": self.options.strip() if self.kind == "figure" else "",
        }
        pinned |= {name: value for name, value in extra.items() if value}
        on = self.depends_on
        can = on.answers() if on and not on.retired else []
        if possible := [answer for answer in self.depends_answers if answer in can]:
            pinned["depends"] = {"on": str(on.id), "answers": possible}
        return pinned


def begun_from() -> list[Any]:
    """The models whose rows say from which template they were begun."""
    every: list[Any] = [one for one in Record.every() if one is not TemplateSection]
    named = [(one, one._meta.fields.get("template")) for one in every]
    return [
        one for one, field in named if field and field.rel_model is Template and not one.part_of
    ]
