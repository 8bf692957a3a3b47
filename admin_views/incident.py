"""Incidents: the form, the list, one incident with the decision on its alert."""

from flask import abort, g, request, url_for
from flask_admin import expose
from flask_admin.form import BaseForm

from models import (
    Addendum,
    Attachment,
    Case,
    Child,
    Choice,
    Event,
    Incident,
    Involved,
    Link,
    Log,
    Share,
    User,
    now,
    visible,
)
from models.case.incident import ADULTS_PART
from models.case.injury import by_view, met, numbered
from models.ground.clock import LONDON
from models.ground.words import age, due
from models.policy import cases_with

from .home import Need
from .rails.door import me
from .rails.fields import InvolvedField, LongTextField, NamedField, PickField, RowField, clean
from .rails.files import Filing, file_field, handed_out
from .rails.forms import AddendumForm, PersonForm, ReasonForm, children, people, required, why
from .rails.hinting import Hinting
from .rails.taking import Step
from .rails.writing import RecordView

EARLIER = 5  # of the child's other incidents, beside the decision


class TriggerForm(BaseForm):
    """Of which kind it is, so that no single press tells every Level 5; the reason can wait."""

    kind = PickField(
        "Kind of event",
        names=lambda: Choice.names("notifiable event"),
        validators=[required("Choose the kind of event. Nothing was triggered yet.")],
    )
    why = LongTextField("Why it is due", filters=[clean])


class CaseForm(BaseForm):
    """A case that is not closed."""

    case = RowField("Case", none="Choose…", validators=[required("Choose a case.")])


class MoveForm(BaseForm):
    """From one case into another, or into a new one."""

    origin = RowField("Out of", none="Choose…", validators=[required("Choose a case.")])
    case = RowField("Into", none="A new case")


class ChildForm(BaseForm):
    """The child who was linked by mistake, and the right one."""

    wrong = RowField("Linked by mistake", none="Choose…", validators=[required("Choose a child.")])
    child = NamedField("The right child", records=children, what="child", validators=[required()])


def triggered(log):
    return f"{log} was triggered. Everyone with Level 5 is assigned and will be emailed."


def saved_as(incident, seen):
    """That it was saved and what happens now; to whoever sees it, about which child: see it, and
    say if it is not the one that was meant.
    """
    about = f", about {incident.child.short}" if seen else ""
    if not incident.safeguarding_alert:
        told = "It waits for its triage."
    elif seen and me().may("log:trigger", incident):
        told = "You may now decide whether a notification is due."
    else:
        told = "A manager now decides whether a notification is due."
    return f"Saved as {incident}{about}. {told}"


