"""The children: the list, one child with their incidents."""

from models import Child, Flag, Incident, User, visible

from .rails.door import me
from .rails.writing import RecordView


class ChildView(RecordView):
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
    details_template = "child.html"

    def values(self, form):
        upn = form.upn.data
        return super().values(form) | {
            "upn": upn.upper() if upn and upn != form.upn.object_data else upn
        }

    def about(self, record):
        incidents = (
            visible(Incident, me())
            .select(Incident, User)
            .join(User, on=(Incident.reported_by == User.id))
        )
        return {
            "flags": list(record.flags.order_by(Flag.since)),
            "incidents": list(
                incidents.where(Incident.child == record).order_by(Incident.reported_at.desc())
            ),
        }
