"""Copies of a chronology for a named recipient: asked for, and fetched by who made them."""

from io import BytesIO

from flask import abort, request, send_file
from flask_admin import expose

from models import Extract, Incident, look, visible
from models.case.chronology import lines
from models.history.paper import to_pdf

from .child import OfChildView
from .rails.door import me


class ExtractView(OfChildView):
    shows, title = Extract, "Copies of chronologies"
    one, asks, button = "copy", "Chronology for a named recipient", "Make the copy"
    permission = add_permission = "extract:make"
    guarded = True  # it leaves the house
    action_view = None
    form_columns = ["recipient", "reason", "which", "columns", "form"]
    page_columns = [*form_columns, "lines", "by", "at"]

    def get_one(self, id):
        """Only as long as its maker may see each incident of which it tells."""
        copy = super().get_one(id)
        seen = visible(Incident, me()).where(Incident.id.in_(copy.incidents)).count()
        if seen < len(copy.incidents):
            self.note_refusal(str(id))
            abort(404)
        return copy

    def create_form(self, obj=None):
        form = super().create_form(obj)
        if request.method == "GET":
            for field in (form.which, form.columns, form.form):
                field.data = field.data or field.names[0]
        return form

    def create(self, form):
        child = self.parent()
        found = lines([child], me(), visible)[::-1]
        return Extract.make(child, found, me(), **self.values(form))

    def saved_words(self, record, is_created):
        return f"The copy for {record.recipient} is ready. The history says that you made it."

    def get_save_return_url(self, model, is_created=False):
        return f"{self.url}/details/?id={model.id}"

    @expose("/file/")
    def file_view(self):
        copy = self.asked(request.args.get("id", ""))
        look("extract:read", copy, me())
        if copy.form == "CSV":
            content, kind = f"\ufeff{copy.words}".encode(), "text/csv"
        else:
            content, kind = to_pdf(copy.words), "application/pdf"
        return send_file(
            BytesIO(content),
            mimetype=kind,
            as_attachment=copy.form == "CSV",
            download_name=copy.download_name,
        )
