"""Files that go with an answer of a form."""

from flask import abort, g, redirect, request, url_for
from flask_admin import expose
from flask_admin.form import BaseForm
from wtforms.fields.choices import SelectChoice

from models import Enclosure, Submission

from .rails.door import me
from .rails.fields import PickField
from .rails.files import Filing, file_field, handed_out
from .rails.forms import required
from .rails.writing import RecordView


class EnclosureForm(BaseForm):
    to = PickField("What it goes with", validators=[required()])
    files = file_field("The files")


class EnclosureView(Filing, RecordView):
    shows, title = Enclosure, "Files of forms"
    one, under, adds = "file", Submission, "Attach a file"
    permission = add_permission = "submission:read"
    edit_view = export = action_view = details_view = None

    @expose("/")
    def index_view(self):
        return redirect(url_for("submission.index_view"))

    def open_questions(self):
        """{question id: text} of the questions for files that the reader may answer now."""
        parent, found = self.parent(), {}
        for section in parent.sections():
            handles = parent.handles(me()) and section.opens(parent, me()) and section.writable
            handles = handles and not section.damaged
            for question in section.questions if handles else ():
                if question["kind"] == "file":
                    found[question["id"]] = question["text"]
        return found

    def create_form(self, obj=None):
        if not (asked := self.open_questions()):
            abort(403)
        form = EnclosureForm(self.begun_with())
        form.to.choices = [SelectChoice(id, text) for id, text in asked.items()]
        if request.method == "GET" and not form.to.data:
            form.to.data = request.args.get("question")
        return form

    def read_form(self, name):
        """Besides, there has to be a file."""
        super().read_form(name)
        if g.get("valid") and not self.files():
            g.form.files.errors, g.valid = ["Choose the file, or take a photograph of it."], False

    def create(self, form):
        added = [
            Enclosure.enclose(self.parent(), form.to.data, name, content, me(), looked)
            for name, content, looked in self.files()
        ]
        return added[0]

    def saved_words(self, record, is_created):
        return f"Attached: {record.name}."

    def get_save_return_url(self, model, is_created=False):
        return url_for("submission.details_view", id=model.submission_id, _anchor="sections")

    @expose("/file/")
    def file_view(self):
        return handed_out(self.asked(), "enclosure:read")
