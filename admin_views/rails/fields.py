"""Form fields for our kinds of value: what is typed, and what it is read as."""

import re
from functools import cached_property

from wtforms import fields, validators, widgets
from wtforms.fields.choices import SelectChoice

from models.ground.words import bare

from .moments import day_of, for_cell, in_cell

NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,4})?")  # of a number, or of money
SPARE_ROWS = 3
CHOOSABLE = 10  # people whom a name fits, to choose from; of more, more of the name is asked for


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


class YesNoField(fields.RadioField):
    """Yes, No, or nothing chosen: True, False or None."""

    radio = True
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

    def __init__(self, *args, names=(), radio=False, **kwargs):
        super().__init__(*args, validate_choice=False, choices=[], **kwargs)
        self.names, self.radio = names, radio

    def process(self, *args, **kwargs):
        super().process(*args, **kwargs)
        names = self.names() if callable(self.names) else self.names
        groups = names if isinstance(names, dict) else {None: names}  # {heading: names}
        names = [name for some in groups.values() for name in some]
        kept = (
            [self.object_data]
            if isinstance(self.object_data, str)
            and self.object_data
            and self.object_data not in names
            else []
        )
        self.choices = [SelectChoice("", "Choose…")]
        self.choices += [
            SelectChoice(name, optgroup=group) for group, some in groups.items() for name in some
        ]
        self.choices += [SelectChoice(name) for name in kept]
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
    """A linked record, found by its name: its label or whole name, or part of it where only one
    fits; where several fit, they are offered to choose from.

    `records` is a function giving the rows to suggest or, called with what was typed, those that it
    may mean; each row has a `name` and a `label`. The data is the row. One who has left stays
    choosable where chosen. by_word: a whole first or last name is enough where only one fits, for
    what is said after saving names whom it was taken for.
    """

    near, chosen, several = None, "", ()

    def __init__(self, *args, records, what, by_word=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.records, self.what, self.by_word = records, what, by_word

    def process(self, formdata, *args, **kwargs):
        self.chosen = formdata.get(f"{self.name}-which", "") if formdata else ""
        super().process(formdata, *args, **kwargs)

    @cached_property
    def options(self):
        return self.beside(self.records())

    def beside(self, rows):
        """The rows with the one that is saved, should it not be among them any more."""
        saved = self.object_data
        return rows if saved is None or saved in rows else [*rows, saved]

    def _value(self):
        return self.raw_data[0] if self.raw_data else getattr(self.data, "label", "")

    def process_formdata(self, valuelist):
        typed = (valuelist[0] if valuelist else "").strip()
        rows = self.beside(self.records(typed)) if typed else ()
        try:
            self.data = find(rows, typed, self.what, self.chosen, self.by_word)
        except Near as near:
            self.near = near.label
            raise
        except Several as several:
            self.several = several.labels
            raise
        self.several = [self.chosen] if self.data and self.data.label == self.chosen else ()

    def pre_validate(self, form):
        if self.near:  # sent, not only shown again from a draft
            self.raw_data = [self.near]


class LabelField(NamedField):
    """Somebody named in an answer: found like a linked record, and kept as the label, for the
    record must read the same whoever leaves or is renamed.
    """

    def beside(self, rows):
        return rows

    def _value(self):
        return self.raw_data[0] if self.raw_data else self.data or ""

    def process_formdata(self, valuelist):
        if valuelist and valuelist[0].strip() == self.object_data:
            self.data = self.object_data
            return
        super().process_formdata(valuelist)
        self.data = self.data and self.data.label


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


class Several(ValueError):
    """What was typed fits more than one: `labels` are those to choose from, where they are few."""

    def __init__(self, typed, what, rows):
        self.labels = [row.label for row in rows] if len(rows) <= CHOOSABLE else []
        more = "Choose one, or type more of the name." if self.labels else "Type more of the name."
        super().__init__(f"“{typed}” fits more than one {what}. {more}")


def find(rows, typed, what, chosen="", by_word=False):
    """The one row whose label or whole name is `typed` or, where several fit, whose label is
    `chosen`; None for nothing typed. Raises Near for a part of one name, Several, or ValueError.

    by_word: whole words with which one name only begins or ends are taken for it. A part of a word
    never is: “Sam” may be a child who is not on the list, and not Samantha.
    """
    if not typed:
        return None
    words = bare(typed)
    same = [row for row in rows if row.label == typed] or [
        row for row in rows if bare(row.name) == words
    ]
    near = same or [
        row for row in rows if words and all(word in " ".join(bare(row.name)) for word in words)
    ]
    picked = same if len(same) == 1 else [row for row in near if row.label == chosen]
    if len(picked) == 1:
        return picked[0]
    if len(near) == 1:
        name, count = bare(near[0].name), len(words)
        if by_word and words in (name[:count], name[-count:]):
            return near[0]
        raise Near(typed, near[0].label)
    if near:
        raise Several(typed, what, near)
    raise ValueError(f"“{typed}” fits no {what}. Type the name as it is on the list.")


class TableField(fields.Field):
    """A small table: a list of dicts of text. `columns` is [(key, label, options or None, kind)];
    a few empty rows are always there, and the button Add rows gives more, without script.

    A cell is of its kind: a date is kept as ISO writes it, and shown as 24/11/2026. `wrong` has
    what is the matter, {(number of the row, key): sentence}.
    """

    MOST = 200  # rows
    SPARE = SPARE_ROWS
    datalists = {}  # {key of a column: what is suggested there}

    def __init__(self, *args, columns, **kwargs):
        super().__init__(*args, **kwargs)
        self.columns, self.wrong, self.drawn = columns, {}, 0

    def process(self, formdata, *args, **kwargs):
        super().process(None, *args, **kwargs)
        self.data, self.wrong = self.data or [], {}
        if formdata is not None and f"{self.name}-rows" in formdata:
            count = min(number(formdata[f"{self.name}-rows"]) or 0, self.MOST)
            rows = [
                {
                    key: clean(formdata.get(f"{self.name}-{i}-{key}", "")) or ""
                    for key, *_column in self.columns
                }
                for i in range(count)
            ]
            self.data = [row for row in rows if any(row.values())]
            self.raw_data = ["rows"] if self.data else []
            self.drawn = count if formdata.get("more") == self.name else 0
            self.read_cells(day_of(formdata))

    def read_cells(self, today):
        """Put what each cell keeps in place of what was typed, where that can be read."""
        before = {
            (key, text)
            for row in self.object_data or []
            if isinstance(row, dict)
            for key, text in row.items()
        }
        for place, row in enumerate(self.data, 1):
            for key, label, options, kind in self.columns:
                text, wrong = row[key], None
                if options and text and text not in options and (key, text) not in before:
                    wrong = f"“{text}” is not on the list. Choose one that is."
                elif kind in ("date", "date and time", "time"):
                    try:
                        row[key], wrong = for_cell(text, kind, today)
                    except ValueError as problem:
                        wrong = problem
                elif kind in ("number", "money") and text:
                    row[key] = text.removeprefix("£").replace(",", "").strip()
                    if not NUMBER.fullmatch(row[key]):
                        wrong = "Write a number, for example 12."
                if wrong:
                    self.wrong[place, key] = f"Row {place}, {label}: {wrong}"

    def pre_validate(self, form):
        if self.wrong:
            raise validators.StopValidation(" ".join(self.wrong.values()))

    @property
    def rows(self):
        """The rows as the form shows them, with empty ones after them."""
        shown = [
            {key: in_cell(row.get(key) or "", kind) for key, _label, _options, kind in self.columns}
            for row in self.data or []
        ]
        more = max(len(shown), self.drawn) + self.SPARE - len(shown)
        empty = dict.fromkeys((key for key, *_column in self.columns), "")
        return shown + [empty] * min(more, max(self.MOST - len(shown), 0))


class RowField(fields.SelectField):
    """One of a few rows, from a list; the data is the row. `offer` says which, `none` what it means
    that none is chosen.
    """

    def __init__(self, *args, none="None", radio=False, **kwargs):
        super().__init__(*args, validate_choice=False, choices=[], **kwargs)
        self.none, self.radio = none, radio

    def offer(self, rows):
        """The rows that may be chosen; what is saved stays choosable."""
        saved = self.object_data
        rows = rows if saved is None or saved in rows else [saved, *rows]
        named = {str(row.id): row for row in rows}
        self.choices = [SelectChoice("", self.none)]
        self.choices += [
            SelectChoice(id, getattr(row, "label", None) or str(row)) for id, row in named.items()
        ]
        self.wrong = bool(self.raw_data and self.raw_data[0]) and self.raw_data[0] not in named
        self.data = named.get(self.raw_data[0]) if self.raw_data else saved
        self.coerce = named.get

    def process_data(self, value):
        self.data = value

    def process_formdata(self, valuelist):
        pass  # in `offer`: until then nobody knows the rows

    def pre_validate(self, form):
        if self.wrong:
            raise validators.ValidationError("This cannot be chosen here. Choose one of the list.")


class InvolvedField(TableField):
    """People and their part in an incident; `people` turns the rows into [(record, part)] and
    reports names that fit nobody. Names that fit several give rows a column to choose by.
    """

    def __init__(self, *args, records, what, parts, **kwargs):
        super().__init__(*args, columns=[], **kwargs)
        self.records, self.what, self.parts = records, what, parts

    @cached_property
    def options(self):
        return self.records()

    @property
    def datalists(self):
        labels = [row.label for row in self.options]
        return {"name": labels} if labels else {}

    def process(self, *args, **kwargs):
        parts = self.parts() if callable(self.parts) else self.parts
        self.columns = [
            ("name", "Name", None, "short text"),
            ("which", "", None, "short text"),
            ("part", "Part", parts, "short text"),
        ]
        super().process(*args, **kwargs)
        self.people, self.problems, self.near, several = [], [], [], []
        for row in self.data:
            try:
                found = find(self.records(row["name"]), row["name"], self.what, row["which"])
            except ValueError as problem:
                self.problems.append(str(problem))
                if isinstance(problem, Near):
                    self.near.append((row, problem.label))
                several += getattr(problem, "labels", ())
            else:
                self.people.append((found, row["part"]))
                several += [row["which"]] if found and found.label == row["which"] else []
                if not row["name"] or row["part"] not in parts:
                    self.problems.append("Give both a name and a part in each row.")
        names = list(dict.fromkeys(several))
        which = [("which", "Which one", names, "short text")] if several else []
        self.columns = [self.columns[0], *which, self.columns[2]]

    def pre_validate(self, form):
        for row, label in self.near:
            row["name"] = label
        if self.problems:
            raise validators.ValidationError(" ".join(dict.fromkeys(self.problems)))
        super().pre_validate(form)
