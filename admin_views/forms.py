"""Form fields for our kinds of value, and which one a model field or a tracker question gets."""

import json
import re
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256

from flask_admin.contrib.peewee.form import CustomModelConverter
from flask_admin.form import BaseForm
from wtforms import fields, validators, widgets
from wtforms.fields.choices import SelectChoice
from wtfpeewee.orm import ValueRequired

from models.base import LONDON, Moment, Pick, Rows, YesNo, fold
from models.child import Child
from models.event import plain
from models.lists import Choice
from models.people import User

NEEDED = "This is needed."
SPARE_ROWS = 3


def clean(text):
    """Typed text without NUL, which no database keeps, and without space at its ends; None when nothing is left."""
    return (text.replace("\0", "").replace("\r\n", "\n").strip() or None) if isinstance(text, str) else text


class Required(ValueRequired):
    """Needed; but what was typed and not understood is told as that, not as missing."""

    def __call__(self, form, field):
        if field.process_errors:
            raise validators.StopValidation()
        super().__call__(form, field)


def required():
    return Required(NEEDED)


def put_errors(form, refused):
    """Show what a rule refused at the fields it names; what belongs to no field is shown at the top of the form."""
    for name, sentence in refused.errors.items():
        field = form._fields.get(name)
        if field is None:
            form.form_errors.append(sentence)
        else:
            field.errors = [*field.errors, sentence]
    if not refused.errors:
        form.form_errors.append(str(refused))


def mark(value):
    """A short digest of what a field holds, by which it is seen whether somebody changed it. Nothing is nothing, however it is written."""
    value = None if value in (None, "", []) else plain(value)
    if isinstance(value, list) and not isinstance(value[0], dict):
        value = sorted(map(str, value))
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:10]


def marks(form):
    """What the record held when the form was opened, in one line that the form carries."""
    return " ".join(f"{name}:{mark(field.object_data)}" for name, field in form._fields.items())


def merge(form, opened):
    """Give each field that its writer left alone what is saved now; returns those that both changed. `opened`: the marks the form carried."""
    opened, both = dict(pair.rsplit(":", 1) for pair in opened.split() if ":" in pair), []
    for name, field in form._fields.items():
        mine, saved, before = mark(field.data), mark(field.object_data), opened.get(name)
        if mine != saved == before or mine == saved:
            continue
        if mine == before:
            field.data, field.raw_data = field.object_data, None
        else:
            field.theirs = field.object_data
            both.append(field)
    return both


class TextField(fields.StringField):
    pass


class LongTextField(fields.TextAreaField):
    pass


class DayField(fields.DateField):
    """A date; the browser shows its own picker."""

    def process_formdata(self, valuelist):
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("This is not a date. Write it as day, month, year, for example 22/11/2026.") from None


