"""Incidents: the form, the list, one incident with the decision on its alert."""

from io import BytesIO

from flask import abort, request, send_file, url_for
from flask_admin import expose
from flask_admin.actions import action
from wtforms import MultipleFileField

from models import (
    Addendum,
    Attachment,
    Child,
    Event,
    Incident,
    Involved,
    Log,
    Share,
    User,
    look,
    now,
    visible,
    who_sees,
)
from models.case.choice import Choice
from models.case.incident import ADULTS_PART

from .rails.door import me
from .rails.fields import InvolvedField
from .rails.forms import AddendumForm, ReasonForm, ShareForm, UnshareForm
from .rails.writing import RecordView


class IncidentView(RecordView):
    one = "incident"
    permission = add_permission = "incident:report"
    export_permission = "incident:export"
    intro = (
        "What was seen, heard or said. You see the incidents you reported and those your "
        "role opens."
    )
    empty = (
        "There is no incident here yet. Report one as soon as you see, hear or are told something."
    )
    reads = True
    edit_view = None  # what was submitted never changes
    order = (Incident.reported_at.desc(),)
    column_list = ["reference", "child", "topic", "place", "reported_at", "reported_by", "status"]
    column_sortable_list = ["reference", "child", "reported_at", "status"]
    listed = (Child.name, User.name)
    sort_joins = {"child": (Incident.child, Child.name)}
    filters = {
        "status": ("Status", lambda: Incident.STATUSES),
        "place": ("Place", lambda: Choice.names("place")),
    }
    details_template = "incident.html"
    create_template = "report.html"
    form_columns = [
        name
        for names in Incident.GROUPS.values()
        for name in names
        if name in Incident._meta.fields
    ]
    form_extra_fields = {
        "others": InvolvedField(
            "Other children",
            description="First name and family name, and what part they had.",
            records=Child.offered,
            what="child",
            parts=lambda: Choice.names("child's part"),
        ),
        "adults": InvolvedField(
            "Adults",
            description="Colleagues with an account here. An adult whom the concern is about "
            "will never see this incident.",
            records=User.offered,
            what="person",
            parts=ADULTS_PART,
        ),
        "files": MultipleFileField(
            "Files",
            description="Never an indecent image of a child: do not open, copy or attach one; "
            "call the DSL.",
        ),
    }
    steps = {
        "log:trigger": None,
        "incident:not_notifiable": ReasonForm,
        "incident:reconsider": ReasonForm,
        "incident:raise_alert": ReasonForm,
        "incident:withdraw_alert": ReasonForm,
        "incident:amend": AddendumForm,
        "incident:name_adult": ShareForm,
        "incident:clear_adult": ShareForm,
        "incident:share": ShareForm,
        "incident:unshare": UnshareForm,
    }

    def joined(self, query):
        return (
            query.select(Incident, Child, *User.named())
            .join(Child)
            .switch(Incident)
            .join(User, on=(Incident.reported_by == User.id))
        )

    def create_form(self, obj=None):
        form = super().create_form(obj)
        if request.method == "GET" and not form.noticed_at.raw_data:
            form.noticed_at.data = now()
        return form

    def create(self, form):
        incident = Incident.report(
            me(), others=form.others.people, adults=form.adults.people, **self.values(form)
        )
        for name, content in self.uploads():
            Attachment.add(incident, me(), name, content)
        return incident

    @staticmethod
    def uploads():
        """[(name, bytes)] of the files sent, read and closed."""
        sent = []
        for file in request.files.getlist("files"):
            with file.stream:
                sent += [(file.filename, file.read())] if file.filename else []
        return sent

    def saved_words(self, record, is_created):
        return (
            f"Saved as {record}. A manager now decides whether a notification is due."
            if record.safeguarding_alert
            else f"Saved as {record}."
        )

    def about(self, record):
        return {
            "involved": Involved.of(record),
            "addenda": Addendum.of(record),
            "attachments": list(record.attachments),
            "seen": who_sees(record)
            if me().may("incident:read") or record.reported_by_id == me().id
            else [],
            "named": [one.adult for one in Involved.named(record)],
            "shares": Share.of(record) if me().may("incident:share") else [],
            "log": visible(Log, me()).where(Log.incident == record).first(),
            "decision": Event.last(record, "incident:not_notifiable")
            if record.status == "not notifiable"
            else None,
            "history": self.story(record.id) if me().may("incident:read") else [],
        }

    @action("log:trigger", "Trigger notification")
    def trigger(self, ids):
        def said(log):
            return (
                f"{log} was triggered by {log.triggered_by}. Everyone with Level 5 is "
                "assigned and will be emailed."
            )

        return self.take(
            Log.trigger, ids, target=lambda log: url_for("log.details_view", id=log.id), said=said
        )

    @action("incident:not_notifiable", "Not notifiable")
    def not_notifiable(self, ids):
        return self.take(Incident.not_notifiable, ids)

    @action("incident:reconsider", "Reconsider")
    def reconsider(self, ids):
        return self.take(Incident.reconsider, ids)

    @action("incident:raise_alert", "Change the answer to Yes")
    def raise_alert(self, ids):
        return self.take(Incident.raise_alert, ids)

    @action("incident:withdraw_alert", "Change the answer to No")
    def withdraw_alert(self, ids):
        return self.take(Incident.withdraw_alert, ids)

    @action("incident:amend", "Add to this incident")
    def amend(self, ids):
        return self.take(Incident.amend, ids, said=lambda incident: f"Added to {incident}.")

    @action("incident:name_adult", "Name an adult")
    def name_adult(self, ids):
        return self.take(
            Share.name_adult, ids, said=lambda incident: f"{incident} is shut to them from now on."
        )

    @action("incident:clear_adult", "Withdraw the naming")
    def clear_adult(self, ids):
        return self.take(
            Share.clear_adult,
            ids,
            said=lambda incident: f"{incident} is open to them again, as far as their role goes.",
        )

    @action("incident:share", "Share")
    def share(self, ids):
        return self.take(Share.share, ids, said=lambda incident: f"{incident} is shared.")

    @action("incident:unshare", "Withdraw")
    def unshare(self, ids):
        return self.take(
            Share.unshare, ids, said=lambda incident: f"{incident} is no longer shared with them."
        )

    @expose("/file/")
    def file_view(self):
        attachment = self.other(Attachment, request.args.get("id", ""))
        verb = "attachment:read_original" if "original" in request.args else "attachment:read"
        if verb == "attachment:read_original" and not me().may(verb):
            abort(403)
        content = attachment.read() if verb == "attachment:read_original" else attachment.shown()
        look(verb, attachment, me())
        response = send_file(
            BytesIO(content),
            mimetype=attachment.kind,
            as_attachment=True,
            download_name=attachment.download_name,
        )
        response.headers["Content-Security-Policy"] = (
            "sandbox; default-src 'none'; frame-ancestors 'none'"
        )
        return response
