"""The doors: signed in, permitted, and to a record only through the policy. The traps of Flask-Admin are met here once."""

from itertools import chain
from math import ceil

from flask import abort, flash, g, redirect, request, url_for
from flask_admin import AdminIndexView, expose
from flask_admin.contrib.peewee import ModelView
from flask_admin.helpers import get_form_data
from flask_login import current_user
from werkzeug.datastructures import MultiDict

from models import Draft, Event, Refused, step_of, transaction, visible
from models.words import shown, when

from .forms import Converter, put_errors
from .signin import stale


def me():
    """The signed-in User itself, not Flask-Login's proxy."""
    return current_user._get_current_object()


def is_id(text):
    """Whether `text` can be the id of a row at all."""
    return bool(text) and text.isascii() and text.isdigit() and int(text) < 2**31


class Door:
    """Shut to those who are not signed in, and to those without `permission` (None: anyone signed in)."""

    permission = None

    def is_accessible(self):
        return current_user.is_authenticated and (self.permission is None or current_user.may(self.permission))

    def inaccessible_callback(self, name, **kwargs):
        if current_user.is_authenticated:
            abort(403)
        return redirect(url_for("security.login", next=request.full_path.rstrip("?")))

    def _run_view(self, fn, *args, **kwargs):
        return fn(self, *args, **kwargs)  # Flask-Admin's own turns every TypeError into a misleading one


class Home(Door, AdminIndexView):
    pass


def neutral(text):
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