class MomentField(fields.DateTimeLocalField):
    """A date and time typed in Europe/London, kept in UTC (aware)."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M"], **kwargs)

    def process_formdata(self, valuelist):
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("This is not a date and time. Write it like 22/11/2026 14:05.") from None
        if self.data:
            local = self.data.replace(tzinfo=LONDON)
            self.data = local.astimezone(UTC)
            if self.data.astimezone(LONDON).replace(tzinfo=None) != local.replace(tzinfo=None):
                raise ValueError("This time does not exist: the clocks went forward that night.")
            if isinstance(self.object_data, datetime) and self.data == self.object_data.replace(second=0):
                self.data = self.object_data  # a form shows no seconds: it was left alone

    def _value(self):
        if self.raw_data:
            return " ".join(self.raw_data)
        return self.data.astimezone(LONDON).strftime("%Y-%m-%dT%H:%M") if isinstance(self.data, datetime) else ""


class YesNoField(fields.RadioField):
    """Yes, No, or nothing chosen: True, False or None."""

    ANSWERS = {"yes": True, "no": False}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No")], coerce=self.answer, **kwargs)

    def answer(self, value):
        return self.ANSWERS.get(value, value)

    def pre_validate(self, form):
        if self.raw_data and self.raw_data[0] not in self.ANSWERS:
            raise validators.ValidationError("Answer Yes or No.")


class PickField(fields.SelectField):
    """One of a list. `names` is a list or a function giving it; a value that has left the list stays choosable where it was chosen."""

    def __init__(self, *args, names=(), **kwargs):
        super().__init__(*args, validate_choice=False, choices=[], **kwargs)
        self.names = names

    def process(self, *args, **kwargs):
        super().process(*args, **kwargs)
        names = list(self.names() if callable(self.names) else self.names)
        kept = [self.object_data] if isinstance(self.object_data, str) and self.object_data and self.object_data not in names else []
        self.choices = [SelectChoice("", "Choose…")] + [SelectChoice(name) for name in names + kept]
        self.data = self.data or None

    def process_data(self, value):
        self.data = value

    def pre_validate(self, form):
        if self.data and self.data not in [choice.value for choice in self.choices]:
            raise validators.ValidationError(f"“{self.data}” is not on the list. Choose one that is.")


class SeveralField(fields.SelectMultipleField):
    """Several of a list, as checkboxes."""

    widget, option_widget = widgets.ListWidget(prefix_label=False), widgets.CheckboxInput()

    def __init__(self, *args, names=(), **kwargs):
        super().__init__(*args, choices=[SelectChoice(name) for name in names], **kwargs)


class NamedField(fields.StringField):
    """A linked record, chosen by typing part of its label: a list of suggestions, or the name itself when only one fits.

    `records` is a function giving the rows; each row has a `label`. The data is the row.
    """

    def __init__(self, *args, records, what, **kwargs):
        super().__init__(*args, **kwargs)
        self.records, self.what = records, what

    @cached_property
    def options(self):
        return list(self.records())

    def _value(self):
        return self.raw_data[0] if self.raw_data else getattr(self.data, "label", "")

    def process_formdata(self, valuelist):
        try:
            self.data = find(self.options, valuelist[0] if valuelist else "", self.what)
        except Near as near:
            self.raw_data = [near.label]
            raise


class Near(ValueError):
    """What was typed is part of one name only: `label` is written in its place, for the writer to say yes to."""

    def __init__(self, typed, label):
        super().__init__(f"“{typed}” is part of one name only, which stands here now. If that is right, save again.")
        self.label = label


def bare(name):
    """A name as it is typed in a hurry: without accents, capitals, hyphens and apostrophes; its words."""
    return re.sub(r"[^\w\s]", " ", re.sub(r"['’ʼ`]", "", fold(name).replace("đ", "d"))).split()


def find(rows, typed, what):
    """The one row whose label or whole name is `typed`; None for nothing typed. Raises Near for a part of one name, ValueError otherwise."""
    typed = (typed or "").strip()
    if not typed:
        return None
    same = [row for row in rows if row.label == typed] or [row for row in rows if bare(row.name) == bare(typed)]
    if len(same) == 1:
        return same[0]
    near = same or [row for row in rows if bare(typed) and all(word in " ".join(bare(row.name)) for word in bare(typed))]
    if len(near) == 1:
        raise Near(typed, near[0].label)
    raise ValueError(f"“{typed}” fits {'more than one' if near else 'no'} {what}. Choose from the list as you type.")


class TableField(fields.Field):
    """A small table: a list of dicts. `columns` is [(key, label, options or None)]; a few empty rows are always there, without script."""

    datalists = {}  # {key of a column: what is suggested there}

    def __init__(self, *args, columns, **kwargs):
        super().__init__(*args, **kwargs)
        self.columns = columns

    def process(self, formdata, *args, **kwargs):
        super().process(None, *args, **kwargs)
        self.data = self.data or []
        if formdata is not None and f"{self.name}-rows" in formdata:
            count = min(int(formdata[f"{self.name}-rows"]) if formdata[f"{self.name}-rows"].isdigit() else 0, 200)
            rows = [
                {key: clean(formdata.get(f"{self.name}-{i}-{key}", "")) or "" for key, _label, _options in self.columns}
                for i in range(count)
            ]
            self.data = [row for row in rows if any(row.values())]
            self.raw_data = ["rows"] if self.data else []

    @property
    def rows(self):
        return self.data + [dict.fromkeys((key for key, _label, _options in self.columns), "")] * SPARE_ROWS


class InvolvedField(TableField):
    """People and their part in an incident; `people` turns the rows into [(record, part)] and reports names that fit nobody."""

    def __init__(self, *args, records, what, parts, **kwargs):
        super().__init__(*args, columns=[], **kwargs)
        self.records, self.what, self.parts = records, what, parts

    @cached_property
    def options(self):
        return list(self.records())

    @property
    def datalists(self):
        return {"name": [row.label for row in self.options]}

    def process(self, *args, **kwargs):
        self.columns = [("name", "Name", None), ("part", "Part", self.parts() if callable(self.parts) else self.parts)]
        super().process(*args, **kwargs)
        self.people, self.problems = [], []
        for row in self.data:
            try:
                self.people.append((find(self.options, row["name"], self.what), row["part"]))
            except ValueError as problem:
                row["name"] = getattr(problem, "label", row["name"])
                self.problems.append(str(problem))
            else:
                if not row["name"] or row["part"] not in self.columns[1][2]:
                    self.problems.append("Give both a name and a part in each row.")

    def pre_validate(self, form):
        if self.problems:
            raise validators.ValidationError(" ".join(dict.fromkeys(self.problems)))


def options_of(given):
    """The options of a table's column: a list, or the name of an editable list."""
    return Choice.names(given) if isinstance(given, str) else given


