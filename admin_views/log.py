"""The Ofsted logs: the list behind the icon, one log with its clock, its fields and people,
sign-off and paper.
"""

from io import BytesIO

from flask import abort, g, request, send_file, url_for
from flask_admin import expose
from flask_admin.form import BaseForm
from wtforms import SelectMultipleField, StringField, widgets
from wtforms.fields.choices import SelectChoice

from models import (
    Assignee,
    Child,
    Choice,
    Document,
    Incident,
    Log,
    Notice,
    Section,
    Tracker,
    User,
    look,
    visible,
)
from models.ground.words import age, due
from models.history.paper import to_pdf
from models.policy import documents

from .home import Need
from .rails.door import is_id, me
from .rails.fields import LongTextField, PickField, clean, tick
from .rails.forms import PersonForm, ReasonForm, SeenForm, SeenReasonForm, required
from .rails.moments import MomentField
from .rails.taking import Step
from .rails.writing import RecordView

TABS = ("open", "completed")


def signed_off(log):
    return f"{log} is completed and signed off by {me()}. It is read-only from now on."


def log_page(tracker):
    return url_for("log.details_view", id=tracker.log_id)


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


def offer(field, log):
    """Offer in `field` whoever may be assigned to `log`, besides those who always are."""
    rows = Assignee.of(log)
    always = {row.user_id for row in rows if not row.by_id}
    people = [person for person in User.who_may("log:read", log) if person.id not in always]
    field.offer(people, [row.user_id for row in rows if row.by_id])


def chosen(ids):
    return list(User.select().where(User.id.in_(ids)))


class AssignForm(PersonForm):
    """One more person, by name; who is taken off is unticked on the log's form."""

    log = None  # given by the view

    @property
    def data(self):
        by_hand = [row.user for row in Assignee.of(self.log) if row.by_id]
        return {"people": [*by_hand, self.person.data]}


class TellForm(BaseForm):
    """That Ofsted was told, where the clock stands."""

    told_at = MomentField("When was Ofsted told?", validators=[required()])
    told_how = PickField("How", names=lambda: Choice.names("how told"), validators=[required()])
    told_reference = StringField("Ofsted’s reference", filters=[clean])
    late_because = LongTextField(
        "Why it was late", description="Only when it is past the time it was due.", filters=[clean]
    )


class AnywayForm(SeenReasonForm):
    """Why it is signed although something is missing and, of what Ofsted is owed, why not yet."""

    untold = LongTextField(
        "Why has Ofsted not been told?",
        description="It stays owed: write it down here as soon as it is done.",
        validators=[required("Say why Ofsted has not been told, or write down first that it was.")],
        filters=[clean],
    )


