"""Forms: the menu of kinds, the list of one kind, one form with its sections and signatures."""

from datetime import date, datetime, time
from functools import partial
from io import BytesIO

from flask import abort, flash, g, redirect, request, send_file, url_for
from flask_admin import expose
from flask_admin.form import BaseForm
from peewee import SQL, fn
from wtforms import HiddenField

from models import (
    Child,
    Document,
    Enclosure,
    Event,
    Incident,
    Listed,
    Reader,
    Right,
    Submission,
    Task,
    Template,
    User,
    look,
    visible,
)
from models.case.figures import count
from models.case.right import (
    COMPLETE,
    NAMED,
    READING,
    RETURNED,
    REVIEWS,
    STANDS_IN,
    SUBMITTED,
    WRITING,
)
from models.case.submission import NOT_ASKED
from models.case.task import later
from models.case.template import REPEATS, Question, TemplateSection
from models.ground.clock import LONDON, UTC, today
from models.ground.words import age, day, due
from models.history.paper import to_pdf

from .home import Need
from .rails.door import is_id, me
from .rails.fields import NamedField, PickField, RowField, TextField, clean
from .rails.forms import PersonForm, ReasonForm, SeenForm, children, people, required, settings_for
from .rails.moments import MomentField
from .rails.taking import Step
from .rails.writing import RecordView

SHOWN = 4  # answers, as columns of a list; the CSV has all


class NameForm(PersonForm):
    """Whom, to do what, until when."""

    does = PickField("What they do", names=list(NAMED), radio=True, validators=[required()])
    until = MomentField(
        "Until", description="A reviewer from outside has until then. Empty: until taken off."
    )


class UnnameForm(BaseForm):
    """Somebody who was named."""

    person = RowField("Who is taken off", none="Choose…", validators=[required()])


class BeginForm(BaseForm):
    """What a form stands on; fields that its template does not ask are taken away."""

    template = HiddenField()
    incident = HiddenField()
    child = NamedField(
        "Child",
        description="First name and family name.",
        records=children,
        what="child",
        by_word=True,
        validators=[required()],
    )
    about = NamedField(
        Submission.about.verbose_name,
        description=Submission.about.help_text,
        records=people,
        what="person",
    )
    about_name = TextField(
        Submission.about_name.verbose_name,
        description=Submission.about_name.help_text,
        filters=[clean],
    )
    setting = RowField("School or home", none="Choose…")


def submitted_words(form):
    shut = " It is about you, so you cannot open it any more." if form.about_id == me().id else ""
    return f"{form} is submitted and locked. {next_words(form)}{shut}"


def submitted_to(form):
    """Where submitting leads: to the form, unless it is shut to whom it is about from then on."""
    if form.about_id == me().id:
        return url_for("submission.index_view")
    return url_for("submission.details_view", id=form.id)


def signed_words(form):
    return f"You signed {form}. {next_words(form)}"


def next_words(form):
    role = form.next_signer()
    return f"{role} signs it next." if role else "It is complete."


