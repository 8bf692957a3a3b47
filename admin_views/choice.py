"""The lists that people choose from."""

from flask import url_for

from models import Choice

from .rails.writing import RecordView


class ChoiceView(RecordView):
    shows, title, found_in, place = Choice, "Lists", "set up", 62
    says = "what people choose from"
    one = "choice"
    export = action_view = details_view = None
    permission = add_permission = edit_permission = "choice:edit"
    intro = (
        "The lists people choose from. Records keep the words that were chosen, whatever "
        "changes here."
    )
    column_list = ["list", "name", "meaning", "position", "retired"]
    column_sortable_list = ["list", "name", "position"]
    form_columns = ["list", "name", "meaning", "use_when", "position", "retired"]
    filters = {"list": ("List", Choice.lists)}

    order = (Choice.list, Choice.position, Choice.id)

    def link(self, row):
        return url_for("choice.edit_view", id=row.id)

    def get_save_return_url(self, model, is_created=False):
        return url_for("choice.index_view", list=model.list)
