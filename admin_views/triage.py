"""Triage: what waits, and the decision on one incident beside what is known of the child."""

from flask import get_template_attribute, request, url_for
from flask_admin import expose
from wtforms import StringField
from wtforms.validators import StopValidation

from models import (
    Case,
    Category,
    Child,
    Choice,
    Event,
    Flag,
    Incident,
    Involved,
    Refused,
    Triage,
    User,
    now,
    settings,
    visible,
)
from models.case.triage import INSIDE
from models.ground.words import age
from models.history.event import of_records
from models.policy import cases_with

from .home import Need
from .rails.door import is_id, me
from .rails.fields import PickField, SeveralField, TableField, clean
from .rails.forms import at_most, in_order, required
from .rails.writing import RecordView

PAGE = 50
NEW, NONE = "A new case", "No case: closed here"
ORDER = (  # of the page
    "into", "adult", "risk", "urgency", "threshold", "categories", "decision", "review_on",
)  # fmt: skip
SLOTS = {"first": "Category", "second": "Second category", "third": "Third category"}


def asked_incident():
    """The incident that the address names, through the policy; None where it names none."""
    id = request.args.get("incident", "")
    rows = visible(Incident, me()).where(Incident.id == int(id)) if is_id(id) else None
    return rows.get_or_none() if rows else None


def linked(incident):
    """[(child, part)] of the children who are linked to an incident, the main one first."""
    others = [(one.child, one.part) for one in Involved.of(incident) if one.child_id]
    return [(incident.child, Choice.names("child's part")[0]), *others]


class CategoriesField(TableField):
    """The part and the categories of each child, a row for each; `given` has them as
    [(child, part, category)].
    """

    def process(self, formdata, *args, **kwargs):
        incident = asked_incident()
        children = linked(incident) if incident else []
        self.by_label = {child.in_full: child for child, _part in children}
        parts, names = Choice.names("child's part"), Choice.names("category")
        self.columns = [
            ("child", "Child", list(self.by_label), "short text"),
            ("part", "Part", parts, "short text"),
            *((key, label, names, "short text") for key, label in SLOTS.items()),
        ]
        super().process(formdata, *args, **kwargs)
        if not self.raw_data:
            self.data = [{"child": child.in_full, "part": part} for child, part in children]

    @property
    def rows(self):
        """A row for each child, and none besides."""
        keys = [key for key, *_column in self.columns]
        return [{key: row.get(key) or "" for key in keys} for row in self.data or []]

    @property
    def given(self):
        return [
            (self.by_label[row["child"]], row["part"], row[key])
            for row in self.data or []
            for key in SLOTS
            if row.get(key) and row.get("child") in self.by_label
        ]

    def pre_validate(self, form):
        """What is missing is said with all that is, and not when the rest is right."""
        super().pre_validate(form)
        incident = asked_incident()
        if incident and (wrong := Category.wrong(incident, self.given)):
            raise StopValidation(wrong)


def places():
    """Where an incident can be put: an open case that the reader may see and that is about a child
    of it comes first.
    """
    incident = asked_incident()
    return [NEW, *(case.label for case in open_cases(incident)), NONE] if incident else [NEW, NONE]


def open_cases(incident):
    """The cases, not closed, that the reader may see, about any child linked to `incident`; and
    those in which it stands.
    """
    ids = {child.id for child, _part in linked(incident)}
    about = Case.id.in_(Case.of(incident).select(Case.id))
    for id in ids:
        about |= Case.about(id)
    rows = visible(Case, me()).where(about, Case.status.in_(Case.ALIVE))
    rows = rows.select(Case, Incident, Child).join(Incident).join(Child)
    return list(rows.order_by(Case.id.desc()).limit(20))


