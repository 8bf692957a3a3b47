"""What trackers ask: templates, their sections and questions, edited in the panel."""

from io import BytesIO

from flask import flash, redirect, request, send_file, url_for
from flask_admin import expose
from flask_admin.form import BaseForm
from wtforms import FileField
from wtforms.fields.choices import SelectChoice

from models import (
    Choice,
    Question,
    Refused,
    Right,
    Role,
    Section,
    Submission,
    Template,
    TemplateSection,
)
from models.case import shipped
from models.case.template import TRACKER
from models.history.step import ask

from .rails.asking import BESIDE
from .rails.door import me, saved
from .rails.fields import LongTextField, PickField, SeveralField, clean, tick
from .rails.forms import outline, section_form
from .rails.writing import RecordView

SIGNERS = ("signs_1", "signs_2", "signs_3", "signs_4")
DOING = {
    "begins": ("Who begins it", ""),
    "fills": ("Who fills it in", "They read it as well."),
    "reads": ("Who reads it", ""),
    "reviews": (
        "Who reviews it",
        "They answer what is for reviewers, read restricted sections, and may return it.",
    ),
    "stands in": (
        "Who stands in",
        "They read, review and sign it where the adult it is about would else: the chair, where it "
        "is about the head.",
    ),
}


WAITS = (
    "Whom it lets in, and that it is in force, waits for the approval of a Level 5, who have been "
    "told. The rest counts already."
)


def roles():
    return [role.name for role in Role.select().order_by(Role.level.desc(), Role.name)]


def rights_fields():
    """Who may what, as fields: a box for each role, and who signs first, second and so on."""
    found = {
        does.replace(" ", "_"): SeveralField(label, description=says)
        for does, (label, says) in DOING.items()
    }
    for number, name in enumerate(SIGNERS, 1):
        words = "In this order, after it was submitted. Each is another person."
        found[name] = PickField(f"Signature {number}", names=roles, description=words)
    return found


class ImportForm(BaseForm):
    """A template as TOML, typed or as a file."""

    text = LongTextField("The template, as TOML", filters=[clean])
    file = FileField("Or a file", description="What Export gave, here or in another school.")


class TemplateView(RecordView):
    shows, title, found_in, place = Template, "Templates", "set up", 60
    says = "what trackers and other forms ask"
    one = "template"
    export = action_view = None
    permission = add_permission = edit_permission = "template:edit"
    intro = (
        "What trackers and other forms ask. What is begun keeps the text it was begun with; a "
        "change here counts from the next one."
    )
    column_list = ["name", "prefix", "edition", "stands_on", "in_force"]
    form_columns = [
        "name",
        "purpose",
        "in_force",
        "stands_on",
        "prefix",
        "edition",
        "heading",
        "basis",
        "source",
        "notice",
        "news",
        "how_many",
        "due_days",
        "repeats",
        "headline",
    ]
    form_extra_fields = rights_fields()
    order = (Template.heading, Template.name)

    def offer(self, form, template=None):
        """Give the fields of rights the roles, and what is given."""
        names, given = roles(), Right.of(template) if template else {}
        for does in DOING:
            field = form[does.replace(" ", "_")]
            field.choices = [SelectChoice(name) for name in names]
            tick(field, [role.name for role in given.get(does, ())])
        signers = [role.name for role in given.get("signs", ())]
        for number, name in enumerate(SIGNERS):
            field = form[name]
            field.object_data = signers[number] if number < len(signers) else None
            if field.raw_data is None:
                field.data = field.object_data
        return form

    def create_form(self, obj=None):
        return self.offer(super().create_form(obj))

    def edit_form(self, obj=None):
        return self.offer(super().edit_form(obj), obj)

    def wanted(self, form):
        known = {role.name: role for role in Role.select()}
        chosen = {does: form[does.replace(" ", "_")].data or [] for does in DOING}
        chosen["signs"] = [form[name].data for name in SIGNERS if form[name].data]
        return {does: [known[name] for name in names] for does, names in chosen.items()}

    def values(self, form):
        values = super().values(form)
        if values["stands_on"] == TRACKER:  # as those have it that were there before other forms
            values["stands_on"] = None
        return values

    def create(self, form):
        record = self.store(Template(**self.values(form) | {"in_force": False}), "add")
        return self.update(form, record)

    def update(self, form, record):
        """What lets people in waits for a Level 5; what else was changed counts at once."""
        values, wanted = self.values(form), self.wanted(form)
        in_force, given = values.pop("in_force"), Right.give(record, wanted, me())
        changed = record.set(**values)
        waits = {does: {*roles} for does, roles in Right.of(record).items()} != {
            does: {*roles} for does, roles in wanted.items()
        }
        if in_force and not record.in_force and not Right.offer(record, me()):
            in_force, waits = False, True
        if waits:
            flash(WAITS, "warning")
        return self.store(record, "edit", changed | record.set(in_force=in_force) | given)

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
        before, differs = shipped.compared(record)
        return {
            "sections": [(section, questions.get(section.id, [])) for section in sections],
            "texts": texts,
            "rights": {} if record.is_tracker else Right.of(record),
            "doing": {does: label for does, (label, _says) in DOING.items()} | {"signs": "Signs"},
            "before": before,
            "differs": differs,
        }

    @expose("/copy/", methods=("POST",))
    def copy_view(self):
        copied = shipped.copy(self.asked(request.form.get("rowid")), me())
        flash(f"Copied: {copied}. Change it, and put it in force when it is right.", "success")
        return saved(url_for("template.details_view", id=copied.id))

    @expose("/ask-also/", methods=("POST",))
    def ask_also_view(self):
        template = self.asked(request.form.get("rowid"))
        try:
            Submission.ask_also(template, me())
            flash("What is new is asked in the forms that are not submitted yet.", "success")
        except Refused as refused:
            flash(str(refused), "warning")
        return saved(url_for("template.details_view", id=template.id))

    @expose("/toml/")
    def toml_view(self):
        """The template as a file, to be imported elsewhere."""
        template = self.asked()
        name = "".join(one if one.isalnum() else "-" for one in template.name.lower())
        return send_file(
            BytesIO(shipped.as_toml(template).encode()),
            mimetype="application/toml",
            as_attachment=True,
            download_name=f"{name}.toml",
        )

    @expose("/import/", methods=("GET", "POST"))
    def import_view(self):
        form = ImportForm(request.form if request.method == "POST" else None)
        if request.method == "POST":
            file = request.files.get("file")
            try:
                sent = file.stream.read(shipped.LARGEST + 1) if file and file.filename else b""
                made = shipped.read(sent.decode("utf-8-sig") or form.text.data or "", me())
                flash(f"Imported: {made}. It is not in force yet.", "success")
                return saved(url_for("template.details_view", id=made.id))
            except UnicodeDecodeError:
                form.file.errors = ["This is no text in UTF-8. Nothing was saved."]
            except Refused as refused:
                form.form_errors.append(str(refused))
                for sentence in refused.errors.values():
                    form.form_errors.append(sentence)
        status = 422 if request.method == "POST" else 200
        return self.render("template/import.html", form=form), status

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
        forms = [(section, section_form(section.questions)()) for section in sections]
        parts = [(section, outline(form, section.questions)) for section, form in forms]
        texts = {one["id"]: one["text"] for section in sections for one in section.questions}
        return self.render(
            "template/preview.html", record=template, parts=parts, texts=texts, **BESIDE
        )


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
    form_columns = ["title", "help", "restricted", "after", "shows", "retired"]

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
        "key",
        "for_review",
        "public",
        "listed",
        "makes_tasks",
        "within",
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
