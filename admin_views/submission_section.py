"""One page for each section of a form."""

from functools import partial

from flask import request, url_for

from models import Enclosure, Submission, SubmissionSection, Template, User, look, visible
from models.case.asked import readable
from models.case.figures import count
from models.case.right import REVIEWS, WRITING

from .rails.asking import AskedView
from .rails.door import me


class SubmissionSectionView(AskedView):
    shows, title = SubmissionSection, "Sections of forms"
    permission = edit_permission = "submission:read"

    def list_of(self):
        return url_for("submission.index_view")

    def page_of(self, section):
        return url_for("submission.details_view", id=section.submission_id, _anchor="sections")

    def joined(self, query):
        rows = query.select(SubmissionSection, Submission, Template, *User.named())
        rows = rows.join(Submission).join(Template).switch(SubmissionSection)
        return rows.left_outer_join(User, on=(SubmissionSection.saved_by == User.id))

    def asked_of(self, section):
        mine = section.open_to(section.submission, me())
        return [question for question in section.questions if question["id"] in mine]

    def edit_form(self, obj=None):
        form = super().edit_form(obj)
        if request.method == "GET" and obj.submission.incident_id and not obj.saved_at:
            wanted = (one for one in obj.questions if one["kind"] == "child" and one["required"])
            field = form._fields.get(f"q{next(wanted, {'id': ''})['id']}")
            if field is not None and not field.raw_data:  # whom the incident is about
                field.data = obj.submission.incident.child.label
        return form

    def locked(self, section):
        form = section.submission
        if section.open_to(form, me()):
            return ""
        if form.status in WRITING and section.after:
            return f"This section is filled in once {form} has been submitted"
        return f"This section of {form} is {form.status} and locked for you"

    def opened(self, section):
        if request.method == "GET":
            look("submission:read", section.submission, me(), section=section.title)

    def allowed(self, section):
        return section.submission.handles(me())

    def shown(self, section):
        form, by = section.submission, me()
        page = url_for("submission.details_view", id=form.id, _anchor="sections")
        kind = url_for("submission.index_view", kind=form.template.prefix)
        said = {
            "whole": form,
            "whom": form.whom or form.template.name,
            "trail": [
                ("Forms", url_for("submission.index_view")),
                (form.template, kind),
                (form, page),
            ],
            "kind": "form",
            "form_id": form.id,
            "needed_to": "submit",
        }
        if section.damaged:
            return said
        answers = section.answers
        said["locked"] = {
            one["id"]: readable(one, answers.get(one["id"])) for one in section.questions
        }
        said["frozen"] = form.status not in WRITING
        figures = {one["id"] for one in section.questions if one["kind"] == "figure"}
        if figures:
            kept = {id: answers[id] for id in figures if id in answers}
            said["figures"] = (
                kept if said["frozen"] else section.counted(by, partial(count, visible=visible))
            )
        said["clocks"] = section.clocks()
        files = [one for one in section.questions if one["kind"] == "file"]
        if files:
            rows = visible(Enclosure, by).where(Enclosure.submission == form)
            said["enclosed"] = {}
            for row in rows.order_by(Enclosure.id):
                said["enclosed"].setdefault(row.question, []).append(row)
            said["adds_files"] = self.allowed(section) and section.writable
        if before := form.last_time(visible, by):
            known = before.by_key(restricted=REVIEWS in before.can(by))
            said["last_form"] = before
            said["last"] = {
                one["id"]: known[one["key"]][1]
                for one in section.questions
                if one.get("key") in known and known[one["key"]][1] not in (None, "", [])
            }
        return said

    def update(self, form, record):
        answers = {name[1:]: field.data for name, field in form._fields.items()}
        record.submission.fill_in(record, answers, me())

    def following(self, section):
        rows = visible(SubmissionSection, me()).where(
            SubmissionSection.submission == section.submission_id,
            SubmissionSection.position > section.position,
        )
        following = rows.order_by(SubmissionSection.position).first()
        return following and url_for("submission_section.edit_view", id=following.id)
