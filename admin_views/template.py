"""What trackers ask: templates, their sections and questions, edited in the panel."""

from flask import flash, redirect, request, url_for
from flask_admin import expose

from models import Choice, Question, Refused, Section, Template, TemplateSection
from models.history.step import ask

from .rails.door import me, saved
from .rails.fields import PickField
from .rails.forms import outline, section_form
from .rails.writing import RecordView


class TemplateView(RecordView):
    shows, title, found_in, place = Template, "Templates", "set up", 60
    says = "what trackers ask"
    one = "template"
    export = action_view = None
    permission = add_permission = edit_permission = "template:edit"
    intro = (
        "What a tracker asks. A begun tracker keeps the text it was begun with; a change "
        "here counts from the next one."
    )
    column_list = ["name", "purpose", "in_force"]
    form_columns = ["name", "purpose", "in_force"]

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

    @expose("/preview/")
    def preview_view(self):
        """Its sections as the people who fill them in would see them, were a tracker begun now.
        There is no form round the fields, so nothing can be sent.
        """
        template = self.asked()
        sections = [
            Section.pin(position, section, questions)
            for position, (section, questions) in enumerate(template.sections_asked(), 1)
        ]
        forms = [(section, section_form(section)()) for section in sections]
        parts = [(section, outline(form, section.questions)) for section, form in forms]
        texts = {one["id"]: one["text"] for section in sections for one in section.questions}
        return self.render("template/preview.html", record=template, parts=parts, texts=texts)


class PartView(RecordView):
    """A part of a template: its sections and their questions, added under a parent and moved among
    siblings.
    """

    parent = None  # (name of the foreign key, model)
    permission = add_permission = edit_permission = "template:edit"
    details_view = export = action_view = None

    def __init__(self):
        super().__init__()
        self.create_template = self.edit_template = "template/part.html"

    @expose("/")
    def index_view(self):
        return redirect(url_for("template.index_view"))

    def create(self, form):
        name, model = self.parent
        parent = self.other(model, request.args.get(name, ""))
        record = self.model(**{name: parent}, **self.values(form))
        record.place_last()
        return self.store(record, "add")

    def get_save_return_url(self, model, is_created=False):
        section = model if isinstance(model, TemplateSection) else model.section
        return url_for(
            "template.details_view", id=section.template_id, _anchor=f"{self.noun}-{model.id}"
        )

    @expose("/move/", methods=("POST",))
    def move_view(self):
        """Move it, and open the page at the button that was pressed: pressed again, it goes on."""
        record = self.asked(request.form.get("rowid"))
        to = "up" if request.form.get("to") == "up" else "down"
        place = f"{self.get_save_return_url(record)}-{to}"
        try:
            record.move(me(), -1 if to == "up" else 1)
        except Refused as refused:
            flash(str(refused), "warning")
            return redirect(place)
        return saved(place)


class TemplateSectionView(PartView):
    shows, title = TemplateSection, "Sections of a template"
    one = "section"
    parent = ("template", Template)
    form_columns = ["title", "help", "restricted", "shows", "retired"]

    def update(self, form, record):
        if record.restricted and not form.restricted.data:
            ask(TemplateSection.opens, record, me())
        return super().update(form, record)


class QuestionView(PartView):
    shows, title = Question, "Questions"
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
    form_extra_fields = {
        "from_list": PickField(
            "Choices from a list",
            names=Choice.lists,
            description="For “one of a list”, “several of a list” and “rating”. Choose one of the "
            "choice lists, or write choices of its own below.",
        )
    }

    def create_form(self, obj=None):
        section = self.other(TemplateSection, request.args.get("section", ""))
        form = super().create_form(obj)
        form.depends_on.offer(Question(section=section).earlier())
        return form

    def edit_form(self, obj=None):
        form = super().edit_form(obj)
        form.depends_on.offer(obj.earlier())
        if obj.from_list:  # it stands in the field for it, not in the text
            form.options.object_data = ""
            if form.options.raw_data is None:
                form.options.data = ""
        return form

    def values(self, form):
        values, chosen = super().values(form), form.from_list.data
        if chosen and values["options"]:
            wrong = "Choose a list or write choices of its own, not both: empty one of the two."
            raise Refused("The question was not saved.", {"from_list": wrong})
        return values | ({"options": f"list: {chosen}"} if chosen else {})
