"""The schools that a child was at before: written down, and whether their file has come."""

from flask_admin.form import BaseForm

from models import School

from .child import OfChildView, back
from .rails.door import me
from .rails.forms import required
from .rails.moments import DayField
from .rails.taking import Step


class ReceivedForm(BaseForm):
    """The day on which a file came."""

    on = DayField("When did it come?", validators=[required()])


class SchoolView(OfChildView):
    shows, title = School, "Earlier schools"
    one, asks = "earlier school", "Add an earlier school"
    add_permission = "child:edit"
    form_columns = ["name", "since", "until", "received", "received_on"]
    steps = (
        Step(
            "child:received_file",
            "The file has come",
            ReceivedForm,
            permission="child:edit",
            said=lambda school: f"Saved: the file of {school} has come.",
            leads=back,
        ),
    )

    def create(self, form):
        return School.school(self.parent(), me(), **self.values(form))

    def offers(self, record, verb):
        return not record.received and super().offers(record, verb)