class SubmissionView(RecordView):
    shows, title, found_in, place = Submission, "Forms", "drawer", 26
    one, adds = "form", "Begin a form"
    permission = add_permission = "submission:read"
    export_permission = "submission:export"
    of_setting = True
    edit_view = None
    empty = "No such form has been begun."
    order = (Submission.id.desc(),)
    column_list = ["reference", "whom", "headline", "status", "begun_at"]
    column_labels = {"whom": "About", "headline": "What it says", "status": "The form is"}
    column_sortable_list = ["reference", "status", "begun_at"]
    filters = {"kind": ("Form", lambda: ()), "status": ("The form is", lambda: Submission.STATUSES)}
    steps = (
        Step(
            "submission:submit",
            "Submit",
            permission="submission:read",
            said=submitted_words,
            leads=submitted_to,
            given={"figures": partial(count, visible=visible)},
        ),
        Step(
            "submission:sign",
            "Sign",
            SeenForm,
            permission="submission:read",
            said=signed_words,
            guarded=True,
        ),
        Step("submission:send_back", "Return", ReasonForm, permission="submission:read"),
        Step("submission:name", "Name them", NameForm, permission="submission:read", asked=True),
        Step(
            "submission:unname",
            "Take them off",
            UnnameForm,
            permission="submission:read",
            asked=True,
        ),
    )
    cards = dict.fromkeys(("incident", "case", "child", "log"), "submission/card.html")

    # lists

    @property
    def kind(self):
        """The prefix of the forms that the list shows, or ""."""
        kind = request.args.get("kind", "")
        return kind if kind.isalpha() and len(kind) <= 5 else ""

    def columns_of(self):
        """{key: (text, how it is listed)} of the questions that the list of this kind shows: of its
        edition in force, else of the latest. One query a request.
        """
        if "listed" not in g:
            rows = Question.select(Question.key, Question.text, Question.listed, Template.id)
            rows = rows.join(TemplateSection).join(Template).where(Template.prefix == self.kind)
            rows = rows.where(~Question.retired, Question.listed.is_null(False))
            rows = rows.where(Question.key.is_null(False)).order_by(
                Template.in_force, Template.id, TemplateSection.position, Question.position
            )
            g.listed = {row.key: (row.text, row.lists_as) for row in (rows if self.kind else ())}
        return g.listed

    def with_setting(self, columns):
        if not self.kind:
            return super().with_setting(columns)
        own = [
            (f"answer_{key}", text)
            for key, (text, listed) in self.columns_of().items()
            if "column" in listed
        ]
        if request.endpoint == "submission.index_view":  # a page has room for a few
            own = own[:SHOWN]
            columns = [one for one in columns if self.stands or one[0] != "whom"]
        return super().with_setting([*columns[:-2], *own, *columns[-2:]])

    @property
    def stands(self):
        """Whether what the list shows is about somebody."""
        rows = Template.select().where(Template.prefix == self.kind)
        return rows.where(Template.stands_on != "nothing").exists()

    def is_visible(self):
        """In the bar of those who report nothing, and so have little else there."""
        return me().within("incident:report") == set()

    @property
    def sieves(self):
        return {
            "kind": ("Form", lambda: [self.kind] if self.kind else []),
            **{
                f"answer_{key}": (text, self.values_of(key))
                for key, (text, listed) in self.columns_of().items()
                if "filter" in listed
            },
            **{name: one for name, one in super().sieves.items() if name != "kind"},
        }

    def values_of(self, key):
        """A function giving what was answered so far in this kind, of what the reader sees."""

        def values():
            seen = visible(Submission, me()).where(self.chosen("kind", self.kind))
            seen = seen.select(Submission.id)
            rows = Listed.select(Listed.value).where(Listed.key == key, Listed.value != "")
            rows = rows.where(Listed.submission.in_(seen)).distinct().order_by(Listed.value)
            return [row.value for row in rows.limit(200)]

        return values

    def chosen(self, name, value):
        if name == "kind":
            return Submission.template.in_(
                Template.select(Template.id).where(Template.prefix == value)
            )
        if name.startswith("answer_"):
            said = Listed.select(Listed.submission)
            return Submission.id.in_(
                said.where(Listed.key == name.removeprefix("answer_"), Listed.value == value)
            )
        return super().chosen(name, value)

    def joined(self, query):
        about = User.alias()
        query = query.select(
            Submission, Template, Incident, Child, *User.named(), *User.named(about)
        )
        mine = Child.alias()
        query = query.select_extend(mine.id, mine.name, mine.setting)
        query = query.join(Template).switch(Submission)
        query = query.left_outer_join(Incident).left_outer_join(Child).switch(Submission)
        query = query.left_outer_join(mine, on=(Submission.child == mine.id), attr="child")
        query = query.switch(Submission).join(User, on=(Submission.begun_by == User.id))
        query = query.switch(Submission)
        return query.left_outer_join(about, on=(Submission.about == about.id), attr="about")

    def where_may(self, query, permission):
        within = me().within(permission)
        return query if within is None else query.where(Submission.setting.in_(within))

    def get_list(self, *args, **kwargs):
        count, rows = super().get_list(*args, **kwargs)
        Submission.gather(rows)
        g.answers = {}
        for one in Listed.select().where(Listed.submission.in_([row.id for row in rows])):
            g.answers.setdefault((one.submission_id, one.key), []).append(one.value)
        return count, rows

    def cell(self, row, name):
        if name.startswith("answer_"):
            values = g.answers.get((row.id, name.removeprefix("answer_")))
            return NOT_ASKED if values is None else ", ".join(values)
        if name == "begun_at" and "exporting" not in g:
            return day(row.begun_at.astimezone(LONDON).date())
        return super().cell(row, name)

    @expose("/")
    def index_view(self):
        if not self.kind and not request.args:
            return self.render("submission/kinds.html", kinds=self.kinds(), begins=self.begins())
        return super().index_view()

    def begins(self):
        """The templates from which the reader may begin a form, whatever it stands on."""
        return Submission.offered(me())

    def kinds(self):
        """[(heading, [(template, how many, how many are open, whether it may be begun here)])] of
        what the reader may read or begin. Four queries.
        """
        by = me()
        seen = visible(Submission, by).select(Submission.id)
        counts = (
            Submission.select(Template.prefix, Submission.status, fn.COUNT(Submission.id))
            .join(Template)
            .where(Submission.id.in_(seen))
            .group_by(Template.prefix, Submission.status)
        )
        found = {}
        for prefix, status, number in counts.tuples():
            total, left = found.get(prefix, (0, 0))
            found[prefix] = total + number, left + (number if status != COMPLETE else 0)
        roles = [role.id for role, _setting in by.grants]
        readable = Template.id.in_(Right.templates(roles, *READING))
        mine = Template.prefix.in_(list(found)) | Template.in_force & readable
        rows = Template.select().where(
            ~Template.trackers(), mine | Template.id.in_([one.id for one in self.begins()])
        )
        kinds, headings = {}, {}
        for template in rows.order_by(Template.in_force.desc(), Template.id.desc()):
            kinds.setdefault(template.prefix, template)
        begins = {one.id for one in self.begins()}
        for template in sorted(kinds.values(), key=lambda one: one.name):
            number, left = found.get(template.prefix, (0, 0))
            headings.setdefault(template.heading or "Other", []).append(
                (template, number, left, template.id in begins)
            )
        return sorted(headings.items())

    def render(self, template, **context):
        if self.kind:
            context["kind"] = (
                Template.select()
                .where(Template.prefix == self.kind)
                .order_by(Template.in_force.desc(), Template.id.desc())
                .first()
            )
            begins = context["kind"] and context["kind"].id in {one.id for one in self.begins()}
            context["draws"] = begins and context["kind"].draws
            if begins and context["kind"].stands_on != "incident":  # that has to be chosen first
                context["adds_at"] = url_for("submission.create_view", template=context["kind"].id)
            context["has_figures"] = any("figure" in how for _t, how in self.columns_of().values())
        return super().render(template, **context)

    @expose("/figures/")
    def figures_view(self):
        """The dashboard of one kind: how many of each status, month and answer, of what the reader
        may see.
        """
        if not self.kind:
            abort(404)
        seen = visible(Submission, me()).where(self.chosen("kind", self.kind))
        ids = seen.select(Submission.id)
        asked = {key: text for key, (text, how) in self.columns_of().items() if "figure" in how}
        rows = (
            Listed.select(Listed.key, Listed.value, fn.COUNT(Listed.id))
            .where(Listed.submission.in_(ids), Listed.key.in_(list(asked)), Listed.value != "")
            .group_by(Listed.key, Listed.value)
        )
        figures = {text: [] for text in asked.values()}
        for key, value, number in rows.tuples():
            figures[asked[key]].append((value, number))
        status = seen.select(Submission.status, fn.COUNT(Submission.id)).group_by(Submission.status)
        month = Submission.begun_at.truncate("month")
        months = seen.select(month, fn.COUNT(Submission.id)).group_by(SQL("1"))
        found = sorted(
            ((str(first)[:7], number) for first, number in months.tuples()), reverse=True
        )
        months = [(f"{date.fromisoformat(f'{one}-01'):%B %Y}", number) for one, number in found]
        return self.render(
            "submission/figures.html",
            statuses=sorted(status.tuples()),
            months=months[:24],
            figures={text: sorted(some) for text, some in figures.items()},
            total=sum(number for _month, number in months),
        )

    # begin

    def template_asked(self):
        """The template that the address names, where the reader may begin a form from it."""
        id = request.values.get("template", "")
        found = [one for one in self.begins() if is_id(id) and one.id == int(id)]
        return found[0] if found else abort(404)

    def create_form(self, obj=None):
        template, form = self.template_asked(), BeginForm(self.begun_with())
        incident = request.values.get("incident", "")
        form.template.data, form.incident.data = str(template.id), incident
        keep = {
            "adult": {"about", "about_name"},
            "child": {"child"},
            "incident": set(),
            "nothing": set(),
        }[template.stands_on]
        for name in {"child", "about", "about_name"} - keep:
            delattr(form, name)
        if template.stands_on == "child" and request.method == "GET" and not form.child.data:
            child = request.args.get("child", "")
            form.child.data = self.other(Child, child) if child else None
        where = settings_for("submission:read")
        if template.stands_on in ("incident", "child") or len(where) < 2:
            del form.setting
        else:
            form.setting.offer(where)
        return form

    @expose("/draw/")
    def draw_view(self):
        """Begin a form on a closed case that is drawn: at random, or by risk."""
        template = self.template_asked()
        by_risk = request.args.get("how") == "risk"
        incident = Submission.draw(template, me(), visible, by_risk)
        if not incident:
            flash("There is no closed case that was not looked at within a year.", "warning")
            return redirect(url_for("submission.index_view", kind=template.prefix))
        return redirect(
            url_for("submission.create_view", template=template.id, incident=incident.id)
        )

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self):
        if "template" not in request.values:
            return self.render("submission/begin.html", kinds=self.kinds())
        template = self.template_asked()
        if template.stands_on == "incident":
            if not request.values.get("incident"):
                return self.render("submission/begin.html", kinds=self.kinds(), needs=template)
            self.other(Incident, request.values["incident"])
        return super().create_view()

    def form_page(self, template, form, status=200, **context):
        about = self.template_asked()
        id = request.values.get("incident", "")
        incident = self.other(Incident, id) if id else None
        return super().form_page(template, form, status, kind=about, incident=incident, **context)

    def create(self, form):
        template = self.template_asked()
        of = {name: form[name].data for name in ("child", "about", "about_name") if name in form}
        if template.stands_on == "incident":
            of["incident"] = self.other(Incident, request.values.get("incident", ""))
        if "setting" in form:
            of["setting"] = form.setting.data
        elif template.stands_on in ("adult", "nothing"):
            where = settings_for("submission:read")
            of["setting"] = where[0] if where else None
        return Submission.begin(template, me(), **of)

    def saved_words(self, record, is_created):
        return f"{record} is begun. Fill in its sections, and submit it."

    # one

    def about(self, record):
        by, can = me(), record.can(me())
        inside = bool(set(READING) & can)  # more than to have begun it
        sections = record.sections()
        last = record.last_time(visible, by)
        return {
            "can": can,
            "sections": sections,
            "opens": lambda section: section.opens(record, by),
            "first": next(
                (
                    one
                    for one in sections
                    if one.open_to(record, by) and (one.unfinished or not one.saved_at)
                ),
                None,
            ),
            "clocks": {section.id: section.running() for section in sections},
            "signers": record.signers(),
            "rights": Right.of(record.template_id) if inside else {},
            "signatures": record.signatures(),
            "readers": Reader.now(record) if inside else [],
            "returned": Event.last(record, "submission:send_back")
            if record.status == RETURNED
            else None,
            "missing": record.missing() if record.status in WRITING else [],
            # what the last of those who sign would be told is missing
            "to_sign": record.missing(whole=True)
            if record.status == SUBMITTED and record.after_signing() == COMPLETE
            else [],
            "last_form": last,
            "not_asked": record.not_asked(),
            "pattern": record.pattern(visible, by)
            if record.template.stands_on == "adult" and REVIEWS in can
            else [],
            "tasks": list(self.tasks_of(record)),
            "copies": self.copies_of(record),
            "enclosures": list(visible(Enclosure, by).where(Enclosure.submission == record)),
            "history": self.history_of(record) if inside else [],
            "public": record.for_public() if record.status in (SUBMITTED, COMPLETE) else [],
        }

    @staticmethod
    def tasks_of(record):
        rows = visible(Task, me()).where(Task.submission == record)
        rows = rows.select(Task, *User.named()).join(User, on=(Task.owner == User.id))
        return rows.order_by(Task.due_on)

    @staticmethod
    def copies_of(record):
        events = Event.select(Event.id).where(
            Event.subject == record.noun(), Event.record == record.id
        )
        rows = visible(Document, me()).where(Document.event.in_(events))
        return list(rows.select(Document.id, Document.made_at).order_by(Document.id.desc()))

    @staticmethod
    def history_of(record):
        restricted = REVIEWS in record.can(me())
        rows = Event.select().where(Event.subject == record.noun(), Event.record == record.id)
        events = list(rows.order_by(Event.id))
        for event in events:
            event.closed = not restricted
        return events

    def ready(self, verb, form, record):
        if verb == "submission:unname":
            form.person.offer([one.user for one in Reader.now(record)])

    @expose("/pdf/")
    def pdf_view(self):
        form = self.asked()
        look("submission:pdf", form, me())
        words = form.paper(restricted=REVIEWS in form.can(me()))
        return self.paper(to_pdf(words), f"{form}.pdf")

    @expose("/public/")
    def public_view(self):
        """The version for the public: no name of a person stands in it."""
        form = self.asked()
        if form.status not in (SUBMITTED, COMPLETE) or not form.for_public():
            abort(404)
        named = form.named_in_public()
        if request.args.get("as") == "pdf" and not named:
            look("submission:pdf", form, me())
            name = f"{form}-public.pdf"
            return self.paper(to_pdf(form.paper(public=True)), name)
        page = self.render(
            "submission/public.html", record=form, sections=form.for_public(), named=named
        )
        return page, 409 if named else 200

    @expose("/copy/")
    def copy_view(self):
        document = self.other(Document, request.args.get("id", ""))
        form = self.asked(str(document.event.record))
        look("submission:pdf", form, me(), sha256=document.sha256)
        return self.paper(document.content(), f"{form}-signed-{document.id}.pdf")

    @staticmethod
    def paper(content, name):
        return send_file(BytesIO(content), mimetype="application/pdf", download_name=name)

    # elsewhere

    def card(self, page, record):
        """The forms that stand on an incident, those of the incidents of a case, or on a child."""
        by, stands_on = me(), "child" if page == "child" else "incident"
        if page == "child":
            rows = visible(Submission, by).where(Submission.child == record)
            under = {"child": record.id}
        else:
            incident = record if page == "incident" else record.incident
            ids = record.incidents() if page == "case" else [incident.id]
            rows = None  # most have none: then nobody is asked who may read it
            if page == "case" or Submission.rows_of(incident.id):
                rows = visible(Submission, by).where(Submission.incident.in_(ids))
            under = {"incident": incident.id}
        if rows is not None:
            rows = rows.select(Submission, Template).join(Template).order_by(Submission.id)
        rows = list(rows or ())
        Submission.gather(rows)
        offered = Submission.offered(by, stands_on)
        closed = page == "case" and record.status == "closed"
        if not rows and (not offered or closed):
            return None
        return {"forms": rows, "offered": [] if closed else offered, "under": under}

    def needs(self, limit):
        """What the reader has to fill in, submit or sign; and the kinds that are owed again."""
        by = me()
        mine = visible(Submission, by).where(Submission.status != COMPLETE)
        roles = [role.id for role, _setting in by.grants]
        signing = Submission.template.in_(Right.templates(roles, "signs", STANDS_IN))
        own = (Submission.begun_by == by) & Submission.status.in_(WRITING)
        rows = self.joined(mine.where(own | (Submission.status == SUBMITTED) & signing))
        forms = list(rows.order_by(Submission.begun_at).limit(limit))
        Submission.gather_signing(forms)
        for form in forms:
            url = url_for("submission.details_view", id=form.id)
            what = f"{form.template} · {form}"
            if form.status == SUBMITTED:
                if form.signs(by):
                    yield Need(
                        form.whom or form.template,
                        what,
                        age(form.submitted_at),
                        "",
                        "Sign",
                        url,
                        form.submitted_at,
                    )
                continue
            words, mark = due(form.due_at) if form.due_at else (age(form.begun_at), "")
            if form.status == RETURNED:
                words, mark = "returned", mark or "soon"
            yield Need(
                form.whom or form.template,
                what,
                words,
                mark,
                "Continue",
                url,
                form.due_at or form.begun_at,
            )
        yield from self.owed()

    def owed(self):
        """The kinds that are owed again: a year after the last audit, and so on."""
        repeating = [one for one in self.begins() if one.repeats in REPEATS]
        if not repeating:
            return
        rows = Submission.select(Template.prefix, fn.MAX(Submission.begun_at)).join(Template)
        rows = rows.where(Template.prefix.in_([one.prefix for one in repeating]))
        last = dict(rows.group_by(Template.prefix).tuples())
        for template in repeating:
            begun = last.get(template.prefix)
            if not begun:
                continue
            begun = datetime.fromisoformat(begun) if isinstance(begun, str) else begun
            again = later(begun.date(), months=REPEATS[template.repeats])
            if again <= today():
                url = url_for("submission.create_view", template=template.id)
                words, mark = due(again)
                at = datetime.combine(again, time(17), UTC)
                yield Need(template, "is due again", words, mark, "Begin", url, at)
