"""Reading records: one, a list, a CSV, each only through the policy. The traps of Flask-Admin's
lists are met here once.
"""

from itertools import chain
from math import ceil

from flask import abort, g, has_request_context, request, url_for
from flask_admin import expose
from flask_admin.contrib.peewee import ModelView
from flask_login import current_user
from peewee import SQL, fn

from models import Event, Incident, db, look, visible
from models.ground.record import NoIncident
from models.ground.words import shown
from models.history.event import Nothing

from .door import Door, is_id, me
from .fields import number
from .sessions import stale

SETTING = ("setting", "School or home")


def neutral(text):
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


class Reading(Door, ModelView):
    """Lists, details and CSV of one model. RecordView adds what changes a record."""

    intro = empty = ""
    export_permission = None
    filters = {}  # {field name: (label, function giving the values)}
    column_labels = {}
    sort_joins = {}  # {column: (foreign key, field to sort by)}
    order = ()  # of a list that nobody has sorted; newest first at the end
    of_setting = False  # whether a row is of a school or home, which the list then says
    listed = ()  # what a row of the list shows of other records, where only that is to be read

    page_size = 50
    column_display_actions = False
    named_filter_urls = True
    export_max_rows = 100_000

    def names_of_settings(self):
        """{id: name} of the schools and homes that a list tells apart, by name: none where the
        reader may see of one only.
        """
        if not has_request_context() or not current_user.is_authenticated:
            return {}
        found = me().settings
        return {one.id: one.name for one in found} if len(found) > 1 else {}

    def with_setting(self, columns):
        """`columns` of a list, with the one of the school or home where there are several."""
        return [*columns, SETTING] if self.of_setting and self.names_of_settings() else columns

    # as Flask-Admin keeps them, once, for everybody
    _list_columns = property(
        lambda self: self.with_setting(self.__dict__["columns"]),
        lambda self, columns: self.__dict__.update(columns=columns),
    )
    _export_columns = property(
        lambda self: self.with_setting(self.__dict__["exported"]),
        lambda self, columns: self.__dict__.update(exported=columns),
    )

    @property
    def sieves(self):
        """The filters above the list, with that of the school or home where there are several."""
        names = list(self.names_of_settings().values()) if self.of_setting else []
        return self.filters | ({SETTING[0]: (SETTING[1], lambda: names)} if names else {})

    def get_column_name(self, field):
        return self.column_labels.get(field) or self.model._meta.fields[field].verbose_name

    def get_query(self):
        return visible(self.model, me())

    def where_may(self, query, permission):
        """`query` without what is where the reader has no `permission`."""
        return Incident.where_may(query, me(), permission)

    def joined(self, query):
        """Add to `query` what a row shows of other records, so that a list costs the same however
        many rows.
        """
        return query

    def get_one(self, id):
        try:
            return self.joined(self.get_query()).where(self.model.id == int(id)).get()
        except self.model.DoesNotExist:
            self.note_refusal(str(id))
            abort(404)  # "not yours" and "does not exist" are the same answer

    def asked(self, id=None):
        """The record that the address or the form names; 404 when there is none that this person
        may see, and a refusal is written down.
        """
        id = request.args.get("id", "") if id is None else id
        if not is_id(id):
            abort(404)
        return self.get_one(id)

    def other(self, model, id):
        """A row of another model that goes with this view (a file, a kept copy, a parent), through
        the policy like `asked`.
        """
        row = visible(model, me()).where(model.id == int(id)).get_or_none() if is_id(id) else None
        if not row:
            self.note_refusal(id, model)
            abort(404)
        return row

    def note_refusal(self, id, model=None):
        """Write down that this person was refused a record (of this view, or of `model`), whether
        there is one or not.
        """
        model = model or self.model
        if is_id(id):
            record = model.get_or_none(model.id == int(id)) or Nothing(model, int(id))
            look("record:refused", record, me(), door=request.endpoint)

    def get_list(self, page, sort_column, sort_desc, search, filters, execute=True, page_size=None):
        """Ids of the page first, in order, without joins; then one joined query for the rows."""
        query = self.get_query()
        if search and self._search_supported:
            query = query.where(self.model.matching(search[:200].replace("\0", "")))
        if "exporting" in g:
            query = self.where_may(query, g.exporting)
        for name, (_label, names) in self.sieves.items():
            if (chosen := request.args.get(name)) and chosen in names():
                query = query.where(
                    self.where_setting(chosen) if name == SETTING[0] else self.chosen(name, chosen)
                )
        ids = query.select(self.model.id)
        if sort_column in self.sort_joins:
            key, field = self.sort_joins[sort_column]
            ids = ids.switch(self.model).left_outer_join(
                key.rel_model, on=(key == key.rel_model.id)
            )
        else:
            field = getattr(self.model, sort_column) if sort_column else None
        order = (field.desc() if sort_desc else field.asc(),) if field else self.order
        ids = ids.order_by(*order, self.model.id.desc())
        size = page_size if page_size is not None else self.page_size
        if search:  # reading every word twice, to count and to find, would cost twice as much
            found = [id for (id,) in db.execute(ids).fetchall()]
            count = len(found)
        else:
            count = query.select(fn.COUNT(SQL("*"))).scalar()
        page = min(page or 0, max(ceil(count / size) - 1, 0)) if size else 0
        if search:
            wanted = found[page * size :][:size] if size else found
        else:
            ids = ids.paginate(page + 1, size) if size else ids
            wanted = [id for (id,) in ids.tuples()]
        rows = {row.id: row for row in self.rows().where(self.model.id.in_(wanted))}
        return count, [rows[id] for id in wanted]

    def rows(self):
        """The query of the rows of a list: with `listed` only the columns that it shows."""
        query = self.joined(self.model.select())
        if not self.listed:
            return query
        own = [self.model._meta.fields.get(name) for name in self.column_list]
        return query.select(self.model.id, *filter(None, own), *self.listed)

    def chosen(self, name, value):
        """The condition of a filter that was chosen."""
        return getattr(self.model, name) == value

    def where_setting(self, name):
        """The condition that a row is of the school or home called `name`."""
        id = next(id for id, known in self.names_of_settings().items() if known == name)
        if not isinstance(self.model.belongs, NoIncident):
            return self.model.among(lambda column: Incident.lies({id}, column))
        return self.model.setting == id

    def scaffold_sortable_columns(self):
        return {}

    def init_search(self):
        return hasattr(self.model, "matching")

    def _get_list_extra_args(self):
        for name in ("page", "page_size", "sort"):  # Flask-Admin trusts these
            if request.args.get(name) and number(request.args[name], 10**6) is None:
                abort(404)
        return super()._get_list_extra_args()

    def _get_list_url(self, view_args):
        known = {
            "page": view_args.page or None,
            "sort": view_args.sort,
            "desc": view_args.sort_desc or None,
            "search": view_args.search or None,
        }
        return url_for(
            f"{self.noun}.index_view",
            **known,
            **{name: request.args[name] for name in self.sieves if request.args.get(name)},  # type: ignore[arg-type]
        )

    def get_safe_page_size(self, page_size):
        return self.page_size

    @expose("/")
    def index_view(self):
        return super().index_view()

    def cell(self, row, name):
        if name == SETTING[0] and self.of_setting:
            return self.names_of_settings().get(row.its_setting(), "")
        value = getattr(row, name)
        return shown(value)

    def mark(self, row, name):
        """How a cell is marked: "late", "soon" or "" (the words of the cell say it too)."""
        return ""

    def link(self, row):
        """Where the first cell of a row leads."""
        return f"{self.url}/details/?id={row.id}"

    def cells(self, row, columns):
        """A row for the template, at once, for a list has hundreds of cells: [(name, label, text,
        where it leads or "", mark)].
        """
        url = self.link(row)
        for name, label in columns:
            yield name, label, self.cell(row, name), url, self.mark(row, name)
            url = ""

    def get_export_value(self, model, name):
        return neutral(self.cell(model, name))

    def _export_data(self):
        g.exporting = self.export_permission
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
        response.response = chain(
            ["\ufeff"], response.response
        )  # without this mark Excel garbles every accent
        return response
