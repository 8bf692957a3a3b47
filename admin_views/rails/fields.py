"""Form fields for our kinds of value: what is typed, and what it is read as."""

import re
from functools import cached_property

from wtforms import fields, validators, widgets
from wtforms.fields.choices import SelectChoice

from models.ground.database import fold

SPARE_ROWS = 3


def clean(text):
    """Typed text without NUL, which no database keeps, and without space at its ends; None when
    nothing is left.
    """
    return (
        (text.replace("\0", "").replace("\r\n", "\n").strip() or None)
        if isinstance(text, str)
        else text
    )


def number(text, below=2**31):
    """The whole number that `text` writes, or None. isdigit() says yes to “²”, and int() no to
    5,000 digits: this asks for neither.
    """
    written = bool(text) and text.isascii() and text.isdigit() and len(text) <= len(str(below))
    return int(text) if written and int(text) < below else None


class TextField(fields.StringField):
    pass


class LongTextField(fields.TextAreaField):
    pass


class WholeField(fields.IntegerField):
    """A whole number that every database can keep; what is left empty is the default."""

    def process_formdata(self, valuelist):
        if not valuelist:  # not asked
            return
        typed = clean(valuelist[0])
        if typed is None:
            self.data = self.default
        elif number(typed.removeprefix("-")) is None:
            self.data = None
            raise ValueError("Write a whole number, for example 3.")
        else:
            self.data = int(typed)


class DayField(fields.DateField):
    """A date; the browser shows its own picker."""

    def process_formdata(self, valuelist):
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(
                "This is not a date. Write it as day, month, year, for example 22/11/2026."
            ) from None


class YesNoField(fields.RadioField):
    """Yes, No, or nothing chosen: True, False or None."""

    ANSWERS = {"yes": True, "no": False}

    def __init__(self, *args, **kwargs):
        super().__init__(
            *args,
            choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "No")],
            coerce=self.answer,
            **kwargs,
        )

    def answer(self, value):
        return self.ANSWERS.get(value, value)

    def pre_validate(self, form):
        if self.raw_data and self.raw_data[0] not in self.ANSWERS:
            raise validators.ValidationError("Answer Yes or No.")


class PickField(fields.SelectField):
    """One of a list. `names` is a list or a function giving it; a value that has left the list
    stays choosable where it was chosen.
    """

    def __init__(self, *args, names=(), **kwargs):
        super().__init__(*args, validate_choice=False, choices=[], **kwargs)
        self.names = names

    def process(self, *args, **kwargs):
        super().process(*args, **kwargs)
        names = list(self.names() if callable(self.names) else self.names)
        kept = (
            [self.object_data]
            if isinstance(self.object_data, str)
            and self.object_data
            and self.object_data not in names
            else []
        )
        self.choices = [SelectChoice("", "Choose…")] + [SelectChoice(name) for name in names + kept]
        self.data = self.data or None

    def process_data(self, value):
        self.data = value

    def pre_validate(self, form):
        if self.data and self.data not in [choice.value for choice in self.choices]:
            raise validators.ValidationError(
                f"“{self.data}” is not on the list: choose one that is."
            )


def tick(field, ids):
    """Give a field of checkboxes what is saved, ticked unless a form that was sent, or a draft,
    says what is.
    """
    field.object_data = ids
    if field.raw_data is None:
        field.data = ids


class SeveralField(fields.SelectMultipleField):
    """Several of a list, as checkboxes."""

    widget, option_widget = widgets.ListWidget(prefix_label=False), widgets.CheckboxInput()

    def __init__(self, *args, names=(), **kwargs):
        super().__init__(*args, choices=[SelectChoice(name) for name in names], **kwargs)


