"""What the school wants recorded, and the numbers to ring: edited by a Level 5."""

from flask import url_for

from models import Guidance

from .rails.door import me
from .rails.forms import settings_for
from .rails.writing import RecordView


class GuidanceView(RecordView):
    shows, title, found_in, place = Guidance, "What to record", "set up", 61
    says = "the words beside the report form, the duty telephone and the numbers in danger"
    one = "text"
    permission = add_permission = edit_permission = "guidance:edit"
    export = action_view = details_view = None
    intro = (
        "It stands beside the report form, on the page for visitors and on the paper form, with "
        "the names of the safeguarding team. One for all, or one for each school or home."
    )
    empty = "The words that we ship stand beside the form. Add your own, with your numbers."
    column_list = ["setting", "duty"]
    column_labels = {"setting": "For"}
    column_sortable_list = []
    form_columns = ["setting", "text", "duty", "numbers", "elsewhere"]

    def cell(self, row, name):
        if name == "setting":
            return str(row.setting) if row.setting_id else "All"
        return super().cell(row, name)

    def choosing(self, form):
        """The form, with the school or home only where there are several."""
        found = settings_for("guidance:edit")
        if len(found) > 1:
            everywhere = me().within("guidance:edit") is None
            form.setting.none = "All" if everywhere else "Choose…"
            form.setting.offer(found)
        else:
            del form.setting
        return form

    def create_form(self, obj=None):
        form = self.choosing(super().create_form(obj))
        if not form.text.raw_data:
            for name in ("text", "elsewhere"):
                form[name].data = form[name].data or Guidance._meta.fields[name].default
        return form

    def edit_form(self, obj=None):
        return self.choosing(super().edit_form(obj))

    def link(self, row):
        return url_for("guidance.edit_view", id=row.id)

    def get_save_return_url(self, model, is_created=False):
        return url_for("guidance.index_view")
