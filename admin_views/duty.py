"""The duty notes: when each appears, its clock and its source."""

from flask import url_for

from models import Duty

from .rails.writing import RecordView


class DutyView(RecordView):
    shows, title, found_in, place = Duty, "Duty notes", "set up", 64
    says = "what the law asks, when a note of it appears, and by when"
    one = "duty note"
    export = action_view = details_view = None
    permission = add_permission = edit_permission = "duty:edit"
    intro = (
        "A note appears on an incident and its case as a banner with its due time, never as a "
        "block. Check numbers and sources against this year’s editions."
    )
    column_list = ["name", "who", "limit", "body", "switched_on"]
    column_labels = {"limit": "Limit"}
    column_sortable_list = ["name", "switched_on"]
    form_columns = [
        "name", "says", "appears", "who", "body", "amount", "unit", "since", "source", "edition",
        "position", "switched_on",
    ]  # fmt: skip
    order = (Duty.position, Duty.id)

    def link(self, row):
        return url_for("duty.edit_view", id=row.id)

    def get_save_return_url(self, model, is_created=False):
        return url_for("duty.index_view")
