"""The Ofsted logs: the list behind the icon, one log's overview, its fields and people, sign-off
and paper.
"""

from io import BytesIO

from flask import abort, g, request, send_file, url_for
from flask_admin import expose
from flask_admin.actions import action
from wtforms import SelectMultipleField, widgets
from wtforms.fields.choices import SelectChoice

from models import (
    Assignee,
    Child,
    Document,
    Incident,
    Log,
    Notice,
    Tracker,
    User,
    look,
    visible,
    who_sees,
)
from models.history.paper import to_pdf

from .rails.door import is_id, me
from .rails.fields import tick
from .rails.forms import ReasonForm, SeenForm, SeenReasonForm
from .rails.writing import RecordView


def signed_off(log):
    return f"{log} is completed and signed off by {me()}. It is read-only from now on."


class PeopleField(SelectMultipleField):
    """People as checkboxes, with their job titles; the data is a list of ids."""

    widget, option_widget = widgets.ListWidget(prefix_label=False), widgets.CheckboxInput()

    def offer(self, people, chosen):
        """The people who may be chosen; `chosen` (ids) are ticked until the form has been sent."""
        self.choices = [SelectChoice(person.id, person.label) for person in people]
        self.coerce = int
        tick(self, [person.id for person in people if person.id in chosen])

    def process_formdata(self, valuelist):
        self.data = [int(value) for value in valuelist if is_id(value)]


class LogView(RecordView):
    one = "Ofsted log"
    permission = "log:read"
    edit_permission = "log:edit"
    export_permission = "log:export"
    intro = (
        "Every notification that was triggered, with its tracker and its sign-off: the evidence."
    )
    empty = (
        "There is no Ofsted log yet. One is made when a manager opens an incident with an "
        "alert and presses Trigger notification."
    )
    reads = True
    create_view = None  # a log comes from an incident
    guarded = ("log:complete", "log:complete_anyway", "log:reopen")
    order = (Log.triggered_at.desc(),)
    column_list = [
        "reference",
        "child",
        "kind",
        "triggered_at",
        "triggered_by",
        "told_at",
        "status",
    ]
    listed = (Log.incident, Incident.id, Incident.child, Child.name, User.name)
    column_labels = {"child": "Child"}
    column_sortable_list = ["reference", "kind", "triggered_at", "told_at", "status"]
    filters = {"status": ("Status", lambda: Log.STATUSES)}
    details_template, edit_template = "log.html", "log_edit.html"
    form_columns = [name for names in Log.GROUPS.values() for name in names]
    form_extra_fields = {
        "assigned": PeopleField(
            "Also assigned",
            description="Level 5 are always assigned. Only people whose role may see Ofsted logs "
            "are listed.",
            validate_choice=False,
        )
    }
    steps = {
        "tracker:begin": None,
        "log:complete": SeenForm,
        "log:complete_anyway": SeenReasonForm,
        "log:reopen": ReasonForm,
    }

    def joined(self, query):
        return (
            query.select(Log, Incident, Child, *User.named())
            .join(Incident)
            .join(Child)
            .switch(Log)
            .join(User, on=(Log.triggered_by == User.id))
        )

    def cell(self, row, name):
        return str(row.incident.child) if name == "child" else super().cell(row, name)

    def get_one(self, id):
        """What the page shows is noted before it is read: what is saved in between is then newer
        than what is signed, never older.
        """
        g.seen = Log.seen_of(int(id))
        return super().get_one(id)

    def show(self, record, status=200, **context):
        """The page; its buttons for signing carry what it shows."""
        context["forms"] = context.get("forms") or self.step_forms(record)
        for form in filter(None, context["forms"].values()):
            if "seen" in form:
                form.seen.data = g.seen
        return super().show(record, status, **context)

    def about(self, record):
        by = me()
        tracker = record.tracker.first()
        sections = tracker.in_order() if tracker else []
        return {
            "seen": who_sees(record.incident),
            "tracker": tracker,
            "sections": sections,
            "opens": lambda section: not section.restricted or by.may("section:read_restricted"),
            "assignees": Assignee.of(record),
            "notices": Notice.of_case(record.incident_id) if by.may("notice:read") else [],
            "history": self.story(record.incident_id),
            "signed_off": record.signed_off,
            "copies": Document.of_case(visible(Document, by), record.incident_id),
        }

    def edit_form(self, obj=None):
        form = super().edit_form(obj)
        if not me().may("log:assign"):
            del form.assigned
            return form
        rows = Assignee.of(obj)
        always = {row.user_id for row in rows if not row.by_id}
        form.assigned.offer(
            [person for person in User.who_may("log:read") if person.id not in always],
            [row.user_id for row in rows if row.by_id],
        )
        return form

    def still_open(self, record):
        record.stay_open()

    def update(self, form, record):
        record.edit(me(), **self.values(form))
        if "assigned" in form:
            record.assign(list(User.select().where(User.id.in_(form.assigned.data))), me())

    @action("tracker:begin", "Begin safeguarding tracker")
    def begin(self, ids):
        def said(tracker):
            return (
                f"The safeguarding tracker was begun by {tracker.begun_by}. Open its sections "
                "below."
            )

        return self.take(
            Tracker.begin,
            ids,
            target=lambda tracker: url_for(
                "log.details_view", id=tracker.log_id, _anchor="tracker"
            ),
            said=said,
        )

    @action("log:complete", "Complete")
    def complete(self, ids):
        return self.take(Log.complete, ids, said=signed_off)

    @action("log:complete_anyway", "Complete anyway")
    def complete_anyway(self, ids):
        return self.take(Log.complete_anyway, ids, said=signed_off)

    @action("log:reopen", "Reopen")
    def reopen(self, ids):
        return self.take(Log.reopen, ids, said=lambda log: f"{log} is open again.")

    @expose("/pdf/")
    def pdf_view(self):
        log = self.asked()
        if not me().may("log:pdf"):
            abort(403)
        look("log:pdf", log, me())
        return self.paper(
            to_pdf(log.paper(restricted=me().may("section:read_restricted"))), f"{log}.pdf"
        )

    @expose("/copy/")
    def copy_view(self):
        document = self.other(Document, request.args.get("id", ""))
        log = self.asked(str(document.event.record))
        look("log:pdf", log, me(), sha256=document.sha256)
        return self.paper(document.content(), f"{log}-signed-off-{document.id}.pdf")

    @staticmethod
    def paper(content, name):
        return send_file(BytesIO(content), mimetype="application/pdf", download_name=name)
