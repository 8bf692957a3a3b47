"""The children: the list; the page of one, with the chronology; and what its other nouns share."""

from flask import current_app, redirect, request, url_for
from flask_admin import expose

from models import Absence, Case, Child, Event, Flag, Refused, Relation, School, visible
from models.case.absence import in_words
from models.case.child import ANOTHER
from models.case.chronology import beside, lines, pick
from models.policy import who_sees_child

from .rails.door import me
from .rails.forms import settings_for
from .rails.writing import RecordView

SHOWN = 150  # lines of a chronology on a page; all of them when somebody asks
KEPT_SHUT = {  # what is said to whom a role does not open it, whether there is any or not
    "incident:read": "You see the incidents that you reported, or that are assigned or shared.",
    "case:read": "Your role does not open decisions and cases.",
    "task:read": "Of tasks you see your own.",
    "entry:read": "Your role does not open entries made by hand.",
}


class ChildView(RecordView):
    shows, title, found_in, place = Child, "Children", "main", 30
    one = "child"
    reads = of_setting = True
    export = action_view = None
    permission = "child:read"
    add_permission = edit_permission = "child:edit"
    intro = "Everyone whom a report may be about."
    empty = "No child is on the list yet. Add the first one: a report needs a child."
    order = (Child.name,)
    column_list = ["name", "year", "date_of_birth", "upn", "left_on"]
    column_sortable_list = ["name", "year", "date_of_birth"]
    form_columns = ["name", "date_of_birth", "upn", "year", "left_on", "setting"]
    page_columns = ["name", "date_of_birth", "upn", "year", "left_on"]

    def choosing(self, form):
        """The form, with a choice of the school or home only where there is one. Whoever looks
        after one adds children there; only somebody who looks after both moves a child, so nobody
        gains by it.
        """
        found = settings_for("child:edit")
        if len(found) > 1:
            everywhere = me().within("child:edit") is None
            form.setting.none = "None: for those whose role is for all" if everywhere else "Choose…"
            form.setting.offer(found)
        else:
            del form.setting
        return form

    def create_form(self, obj=None):
        return self.choosing(super().create_form(obj))

    def edit_form(self, obj=None):
        return self.choosing(super().edit_form(obj))

    def values(self, form):
        upn, values = form.upn.data, super().values(form)
        if "setting" in form and not values["setting"] and me().within("child:edit") is not None:
            raise Refused("Nothing was saved.", {"setting": "Choose the school or home."})
        return values | {"upn": upn.upper() if upn and upn != form.upn.object_data else upn}

    def create(self, form):
        values = self.values(form)
        if "setting" not in form and (found := settings_for("child:edit")):
            values["setting"] = found[0]
        return self.store(Child(**values), "add")

    def about(self, record):
        by = me()
        people, siblings = around(record, by)
        asked = {name: request.args.get(name, "") for name in ("significant", "kind", "siblings")}
        absence = bool(request.args.get("absence"))
        children = [record, *(siblings if asked["siblings"] else [])]
        found = lines(children, by, visible, absence=absence)
        shown = pick(found, asked["kind"], bool(asked["significant"]))
        everything = request.args.get("all") or len(shown) <= SHOWN
        flags = list(visible(Flag, by).where(Flag.child == record).order_by(Flag.since))
        mine = visible(Case, by).where(Case.about(record), Case.status != "closed")
        cases = [case for case in mine.order_by(Case.id) if self.page_of(case)]
        return {
            "flags": flags,
            "people": people,
            "siblings": siblings,
            "schools": list(visible(School, by).where(School.child == record)),
            "absence": in_words(Absence.this_term(record)),
            "count": len(found),
            "shown": shown if everything else shown[:SHOWN],
            "fit": len(shown),
            "kinds": sorted({line.kind for line in found}),
            "asked": asked | {"absence": "1" if absence else ""},
            "toggled": toggled,
            "leads": self.leads,
            "page_of": self.page_of,
            "cases": cases,
            "seen": who_sees_child(record),
            "shut": [text for verb, text in KEPT_SHUT.items() if not by.may(verb, record)],
        }

    def page_of(self, record):
        """The address of the page of `record`, where its noun has one that the reader may open."""
        return self.page_at(record.noun(), record.id)

    def page_at(self, noun, id):
        """The same of a noun and an id."""
        if f"{noun}.details_view" not in current_app.view_functions:
            return ""
        view = next(view for view in self.admin._views if getattr(view, "noun", "") == noun)
        return url_for(f"{noun}.details_view", id=id) if view.is_accessible() else ""

    def leads(self, line):
        """Where a line of the chronology leads: to its own page, of a step to that of what it was
        taken on, else to that of its incident.
        """
        row = line.record
        own = self.page_at(row.subject, row.record) if isinstance(row, Event) else self.page_of(row)
        if not (url := own):
            incident = row.its_incident()
            url = incident and url_for("incident.details_view", id=incident)
        return url


def around(child, by):
    """(the people around `child`, and the brothers and sisters whom `by` sees). Those of whom it is
    written on their own page that they are this child's stand here too.
    """
    here = (Relation.child == child) | (Relation.other == child)
    rows = visible(Relation, by).where(here, Relation.ended_at.is_null()).order_by(Relation.id)
    people = list(rows)
    beside(people, {Child: {child.id: child}}, by, visible)
    others = [one.other if one.child_id == child.id else one.child for one in people]
    siblings = {one.id: one for one in others if one and one.id}
    hidden = [one for one in people if one.child_id != child.id and one.child.name == ANOTHER]
    return [one for one in people if one not in hidden], list(siblings.values())


def toggled(**changes):
    """The address of this page with what is asked of the chronology changed."""
    kept = ("significant", "kind", "siblings", "absence")
    asked = {name: request.args.get(name) for name in kept} | changes
    asked = {name: value for name, value in asked.items() if value}
    id = request.args.get("id") or request.form.get("rowid", "")
    return url_for("child.details_view", id=id, **asked, _anchor="chronology")


class OfChildView(RecordView):
    """What is of one child: begun on the child's page, and back there when it is saved."""

    under = Child
    permission = "child:read"
    export = edit_view = None
    asks = ""  # the heading of its form, and what its button says
    button = "Save"

    def __init__(self):
        super().__init__()
        self.details_template = [f"{self.noun}/page.html", "child/part.html"]
        forms = [f"{self.noun}/form.html", "child/part_form.html"]
        self.create_template = self.edit_template = forms

    @expose("/")
    def index_view(self):
        return redirect(url_for("child.index_view"))

    def joined(self, query):
        return query.select(self.model, Child).join(Child, on=(self.model.child == Child.id))

    def get_save_return_url(self, model, is_created=False):
        return url_for("child.details_view", id=model.child_id)


def back(record):
    """Where a step on what is of a child leads."""
    return url_for("child.details_view", id=record.child_id)
