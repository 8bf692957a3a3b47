"""Contacts: the list, the form with what the body asks, one contact with its ladder and packs, and
the card with the duties that stand on an incident.
"""

from io import BytesIO

from flask import abort, g, request, send_file, url_for
from flask_admin import expose
from flask_admin.form import BaseForm
from wtforms import StringField

from models import (
    Child,
    Contact,
    Escalation,
    Incident,
    Pack,
    Profile,
    Refused,
    User,
    look,
    now,
    of_seen,
    settings,
    visible,
)
from models.case.contact import TOLD
from models.case.owed import owed, owed_of
from models.case.pack import families
from models.ground.words import clock, due, when
from models.history.paper import to_pdf, words

from .home import Need
from .rails.door import me
from .rails.fields import LongTextField, PickField, RowField, SeveralField, clean
from .rails.forms import answer_field, required, why
from .rails.moments import MomentField
from .rails.taking import Step
from .rails.writing import RecordView

IN_WRITING = "Online form or portal"  # of the list “how contacted”, as shipped
MOST = 300  # waiting contacts that the home page looks through


class AcknowledgeForm(BaseForm):
    """That they have it."""

    at = MomentField("When did they acknowledge it?", validators=[required()])
    answer = LongTextField("What did they say?", filters=[clean])


class EscalateForm(BaseForm):
    """A step up."""

    level = RowField(
        "Which step",
        none="Somebody who is on none of these steps",
        radio=True,
        description="Steps that you leave out stay as they are.",
    )
    whom = StringField(
        "To whom",
        description="Full name and post.",
        filters=[clean],
        validators=[required("Say to whom you went.")],
    )
    what = LongTextField(
        "What was said", filters=[clean], validators=[required("Say what was said.")]
    )


class PackForm(BaseForm):
    """For whom, and what is asked of them."""

    recipient = StringField(
        "For whom",
        description="One person, by full name and post. It stands on every page.",
        filters=[clean],
        validators=[required("Say for whom it is.")],
    )
    asked = LongTextField(
        "What is asked of them",
        filters=[clean],
        validators=[required("Say what is asked of them.")],
    )
    others = SeveralField("Other children", names=["Name them in this pack"])


class ApproveForm(BaseForm):
    """Which copy; its words stand beside the button."""

    pack = RowField("Copy", none="Choose…", validators=[required("Choose the copy.")])


def record_it(one):
    """Where the contact that does a duty is written down, as far as it is known filled in."""
    body, call = one.duty.body or None, one.call and one.call.id
    return url_for("contact.create_view", incident=one.incident.id, body=body, after=call)


def made_words(pack):
    """What is to be done with a pack that was just made."""
    return "Another person has to approve it." if pack.status == "waits" else "Open it below."


def to_packs(pack):
    """Where a step on a pack leads."""
    return url_for("contact.details_view", id=pack.contact_id, _anchor="packs")


def next_words(contact):
    """By when the next step of its ladder is due, or why there is no date."""
    if not contact.ladder:
        return f"No date: no steps are written down for {contact.body}."
    if contact.status == "waiting":
        step = contact.next_step
        if not step:
            return f"No date: the last step for {contact.body} was taken."
        return f"If no answer comes: {step.rung.what}, due {clock(step.due_at)}."
    if contact.status == "acknowledged":
        return (
            f"No date: {contact.body} acknowledged it on {when(contact.acknowledged_at)}, and the "
            "days are counted only until then. Give a task if you wait for their decision; where "
            "you disagree with it, you may still escalate."
        )
    return "No date: what came of it is known."