class RecordView(Door, ModelView):
    """The only door to a record: list, details, new, edit, steps and CSV, each through `visible`, the policy."""

    one = "record"  # what one is called, in the singular
    add_permission = edit_permission = export_permission = None
    intro = empty = ""
    filters = {}  # {field name: (label, function giving the values)}
    column_labels = {}
    sort_joins = {}  # {column: (foreign key, field to sort by)}
    order = ()  # of a list that nobody has sorted; newest first at the end
    steps = {}  # {verb: form class, or None for a bare button}; their buttons are drawn where the template puts them
    reads = False  # whether opening one is an event of its own
    guarded = ()  # the verbs that ask for the passphrase again after 10 minutes; "edit" for the form

    can_delete = False
    can_view_details = True
    page_size = 50
    column_display_actions = False
    named_filter_urls = True
    export_max_rows = 100_000
    model_form_converter = Converter
    list_template, details_template, create_template, edit_template = "list.html", "record.html", "form.html", "form.html"

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

    delete_view = ajax_update = ajax_lookup = action_delete = None  # doors of Flask-Admin that we do not have

    # reading

    def get_column_name(self, field):
        return self.column_labels.get(field) or self.model._meta.fields[field].verbose_name

    def get_query(self):
        return visible(self.model, me())

    def joined(self, query):
        """Add to `query` what a row shows of other records, so that a list costs the same however many rows."""
        return query

    def get_one(self, id):
        try:
            return self.joined(self.get_query()).where(self.model.id == int(id)).get()
        except self.model.DoesNotExist:
            self.note_refusal(str(id))
            abort(404)  # "not yours" and "does not exist" are the same answer

    def asked(self, id=None):
        """The record that the address or the form names; 404 when there is none that this person may see, and a refusal is written down."""
        id = request.args.get("id", "") if id is None else id
        if not is_id(id):
            abort(404)
        return self.get_one(id)

    def other(self, model, id):
        """A row of another model that goes with this view (a file, a kept copy, a parent), through the policy like `asked`."""
        row = visible(model, me()).where(model.id == int(id)).get_or_none() if is_id(id) else None
        if not row:
            self.note_refusal(id, model)
            abort(404)
        return row

    def note_refusal(self, id, model=None):
        """Write down that this person was refused a record (of this view, or of `model`) that exists."""
        model = model or self.model
        if is_id(id) and (record := model.get_or_none(model.id == int(id))):
            Event.write("record:refused", record, me(), door=request.endpoint)

    def get_list(self, page, sort_column, sort_desc, search, filters, execute=True, page_size=None):
        """Ids of the page first, in order, without joins; then one joined query for the rows."""
        query = self.get_query()
        if search and self._search_supported:
            query = query.where(self.model.matching(search[:200].replace("\0", "")))
        for name, (_label, names) in self.filters.items():
            if (chosen := request.args.get(name)) and chosen in names():
                query = query.where(getattr(self.model, name) == chosen)
        count = query.count()
        ids = query.select(self.model.id)
        if sort_column in self.sort_joins:
            key, field = self.sort_joins[sort_column]
            ids = ids.switch(self.model).left_outer_join(key.rel_model, on=(key == key.rel_model.id))
        else:
            field = getattr(self.model, sort_column) if sort_column else None
        order = (field.desc() if sort_desc else field.asc(),) if field else self.order
        ids = ids.order_by(*order, self.model.id.desc())
        size = page_size if page_size is not None else self.page_size
        if size:
            ids = ids.paginate(min(page or 0, max(ceil(count / size) - 1, 0)) + 1, size)
        wanted = [row.id for row in ids]
        rows = {row.id: row for row in self.joined(self.model.select()).where(self.model.id.in_(wanted))}
        return count, [rows[id] for id in wanted]

    def scaffold_sortable_columns(self):
        return {}

    def init_search(self):
        return hasattr(self.model, "matching")

    def _get_list_extra_args(self):
        for name in ("page", "page_size", "sort"):  # Flask-Admin trusts these
            if request.args.get(name) and not (
                request.args[name].isascii() and request.args[name].isdigit() and int(request.args[name]) < 10**6
            ):
                abort(404)
        return super()._get_list_extra_args()

    def _get_list_url(self, view_args):
        known = {
            "page": view_args.page or None,
            "sort": view_args.sort,
            "desc": view_args.sort_desc or None,
            "search": view_args.search or None,
        }
        return url_for(f"{self.noun}.index_view", **known, **{name: request.args[name] for name in self.filters if request.args.get(name)})

    def get_safe_page_size(self, page_size):
        return self.page_size

    @expose("/")
    def index_view(self):
        return super().index_view()

    def cell(self, row, name):
        value = getattr(row, name)
        return shown(value)

    def link(self, row):
        """Where the first cell of a row leads."""
        return url_for(f"{self.noun}.details_view", id=row.id)

    def get_export_value(self, model, name):
        return neutral(self.cell(model, name))

    def _export_data(self):
        count, rows = super()._export_data()
        Event.write(self.export_permission, self.model(), me(), rows=count)
        return count, rows

    @expose("/export/<export_type>/")
    def export(self, export_type):
        if export_type != "csv" or not self.export_permission:
            abort(404)
        if not self.can_export:
            abort(403)
        if again := stale():
            return again
        response = super().export(export_type)
        response.response = chain(["\ufeff"], response.response)  # without this mark Excel garbles every accent
        return response

    def show(self, record, status=200, **context):
        """The page of one record."""
        return self.render(
            self.details_template, record=record, **{"forms": self.step_forms(record), "refused": None} | self.about(record) | context
        ), status

    def about(self, record):
        """What the page of one record shows besides its fields."""
        return {}

    @expose("/details/")
    def details_view(self):
        record = self.asked()
        if self.reads:
            Event.write(f"{self.noun}:read", record, me())
        return self.show(record)

    # steps

    def offers(self, record, verb):
        """Whether the button of `verb` is drawn: this person may, and the record's status allows it."""
        return self.is_action_allowed(verb) and record.status in step_of(verb).sources

    def step_forms(self, record):
        return {verb: form() if form else None for verb, form in self.steps.items() if self.offers(record, verb)}

    def take(self, step, ids, target=None, said=None):
        """Take `step` on the one record that the form names, fetched through the policy, and go to the record it leads to.

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
        return redirect(target(result) if target else url_for(f"{self.noun}.details_view", id=record.id))

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
        return {name: field.data for name, field in form._fields.items() if name in self.model._meta.fields}

    def create(self, form):
        """Make the record of a valid form and return it. Rules refuse by raising Refused."""
        record = self.model(**self.values(form))
        return self.keep(record, "add")

    def update(self, form, record):
        return self.keep(record, "edit", record.set(**self.values(form)))

    def keep(self, record, verb, changed=None):
        """Save a record that has no steps of its own (a list, a template, a child), with its event."""
        record.check()
        record.save()
        if changed or verb == "add":
            Event.write(f"{self.noun}:{verb}", record, me(), changed)
        return record

    def get_save_return_url(self, model, is_created=False):
        return url_for(f"{self.noun}.details_view", id=model.id)

    def saved_words(self, record, is_created):
        return f"Saved: {record}."

    def form_page(self, template, form, status=200, **context):
        version = g.get("draft_version") or getattr(context.get("record"), "version", "")
        return self.render(
            template, form=form, **{"version": version, "record": None, "theirs": False, "refused": None, "typed": None} | context
        ), status

    @staticmethod
    def here():
        """The address of the form, by which a draft is found again."""
        return request.full_path.rstrip("?")

    def keep_draft(self):
        """Keep what was typed, checked or not, for this person alone, and show the form again."""
        Draft.keep(me(), self.here(), request.form.items(multi=True))
        return redirect(self.here())

    def typed(self):
        """What a form is filled from: what was sent or, when it is opened, the draft that this person left here; None for neither."""
        if request.method == "POST":
            return get_form_data()
        draft = Draft.of(me(), self.here())
        if draft:
            flash(f"What you typed here until {when(draft.saved_at)} is back in the form. It is not saved yet.", "warning")
            g.draft_version = MultiDict(draft.fields).get("version")  # so that what a colleague saved meanwhile is shown, not overwritten
        return MultiDict(draft.fields) if draft else None

    def create_form(self, obj=None):
        return self._create_form_class(self.typed(), obj=obj)

    def edit_form(self, obj=None):
        return self._edit_form_class(self.typed(), obj=obj)

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self):
        if not self.can_create:
            abort(403)
        if "draft" in request.form:
            return self.keep_draft()
        form = self.create_form()
        if request.method == "POST" and form.validate():
            if "edit" in self.guarded and (again := stale()):
                return again
            try:
                with transaction():
                    record = self.create(form)
                    Draft.drop(me(), self.here())
                flash(self.saved_words(record, True), "success")
                return redirect(self.get_save_return_url(record, is_created=True))
            except Refused as refused:
                put_errors(form, refused)
        return self.form_page(self.create_template, form, 422 if request.method == "POST" else 200)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self):
        record = self.asked()
        if not self.can_edit:
            self.note_refusal(str(record.id))
            abort(403)
        if "draft" in request.form:
            return self.keep_draft()
        form, theirs = self.edit_form(record), False
        if request.method == "POST" and form.validate():
            if "edit" in self.guarded and (again := stale()):
                return again
            try:
                with transaction():
                    fresh = self.asked()
                    if request.form.get("version") != str(fresh.version):
                        theirs = True
                        raise Refused(
                            "Somebody saved this while you were writing. Nothing of yours was saved yet: "
                            "compare with their text beside each answer that differs, then save again."
                        )
                    self.update(form, fresh)
                    Draft.drop(me(), self.here())
                flash(self.saved_words(fresh, False), "success")
                return redirect(self.get_save_return_url(fresh))
            except Refused as refused:
                put_errors(form, refused)
        return self.form_page(
            self.edit_template, form, 409 if theirs else 422 if request.method == "POST" else 200, record=record, theirs=theirs
        )
