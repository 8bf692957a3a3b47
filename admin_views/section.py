"""One page for each section of a tracker: fill it in, save it half-finished, come back."""

from flask import g, request, url_for

from models import Child, Incident, Involved, Log, Section, Tracker, Triage, User, look, visible

from .rails.asking import AskedView
from .rails.door import me


class SectionView(AskedView):
    shows, title = Section, "Sections"
    permission = "log:read"
    edit_permission = "section:save"

    def list_of(self):
        return url_for("log.index_view")

    def page_of(self, section):
        return url_for("log.details_view", id=section.tracker.log_id)

    def asked_of(self, section):
        return section.questions

    def locked(self, section):
        log = section.tracker.log
        return f"{log} is completed and read-only" if log.status == "completed" else ""

    def opened(self, section):
        if request.method == "GET":
            look("section:read", section, me())

    def allowed(self, section):
        return self.may_edit(section) and section.fills_in(me())

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
        form = super().edit_form(obj)
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

    def shown(self, section):
        log = section.tracker.log
        page = url_for("log.details_view", id=log.id, _anchor="tracker")
        trail = [("Ofsted logs", url_for("log.index_view")), (log, page)]
        said = {"whole": log, "whom": log.incident.child, "trail": trail, "kind": "log"}
        if section.shows == "earlier incidents":
            said["before"] = self.earlier(log.incident)
        return said

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

    def following(self, section):
        rows = visible(Section, me()).where(
            Section.tracker == section.tracker, Section.position > section.position
        )
        following = rows.order_by(Section.position).first()
        return following and url_for("section.edit_view", id=following.id)