class Converter(CustomModelConverter):
    """Our kinds of model field to our kinds of form field; the rest is Flask-Admin's."""

    def __init__(self, view, additional=None):
        super().__init__(view, additional)
        ours = {Moment: self.moment, Pick: self.pick, YesNo: self.yes_no, Rows: self.rows}
        self.converters = ours | self.converters

    def convert(self, model, field, field_args):
        name, made = super().convert(model, field, field_args)
        if made is not None:
            made.kwargs["validators"] = [required() if isinstance(v, ValueRequired) else v for v in made.kwargs["validators"]]
            if field.field_type in ("VARCHAR", "TEXT") and not isinstance(field, Pick):
                made.kwargs["filters"] = [(clean if field.null else (lambda text: clean(text) or ""))]
        return name, made

    def moment(self, model, field, **kwargs):
        return field.name, MomentField(**kwargs)

    def handle_date(self, model, field, **kwargs):
        return field.name, DayField(**kwargs)

    def yes_no(self, model, field, **kwargs):
        return field.name, YesNoField(**kwargs)

    def pick(self, model, field, **kwargs):
        names = list(field.fixed) if field.fixed else (lambda: Choice.names(field.of))
        kwargs["validators"] = [v for v in kwargs["validators"] if not isinstance(v, validators.Length)]
        return field.name, PickField(names=names, **kwargs)

    def rows(self, model, field, **kwargs):
        columns = [(key, *(label if isinstance(label, tuple) else (label, None))) for key, label in field.columns.items()]
        return field.name, ModelTable(columns=columns, **kwargs)

    def handle_foreign_key(self, model, field, **kwargs):
        if field.rel_model is Child:
            return field.name, NamedField(records=Child.on_roll, what="child", **kwargs)
        if field.rel_model is User:
            return field.name, NamedField(records=people, what="person", **kwargs)
        return super().handle_foreign_key(model, field, **kwargs)


class ModelTable(TableField):
    """A table of a model: a column may name an editable list, read when the form is shown."""

    def process(self, *args, **kwargs):
        self.columns = [(key, label, options_of(options)) for key, label, options in self.columns]
        super().process(*args, **kwargs)


def answer_field(question):
    """The form field of one pinned question of a tracker."""
    kwargs = {"label": question["text"], "description": question["help"], "validators": [validators.Optional()]}
    kind, choices = question["kind"], question["choices"]
    if kind == "table of rows":
        return TableField(columns=[(column, column, None) for column in choices], **kwargs)
    if kind in ("one of a list", "rating"):
        return PickField(names=choices, **kwargs)
    if kind == "several of a list":
        return SeveralField(names=choices, **kwargs)
    if kind == "short text":
        return TextField(filters=[clean], **{**kwargs, "validators": [validators.Optional(), validators.Length(max=500)]})
    return {"long text": LongTextField, "date": DayField, "date and time": MomentField, "yes/no": YesNoField}[kind](
        **kwargs, **({"filters": [clean]} if kind == "long text" else {})
    )


def section_form(section):
    """The form class of a tracker section: one field for each pinned question, half-finished welcome."""
    return type("SectionForm", (BaseForm,), {f"q{question['id']}": answer_field(question) for question in section.questions})


class ReasonForm(BaseForm):
    """What a step asks for besides its button."""

    reason = LongTextField("Reason", validators=[required()], filters=[clean])


class AddendumForm(BaseForm):
    text = LongTextField(
        "What do you want to add?",
        description="What you submitted stays as it is; this is added below it with your name and the time.",
        validators=[required()],
        filters=[clean],
    )


def people():
    """Everyone who may sign in, by name."""
    return User.select().where(User.active).order_by(User.name)


class UnshareForm(BaseForm):
    person = NamedField(
        "Person", description="Type part of the name and choose from the list.", records=people, what="person", validators=[required()]
    )


class ShareForm(UnshareForm, ReasonForm):
    """Whom to share with, and why they need to know."""