class NamedField(fields.StringField):
    """A linked record, chosen by typing part of its label: a list of suggestions, or the name
    itself when only one fits.

    `records` is a function giving the rows; each row has a `label`. The data is the row. One who
    has left stays choosable where chosen.
    """

    near = None

    def __init__(self, *args, records, what, **kwargs):
        super().__init__(*args, **kwargs)
        self.records, self.what = records, what

    @cached_property
    def options(self):
        rows, chosen = list(self.records()), self.object_data
        return rows if chosen is None or chosen in rows else [*rows, chosen]

    def _value(self):
        return self.raw_data[0] if self.raw_data else getattr(self.data, "label", "")

    def process_formdata(self, valuelist):
        try:
            self.data = find(self.options, valuelist[0] if valuelist else "", self.what)
        except Near as near:
            self.near = near.label
            raise

    def pre_validate(self, form):
        if self.near:  # sent, not only shown again from a draft
            self.raw_data = [self.near]


class Near(ValueError):
    """What was typed is part of one name only: `label` is written in its place, for the writer to
    say yes to.
    """

    def __init__(self, typed, label):
        super().__init__(
            f"“{typed}” is part of one name only, which stands here now. If that is right, save "
            "again."
        )
        self.label = label


def bare(name):
    """A name as it is typed in a hurry: without accents, capitals, hyphens and apostrophes; its
    words.
    """
    return re.sub(r"[^\w\s]", " ", re.sub(r"['’ʼ`]", "", fold(name).replace("đ", "d"))).split()


def find(rows, typed, what):
    """The one row whose label or whole name is `typed`; None for nothing typed. Raises Near for a
    part of one name, ValueError otherwise.
    """
    typed = (typed or "").strip()
    if not typed:
        return None
    words = bare(typed)
    same = [row for row in rows if row.label == typed] or [
        row for row in rows if bare(row.name) == words
    ]
    if len(same) == 1:
        return same[0]
    near = same or [
        row for row in rows if words and all(word in " ".join(bare(row.name)) for word in words)
    ]
    if len(near) == 1:
        raise Near(typed, near[0].label)
    raise ValueError(
        f"“{typed}” fits {'more than one' if near else 'no'} {what}. Choose from the list as you "
        "type."
    )


class TableField(fields.Field):
    """A small table: a list of dicts. `columns` is [(key, label, options or None)]; a few empty
    rows are always there, without script.
    """

    datalists = {}  # {key of a column: what is suggested there}

    def __init__(self, *args, columns, **kwargs):
        super().__init__(*args, **kwargs)
        self.columns = columns

    def process(self, formdata, *args, **kwargs):
        super().process(None, *args, **kwargs)
        self.data = self.data or []
        if formdata is not None and f"{self.name}-rows" in formdata:
            count = min(number(formdata[f"{self.name}-rows"]) or 0, 200)
            rows = [
                {
                    key: clean(formdata.get(f"{self.name}-{i}-{key}", "")) or ""
                    for key, _label, _options in self.columns
                }
                for i in range(count)
            ]
            self.data = [row for row in rows if any(row.values())]
            self.raw_data = ["rows"] if self.data else []

    @property
    def rows(self):
        return (self.data or []) + [
            dict.fromkeys((key for key, _label, _options in self.columns), "")
        ] * SPARE_ROWS


class InvolvedField(TableField):
    """People and their part in an incident; `people` turns the rows into [(record, part)] and
    reports names that fit nobody.
    """

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
        self.columns = [
            ("name", "Name", None),
            ("part", "Part", self.parts() if callable(self.parts) else self.parts),
        ]
        super().process(*args, **kwargs)
        self.people, self.problems, self.near = [], [], []
        for row in self.data:
            try:
                self.people.append((find(self.options, row["name"], self.what), row["part"]))
            except ValueError as problem:
                self.problems.append(str(problem))
                if isinstance(problem, Near):
                    self.near.append((row, problem.label))
            else:
                if not row["name"] or row["part"] not in self.columns[1][2]:
                    self.problems.append("Give both a name and a part in each row.")

    def pre_validate(self, form):
        for row, label in self.near:
            row["name"] = label
        if self.problems:
            raise validators.ValidationError(" ".join(dict.fromkeys(self.problems)))