class IncidentView(Filing, Hinting, RecordView):
    shows, title, found_in, place = Incident, "Incidents", "main", 10
    one = "incident"
    permission = add_permission = "incident:report"
    export_permission = "incident:export"
    intro = (
        "What was seen, heard or said. You see the incidents you reported and those your role "
        "opens."
    )
    empty = (
        "There is no incident here yet. Report one as soon as you see, hear or are told something."
    )
    reads = of_setting = True
    edit_view = None  # what was submitted never changes
    order = (Incident.reported_at.desc(),)
    column_list = ["child", "topic", "place", "reported_at", "reported_by", "status", "reference"]
    column_sortable_list = ["reference", "child", "reported_at", "status"]
    listed = (Incident.setting, Child.name, User.name)
    sort_joins = {"child": (Incident.child, Child.name)}
    filters = {
        "status": ("Status", lambda: Incident.STATUSES),
        "place": ("Place", lambda: Choice.names("place")),
    }
    form_columns = [
        name
        for names in Incident.GROUPS.values()
        for name in names
        if name in Incident._meta.fields
    ]
    form_args = {"words_original": {"render_kw": {"dir": "auto"}}}
    form_extra_fields = {
        "others": InvolvedField(
            "Other children",
            description="First name and family name, and what part they had.",
            records=children,
            what="child",
            parts=lambda: Choice.names("child's part"),
        ),
        "adults": InvolvedField(
            "Adults",
            description="Colleagues with an account here. An adult whom the concern is about "
            "will never see this incident.",
            records=people,
            what="person",
            parts=ADULTS_PART,
        ),
        "files": file_field("Files"),
    }
    steps = (
        Step(
            "log:trigger",
            "Trigger notification",
            TriggerForm,
            said=triggered,
            leads=lambda log: url_for("log.details_view", id=log.id),
        ),
        Step("incident:not_notifiable", "Not notifiable", why("Why none is due")),
        Step("incident:reconsider", "Reconsider", ReasonForm),
        Step("incident:raise_alert", "Change the answer to Yes", ReasonForm),
        Step("incident:withdraw_alert", "Change the answer to No", ReasonForm),
        Step(
            "incident:amend",
            "Add to this incident",
            AddendumForm,
            said=lambda incident: f"Added to {incident}.",
        ),
        Step(
            "incident:name_adult",
            "Name this adult and shut them out",
            why("Why", PersonForm),
            said=lambda incident: f"{incident} is shut to them from now on.",
            asked=True,
        ),
        Step(
            "incident:clear_adult",
            "Withdraw the naming",
            why("Why it was a mistake", PersonForm),
            said=lambda incident: f"{incident} is open to them again, as far as their role goes.",
            asked=True,
        ),
        Step(
            "incident:share",
            "Share",
            why("Why they need to know", PersonForm),
            said=lambda incident: f"{incident} is shared.",
            asked=True,
        ),
        Step(
            "incident:unshare",
            "Withdraw",
            PersonForm,
            said=lambda incident: f"{incident} is no longer shared with them.",
        ),
    )
    steps += (
        Step(
            "incident:acknowledge",
            "Acknowledge",
            said=lambda incident: f"{incident} is acknowledged: it is yours to triage.",
            several="triage.index_view",
        ),
        Step(
            "case:add",
            "Add to this case",
            why("Why it belongs there too", CaseForm),
            said=lambda incident: f"{incident} stands in this case too.",
            asked=True,
        ),
        Step(
            "case:move",
            "Move to another case",
            why("Why", MoveForm),
            said=lambda incident: f"{incident} was moved.",
            asked=True,
        ),
        Step(
            "incident:correct_child",
            "Correct the child",
            why("How it came about", ChildForm),
            said=lambda incident: f"{incident}: the child was corrected.",
            asked=True,
        ),
    )
    cards = {"home": "incident/mine.html"}

    def joined(self, query):
        query = query.select(Incident, Child, *User.named()).join(Child).switch(Incident)
        return query.join(User, on=(Incident.reported_by == User.id))

    def create_form(self, obj=None):
        form = super().create_form(obj)
        if request.method == "GET" and not form.noticed_at.raw_data:
            form.noticed_at.data = now()
            form.known.data = form.known.data or form.known.choices[1].value
        usual = form.known.choices[1].value
        form.known.description = f"“{usual}” is filled in. Change it if you know it otherwise."
        return form

    def form_page(self, template, form, *args, **context):
        """A small worry asks little of the same form, until its writer says that it is more: then
        what it would have said unasked is asked.
        """
        sent = request.form if request.method == "POST" else g.get("draft", ())
        if "small" in request.args and "whole" not in sent:
            if request.form.get("more") != "whole":
                return super().form_page("incident/small.html", form, *args, **context)
            for name, answer in Incident.SMALL.items():
                if form[name].data == answer:
                    form[name].data = None
        return super().form_page(template, form, *args, **context)

    @staticmethod
    def unasked():
        """{field: what a small worry sends for it}; None where the school's list has it no more,
        and it is to be asked.
        """
        sent = Incident.SMALL | {"immediate_danger": "no", "safeguarding_alert": "no"}
        return sent if sent["place"] in Choice.names("place") else sent | {"place": None}

    def create(self, form):
        involved = {"others": form.others.people, "adults": form.adults.people}
        incident = Incident.report(me(), **involved, **self.values(form))
        for name, content, looked in self.files():
            Attachment.add(incident, me(), name, content, looked)
        return incident

    def saved_words(self, record, is_created):
        """That it was saved and, no more than they may know, that there is an open case."""
        words = saved_as(record, self.sees(record))
        cases = [id for (id,) in Case.alive_about(record.child_id)]
        if not cases:
            return words
        known = visible(Case, me()).where(Case.id.in_(cases)).first()
        if known:
            return f"{words} There is an open case about this child: {known}."
        within = Link.select(Link.incident).where(Link.case.in_(cases), Link.ended_at.is_null())
        if visible(Incident, me()).where(Incident.id.in_(within)).exists():
            return f"{words} There is an open case about this child: it is added to it."
        return words

    def sees(self, record):
        """Whether the reader may read what they reported: not about themselves, or their family."""
        return self.get_query().where(Incident.id == record.id).exists()

    def ready(self, verb, form, record):
        if verb in ("case:add", "case:move"):
            form.case.offer(self.open_cases(record))
        if verb == "case:move":
            form.origin.offer(self.standing(record))
        if verb == "incident:correct_child":
            others = [one.child for one in Involved.of(record) if one.child_id]
            form.wrong.offer([record.child, *others])

    @staticmethod
    def standing(record):
        """The cases in which it stands and out of which it may be moved."""
        here = visible(Case, me()).where(Case.id.in_(Case.of(record).select(Case.id)))
        rows = here.where(Case.incident != record.id).select(Case, Incident, Child)
        return list(rows.join(Incident).join(Child).order_by(Case.id))

    @staticmethod
    def open_cases(record):
        """The latest cases that are not closed, and that the reader may see."""
        rows = visible(Case, me()).where(Case.status.in_(Case.ALIVE)).select(Case, Incident, Child)
        return list(rows.join(Incident).join(Child).order_by(Case.id.desc()).limit(100))

    def get_save_return_url(self, model, is_created=False):
        """Home for whoever may not read what they reported: about themselves, or their family."""
        return super().get_save_return_url(model) if self.sees(model) else url_for("home.index")

    def about(self, record):
        by = me()
        count, others, logs = self.of_child(record, EARLIER)
        involved = Involved.all_of(record)
        addenda = list(Addendum.of(record))
        injuries = numbered(record, addenda)
        born = record.child.date_of_birth if by.may("child:read", record.child) else None
        noticed = record.noticed_at.astimezone(LONDON).date()
        return {
            "injuries": injuries,
            "views": by_view(injuries),
            "prompts": met(injuries, born, noticed),
            "involved": Involved.linked(involved),
            "addenda": addenda,
            "seen": self.seen(record)
            if by.may("incident:read", record) or record.reported_by_id == by.id
            else None,
            "named": Involved.named(involved),
            "shares": Share.of(record) if by.may("incident:share", record) else [],
            "log": logs.get(record.id),
            "decision": Event.last(record, "incident:not_notifiable")
            if record.status == "not notifiable"
            else None,
            "due": due(record.due_at) if record.status == "to decide" else None,
            "others": [(other, logs.get(other.id)) for other in others],
            "others_count": count,
            "history": self.story(record) if by.may("incident:read", record) else None,
            "stands": self.stands(record) if by.may("case:add", record) else [],
        }

    @staticmethod
    def stands(record):
        """The cases in which it stands, as far as the reader sees them: the ids of what each was
        opened for.
        """
        return [case.incident_id for case in cases_with(record.id, me())]

    @staticmethod
    def of_child(record, limit):
        """(how many, the latest few) of the other incidents of the same child that the reader may
        see, and the logs of all of these and of this one: {id of the incident: Log}.
        """
        by = me()
        others = Incident.child == record.child_id, Incident.id != record.id
        query = visible(Incident, by).where(*others)
        rows = query.select(*Incident.brief()).order_by(Incident.reported_at.desc()).limit(limit)
        rows = list(rows)
        count = query.count() if len(rows) == limit else len(rows)
        triggered = [row.id for row in (record, *rows) if row.status == "triggered"]
        logs = visible(Log, by).where(Log.incident.in_(triggered)) if triggered else ()
        return count, rows, {log.incident_id: log for log in logs}

    def card(self, page, record):
        """On the home page the incidents that they reported and where each stands, the latest
        first.
        """
        by = me()
        query = visible(Incident, by).where(Incident.reported_by == by)
        rows = list(self.joined(query).order_by(Incident.reported_at.desc()).limit(5))
        return {"incidents": rows, "count": query.count()} if rows else None

    def needs(self, limit):
        """The alerts that wait for a decision, the oldest first."""
        by = me()
        if not by.may("log:trigger"):
            return
        query = visible(Incident, by).where(Incident.status == "to decide")
        query = Incident.where_may(query, by, "log:trigger")
        for row in self.joined(query).order_by(Incident.reported_at).limit(limit):
            words, mark = due(row.due_at)
            yield Need(
                who=row.child,
                what=f"{row.topic or 'Safeguarding alert'} · reported by {row.reported_by}",
                age=f"waiting {age(row.reported_at)}",
                mark=mark or "soon",
                verb="Ofsted: decide",
                url=url_for("incident.details_view", id=row.id),
                at=row.due_at,
            )

    @expose("/file/")
    def file_view(self):
        attachment = self.other(Attachment, request.args.get("id", ""))
        verb = "attachment:read_original" if "original" in request.args else "attachment:read"
        if verb == "attachment:read_original" and not me().may(verb, attachment):
            abort(403)
        return handed_out(attachment, verb, inline="look" in request.args)
