"""What trackers ask: templates, their sections and questions, edited in the panel."""

from flask import redirect, request, url_for
from flask_admin import expose

from models import Question, Template, TemplateSection
from models.history.step import ask

from .rails.door import me, saved
from .rails.writing import RecordView


class TemplateView(RecordView):
    one = "template"
    export = action_view = None
    permission = add_permission = edit_permission = "template:edit"
    intro = (
        "What a tracker asks. A begun tracker keeps the text it was begun with; a change "
        "here counts from the next one."
    )
    column_list = ["name", "purpose", "in_force"]
    form_columns = ["name", "purpose", "in_force"]
    details_template = "template.html"

    def about(self, record):
        questions, texts = {}, {}
        for question in (
            Question.select()
            .join(TemplateSection)
            .where(TemplateSection.template == record)
            .order_by(Question.position, Question.id)
        ):
            questions.setdefault(question.section_id, []).append(question)
            texts[question.id] = question.text
        sections = record.sections.order_by(TemplateSection.position, TemplateSection.id)
        return {
            "sections": [(section, questions.get(section.id, [])) for section in sections],
            "texts": texts,
        }


class PartView(RecordView):
    """A part of a template: its sections and their questions, added under a parent and moved among
    siblings.
    """

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
        return url_for(
            "template.details_view", id=section.template_id, _anchor=f"{self.noun}-{model.id}"
        )

    @expose("/move/", methods=("POST",))
    def move_view(self):
        record = self.asked(request.form.get("rowid"))
        record.move(me(), -1 if request.form.get("to") == "up" else 1)
        return saved(self.get_save_return_url(record))


class TemplateSectionView(PartView):
    one = "section of the template"
    parent = ("template", Template)
    form_columns = ["title", "help", "restricted", "shows", "retired"]

    def update(self, form, record):
        if record.restricted and not form.restricted.data:
            ask(TemplateSection.opens, record, me())
        return super().update(form, record)


class QuestionView(PartView):
    one = "question"
    parent = ("section", TemplateSection)
    form_columns = [
        "text",
        "help",
        "kind",
        "options",
        "required",
        "depends_on",
        "depends_answer",
        "source",
        "retired",
    ]

    def create_form(self, obj=None):
        section = self.other(TemplateSection, request.args.get("section", ""))
        form = super().create_form(obj)
        form.depends_on.offer(Question(section=section).earlier())
        return form

    def edit_form(self, obj=None):
        form = super().edit_form(obj)
        form.depends_on.offer(obj.earlier())
        return form
