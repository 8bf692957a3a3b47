"""Which form field a model field or a tracker question gets, what is said when it is left empty,
and the forms of steps.
"""

import re

from flask_admin.contrib.peewee.form import CustomModelConverter
from flask_admin.form import BaseForm
from peewee import IntegerField
from wtforms import HiddenField, SelectField, SelectMultipleField, validators
from wtfpeewee.orm import ValueRequired

from models.case.asked import EMPTY
from models.case.child import Child
from models.case.choice import Choice
from models.case.incident import Addendum
from models.case.injury import Injuries, prompts, sheet
from models.case.template import UNASKED, Question, columns
from models.ground.dates import example
from models.ground.fields import Moment, Pick, Rows, YesNo
from models.people.setting import Setting
from models.people.user import User

from .door import me
from .fields import (
    NUMBER,
    LabelField,
    LongTextField,
    NamedField,
    PickField,
    RowField,
    SeveralField,
    TableField,
    TextField,
    WholeField,
    YesNoField,
    clean,
)
from .moments import AheadField, BirthField, DayField, MomentField, RoughlyField, TypedField

NAMES = ("Ofsted", "English", "British")  # words that keep their capital within a sentence
ASKS = ("who", "whom", "what", "when", "where", "why", "how", "which", "whether")


def children(typed=None):
    """Whom a form may name to the reader: the children of where they report or see the list."""
    return Child.offered(typed, me().knows)


def people(typed=None):
    """The same of people: those with a role there, or for all."""
    return User.offered(typed, me().knows)


def settings_for(permission):
    """The schools and homes of which the reader may make something be, by `permission`: those not
    retired, if any; none where there is only one.
    """
    within = me().within(permission)
    found = [one for one in me().settings if within is None or one.id in within]
    return [one for one in found if not one.retired] or found


def within(label):
    """A label as it reads within a sentence: “the full name” of “Full name”, but “the UPN”."""
    word = re.split(r"[\s’']", label, maxsplit=1)[0]
    keeps = word in NAMES or any(letter.isupper() for letter in word[1:])
    return label if keeps else label[:1].lower() + label[1:]


def unanswered(field, words=None):
    """What to do about a field that was left empty: `words` of its own, or what its kind and its
    label say.
    """
    if words:
        return words
    label = within(field.label.text.strip())
    asks = label.endswith("?") or label.split(" ", 1)[0] in ASKS
    if isinstance(field, YesNoField):
        return f"Answer Yes or No: {label}"
    if isinstance(field, NamedField):
        return f"Choose the {field.what}: type part of the name."
    verb = "Choose" if isinstance(field, SelectField | SelectMultipleField) else "Give"
    if isinstance(field, TypedField):
        like = f"for example {example(field.kind)}"
        return f"Answer this, {like}: {label}" if asks else f"Give the {label}, {like}."
    if label.endswith("?"):
        return f"{'Choose an answer' if verb == 'Choose' else 'Answer this'}: {label}"
    if asks:
        return f"{'Choose' if verb == 'Choose' else 'Say'} {label}."
    return f"{verb} {'' if label.startswith(('the ', 'your ')) else 'the '}{label}."


class Required(ValueRequired):
    """Needed; but what was typed and not understood is told as that, not as missing."""

    def __call__(self, form, field):
        if field.process_errors:
            raise validators.StopValidation()
        try:
            super().__call__(form, field)
        except validators.StopValidation:
            raise validators.StopValidation(unanswered(field, self.message)) from None


def required(words=None):
    """Needed; `words` say what to do when it is empty, where label and kind do not say it well."""
    return Required(words)


def at_most(count):
    """No more characters than the database keeps."""
    return validators.Length(max=count, message=f"Write {count} characters or fewer.")


class EmailAddress(validators.Email):
    """What is no email is told as that, and nothing else of it."""

    def __init__(self):
        super().__init__("This is not an email address: write one like name@school.example.")

    def __call__(self, form, field):
        try:
            if field.data:  # whether it may be left out is another's question
                super().__call__(form, field)
        except validators.ValidationError as problem:
            raise validators.StopValidation(str(problem)) from None


def put_errors(form, refused):
    """Show what a rule refused at the fields it names; what belongs to no field is shown at the top
    of the form.
    """
    for name, sentence in refused.errors.items():
        field = form._fields.get(name)
        if field is None:
            form.form_errors.append(sentence)
        else:
            field.errors = [*field.errors, sentence]
    if not refused.errors:
        form.form_errors.append(str(refused))
        form.links = refused.links


def in_order(form, names):
    """The form with its fields in the order of the page, `names` first: that of its errors."""
    form._fields = {name: form._fields[name] for name in names if name in form} | form._fields
    return form


def options_of(given):
    """The options of a table's column: a list, a function giving it, or the name of an editable
    list.
    """
    if callable(given):
        return list(given())
    return Choice.names(given) if isinstance(given, str) else given