class TriageView(RecordView):
    shows, title, found_in, place = Triage, "Triage", "main", 5
    one, under = "triage", Incident
    permission = add_permission = "triage:decide"
    edit_view = export = action_view = None
    index_permission = "triage:decide"
    column_list = form_columns = [
        "risk",
        "urgency",
        "threshold",
        "decision",
        "review_on",
        "rationale",
        "not_referred",
    ]
    page_columns = ["by", "at", "case", *form_columns]
    form_extra_fields = {
        "into": PickField(
            "Case",
            names=places,
            radio=True,
            validators=[required("Choose a case, or that there is none.")],
        ),
        "adult": StringField(
            "Adult at risk",
            description="Only for a new case about an adult, not about the child.",
            filters=[clean],
            validators=[at_most(120)],
        ),
        "categories": CategoriesField("Categories, one to three for each child", columns=[]),
        "flags": SeveralField("Flags to set from today", names=()),
    }
    cards = {"incident aside": "triage/aside.html"}

    @expose("/")
    def index_view(self):
        query = self.waiting()
        rows = query.select(Incident, Child, *User.named()).join(Child).switch(Incident)
        rows = rows.join(User, on=(Incident.reported_by == User.id))
        urgent = Incident.immediate_danger.desc(), (Incident.status == "to decide").desc()
        waiting = list(rows.order_by(*urgent, Incident.reported_at).limit(PAGE))
        return self.render(
            "triage/list.html",
            waiting=waiting,
            cards=self.cards_on("triage", None),
            count=query.count() if len(waiting) == PAGE else len(waiting),
            settings_of=self.names_of_settings(),
            has={event.record: event for event in of_records("incident:acknowledge", waiting)},
            late=self.late,
            hours=settings.acknowledge_hours,
        )

    def waiting(self):
        """A query of the incidents that wait for the reader's triage."""
        waiting = visible(Incident, me()).where(Incident.waiting())
        return Incident.where_may(waiting, me(), self.permission)

    @staticmethod
    def late(incident):
        """Whether nobody has acknowledged it in time."""
        return incident.stage == "new" and incident.acknowledge_by < now()

    def create_form(self, obj=None):
        self._create_form_class.flags.kwargs["names"] = Choice.names("flag")
        form = in_order(super().create_form(obj), ORDER)
        if request.method == "GET" and not form.into.data:
            standing = [case.label for case in Case.of(self.parent()).limit(1)]
            form.into.data = standing[0] if standing else None
        return form

    def form_page(self, template, form, status=200, **context):
        incident = self.parent()
        child = incident.child
        view = next(one for one in self.admin._views if one.noun == "incident")
        count, others, logs = view.of_child(incident, 10)
        return super().form_page(
            template,
            form,
            status,
            incident=incident,
            others=[(other, logs.get(other.id)) for other in others],
            others_count=count,
            flags=list(Flag.in_force(child)) if me().may("child:read", child) else [],
            open_cases=open_cases(incident),
            decisions=self.decisions(incident),
            meanings=self.meanings(),
            **context,
        )

    @staticmethod
    def meanings():
        """What the categories mean, for the fold beside the form."""
        rows = Choice.select().where(Choice.list == "category", ~Choice.retired)
        return list(rows.order_by(Choice.position))

    def create(self, form):
        incident, into = self.parent(), form.into.data
        latest = next(iter(Triage.of(incident)), None)
        if latest and request.form.get("decided", str(latest.id)) != str(latest.id):
            raise Refused(
                f"{latest.by} decided on it while you were writing: see “Decided before”. Nothing "
                "of yours was saved. Save again only if yours is to be in force instead."
            )
        cases = {case.label: case for case in open_cases(incident)}
        return Triage.decide(
            incident,
            me(),
            opens=into == NEW,
            case=cases.get(into),
            categories=form.categories.given,
            flags=form.flags.data or (),
            adult=form.adult.data,
            **self.values(form),
        )

    def saved_words(self, record, is_created):
        """What was decided, and what is to be done now, with the pages to do it on."""
        incident = Incident.get_by_id(record.incident_id)
        return get_template_attribute("triage/saved.html", "saved")(
            triage=record,
            incident=incident,
            decides=incident.status == "to decide" and me().may("log:trigger", incident),
            gives=me().may("task:give", incident),
            tells=record.decision not in INSIDE and me().may("contact:add", incident),
            left=self.waiting().count(),
        )

    def get_save_return_url(self, model, is_created=False):
        return url_for("incident.details_view", id=model.incident_id)

    @staticmethod
    def decisions(incident):
        """[(Triage, [Category])] on an incident, the one in force first."""
        rows = Triage.of(incident.id)
        categories = Category.of([row.id for row in rows])
        return [(row, categories.get(row.id, [])) for row in rows]

    def card(self, page, record):
        """Beside an incident: how far its triage is, and every decision in order; for those who
        decide where it is.
        """
        if not me().may(self.permission, record):
            return None
        return {
            "decisions": self.decisions(record),
            "cases": cases_with(record.id, me()),
            "had": Event.last(record, "incident:acknowledge")
            if record.stage == "acknowledged"
            else None,
            "late": self.late(record),
        }

    def needs(self, limit):
        """What nobody has acknowledged, and what was acknowledged and waits for its decision; an
        alert is there already, with Decide.
        """
        waiting = Incident.waiting(), Incident.status != "to decide"
        query = Incident.where_may(visible(Incident, me()).where(*waiting), me(), self.permission)
        rows = query.select(Incident, Child).join(Child).order_by(Incident.reported_at).limit(limit)
        for row in rows:
            url = url_for("triage.create_view", incident=row.id)
            late = self.late(row)
            mark = "late" if late else "soon" if row.immediate_danger else ""
            said = f"new for {age(row.reported_at)}" if row.stage == "new" else "acknowledged"
            yield Need(
                row.child, row.topic or str(row), said, mark, "Triage", url, row.acknowledge_by
            )