class LogView(RecordView):
    shows, title, found_in, place = Log, "Ofsted logs", "main", 20
    one = "Ofsted log"
    permission = "log:read"
    edit_permission = "log:edit"
    export_permission = "log:export"
    intro = (
        "Every notification that was triggered, with its tracker and its sign-off: the evidence."
    )
    empty = (
        "There is no Ofsted log here. One is made when a manager opens an incident with an "
        "alert and presses Trigger notification."
    )
    reads = of_setting = True
    create_view = None  # a log comes from an incident
    order = (Log.triggered_at.desc(),)
    column_list = ["child", "kind", "triggered_at", "told_at", "status", "reference"]
    listed = (
        Log.incident, Log.aware_at, Incident.id, Incident.child, Incident.setting, Child.name,
        User.name,
    )  # fmt: skip
    column_labels = {"child": "Child"}
    column_sortable_list = ["reference", "kind", "triggered_at", "told_at", "status"]
    filters = {"tab": ("Show", lambda: TABS)}
    form_columns = [name for names in Log.GROUPS.values() for name in names]
    form_extra_fields = {
        "assigned": PeopleField(
            "Also assigned",
            description="Level 5 are always assigned. Only people whose role may see Ofsted logs "
            "are listed.",
            validate_choice=False,
        )
    }
    steps = (
        Step(
            "tracker:begin",
            "Begin safeguarding tracker",
            said=lambda tracker: (
                f"The safeguarding tracker was begun by {tracker.begun_by}. Open its sections "
                "below."
            ),
            leads=log_page,
        ),
        Step(
            "log:tell",
            "Save",
            TellForm,
            said=lambda log: f"{log}: it is written down that Ofsted was told.",
            permission="log:edit",
        ),
        Step("log:assign", "Assign", AssignForm, said=lambda log: f"{log}: assigned."),
        Step("log:complete", "Complete", SeenForm, guarded=True, said=signed_off),
        Step("log:complete_anyway", "Complete anyway", AnywayForm, guarded=True, said=signed_off),
        Step(
            "log:reopen",
            "Reopen",
            ReasonForm,
            guarded=True,
            said=lambda log: f"{log} is open again.",
        ),
    )
    cards = {"home": "log/others.html"}

    def joined(self, query):
        query = query.select(Log, Incident, Child, *User.named()).join(Incident).join(Child)
        return query.switch(Log).join(User, on=(Log.triggered_by == User.id))

    def cell(self, row, name):
        if name == "told_at" and not row.told_at and row.status == "completed":
            return "not told"
        if name == "told_at" and not row.told_at:
            return due(row.due_at)[0] if row.due_at else ""
        return str(row.incident.child) if name == "child" else super().cell(row, name)

    def mark(self, row, name):
        """How a cell of the list is marked: late, soon, or not."""
        waits = name == "told_at" and not row.told_at and row.status != "completed" and row.due_at
        return due(row.due_at)[1] if waits else ""

    def chosen(self, name, value):
        done = Log.status == "completed"
        return done if value == "completed" else ~done

    def ready(self, verb, form, record):
        if verb == "log:assign":
            form.log = record
        if verb == "log:tell" and not record.late:
            del form.late_because
        if verb == "log:complete_anyway" and record.told_at:
            del form.untold

    def offers(self, record, verb):
        told = verb == "log:tell" and record.told_at
        return not told and super().offers(record, verb)

    def about(self, record):
        by = me()
        tracker = next(iter(Tracker.of(record)), None)
        sections = tracker.in_order() if tracker else []
        history = self.story(record)
        signed = any(one.verb.startswith("log:complete") for one in history.done)
        return {
            "seen": self.seen(record.incident),
            "tracker": tracker,
            "sections": sections,
            "opens": self.opens,
            "assignees": Assignee.of(record),
            "notices": Notice.of_incident(record.incident_id)
            if by.may("notice:read", record)
            else [],
            "history": history,
            "fresh": not any(
                one.verb in ("log:edit", "log:assign", "log:tell") for one in history.done
            ),
            "lacking": record.lacking() if record.status != "completed" else [],
            "signed_off": record.signed_off,
            "copies": Document.of_incident(documents(by), record.incident_id) if signed else [],
        }

    @staticmethod
    def opens(section):
        return not section.restricted or me().may("section:read_restricted", section)

    def edit_form(self, obj=None):
        form = super().edit_form(obj)
        if me().may("log:assign", obj):
            offer(form.assigned, obj)
        else:
            del form.assigned
        return form

    def still_open(self, record):
        record.stay_open()

    def update(self, form, record):
        record.edit(me(), **self.values(form))
        if "assigned" in form:
            record.assign(chosen(form.assigned.data), me())

    def mine(self):
        """[(log, what it needs of the reader next, or None)] of the open logs that they are
        assigned to, the most urgent first; asked once a request.
        """
        if "mine" not in g:
            by = me()
            mine = Log.status.in_(("open", "tracking")) & Log.id.in_(Assignee.logs_of(by))
            query = self.joined(visible(Log, by)).where(mine)
            logs = list(query.order_by(Log.told_at.is_null(False), Log.aware_at).limit(50))
            sections = {}
            rows = Section.select(Section, Tracker).join(Tracker).order_by(Section.position)
            for section in rows.where(Tracker.log.in_([log.id for log in logs])):
                sections.setdefault(section.tracker.log_id, []).append(section)
            g.mine = [(log, self.need(log, sections.get(log.id, []), by)) for log in logs]
        return g.mine

    def needs(self, limit):
        """The open logs in which the next thing is the reader's to do."""
        return [need for _log, need in self.mine() if need][:limit]

    def card(self, page, record):
        """Beside the home page's list: the logs in which the next thing is for others to do."""
        others = [log for log, need in self.mine() if not need]
        return {"logs": others[:5], "count": len(others)} if others else None

    def need(self, log, sections, by):
        """What `log` needs of `by` next, or None where it is for others."""
        url, at, words, mark = url_for("log.details_view", id=log.id), log.triggered_at, "", ""
        left = [one for one in sections if one.unfinished]
        if not log.told_at and by.may("log:edit", log):
            verb, at = "Tell Ofsted", log.due_at or log.triggered_at
            words, mark = due(at)
            url += "#tell"
        elif not sections and by.may("tracker:begin", log):
            verb = "Begin tracker"
        elif left and by.may("section:save", log):
            first = next((one for one in left if self.opens(one)), None)
            if not first:
                return None
            verb = f"Continue section {first.position}"
            url, at = url_for("section.edit_view", id=first.id), first.saved_at or at
        elif sections and not left and by.may("log:complete", log):
            verb = "Complete"
        else:
            return None
        done = sum(not one.unfinished for one in sections)
        what = f"{log.kind or log.incident.topic or 'Ofsted log'} · {log}"
        what += f" · {done} of {len(sections)} sections" if sections else ""
        return Need(log.incident.child, what, words or age(at), mark, verb, url, at)

    @expose("/months/")
    def months_view(self):
        """What a director looks at: month by month, how many, how many in time."""
        if not me().may("log:read_all"):
            abort(403)
        return self.render("log/months.html", months=Log.by_month(visible(Log, me())))

    @expose("/pdf/")
    def pdf_view(self):
        log = self.asked()
        if not me().may("log:pdf", log):
            abort(403)
        look("log:pdf", log, me())
        words = log.paper(restricted=me().may("section:read_restricted", log))
        return self.paper(to_pdf(words), f"{log}.pdf")

    @expose("/copy/")
    def copy_view(self):
        document = self.other(Document, request.args.get("id", ""))
        log = self.asked(str(document.event.record))
        look("log:pdf", log, me(), sha256=document.sha256)
        return self.paper(document.content(), f"{log}-signed-off-{document.id}.pdf")

    @staticmethod
    def paper(content, name):
        return send_file(BytesIO(content), mimetype="application/pdf", download_name=name)
