"""The children: the list, one child with their incidents."""

from models import Child, Flag

from .rails.writing import RecordView


class ChildView(RecordView):
    shows, title, found_in, place = Child, "Children", "main", 30
    one = "child"
    reads = True
    export = action_view = None
    permission = "child:read"
    add_permission = edit_permission = "child:edit"
    intro = "Everyone whom a report may be about."
    empty = "No child is on the list yet. Add the first one: a report needs a child."
    order = (Child.name,)
    column_list = ["name", "year", "date_of_birth", "upn", "left_on"]
    column_sortable_list = ["name", "year", "date_of_birth"]
    form_columns = ["name", "date_of_birth", "upn", "year", "left_on"]

    def values(self, form):
        upn = form.upn.data
        return super().values(form) | {
            "upn": upn.upper() if upn and upn != form.upn.object_data else upn
        }

    def about(self, record):
        return {"flags": list(record.flags.order_by(Flag.since))}
