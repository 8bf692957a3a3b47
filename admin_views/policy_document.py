"""Policies: those to be read, with the one button; for whoever publishes them, who has not."""

import csv
from datetime import UTC, datetime, time
from io import StringIO

from flask import abort, g, has_request_context, make_response, request, url_for
from flask_admin import expose
from wtforms.fields.choices import SelectChoice

from models import Acknowledgement, Event, PolicyDocument, Refused, User
from models.case.policy_document import IN_FORCE
from models.ground.clock import today
from models.ground.words import day, due, when

from .home import Need
from .rails.door import me
from .rails.fields import SeveralField, tick
from .rails.forms import ReasonForm, settings_for
from .rails.reading import neutral
from .rails.sessions import stale
from .rails.taking import Step
from .rails.writing import RecordView

HEADINGS = ["Name", "Job title", "Has read it", "When", "To be read by", "Days late"]


class PolicyDocumentView(RecordView):
    shows, title, found_in, place = PolicyDocument, "Policies", "drawer", 58
    one, adds = "policy", "Publish a policy"
    permission = "policy_document:acknowledge"
    add_permission = edit_permission = "policy_document:edit"
    export = None  # of a list; who has read one is fetched on its page
    of_setting = True
    intro = "What staff are to read. Open one, read it, and press the button on its page."
    empty = "There is no policy for you to read."
    order = (PolicyDocument.status, PolicyDocument.title)  # those in force first
    column_list = ["title", "edition", "due_on", "mine", "staff", "status"]
    column_labels = {"due_on": "To be read by", "mine": "You", "staff": "Staff who read it"}
    column_sortable_list = ["title", "due_on", "status"]
    filters = {"status": ("Status", lambda: PolicyDocument.STATUSES)}
    form_columns = ["title", "edition", "setting", "changed", "place", "text", "due_on"]
    form_extra_fields = {
        "readers": SeveralField(
            "Who is to read it", description="Tick none, and it is for all staff with an account."
        )
    }
    steps = (
        Step("policy_document:acknowledge", "I have read it", said=lambda one: f"You read {one}."),
        Step(
            "policy_document:retire",
            "Retire this policy",
            ReasonForm,
            permission="policy_document:edit",
            said=lambda one: f"{one}: retired. Nobody is to read it any more.",
        ),
    )

    @staticmethod
    def allows(permission, record=None):
        """As for every noun; but whose a policy is to read is asked by the policy itself: one for
        all schools and homes is for the staff of each.
        """
        reading = permission == PolicyDocumentView.permission
        return RecordView.allows(permission, None if reading else record)

    def may_edit(self, record):
        return record.status == IN_FORCE and super().may_edit(record)

    # the list

    def with_setting(self, columns):
        """How many have read it is for those who publish."""
        shown = super().with_setting(columns)
        if not has_request_context() or self.can_edit:
            return shown
        return [one for one in shown if one[0] != "staff"]

    def joined(self, query):
        query = query.select(PolicyDocument, *User.named())
        return query.join(User, on=(PolicyDocument.published_by == User.id))

    @property
    def mine(self):
        """({id: when the reader read it}, {id: by when they are to}); asked once a request."""
        if "policies" not in g:
            rows = Acknowledgement.select().where(Acknowledgement.user == me())
            owed = {one.id: due_on for one, due_on in PolicyDocument.owed(me())}
            g.policies = {row.document_id: row.at for row in rows}, owed
        return g.policies

    @property
    def counts(self):
        if "policy_counts" not in g:
            g.policy_counts = PolicyDocument.tally(me().within(self.edit_permission))
        return g.policy_counts

    def cell(self, row, name):
        read, owed = self.mine
        if name == "mine":
            to_read = "To be read" if row.id in owed else ""
            return f"Read on {when(read[row.id])}" if row.id in read else to_read
        if name == "staff":
            done, whole = self.counts.get(row.id, (0, 0))
            return f"{done} of {whole}" if row.status == IN_FORCE else ""
        if name == "due_on" and row.id in owed:
            return f"{day(owed[row.id])}, {due(owed[row.id])[0].removeprefix('due ')}"
        return super().cell(row, name)

    def mark(self, row, name):
        owed = self.mine[1]
        return due(owed[row.id])[1] if name == "due_on" and row.id in owed else ""

    # the page

    def about(self, record):
        by, counted = me(), None
        readers = []
        if self.can_edit:
            readers = record.readers(by.within(self.edit_permission))
            asked = [one for one in readers if one.asked]
            counted = sum(one.at is not None for one in asked), len(asked)
        newer = self.get_query().where(PolicyDocument.supersedes == record).first()
        return {
            "read_at": self.mine[0].get(record.id),
            "due_on": self.mine[1].get(record.id, record.due_on),
            "newer": newer,
            "roles": record.roles(),
            "counted": counted,
            "not_yet": [one for one in readers if one.asked and not one.at],
            "done": [one for one in readers if one.at],
        }

    @expose("/file/")
    def file_view(self):
        """Who has read it, and who has not, as a CSV list."""
        record = self.asked()
        if not self.can_edit:
            self.note_refusal(str(record.id))
            abort(403)
        if again := stale():
            return again
        out = StringIO()
        lines = csv.writer(out)
        lines.writerow(HEADINGS)
        readers = record.readers(me().within(self.edit_permission))
        for one in readers:
            late = (today() - one.due_on).days if one.asked and not one.at else 0
            row = [one.person.name, one.person.job_title, "Yes" if one.at else "No"]
            row += [when(one.at) if one.at else "", day(one.due_on) if one.asked else ""]
            lines.writerow([*map(neutral, row), max(late, 0) or ""])
        Event.write("policy_document:export", record, me(), rows=len(readers))
        answer = make_response("\ufeff" + out.getvalue())
        answer.headers["Content-Type"] = "text/csv; charset=utf-8"
        answer.headers["Content-Disposition"] = "attachment; filename=who-has-read-it.csv"
        return answer

    # the form

    def former(self):
        """The edition whose place a new one takes, named in the address, if any."""
        if "of" not in request.args:
            return None
        former = self.asked(request.args["of"])
        self.stay_allowed(self.edit_permission, former)
        return former

    def create_form(self, obj=None):
        former = self.former()
        form = super().create_form(former)
        found = settings_for(self.edit_permission)
        if former or len(found) < 2:
            del form.setting
        else:
            form.setting.none = "All" if me().within(self.edit_permission) is None else "Choose…"
            form.setting.offer(found)
        names = [role.name for role in former.roles()] if former else []
        return self.choosing(form, names)

    def edit_form(self, obj=None):
        """By when, and who: the words of what was read stay."""
        form = super().edit_form(obj)
        for name in self.form_columns:
            if name != "due_on":
                del form[name]
        return self.choosing(form, [role.name for role in obj.roles()])

    @staticmethod
    def choosing(form, ticked):
        """The form with the roles that read policies, of which some are ticked."""
        known = [role.name for role in PolicyDocument.reading()]
        form.readers.choices = [SelectChoice(name) for name in dict.fromkeys([*known, *ticked])]
        tick(form.readers, ticked)
        return form

    @staticmethod
    def roles(form):
        return [role for role in PolicyDocument.reading() if role.name in (form.readers.data or ())]

    def create(self, form):
        former, values = self.former(), self.values(form)
        within = me().within(self.edit_permission)
        if not former and within is not None:
            found = settings_for(self.edit_permission)
            values["setting"] = values.get("setting") or (found[0] if len(found) == 1 else None)
            if not values["setting"]:
                raise Refused("Nothing was published.", {"setting": "Choose the school or home."})
        return PolicyDocument.publish(me(), self.roles(form), former, **values)

    def update(self, form, record):
        record.edit(me(), form.due_on.data, self.roles(form))
        return record

    def still_open(self, record):
        if record.status != IN_FORCE:
            raise Refused(f"It is {record.status}, and nobody is to read it. Nothing was saved.")

    def saved_words(self, record, is_created):
        return f"Published: {record}." if is_created else f"Saved: {record}."

    def needs(self, limit):
        """What the reader has to read, what is due first at the head."""
        for one, due_on in PolicyDocument.owed(me())[:limit]:
            words, mark = due(due_on)
            url = url_for("policy_document.details_view", id=one.id)
            what, at = f"Policy to read · {one.edition}", datetime.combine(due_on, time(17), UTC)
            yield Need(one.title, what, words, mark, "Read this", url, at)