class ContactView(RecordView):
    shows, title, found_in, place = Contact, "Contacts", "", 26
    one, under = "contact", Incident
    permission = "contact:read"
    add_permission = "contact:add"
    intro = "Who outside was told or asked about incidents that you may see, and what they said."
    empty = "No contact is here. One is added on the page of an incident."
    reads = of_setting = True
    edit_view = export = None
    order = (Contact.at.desc(),)
    column_list = ["body", "child", "kind", "person", "at", "status"]
    column_labels = {"child": "About"}
    column_sortable_list = ["body", "at", "status"]
    filters = {"status": ("Status", lambda: Contact.STATUSES), "body": ("Body", Profile.bodies)}
    form_columns = [  # the identifier waits for the law: see Contact
        name
        for names in Contact.GROUPS.values()
        for name in names
        if name not in ("body", "identifier")
    ]
    form_extra_fields = {
        "body": PickField(
            "Body",
            description="Whom you told or asked, or who told you.",
            names=Profile.grouped,
            validators=[required("Choose the body.")],
        )
    }
    steps = (
        Step(
            "contact:acknowledge",
            "Acknowledged",
            AcknowledgeForm,
            said=lambda contact: f"Written down. {next_words(contact)}",
        ),
        Step(
            "contact:escalate",
            "Escalate",
            EscalateForm,
            said=lambda contact: f"Written down. {next_words(contact)}",
        ),
        Step("contact:conclude", "Save the outcome", why("What came of it?", name="outcome")),
        Step(
            "contact:pack",
            "Make the pack",
            PackForm,
            said=lambda pack: f"The copy for {pack.recipient} is made. {made_words(pack)}",
            leads=to_packs,
        ),
        Step(
            "contact:approve_pack",
            "Approve this copy",
            ApproveForm,
            said=lambda pack: f"The copy for {pack.recipient} is approved. Open it below.",
            leads=to_packs,
        ),
    )
    cards = dict.fromkeys(("incident", "log", "case"), "contact/card.html")

    def joined(self, query):
        query = query.select(Contact, Contact.steps_taken(), Incident, Child, *User.named())
        query = query.join(Incident).join(Child).switch(Contact)
        return query.join(User, on=(Contact.recorded_by == User.id))

    def cell(self, row, name):
        if name == "status" and (step := row.awaited):
            return f"{row.status}, {due(step.due_at)[0]}"
        return str(row.incident.child) if name == "child" else super().cell(row, name)

    def mark(self, row, name):
        step = row.awaited if name == "status" else None
        return due(step.due_at)[1] if step else ""

    # the form

    def create_form(self, obj=None):
        """The form, with the questions of the body that was chosen."""
        came = self.begun_with()
        body = clean((came if came is not None else request.args).get("body", "")) or ""
        profile = Profile.of(body)
        questions = profile.pinned() if profile else []
        fields = {f"q{one['id']}": answer_field(one) for one in questions}
        form = type("ContactForm", (self._create_form_class,), fields)(came, obj=obj)
        g.asked, g.asks = body if questions else "", list(fields)
        if request.method == "GET" and came is None:
            form.at.data = now()
            if body in Profile.bodies():
                form.body.data = body
                form.direction.data = profile and profile.direction or TOLD
                form.kind.data = profile and profile.kind
            if call := request.args.get("after"):
                self.follow(form, self.other(Contact, call))
        return form

    @staticmethod
    def follow(form, call):
        """Fill in what is known of a contact that follows a telephone call in writing."""
        form.person.data, form.how.data = call.person, IN_WRITING

    def form_page(self, template, form, status=200, merged=False, **context):
        asked = {"asked": g.get("asked", ""), "asks": g.get("asks", [])}
        return super().form_page(template, form, status, merged, **context | asked)

    def values(self, form):
        return super().values(form) | {"body": form.body.data}

    def create(self, form):
        if g.asked and request.form.get("asked") != g.asked:
            sentence = f"{g.asked} asks more: its questions are below. Answer what you can."
            raise Refused("The contact was not saved.", {"body": sentence})
        answers = {name.removeprefix("q"): form[name].data for name in g.asks}
        return Contact.add(self.parent(), me(), answers=answers, **self.values(form))

    def get_save_return_url(self, model, is_created=False):
        return url_for("incident.details_view", id=model.incident_id, _anchor="contacts")

    # the page of one

    def about(self, record):
        packs = self.offers(record, "contact:pack")
        escalations = Escalation.of(record)
        approves = self.offers(record, "contact:approve_pack")
        waiting = Pack.to_approve(me()).where(Pack.contact == record) if approves else ()
        return {
            "awaited": record.awaited,
            "to_read": {pack.id: words(pack.words) for pack in waiting},
            "escalations": escalations,
            "reached": record.reached if escalations else 0,
            "taken": {one.rung for one in escalations},
            "next_words": next_words(record),
            "packs": list(Pack.of(record)),
            "families": families(record, me()) if packs else [],
        }

    def ready(self, verb, form, record):
        if verb == "contact:pack" and form.recipient.raw_data is None:
            form.recipient.data = record.person
        if verb == "contact:approve_pack":
            form.pack.offer(list(Pack.to_approve(me()).where(Pack.contact == record)))
        if verb == "contact:acknowledge" and form.at.raw_data is None:
            form.at.data = now()
        if verb == "contact:escalate":
            form.level.object_data = record.next_step
            form.level.offer(record.steps)

    @expose("/copy/")
    def copy_view(self):
        if not me().may("contact:pack"):
            abort(403)
        pack = self.other(Pack, request.args.get("id", ""))
        self.stay_allowed("contact:pack", pack)
        if pack.status == "waits":
            sentence = f"The {pack} waits: another person has to approve it before it leaves."
            return self.show(self.asked(str(pack.contact_id)), 409, refused=Refused(sentence))
        look("contact:pdf", pack, me(), recipient=pack.recipient, sha256=pack.digest)
        content = BytesIO(to_pdf(pack.words))
        name = f"{pack.incident}-copy-{pack.id}.pdf"
        return send_file(content, mimetype="application/pdf", download_name=name)

    # on the pages of others

    def card(self, page, record):
        """The duties that stand there, and the contacts that were made, the latest first."""
        by = me()
        if page == "case":
            query = visible(Incident, by).where(Incident.id.in_(record.incidents()))
            query = Incident.where_may(query, by, self.permission)
            about = list(query.select(Incident, Child).join(Child))
            rows = visible(Contact, by).where(Contact.incident.in_([one.id for one in about]))
            rows = list(self.joined(rows).order_by(Contact.at.desc()))
        else:
            about = [record if page == "incident" else record.incident]
            about = [one for one in about if by.may(self.permission, one)]
            rows = of_seen(Contact, about[0], by) if about else []
        adds = self.allows(self.add_permission, record)
        adds = adds and (page, record.status) != ("case", "closed")  # it is read-only
        duties = owed(about, contacts=rows)
        if not about or not (rows or duties or adds):
            return None
        return {
            "contacts": rows,
            "open": [one for one in duties if not one.done],
            "done": [one for one in duties if one.done],
            "adds": adds,
            "record_it": record_it,
            "incident": record.incident_id if page != "incident" else record.id,
            "several": page == "case",
        }

    @staticmethod
    def to_approve(by):
        """The packs that wait for the reader, with their child and without their words."""
        if not settings.pack_sign_off or not by.may("contact:approve_pack"):
            return []
        rows = visible(Pack, by).where(Pack.status == "waits", Pack.by != by)
        rows = Incident.where_may(rows, by, "contact:approve_pack")
        rows = rows.select(Pack.id, Pack.contact, Pack.recipient, Pack.at, Incident, Child)
        return list(rows.join(Incident).join(Child).order_by(Pack.at).limit(MOST))

    def needs(self, limit):
        """What waits for an answer longer than its ladder says, the packs that wait for a second
        person, and the duties that are nearly due or late.
        """
        by = me()
        if not by.may("contact:add"):
            return
        waiting = visible(Contact, by).where(Contact.status == "waiting")
        waiting = Incident.where_may(waiting, by, "contact:escalate")
        for contact in self.joined(waiting).order_by(Contact.at).limit(MOST):
            step = contact.awaited
            words, mark = due(step.due_at) if step else ("", "")
            if mark == "late":
                what = f"{contact.body} has not answered: {step.rung.what} · {contact.incident}"
                url = url_for("contact.details_view", id=contact.id)
                yield Need(contact.incident.child, what, words, mark, "Escalate", url, step.due_at)
        for pack in self.to_approve(by):
            url = url_for("contact.details_view", id=pack.contact_id, _anchor="packs")
            what = f"pack for {pack.recipient} · {pack.incident}"
            yield Need(pack.incident.child, what, "waits", "", "Approve", url, pack.at)
        for one in owed_of(by, visible):
            words, mark = due(one.due_at) if one.due_at and not one.done else ("", "")
            if mark and one.due_at:
                what = f"{one.duty} · {one.incident}"
                url = record_it(one)
                yield Need(one.incident.child, what, words, mark, "Record it", url, one.due_at)