def columns_of(field):
    """The columns of a model's small table, as its form field has them."""
    return [
        (key, *(label if isinstance(label, tuple) else (label, None)), "short text")
        for key, label in field.columns.items()
    ]


def in_words(validator, words=None):
    """The same validator, with a sentence of ours; `words`: what is said when it is left empty."""
    if isinstance(validator, ValueRequired):
        return required(words)
    return at_most(validator.max) if isinstance(validator, validators.Length) else validator


class Converter(CustomModelConverter):
    """Our kinds of model field to our kinds of form field; the rest is Flask-Admin's."""

    def __init__(self, view, additional=None):
        super().__init__(view, additional)
        ours = {
            Moment: self.moment,
            Pick: self.pick,
            YesNo: self.yes_no,
            Injuries: self.injuries,
            Rows: self.rows,
            IntegerField: self.whole,
        }
        self.converters = ours | self.converters

    def convert(self, model, field, field_args):
        name, made = super().convert(model, field, field_args)
        if made is not None:
            words = getattr(model, "UNANSWERED", {}).get(field.name)
            made.kwargs["validators"] = [in_words(v, words) for v in made.kwargs["validators"]]
            if field.field_type in ("VARCHAR", "TEXT") and not isinstance(field, Pick):
                made.kwargs["filters"] = [
                    (clean if field.null else (lambda text: clean(text) or ""))
                ]
        return name, made

    def moment(self, model, field, **kwargs):
        return field.name, MomentField(**kwargs)

    def whole(self, model, field, **kwargs):
        return field.name, WholeField(**kwargs)

    def handle_date(self, model, field, **kwargs):
        born, ahead = getattr(field, "born", False), getattr(field, "ahead", False)
        kind = BirthField if born else AheadField if ahead else DayField
        kind = RoughlyField if getattr(field, "roughly", False) else kind
        return field.name, kind(**kwargs)

    def yes_no(self, model, field, **kwargs):
        return field.name, YesNoField(**kwargs)

    def pick(self, model, field, **kwargs):
        names = list(field.fixed) if field.fixed else (lambda: Choice.names(field.of))
        kwargs["validators"] = [
            v for v in kwargs["validators"] if not isinstance(v, validators.Length)
        ]
        few = (
            len(field.fixed) in range(1, 5) and not field.null
        )  # seen at once, and one must be chosen
        return field.name, PickField(names=names, radio=few, **kwargs)

    def rows(self, model, field, **kwargs):
        return field.name, ModelTable(columns=columns_of(field), **kwargs)

    def injuries(self, model, field, **kwargs):
        return field.name, InjuriesField(columns=columns_of(field), **kwargs)

    def handle_foreign_key(self, model, field, **kwargs):
        if field.rel_model is Child:
            return field.name, NamedField(records=children, what="child", by_word=True, **kwargs)
        if field.rel_model in (Question, Setting):
            return field.name, RowField(**kwargs)
        if field.rel_model is User:
            return field.name, NamedField(records=people, what="person", **kwargs)
        return super().handle_foreign_key(model, field, **kwargs)


class ModelTable(TableField):
    """A table of a model: a column may name an editable list, read when the form is shown."""

    def process(self, *args, **kwargs):
        self.columns = [
            (key, label, options_of(options), kind) for key, label, options, kind in self.columns
        ]
        super().process(*args, **kwargs)


class InjuriesField(ModelTable):
    """The rows of a body map. What was touched comes in a cell that nobody sees (`AT`); whoever
    has no script, or writes, chooses the area from the list.
    """

    SPARE = 2

    @property
    def views(self):
        return list(sheet())

    @property
    def prompts(self):
        return prompts()

    def process(self, *args, **kwargs):
        super().process(*args, **kwargs)
        self.columns = [
            (key, label, options, "unseen" if key == Injuries.AT else kind)
            for key, label, options, kind in self.columns
        ]


class AnswersTable(TableField):
    """A table of a form: where a column is of people or children, their names are suggested."""

    @property
    def datalists(self):
        suggest = {"person": people, "child": children}
        return {
            key: [row.label for row in suggest[kind]()]
            for key, _label, _options, kind in self.columns
            if kind in suggest
        }


def answer_field(question):
    """The form field of one pinned question of a tracker."""
    kwargs = {
        "label": question["text"],
        "description": question["help"],
        "validators": [validators.Optional()],
    }
    kind, choices = question["kind"], question["choices"]
    if kind == "table of rows":
        return AnswersTable(
            columns=[(one.name, one.name, one.choices, one.kind) for one in columns(question)],
            **kwargs,
        )
    if kind in ("person", "child"):
        return LabelField(records=people if kind == "person" else children, what=kind, **kwargs)
    if kind in ("number", "money"):
        kwargs["validators"] = [validators.Optional(), is_number(kind)]
        return TextField(filters=[clean, plain_number], **kwargs)
    if kind in ("one of a list", "rating", "organisation"):
        return PickField(names=choices, **kwargs)
    if kind == "several of a list":
        return SeveralField(names=choices, **kwargs)
    if kind == "short text":
        return TextField(
            filters=[clean],
            **{**kwargs, "validators": [validators.Optional(), validators.Length(max=500)]},
        )
    return {
        "long text": LongTextField,
        "date": DayField,
        "date and time": MomentField,
        "yes/no": YesNoField,
    }[kind](**kwargs, **({"filters": [clean]} if kind == "long text" else {}))


