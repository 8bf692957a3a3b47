"""What trackers ask. Edited in the panel; a begun tracker keeps the text it was begun with."""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from peewee import CharField, ForeignKeyField, IntegerField, TextField, fn

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
]
CELLS = ["short text", "long text", "date", "date and time", "time", "yes/no", "rating"]
ANSWERS = {"yes/no": ["Yes", "No"]}  # of a kind that has them without a list
CONDITIONS = ("yes/no", "one of a list", "several of a list", "rating")  # what may be followed from
SHOWS = ["earlier incidents"]
CHOSEN = ("one of a list", "several of a list", "rating")  # the kinds that take a choice list
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
        help_text="The one template that Begin safeguarding tracker uses.",
    )

    def __str__(self):
        return self.name

    def check(self) -> None:
        """Raise Refused where no template would be in force."""
        super().check()
        if (
            not self.in_force
            and not Template.select()
            .where(Template.in_force, Template.id != (self.id or 0))
            .exists()
        ):
            raise Refused(
                "The template was not saved.",
                {"in_force": "One template must be in force. Choose another one first."},
            )

    def takes_along(self) -> list["Template"]:
        """Exactly one template is in force: choosing this one retires the others."""
        others = (
            list(Template.select().where(Template.in_force, Template.id != self.id))
            if self.in_force
            else []
        )
        for other in others:
            other.in_force = False
            other.save()
        return others

    @classmethod
    def current(cls) -> "Template":
        """The template in force. Raises Refused when there is none."""
        if template := cls.get_or_none(cls.in_force):
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

    @classmethod
    def ship(cls) -> None:
        """Create each shipped template (models/templates/*.toml) that does not exist yet; the first
        becomes the one in force.
        """
        for file in sorted(SHIPPED.glob("*.toml")):
            shipped = tomllib.loads(file.read_text(encoding="utf-8"))
            if cls.get_or_none(cls.name == shipped["name"]):
                continue
            with transaction():
                template = cls.create(
                    name=shipped["name"],
                    purpose=shipped["purpose"],
                    in_force=not cls.select().where(cls.in_force).exists(),
                )
                made: list[Any] = []
                for position, section in enumerate(shipped["section"], 1):
                    questions, named = section.pop("question"), {}
                    row = TemplateSection.create(template=template, position=position, **section)
                    made.append(row)
                    for n, one in enumerate(questions, 1):
                        key, on = one.pop("key", one["text"]), one.pop("depends_on", None)
                        named[key] = Question(section=row, position=n, **one)
                        named[key].depends_on = named[on] if on else None
                        named[key].check()
                        named[key].save()
                        made.append(named[key])
                Event.write("template:add", template, None, also=made)


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

    def __str__(self):
        return self.text

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
        if self.from_list and self.kind not in CHOSEN:
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
        if self.id and (after := self.left_without()):
            errors["retired" if self.retired else "kind"] = (
                f"“{after}” follows from this question. Change that one first."
            )
        if errors:
            raise Refused("The question was not saved.", errors)

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
        on = self.depends_on
        can = on.answers() if on and not on.retired else []
        if possible := [answer for answer in self.depends_answers if answer in can]:
            pinned["depends"] = {"on": str(on.id), "answers": possible}
        return pinned
