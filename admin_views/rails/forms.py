"""Which form field a model field or a tracker question gets, and the forms of steps."""

from flask_admin.contrib.peewee.form import CustomModelConverter
from flask_admin.form import BaseForm
from wtforms import HiddenField, validators
from wtfpeewee.orm import ValueRequired

from models.case.child import Child
from models.case.choice import Choice
from models.ground.fields import Moment, Pick, Rows, YesNo
from models.people.user import User

from .fields import (
    DayField,
    LongTextField,
    NamedField,
    PickField,
    SeveralField,
    TableField,
    TextField,
    YesNoField,
    clean,
)
from .moments import MomentField

NEEDED = "This is needed."


class Required(ValueRequired):
    """Needed; but what was typed and not understood is told as that, not as missing."""

    def __call__(self, form, field):
        if field.process_errors:
            raise validators.StopValidation()
        super().__call__(form, field)


def required():
    return Required(NEEDED)


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
            made.kwargs["validators"] = [
                required() if isinstance(v, ValueRequired) else v for v in made.kwargs["validators"]
            ]
            if field.field_type in ("VARCHAR", "TEXT") and not isinstance(field, Pick):
                made.kwargs["filters"] = [
                    (clean if field.null else (lambda text: clean(text) or ""))
                ]
        return name, made

    def moment(self, model, field, **kwargs):
        return field.name, MomentField(**kwargs)

    def handle_date(self, model, field, **kwargs):
        return field.name, DayField(**kwargs)

    def yes_no(self, model, field, **kwargs):
        return field.name, YesNoField(**kwargs)

    def pick(self, model, field, **kwargs):
        names = list(field.fixed) if field.fixed else (lambda: Choice.names(field.of))
        kwargs["validators"] = [
            v for v in kwargs["validators"] if not isinstance(v, validators.Length)
        ]
        return field.name, PickField(names=names, **kwargs)

    def rows(self, model, field, **kwargs):
        columns = [
            (key, *(label if isinstance(label, tuple) else (label, None)))
            for key, label in field.columns.items()
        ]
        return field.name, ModelTable(columns=columns, **kwargs)

    def handle_foreign_key(self, model, field, **kwargs):
        if field.rel_model is Child:
            return field.name, NamedField(records=Child.offered, what="child", **kwargs)
        if field.rel_model is User:
            return field.name, NamedField(records=User.offered, what="person", **kwargs)
        return super().handle_foreign_key(model, field, **kwargs)


class ModelTable(TableField):
    """A table of a model: a column may name an editable list, read when the form is shown."""

    def process(self, *args, **kwargs):
        self.columns = [(key, label, options_of(options)) for key, label, options in self.columns]
        super().process(*args, **kwargs)


def answer_field(question):
    """The form field of one pinned question of a tracker."""
    kwargs = {
        "label": question["text"],
        "description": question["help"],
        "validators": [validators.Optional()],
    }
    kind, choices = question["kind"], question["choices"]
    if kind == "table of rows":
        return TableField(columns=[(column, column, None) for column in choices], **kwargs)
    if kind in ("one of a list", "rating"):
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


def section_form(section):
    """The form class of a tracker section: one field for each pinned question, half-finished
    welcome.
    """
    return type(
        "SectionForm",
        (BaseForm,),
        {f"q{question['id']}": answer_field(question) for question in section.questions},
    )


class ReasonForm(BaseForm):
    """What a step asks for besides its button."""

    reason = LongTextField("Reason", validators=[required()], filters=[clean])


class SeenForm(BaseForm):
    """What the page showed that is signed."""

    seen = HiddenField(validators=[required()])


class SeenReasonForm(SeenForm, ReasonForm):
    """The same, with a reason."""


class AddendumForm(BaseForm):
    text = LongTextField(
        "What do you want to add?",
        description="What you submitted stays as it is; this is added below it with your name "
        "and the time.",
        validators=[required()],
        filters=[clean],
    )


class UnshareForm(BaseForm):
    person = NamedField(
        "Person",
        description="First name and family name.",
        records=User.offered,
        what="person",
        validators=[required()],
    )


class ShareForm(UnshareForm, ReasonForm):
    """Whom to share with, and why they need to know."""