def plain_number(text):
    """A number as the record keeps it: without the pound sign, and the commas of thousands."""
    return text and text.removeprefix("£").replace(",", "").strip()


def is_number(kind):
    """Refuse what is no number."""

    def check(_form, field):
        if not NUMBER.fullmatch(field.data or ""):
            like = "12.50" if kind == "money" else "12"
            raise validators.ValidationError(f"Write a number, for example {like}.")

    return check


def section_form(questions):
    """The form class of a section: one field for each of its pinned `questions` that is typed or
    chosen, half-finished welcome.
    """
    return type(
        "SectionForm",
        (BaseForm,),
        {
            f"q{question['id']}": answer_field(question)
            for question in questions
            if question["kind"] not in UNASKED
        },
    )


def outline(form, questions):
    """The questions as the form draws them: [(question, its field, blocks)], a block being (number,
    answers, the same of the questions that follow from these answers).

    What follows directly stands inside, and is hidden without a script once the answer is another
    one: the options of the field say which blocks they open. What stands further down stays in
    its place, with its question's words.
    """
    drawn, at = [], {}
    last = []  # the ids of the question drawn last, and of those around it
    for question in questions:
        field, depends = form._fields.get(f"q{question['id']}"), question.get("depends")
        node = (question, field, [])
        if depends and depends["on"] in last:
            _question, parent, blocks = at[depends["on"]]
            if not blocks or blocks[-1][1] != depends["answers"]:
                blocks.append((len(blocks) + 1, depends["answers"], []))
                if parent:
                    note_opens(parent, len(blocks), depends["answers"])
            blocks[-1][2].append(node)
            if field:
                field.inside = True
            last = [*last[: last.index(depends["on"]) + 1], question["id"]]
        else:
            drawn.append(node)
            last = [question["id"]]
        at[question["id"]] = node
    return drawn


def notes(question, blocks, locked):
    """What follows from a rating and is never needed stands folded behind it, for a page of ratings
    is to be read at a glance: ([its questions], how many are answered, whether it is open). None
    where nothing is folded.

    locked: {question id: answer} of what the reader may not answer; they read it unfolded.
    """
    inner = [(asked, field) for _number, _answers, nodes in blocks for asked, field, _on in nodes]
    if question["kind"] != "rating" or not inner or any(asked["required"] for asked, _f in inner):
        return None
    answers = [field.data if field else locked.get(asked["id"]) for asked, field in inner]
    written = sum(answer not in EMPTY for answer in answers)
    fields = [field for _asked, field in inner if field]
    wrong = any(field.errors or hasattr(field, "theirs") for field in fields)
    return [asked["text"] for asked, _f in inner], written, wrong or (written and not fields)


def note_opens(field, number, answers):
    """Note at the options of a field which of them open the block of this number."""
    field.opens = getattr(field, "opens", {})
    for value in answers:
        value = value.lower() if isinstance(field, YesNoField) else value
        field.opens[value] = f"{field.opens.get(value, '')} {number}".strip()
    if isinstance(field, PickField):
        for choice in field.choices:
            if choice.value in field.opens:
                choice.render_kw = {"data-opens": field.opens[choice.value]}


def why(label, base=BaseForm, name="reason"):
    """The form of a step that asks for a text, called `label`, besides what `base` asks for."""
    words = (
        "Give the reason."
        if name == "reason"
        else f"Say {label[0].lower()}{label[1:].rstrip('?')}."
    )
    field = LongTextField(label, validators=[required(words)], filters=[clean])
    return type("WhyForm", (base,), {name: field})


ReasonForm = why("Reason")


class SeenForm(BaseForm):
    """What the page showed that is signed."""

    seen = HiddenField(validators=[required("Open this page again, and look at what it shows.")])


SeenReasonForm = why("Reason", SeenForm)


class AddendumForm(BaseForm):
    text = LongTextField(
        "What do you want to add?",
        description="What you submitted stays as it is; this is added below it with your name "
        "and the time.",
        validators=[required("Write what you want to add.")],
        filters=[clean],
    )
    injuries = InjuriesField(
        Addendum.injuries.verbose_name,
        columns=columns_of(Addendum.injuries),
        description="Numbered on from those that are recorded already.",
        validators=[validators.Optional()],
    )


class PersonForm(BaseForm):
    person = NamedField(
        "Person",
        description="First name and family name.",
        records=people,
        what="person",
        validators=[required()],
    )
