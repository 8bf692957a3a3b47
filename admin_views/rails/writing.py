"""RecordView: the one way to a record and to change it, for every noun."""

from flask import abort, flash, g, redirect, request, url_for
from flask_admin import expose
from flask_admin.helpers import get_form_data
from werkzeug.datastructures import MultiDict

from models import Draft, Event, Receipt, Refused, look, transaction, who_sees
from models.ground.words import when
from models.policy import story_of

from .door import here, me, saved
from .forms import Converter, SeenForm, put_errors
from .merge import marks, merge
from .reading import Reading
from .sessions import stale
from .taking import Taking
from .trouble import with_text


class RecordView(Taking, Reading):
    """The only door to a record: list, details, new, edit, steps and CSV, each through `visible`,
    the policy. A view says of which model it is (`shows`); its pages lie in templates/<noun>/,
    where they are not those of the layout.
    """

    one = "record"  # what one is called, in the singular
    adds = ""  # what the button says that begins a new one, where that is not “Add a …”
    add_permission = edit_permission = None
    under = None  # the model of the record that a new one is added under, named in the address
    page_columns = ()  # the columns on its page, where they are not those of the form
    hints_once = False  # whether its form is shown again with hints before it is saved: Hinting
    reads = False  # whether opening one is an event of its own
    guarded = False  # whether its form asks for the passphrase again after 10 minutes

    can_delete = False
    can_view_details = True
    model_form_converter = Converter

    def __init__(self):
        self.noun = self.shows.noun()
        own = f"{self.noun}/"
        self.list_template = [f"{own}list.html", "layout/list.html"]
        self.details_template = [f"{own}page.html", "layout/record.html"]
        self.create_template = self.edit_template = [f"{own}form.html", "layout/form.html"]
        url = f"/{self.noun.replace('_', '-')}"
        super().__init__(self.shows, name=self.title, endpoint=self.noun, url=url)

    @property
    def can_create(self):
        return self.allows(self.add_permission)

    @property
    def can_edit(self):
        return self.allows(self.edit_permission)

    def may_edit(self, record):
        """Whether the reader may edit this record, where it is."""
        return self.allows(self.edit_permission, record)

    @property
    def can_export(self):
        return self.allows(self.export_permission)

    # doors of Flask-Admin that we do not have
    delete_view = ajax_update = ajax_lookup = action_delete = None

    def get_one(self, id):
        """Of what is signed, what the page shows is noted before it is read: what is saved in
        between is then newer than what is signed, never older.
        """
        if seen_of := getattr(self.model, "seen_of", None):
            g.seen = seen_of(int(id))
        return super().get_one(id)

    def show(self, record, status=200, **context):
        """The page of one record, with the cards that other nouns contribute to it; its buttons for
        signing carry what it shows.
        """
        known = {"refused": None, "failed": None}
        labels = {step.verb: step.label for step in self.steps}
        context = known | self.about(record) | context
        context["forms"] = context.get("forms") or self.step_forms(record)
        for form in context["forms"].values():
            if isinstance(form, SeenForm):
                form.seen.data = g.seen
        cards = self.cards_on(self.noun, record)
        beside = self.cards_on(f"{self.noun} aside", record)
        page = self.render(
            self.details_template,
            record=record,
            labels=labels,
            cards=cards,
            beside=beside,
            **context,
        )
        return page, status

    def about(self, record):
        """What the page of one record shows besides its fields and the cards."""
        return {}

    @staticmethod
    def story(shown, record=None):
        """The history of the incident that is `shown`, or that what is shown belongs to, for its
        page; or of one record of it. All who looked only when somebody asks.
        """
        restricted = me().may("section:read_restricted", shown)
        everyone = request.args.get("reads") == "all"
        return story_of(shown.its_incident(), me(), restricted, record, everyone)

    @staticmethod
    def seen(incident, who=who_sees):
        """Who can see a record, and why, for its page, when somebody asks; nobody until then."""
        return who(incident) if request.args.get("who") == "all" else []

    @expose("/details/")
    def details_view(self):
        record = self.asked()
        if self.reads:
            look(f"{self.noun}:read", record, me())
        return self.show(record)

    # writing

    def parent(self):
        """The record that a new one is added under, through the policy."""
        return self.other(self.under, request.args.get(self.under.noun(), ""))

    def values(self, form):
        return {
            name: field.data
            for name, field in form._fields.items()
            if name in self.model._meta.fields
        }

    def create(self, form):
        """Make the record of a valid form and return it. Rules refuse by raising Refused."""
        record = self.model(**self.values(form))
        return self.store(record, "add")

    def before_saving(self, form):
        """What is shown once between the press of Save and the saving of a valid form, or None."""

    def mend(self, form):
        """What a press of a hint does: see Hinting."""
        abort(400)

    def update(self, form, record):
        return self.store(record, "edit", record.set(**self.values(form)))

    def store(self, record, verb, changed=None):
        """Save a record that has no steps of its own (a list, a template, a child), with its
        event.
        """
        record.check()
        record.save()
        also = record.takes_along()
        if changed or verb == "add":
            Event.write(f"{self.noun}:{verb}", record, me(), changed, also=also)
        return record

    def get_save_return_url(self, model, is_created=False):
        return url_for(f"{self.noun}.details_view", id=model.id)

    def saved_words(self, record, is_created):
        return f"Saved: {record}."

    def form_page(self, template, form, status=200, merged=False, **context):
        """The form, with the version and marks of the record that it was opened with: newer ones
        only where it has what is new (`merged`).
        """
        came = request.form if request.method == "POST" else g.get("draft", MultiDict())
        current = str(getattr(context.get("record"), "version", ""))
        if merged or not came.get("version"):
            came = {"version": current, "opened": marks(form) if form else ""}
        version, opened = came["version"], came.get("opened", "")
        shown = {
            "record": None,
            "refused": None,
            "typed": None,
            "earlier": None,
            "hints": None,
            "done": None,
            "draft": g.get("draft_kept"),
            "parent": self.parent() if self.under and not context.get("record") else None,
            "drafts": self.others_begun() if not context.get("record") else [],
            "here": here(),
            "beside": self.cards_on(f"{self.noun} form", None),
        } | context
        return self.render(template, form=form, version=version, opened=opened, **shown), status

    def others_begun(self):
        """The drafts of other new forms of this kind that this person has: offered, never filled in
        unasked.
        """
        if request.method == "POST" or "draft" in g:
            return []
        return [one for one in Draft.all_of(me()) if one.path.startswith(f"{request.path}?")][:3]

    def keep_draft(self):
        """Keep what was typed, checked or not, for this person alone, or throw it away; and show
        the form again.
        """
        if request.form["draft"] == "away":
            Draft.drop(me(), here())
        else:
            try:
                Draft.keep(me(), here(), request.form.items(multi=True))
            except Refused:
                return with_text(413)
        return redirect(here())

    def begun_with(self):
        """What a form is filled from: what was sent or, when it is opened, the draft that this
        person left here; None for neither.
        """
        if request.method == "POST":
            return get_form_data()
        draft = Draft.of(me(), here())
        if draft:
            flash(
                f"What you typed here until {when(draft.saved_at)} is below. It is not saved yet.",
                "warning",
            )
            g.draft_kept = draft.saved_at
            g.draft = MultiDict(
                draft.fields
                # with the version it was begun from, so that what a colleague saved meanwhile is
                # shown
            )
        return g.get("draft")

    def create_form(self, obj=None):
        return self._create_form_class(self.begun_with(), obj=obj)

    def edit_form(self, obj=None):
        return self._edit_form_class(self.begun_with(), obj=obj)

    def read_form(self, name):
        if name == "create_view" and self.can_create and "draft" not in request.form:
            g.form = self.create_form()
            asked = {"more", "mend"} & set(request.form)  # only shown again
            g.valid = not asked and g.form.validate()

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self):
        if not self.can_create:
            abort(403)
        if self.under:
            self.stay_allowed(self.add_permission, self.parent())
        if "draft" in request.form:
            return self.keep_draft()
        form, earlier = g.pop("form", None) or self.create_form(), None
        if "more" in request.form:  # rows of a table: nothing is checked, and nothing saved
            return self.form_page(self.create_template, form)
        if "mend" in request.form:
            return self.mend(form)
        if request.method == "POST" and g.valid:
            if self.guarded and (again := stale()):
                return again
            try:
                if earlier := Receipt.earlier(request.form.get("once"), me()):
                    raise Refused(
                        "This form was saved already, and what it holds now is different. Save "
                        "again only if you mean to make another one."
                    )
                if shown := self.before_saving(form):
                    return shown
                with transaction():
                    record = self.create(form)
                flash(self.saved_words(record, True), "success")
                return saved(self.get_save_return_url(record, is_created=True))
            except Refused as refused:
                put_errors(form, refused)
        return self.form_page(
            self.create_template,
            form,
            409 if earlier else 422 if request.method == "POST" else 200,
            earlier=earlier,
        )

    def still_open(self, record):
        """Raise Refused where a record can no longer be changed."""

    def both_wrote(self, record, news):
        """Refuse the second of two savers: `news` are the fields that the first changed. Those that
        both changed show both texts.
        """
        last = Event.last(record, f"{self.noun}:edit", f"{self.noun}:save", f"{self.noun}:assign")
        both = [field for field in news if hasattr(field, "theirs")]
        for field in both:
            field.errors = [
                *field.errors,
                "You both changed this. Compare, and leave what is to be saved.",
            ]
        raise Refused(
            f"{last.by if last and last.by else 'Somebody'} saved this while you were writing. "
            "Nothing of yours was saved yet. "
            + (
                "What you both changed is listed here; the rest is as saved last, with your "
                "changes. "
                if both
                else "Your changes are below, with theirs. "
            )
            + "Save again when it is right."
        )

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self):
        record = self.asked()
        self.stay_allowed(self.edit_permission, record)
        if "draft" in request.form:
            return self.keep_draft()
        form, merged, status = (
            self.edit_form(record),
            False,
            422 if request.method == "POST" else 200,
        )
        if "more" in request.form:
            return self.form_page(self.edit_template, form, record=record)
        if request.method == "POST" and form.validate():
            if self.guarded and (again := stale()):
                return again
            try:
                with transaction():
                    fresh, opened = self.asked(), request.form.get("opened", "")
                    self.still_open(fresh)
                    if opened or request.form.get("version") != str(fresh.version):
                        news, merged = merge(form, opened), True
                        if news or not opened:
                            status = 409
                            self.both_wrote(fresh, news)
                    self.update(form, fresh)
                flash(self.saved_words(fresh, False), "success")
                return saved(self.get_save_return_url(fresh))
            except Refused as refused:
                put_errors(form, refused)
        return self.form_page(self.edit_template, form, status, record=record, merged=merged)
