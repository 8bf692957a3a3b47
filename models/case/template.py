"""What trackers ask. Edited in the panel; a begun tracker keeps the text it was begun with."""

import tomllib
from pathlib import Path

from peewee import CharField, ForeignKeyField, IntegerField, TextField, fn

from models.ground.database import transaction
from models.ground.fields import Pick, YesNo
from models.ground.record import NoCase, Record, Refused
from models.history.event import Event

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
CHOSEN = ("one of a list", "several of a list", "rating")  # the kinds that take a choice list
RATINGS = ["1 – not in place", "2 – beginning", "3 – mostly in place", "4 – fully in place"]


class Ordered(Record, abstract=True):
    """A row among its siblings, in an order that people change."""

    belongs, keeps = NoCase("what forms ask is the school's"), "rows"

    def siblings(self):
        raise NotImplementedError

    def place_last(self):
        self.position = (self.siblings().select(fn.MAX(type(self).position)).scalar() or 0) + 1

    def move(self, by, places):
        """Move up (-1) or down (+1) among the siblings; at the end of the row nothing happens."""
        with transaction():
            rows = list(self.siblings().order_by(type(self).position, type(self).id))
            old = rows.index(self)
            new = min(max(old + places, 0), len(rows) - 1)
            rows.insert(new, rows.pop(old))
            for position, row in enumerate(rows, 1):
                row.set(position=position)
                row.save()
            if new != old:
                Event.write(
                    f"{self.noun()}:edit", self, by, {"position": (old + 1, new + 1)}, also=rows
                )


class Template(Record):
    belongs, keeps = NoCase("what forms ask is the school's"), "rows"

    name = CharField(unique=True, max_length=120, verbose_name="Name")
    purpose = TextField(default="", verbose_name="What it is for")
    in_force = YesNo(
        default=False,
        verbose_name="In force?",
        help_text="The one template that Begin safeguarding tracker uses.",
    )

    def __str__(self):
        return self.name

    def check(self):
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

    def takes_along(self):
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
    def current(cls):
        """The template in force. Raises Refused when there is none."""
        if template := cls.get_or_none(cls.in_force):
            return template
        raise Refused("No tracker template is in force. Ask the DSL to choose one under Templates.")

    def sections_asked(self):
        """[(TemplateSection, [Question])] in order, without what is retired. Two queries."""
        questions = {}
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
    def ship(cls):
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
                made = []
                for position, section in enumerate(shipped["section"], 1):
                    questions = section.pop("question")
                    row = TemplateSection.create(template=template, position=position, **section)
                    made += [
                        row,
                        *(
                            Question.create(section=row, position=n, **one)
                            for n, one in enumerate(questions, 1)
                        ),
                    ]
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

    def __str__(self):
        return self.title

    def opens(self, by):
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
        help_text="One choice on each line; of a table, one column on each line.",
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

    def __str__(self):
        return self.text

    def siblings(self):
        return Question.select().where(Question.section == self.section_id)

    def check(self):
        """Raise Refused when a list has no choices or a table no columns."""
        super().check()
        asks = self.kind in ("one of a list", "several of a list", "table of rows")
        if self.from_list and self.kind not in CHOSEN:
            raise Refused(
                "The question was not saved.",
                {
                    "from_list": "This kind of answer takes no list: change the kind, or choose no "
                    "list here."
                },
            )
        if asks and self.from_list and not self.choices():
            raise Refused(
                "The question was not saved.",
                {
                    "from_list": f"The list “{self.from_list}” offers nothing: choose another, or "
                    "add choices to it under Lists first."
                },
            )
        if asks and not self.choices():
            raise Refused(
                "The question was not saved.",
                {
                    "options": "Write what is asked for, one column on each line."
                    if self.kind == "table of rows"
                    else "Write the choices, one on each line, or choose a list above."
                },
            )

    @property
    def from_list(self):
        """The choice list that its choices are taken from; "" where they are its own."""
        first, _colon, name = self.options.partition(":")
        return name.strip() if first == "list" else ""

    def choices(self):
        """The choices or columns as they are now."""
        if self.from_list:
            return Choice.names(self.from_list)
        return (
            RATINGS
            if self.kind == "rating" and not self.options.strip()
            else [line.strip() for line in self.options.splitlines() if line.strip()]
        )

    def pinned(self):
        """The question as a begun tracker keeps it: plain data, with the choices of today."""
        return {
            "id": str(self.id),
            "text": self.text,
            "help": self.help,
            "kind": self.kind,
            "required": bool(self.required),
            "source": self.source,
            "choices": self.choices(),
        }
