"""What is set up in the panel without code: templates and their questions, choice lists, children; and the emails, to look at."""

from flask import redirect, request, url_for
from flask_admin import expose

from models import Child, Choice, Flag, Incident, Notice, Question, Template, TemplateSection, User, visible

from .base import RecordView
from .door import me, saved


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
        return super().values(form) | {"upn": upn.upper() if upn and upn != form.upn.object_data else upn}

    def about(self, record):
        incidents = visible(Incident, me()).select(Incident, User).join(User, on=(Incident.reported_by == User.id))
        return {
            "flags": list(record.flags.order_by(Flag.since)),
            "incidents": list(incidents.where(Incident.child == record).order_by(Incident.reported_at.desc())),
        }


class TemplateView(RecordView):
    one = "template"
    export = action_view = None
    permission = add_permission = edit_permission = "template:edit"
    intro = "What a tracker asks. A begun tracker keeps the text it was begun with; a change here counts from the next one."
    column_list = ["name", "purpose", "in_force"]
    form_columns = ["name", "purpose", "in_force"]
    details_template = "template.html"

    def about(self, record):
        questions = {}
        for question in (
            Question.select().join(TemplateSection).where(TemplateSection.template == record).order_by(Question.position, Question.id)
        ):
            questions.setdefault(question.section_id, []).append(question)
        sections = record.sections.order_by(TemplateSection.position, TemplateSection.id)
        return {"sections": [(section, questions.get(section.id, [])) for section in sections]}


class PartView(RecordView):
    """A part of a template: its sections and their questions, added under a parent and moved among siblings."""

    parent = None  # (name of the foreign key, model)
    permission = add_permission = edit_permission = "template:edit"
    details_view = export = action_view = None
    create_template = edit_template = "part.html"

    def is_visible(self):
        return False

    @expose("/")
    def index_view(self):
        return redirect(url_for("template.index_view"))

    def create(self, form):
        name, model = self.parent
        parent = self.other(model, request.args.get(name, ""))
        record = self.model(**{name: parent}, **self.values(form))
        record.place_last()
        return self.keep(record, "add")

    def get_save_return_url(self, model, is_created=False):
        section = model if isinstance(model, TemplateSection) else model.section
        return url_for("template.details_view", id=section.template_id, _anchor=f"{self.noun}-{model.id}")

    @expose("/move/", methods=("POST",))
    def move_view(self):
        record = self.asked(request.form.get("rowid"))
        record.move(me(), -1 if request.form.get("to") == "up" else 1)
        return saved(self.get_save_return_url(record))


class TemplateSectionView(PartView):
    one = "section of the template"
    parent = ("template", Template)
    form_columns = ["title", "help", "restricted", "retired"]


class QuestionView(PartView):
    one = "question"
    parent = ("section", TemplateSection)
    form_columns = ["text", "help", "kind", "options", "required", "source", "retired"]


class ChoiceView(RecordView):
    one = "choice"
    export = action_view = details_view = None
    permission = add_permission = edit_permission = "choice:edit"
    intro = "The lists people choose from. Records keep the words that were chosen, whatever changes here."
    column_list = ["list", "name", "meaning", "position", "retired"]
    column_sortable_list = ["list", "name", "position"]
    form_columns = ["list", "name", "meaning", "use_when", "position", "retired"]
    filters = {"list": ("List", Choice.lists)}

    order = (Choice.list, Choice.position, Choice.id)

    def link(self, row):
        return url_for("choice.edit_view", id=row.id)

    def get_save_return_url(self, model, is_created=False):
        return url_for("choice.index_view", list=model.list)


class NoticeView(RecordView):
    one = "email"
    create_view = edit_view = export = action_view = None
    intro = "Who was told, when. An email says who acted, the reference, the status and a link: nothing else."
    empty = "There is no email to you here, and none about a case that you may read. One is sent to the people assigned whenever an Ofsted log moves."
    column_list = ["queued_at", "user", "subject", "status", "sent_at", "attempts"]
    column_sortable_list = ["queued_at", "status", "sent_at"]
    filters = {"status": ("Status", lambda: ["waiting", "sent", "failed"])}
    details_template = "notice.html"

    def joined(self, query):
        return query.select(Notice, User).join(User, on=(Notice.user == User.id))
