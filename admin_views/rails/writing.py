"""RecordView: the one way to a record and to change it, for every noun."""

from flask import abort, flash, g, redirect, request, url_for
from flask_admin import expose
from flask_admin.helpers import get_form_data
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from models import Draft, Event, Receipt, Refused, look, step_of, transaction
from models.ground.words import when

from .door import here, me, saved
from .forms import Converter, put_errors
from .merge import marks, merge
from .reading import Reading
from .sessions import stale
from .trouble import with_text


class RecordView(Reading):
    """The only door to a record: list, details, new, edit, steps and CSV, each through `visible`,
    the policy.
    """

    one = "record"  # what one is called, in the singular
    add_permission = edit_permission = None
    # {verb: form class, or None for a bare button}; their buttons are drawn where the template puts
    # them
    steps = {}
    reads = False  # whether opening one is an event of its own
    # the verbs that ask for the passphrase again after 10 minutes; "edit" for the form
    guarded = ()

    can_delete = False
    can_view_details = True
    model_form_converter = Converter
    list_template, details_template, create_template, edit_template = (
        "list.html",
        "record.html",
        "form.html",
        "form.html",
    )

    def __init__(self, model, **kwargs):
        self.noun = model.noun()
        super().__init__(model, endpoint=self.noun, url=f"/{self.noun.replace('_', '-')}", **kwargs)

    @property
    def can_create(self):
        return self.allows(self.add_permission)

    @property
    def can_edit(self):
        return self.allows(self.edit_permission)

    @property
    def can_export(self):
        return self.allows(self.export_permission)

    @staticmethod
    def allows(permission):
        return bool(permission) and current_user.is_authenticated and current_user.may(permission)

    def is_action_allowed(self, name):
        return name in self.steps and self.allows(name)

    delete_view = ajax_update = ajax_lookup = action_delete = (
        None  # doors of Flask-Admin that we do not have
    )

    def show(self, record, status=200, **context):
        """The page of one record."""
        return self.render(
            self.details_template,
            record=record,
            **{"forms": self.step_forms(record), "refused": None} | self.about(record) | context,
        ), status

    def about(self, record):
        """What the page of one record shows besides its fields."""
        return {}

    @staticmethod
    def story(incident):
        """The history of a case for its page; all who looked at it only when somebody asks."""
        more = {"reads": None} if request.args.get("reads") == "all" else {}
        return Event.shown_of_case(incident, me().may("section:read_restricted"), **more)

    @expose("/details/")
    def details_view(self):
        record = self.asked()
        if self.reads:
            look(f"{self.noun}:read", record, me())
        return self.show(record)

    # steps

    def offers(self, record, verb):
        """Whether the button of `verb` is drawn: this person may, on this record, and its status
        allows it.
        """
        one = step_of(verb)
        return (
            self.is_action_allowed(verb)
            and (not one.sources or record.status in one.sources)
            and one.who(record, me())
        )

    def step_forms(self, record):
        return {
            verb: form() if form else None
            for verb, form in self.steps.items()
            if self.offers(record, verb)
        }

    def take(self, step, ids, target=None, said=None):
        """Take `step` on the one record that the form names, fetched through the policy, and go to
        the record it leads to.

        A rule that refuses, and a reason left out, bring the same page back with what was typed.
        """
        if len(ids) != 1:
            abort(400)
        record, verb = self.asked(ids[0]), request.form["action"]
        form = self.steps[verb](request.form) if self.steps[verb] else None
        if form and not form.validate():
            return self.show(record, 422, forms=self.step_forms(record) | {verb: form}, failed=verb)
        try:
            result = step(record, **(form.data if form else {}), by=me())
        except Refused as refused:
            fresh = self.asked(ids[0])
            forms = self.step_forms(fresh) | ({verb: form} if form else {})
            return self.show(fresh, 409, refused=refused, failed=verb, forms=forms)
        flash(said(result) if said else f"{record}: done. It is now “{result.status}”.", "success")
        return saved(
            target(result) if target else url_for(f"{self.noun}.details_view", id=record.id)
        )

    @expose("/action/", methods=("POST",))
    def action_view(self):
        name = request.form.get("action", "")
        handler = self._actions_data.get(name)
        if not handler or not self.is_action_allowed(name):
            self.note_refusal(request.form.get("rowid"))
            abort(403)
        if name in self.guarded and (again := stale()):
            return again
        return handler[0](request.form.getlist("rowid"))

    # writing

    def values(self, form):
        return {
            name: field.data
            for name, field in form._fields.items()
            if name in self.model._meta.fields
        }

    def create(self, form):
        """Make the record of a valid form and return it. Rules refuse by raising Refused."""
        record = self.model(**self.values(form))
        return self.keep(record, "add")

    def update(self, form, record):
        return self.keep(record, "edit", record.set(**self.values(form)))

    def keep(self, record, verb, changed=None):
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
            "draft": "draft" in g,
            "here": here(),
        } | context
        return self.render(template, form=form, version=version, opened=opened, **shown), status

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

    def typed(self):
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
            g.draft = MultiDict(
                draft.fields
                # with the version it was begun from, so that what a colleague saved meanwhile is
                # shown
            )
        return g.get("draft")

    def create_form(self, obj=None):
        return self._create_form_class(self.typed(), obj=obj)

    def edit_form(self, obj=None):
        return self._edit_form_class(self.typed(), obj=obj)

    def read_form(self, name):
        if name == "create_view" and self.can_create and "draft" not in request.form:
            g.form = self.create_form()
            g.valid = g.form.validate()

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self):
        if not self.can_create:
            abort(403)
        if "draft" in request.form:
            return self.keep_draft()
        form, earlier = g.pop("form", None) or self.create_form(), None
        if request.method == "POST" and g.valid:
            if "edit" in self.guarded and (again := stale()):
                return again
            try:
                if earlier := Receipt.earlier(request.form.get("once"), me()):
                    raise Refused(
                        "This form was saved already, and what it holds now is different. Save "
                        "again only if you mean to make another one."
                    )
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
        if not self.can_edit:
            self.note_refusal(str(record.id))
            abort(403)
        if "draft" in request.form:
            return self.keep_draft()
        form, merged, status = (
            self.edit_form(record),
            False,
            422 if request.method == "POST" else 200,
        )
        if request.method == "POST" and form.validate():
            if "edit" in self.guarded and (again := stale()):
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
