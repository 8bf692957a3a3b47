"""Slips: what visitors handed in, until the child is chosen and it is an incident."""

from datetime import timedelta

from flask import url_for
from flask_admin.form import BaseForm

from models import Slip, SlipShut, now, settings, visible
from models.ground.words import age

from .home import Need
from .rails.door import me
from .rails.fields import NamedField, SeveralField, YesNoField
from .rails.forms import ReasonForm, children, people, required
from .rails.taking import Step
from .rails.writing import RecordView


class TakeUpForm(BaseForm):
    """The child on the list, whether there is an alert, and the adults whom it is about."""

    child = NamedField(
        "The child",
        description="First name and family name, as it stands on the list.",
        records=children,
        what="child",
        validators=[required()],
    )
    alert = YesNoField(
        "Does it raise a safeguarding alert?",
        description="Yes tells a manager to decide whether a notification is due.",
        validators=[required()],
    )
    named = SeveralField(
        "Whom the name of the adult means",
        description="Those ticked never see the incident. Take the tick from whoever is not meant.",
    )
    adult = NamedField(
        "Another adult with an account here whom it is about", records=people, what="person"
    )


class SlipView(RecordView):
    shows, title, place = Slip, "Visitors’ reports", 6
    one = "visitor’s report"
    permission = "slip:read"
    reads = of_setting = True
    create_view = edit_view = export = None
    intro = (
        "What was handed in by visitors and supply staff without an account. Choose the child, and "
        "it becomes an incident, with its own words and times."
    )
    empty = "No visitor has handed anything in."
    column_list = ["child_name", "writer", "at", "status", "reference"]
    column_sortable_list = ["at", "status"]
    filters = {"status": ("Status", lambda: Slip.STATUSES)}
    form_columns = [*Slip.WRITER, *Slip.ASKED]
    page_columns = [*Slip.ASKED, *Slip.WRITER, "at", "reference"]
    steps = (
        Step(
            "slip:take_up",
            "Make it an incident",
            TakeUpForm,
            said=lambda slip: f"{slip} is the incident {slip.incident} now.",
            leads=lambda slip: url_for("incident.details_view", id=slip.incident_id),
        ),
        Step("slip:set_aside", "Set it aside", ReasonForm),
    )
    cards = {"triage": "slip/waiting.html", "incident aside": "slip/aside.html"}

    def ready(self, verb, form, record):
        if verb != "slip:take_up":
            return
        found = SlipShut.named(record)
        if not found:
            del form.named
            return
        form.named.choices = [(str(one.id), one.label) for one in found]
        if not form.named.raw_data and not form.child.raw_data:  # as it is drawn first
            form.named.data = [str(one.id) for one in found]

    def waiting(self):
        """A query of those that wait, and that the reader may take up."""
        rows = visible(Slip, me()).where(Slip.status == "new")
        within = me().within("slip:take_up")
        return rows if within is None else rows.where(Slip.setting.in_(within))

    def card(self, page, record):
        """In the list of Triage what waits; beside an incident the slip that it was."""
        if page == "triage":
            rows = list(self.waiting().order_by(Slip.immediate_danger.desc(), Slip.at).limit(50))
            return {"slips": rows} if rows else None
        slip = visible(Slip, me()).where(Slip.incident == record).first()
        return {"slip": slip} if slip else None

    def needs(self, limit):
        """What visitors handed in and nobody has taken up, the oldest first."""
        late = now() - timedelta(hours=settings.acknowledge_hours)
        for slip in self.waiting().order_by(Slip.at).limit(limit):
            yield Need(
                who=slip.child_name,
                what=f"a visitor’s report, by {slip.writer}",
                age=f"new for {age(slip.at)}",
                mark="late" if slip.at < late else "soon",
                verb="Take up",
                url=url_for("slip.details_view", id=slip.id),
                at=slip.at,
            )
