"""One page for each section of a tracker: fill it in, save it half-finished, come back."""

from flask import abort, g, redirect, request, url_for
from flask_admin import expose

from models import (
    Child,
    Incident,
    Involved,
    Log,
    Refused,
    Section,
    Tracker,
    Triage,
    User,
    look,
    visible,
)
from models.case.tracker import as_kind

from .rails.door import me
from .rails.forms import outline, section_form
from .rails.writing import RecordView


class SectionView(RecordView):
    shows, title = Section, "Sections"
    one = "section"
    permission = "log:read"
    edit_permission = "section:save"
    details_view = create_view = export = action_view = (
        None  # a section is reached from its log only
    )

    @expose("/")
    def index_view(self):
        return redirect(url_for("log.index_view"))

    def joined(self, query):
        return (
            query.select(Section, Tracker, Log, Incident, Child, User)
            .join(Tracker)
            .join(Log)
            .join(Incident)
            .join(Child)
            .switch(Section)
            .left_outer_join(User, on=(Section.saved_by == User.id))
        )

    def edit_form(self, obj=None):
        data = {
            f"q{question['id']}": as_kind(question["kind"], obj.answers.get(question["id"]))
            for question in obj.questions
        }
        form = section_form(obj)(self.begun_with(), data=data)
        if request.method == "GET" and "draft" not in g:
            self.suggest(form, obj)
        return form

    @staticmethod
    def suggest(form, section):
        """Fill what is empty with what the triage decided, and say so: it is the section's answer
        only once somebody saves it. For those who may read the decision.
        """
        empty = [
            one
            for one in section.questions
            if one.get("list") and section.answers.get(one["id"]) in (None, "", [])
        ]
        incident = section.tracker.log.incident
        rows = visible(Triage, me()).where(Triage.incident == incident)
        triage = rows.order_by(Triage.id.desc()).first() if empty else None
        chosen = triage.chosen() if triage else {}
        for question in empty:
            known = [one for one in chosen.get(question["list"], ()) if one in question["choices"]]
            several = question["kind"] == "several of a list"
            if known and (several or question["kind"] == "one of a list"):
                field, known = form[f"q{question['id']}"], known if several else known[:1]
                field.data = known if several else known[0]
                words = f"Suggested from the triage: {', '.join(known)}. Kept once you save."
                field.description = f"{field.description} {words}".strip()

    def update(self, form, record):
        record.save_answers({name[1:]: field.data for name, field in form._fields.items()}, me())

    def saved_words(self, record, is_created):
        words = f"Saved: {record.title}. It is {record.status}."
        if aside := record.set_aside():
            named = "; ".join(f"“{question['text']}”" for question in aside)
            words += (
                f" Kept, but neither shown nor printed, for it does not apply after what was "
                f"answered before it: {named}."
            )
        return words

    def form_page(self, template, form, status=200, **context):
        record = context["record"]
        drawn = {"outline": outline(form, record.questions)} if form else {}
        drawn["texts"] = (
            {} if record.damaged else {one["id"]: one["text"] for one in record.questions}
        )
        if record.shows == "earlier incidents":
            drawn["before"] = self.earlier(record.tracker.log.incident)
        return super().form_page(template, form, status, **drawn | context)

    @staticmethod
    def earlier(incident):
        """The other incidents of the child that were reported before this one, newest first: those
        that this reader may see.
        """
        others = Involved.select(Involved.incident).where(Involved.child == incident.child_id)
        theirs = (Incident.child == incident.child_id) | Incident.id.in_(others)
        before = Incident.reported_at < incident.reported_at
        return list(
            visible(Incident, me())
            .where(theirs, before, Incident.id != incident.id)
            .order_by(Incident.reported_at.desc(), Incident.id.desc())
        )

    def get_save_return_url(self, model, is_created=False):
        following = (
            visible(Section, me())
            .where(Section.tracker == model.tracker, Section.position > model.position)
            .order_by(Section.position)
            .first()
        )
        if "next" in request.form and following:
            return url_for("section.edit_view", id=following.id)
        return url_for("log.details_view", id=model.tracker.log_id)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self):
        section = self.asked()
        if request.method == "GET":
            look("section:read", section, me())
        allowed = self.may_edit(section) and section.fills_in(me())
        if allowed and section.tracker.log.status != "completed" and not section.damaged:
            return super().edit_view()
        if request.method == "GET":
            return self.form_page(self.edit_template, None, record=section, typed=self.begun_with())
        if not allowed:
            abort(403)
        why = (
            "This section is damaged"
            if section.damaged
            else f"{section.tracker.log} is completed and read-only"
        )
        refused = Refused(f"{why}. Nothing was saved. What you typed is below, to copy.")
        return self.form_page(
            self.edit_template, None, 409, record=section, refused=refused, typed=request.form
        )
