"""Import the roll: choose a file, match its columns, look at what would be done, import it."""

import csv
from io import StringIO

from flask import make_response, redirect, request, url_for
from flask_admin import expose
from wtforms import FileField, HiddenField
from wtforms.fields.choices import SelectChoice

from models import Child, Refused, visible
from models.shelf.pupil_list import opened
from models.shelf.roll import SHOWN
from models.shelf.upload import FIELDS, LARGEST, Roll

from .rails.door import me
from .rails.fields import PickField, RowField, SeveralField
from .rails.forms import BaseForm, required, settings_for
from .rails.reading import neutral
from .rails.taking import Step
from .rails.writing import RecordView


class FileForm(BaseForm):
    """The file of step 1."""

    file = FileField(
        "The file",
        description="A CSV list from Arbor, SIMS, Bromcom, ScholarPack or any other system; at "
        f"most {LARGEST // 1_000_000} MB. The first row names the columns.",
        validators=[required("Choose the file.")],
        render_kw={"accept": ".csv,.txt,text/csv"},
    )
    setting = RowField(
        "School or home",
        none="Choose…",
        description="Whose list it is. Children of another one are left alone.",
        validators=[required("Choose whose list it is.")],
    )


class ColumnField(PickField):
    """One of the columns of a file, or none."""

    def process(self, *args, **kwargs):
        super().process(*args, **kwargs)
        self.choices[0] = SelectChoice("", "Not in the file")


def columns_form(headings):
    """The form class of step 2: for each thing that is kept, the column where it stands."""
    return type(
        "ColumnsForm",
        (BaseForm,),
        {
            name: ColumnField(label, description=hint, names=headings)
            for name, (label, hint) in FIELDS.items()
        },
    )


RIGHT, LEFT = "I have looked at the file: it is right", "Mark them as left, from today"


class TakeForm(BaseForm):
    """What is said besides the press, where there is something to say."""

    seen = HiddenField()
    sure = SeveralField("A column may have slipped", names=[RIGHT])
    leavers = SeveralField("On the roll, and not in the file", names=[LEFT])


class RollView(RecordView):
    shows, title, found_in, place = Roll, "Import the roll", "set up", 60
    says = "the list of children, from the school’s own system"
    one, adds = "list", "Choose a file"
    permission = add_permission = edit_permission = "roll:take"
    export = None
    intro = (
        "Take in the list of children as the school’s own system exports it, as often as you like: "
        "whoever is here already is corrected, never doubled. You see what would be done before "
        "anything is saved."
    )
    empty = "You have not imported a list yet. Choose a file to begin."
    listed = (Roll.id,)
    column_list = ["name", "at", "status"]
    form_columns = ["name"]
    steps = (
        Step(
            "roll:take",
            "Import",
            TakeForm,
            said=lambda roll: f"The import of {roll} has begun. You may leave this page.",
        ),
        Step(
            "roll:drop",
            "Throw it away",
            permission="roll:take",
            said=lambda roll: f"{roll} was thrown away. Nothing of it was saved.",
            leads=lambda roll: url_for("roll.index_view"),
        ),
    )

    def create_form(self, obj=None):
        """The form, with a choice of the school or home only for whoever imports for several."""
        form, found = FileForm(self.begun_with()), settings_for(self.permission)
        if len(found) > 1:
            form.setting.offer(found)
        else:
            del form.setting
        return form

    def create(self, form):
        file = request.files.get("file")
        if not file:  # a text was sent in its place
            raise Refused("Nothing was saved.", {"file": "Choose the file."})
        with file.stream as stream:
            content = stream.read(LARGEST + 1)
        found = settings_for(self.permission)
        setting = form.setting.data if "setting" in form else (found or [None])[0]
        try:
            return Roll.hand_in(me(), file.filename or "", content, setting)
        except Refused as refused:
            raise Refused("Nothing was saved.", {"file": str(refused)}) from None

    def saved_words(self, record, is_created):
        return f"{record} is here. Nothing of it is saved yet."

    def get_save_return_url(self, model, is_created=False):
        door = "edit_view" if is_created else "details_view"
        return url_for(f"roll.{door}", id=model.id)

    def edit_form(self, obj=None):
        return columns_form(obj.headings)(self.begun_with(), data=obj.columns)

    def update(self, form, record):
        record.match_columns(form.data)

    def still_open(self, record):
        if record.status not in Roll.WAITING:
            raise Refused(f"{record} is “{record.status}”: its columns do not change any more.")

    def form_page(self, template, form, status=200, **context):
        record = context.get("record")
        if record:
            try:
                context["headings"], _usual, context["rows"] = opened(record.content())
            except Refused as refused:
                context["refused"] = refused
        return super().form_page(template, form, status, **context)

    def ready(self, verb, form, record):
        if verb != "roll:take" or not record.found:
            return
        found = record.found
        form.sure.description = " ".join(found["odd"])
        if not found["odd"]:
            del form.sure
        if found["absent"] and me().may("child:read", record):
            form.leavers.description = (
                "Only if they have left the school: nobody is offered them in a report any more. "
                "What was recorded stays."
            )
        else:
            del form.leavers

    def show(self, record, status=200, **context):
        forms = context["forms"] = context.get("forms") or self.step_forms(record)
        if record.found and (form := forms.get("roll:take")):
            form.seen.data = record.found["digest"]  # what this page shows
        return super().show(record, status, **context)

    def about(self, record):
        """What the preview shows; names of children who are not in the file only to those who may
        read the list of children.
        """
        ids = record.found["absent"][:SHOWN] if record.found else []
        children = visible(Child, me()).where(Child.id.in_(ids)).order_by(Child.name)
        bad = record.bad or []
        return {
            "absent": list(children) if ids else [],
            "reads_children": me().may("child:read", record),
            "called": {name: label for name, (label, _hint) in FIELDS.items()}
            | {"setting": Roll.setting.verbose_name},
            "whose": self.names_of_settings().get(record.setting_id),
            "shown": SHOWN,
            "wrong": [line for line in bad if not line[3]],
            "doubtful": [line for line in bad if line[3]],
        }

    @expose("/details/")
    def details_view(self):
        record = self.asked()
        if record.status == "to match":
            return redirect(url_for("roll.edit_view", id=record.id))
        return self.show(record)

    @expose("/file/")
    def file_view(self):
        """The rows that are not taken, as a CSV list."""
        record, out = self.asked(request.args.get("id", "")), StringIO()
        lines = csv.writer(out)
        lines.writerow(["Row", "Column", "What is wrong", "Who decides"])
        for row, column, why, doubtful in record.bad or ():
            decides = "a person" if doubtful else ""
            lines.writerow([row, neutral(column), neutral(why), decides])
        answer = make_response("\ufeff" + out.getvalue())
        answer.headers["Content-Type"] = "text/csv; charset=utf-8"
        answer.headers["Content-Disposition"] = "attachment; filename=rows-not-taken.csv"
        return answer
