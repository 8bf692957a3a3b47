"""Cases: the list, one case with what is to be done, why, and what it lacks before it can close."""

from flask import url_for
from flask_admin.form import BaseForm

from models import (
    Case,
    Category,
    Child,
    Event,
    Incident,
    Log,
    Section,
    Task,
    Tracker,
    Triage,
    User,
    visible,
)
from models.case.triage import affected
from models.ground.words import age, due
from models.history.event import of_records
from models.policy import who_sees_case

from .home import Need
from .rails.door import me
from .rails.fields import LongTextField, clean
from .rails.forms import ReasonForm, required
from .rails.moments import AheadField
from .rails.taking import Step
from .rails.writing import RecordView

TABS = ("open", "monitoring", "to confirm", "closed")


class MonitorForm(BaseForm):
    """Until when nothing is to be done but to look again."""

    until = AheadField("Monitor until", validators=[required()])
    reason = LongTextField("Why", validators=[required("Give the reason.")], filters=[clean])


def now_is(case):
    return f"{case} is {'closed' if case.status == 'closed' else case.status}."


class CaseView(RecordView):
    shows, title, found_in, place = Case, "Cases", "main", 22
    one = "case"
    permission = "case:read"
    edit_permission = "case:edit"
    create_view = export = None  # a case is opened by a triage, or by a notification
    reads = of_setting = True
    intro = (
        "What belongs together about one child, or one adult at risk, from the first worry to its "
        "closing."
    )
    empty = "There is no case here. One is opened at the triage of an incident."
    order = (Case.opened_at.desc(),)
    column_list = ["subject", "reference", "lead", "updated", "opened_at", "status"]
    column_labels = {"subject": "About", "updated": "Last change"}
    column_sortable_list = ["reference", "opened_at"]
    filters = {"tab": ("Show", lambda: TABS), "whose": ("Led by", lambda: ("me",))}
    form_columns = [name for names in Case.GROUPS.values() for name in names]
    steps = (
        Step("case:monitor", "Monitor until this day", MonitorForm, said=now_is),
        Step("case:close", "Close case", guarded=True, said=now_is),
        Step("case:close_anyway", "Close anyway", ReasonForm, guarded=True, said=now_is),
        Step("case:confirm", "Confirm the closing", guarded=True, said=now_is),
        Step("case:send_back", "Send back", ReasonForm, said=now_is),
        Step("case:reopen", "Reopen", ReasonForm, said=lambda case: f"{case} is open again."),
    )
    cards = {"child": "case/card.html"}

    def joined(self, query):
        lead, deputy = User.alias(), User.alias()
        query = query.select(Case, Incident, Child, *User.named(lead), *User.named(deputy))
        query = query.join(Incident).join(Child).switch(Case)
        query = query.left_outer_join(lead, on=(Case.lead == lead.id), attr="lead").switch(Case)
        return query.left_outer_join(deputy, on=(Case.deputy == deputy.id), attr="deputy")

    def get_list(self, *args, **kwargs):
        count, rows = super().get_list(*args, **kwargs)
        changed = Case.updated(row.id for row in rows)
        for row in rows:
            row.changed_at = changed.get(row.id, row.opened_at)
        return count, rows

    def cell(self, row, name):
        if name == "updated":
            return f"{age(row.changed_at)} ago"
        if name == "status" and row.status == "monitoring":
            return f"monitoring, {due(row.monitor_until)[0]}"
        return super().cell(row, name)

    def mark(self, row, name):
        return "soon" if name == "updated" and row.resting(row.changed_at) else ""

    def chosen(self, name, value):
        return Case.status == value if name == "tab" else Case.lead == me()

    def edit_form(self, obj=None):
        """The form; of an adult at risk it asks nothing that is of a child."""
        form = super().edit_form(obj)
        for name in set(Case.GROUPS["Before it can close"]) - set(obj.asked):
            del form[name]
        if obj.adult:
            form.outcome.description = "What is different for them now, and what was learned."
        return form

    def update(self, form, record):
        record.edit(me(), **self.values(form))
        return record

    def still_open(self, record):
        record.stay_open()

    def about(self, record):
        by = me()
        incidents = visible(Incident, by).where(Incident.id.in_(record.incidents()))
        incidents = incidents.select(Incident, Child, *User.named()).join(Child).switch(Incident)
        incidents = incidents.join(User, on=(Incident.reported_by == User.id))
        incidents = list(incidents.order_by(Incident.reported_at.desc()))
        logs = visible(Log, by).where(Log.incident.in_(record.incidents()))
        logs = list(logs.order_by(Log.id.desc()))
        triages = visible(Triage, by).where(Triage.incident.in_(record.incidents()))
        triages = triages.select(Triage, Incident, *User.named()).join(User).switch(Triage)
        decisions = list(triages.join(Incident).order_by(Triage.id.desc()))
        categories = Category.of([one.id for one in decisions])
        alive = record.status in ("open", "monitoring")
        others = [one for one in affected(incidents) if one != record.incident.child]
        others = [] if record.adult else others
        known = visible(Child, by).where(Child.id.in_([one.id for one in others]))
        return {
            "incidents": incidents,
            "others": others,
            "known": {one.id for one in known} if others else set(),
            "logs": logs,
            "forms_of": self.forms_of(logs),
            "decisions": [(one, categories.get(one.id, [])) for one in decisions],
            "names": sorted({one.category for rows in categories.values() for one in rows}),
            "missing": self.missing(record, record.missing()) if alive else [],
            "seen": self.seen(record, who_sees_case),
            "closed": Event.last(record, "case:close", "case:close_anyway"),
            "history": self.story(record, record) if by.may("incident:read", record) else None,
        }

    @staticmethod
    def forms_of(logs):
        """How far the tracker of each log is: {id of the log: (sections that are complete, of how
        many)}; none for one that was not begun.
        """
        found = {}
        rows = Section.select(Section, Tracker).join(Tracker).where(Tracker.log.in_(logs))
        for section in rows if logs else ():
            done, count = found.get(section.tracker.log_id, (0, 0))
            found[section.tracker.log_id] = done + (not section.unfinished), count + 1
        return found

    @staticmethod
    def missing(case, found):
        """What stops `case` from being closed; of an incident in it that the reader may not see, as
        one from after the child moved, only that there is something.
        """
        ids = {row[1].its_incident() for row in found} - {case.incident_id}
        rows = visible(Incident, me()).where(Incident.id.in_(ids)).select(Incident.id).tuples()
        seen = {case.incident_id} | ({id for (id,) in rows} if ids else set())
        return [
            row if row[1].its_incident() in seen else ("Something that you may not see", case, "")
            for row in found
        ]

    @staticmethod
    def ends(one):
        """Whether it is a task that stops the closing for it comes again, which the reader may
        end.
        """
        return isinstance(one, Task) and one.repeats and me().may("task:cancel", one)

    def show(self, record, status=200, **context):
        """Its page, where a refusal says no more of what is missing than the page does."""
        if refused := context.get("refused"):
            refused.links = self.missing(record, refused.links)
        return super().show(record, status, **context)

    def card(self, page, record):
        """On the page of a child: the cases about them that the reader may see."""
        rows = visible(Case, me()).where(Case.about(record))
        rows = list(self.joined(rows).order_by(Case.id.desc()))
        return {"cases": rows} if rows else None

    def needs(self, limit):
        """Of the reader's own cases, those whose day has come, and those that nothing happened in;
        and what waits for a second signature.
        """
        by = me()
        mine = Case.led_by(by)
        if by.may("case:confirm"):
            there = Incident.lies(by.within("case:confirm"), Case.incident)
            mine |= (Case.status == "to confirm") & there
        rows = list(self.joined(visible(Case, by).where(mine)))
        open_now = [row.id for row in rows if row.status == "open"]
        changed = Case.updated(open_now) if open_now else {}
        waiting = [row for row in rows if row.status == "to confirm"]
        closers = {
            event.record: event.by_id
            for verb in ("case:close", "case:close_anyway")
            for event in of_records(verb, waiting)
        }
        for case in rows:
            at = changed.get(case.id, case.opened_at)
            if case.status == "monitoring" and case.resting(at):
                words, mark = due(case.monitor_until)
                yield self.need(case, f"{case} · look again", words, mark, "Look again")
            elif case.status == "to confirm" and closers.get(case.id) != by.id:
                yield self.need(case, f"{case} · to be closed", "waits", "", "Sign")
            elif case.resting(at):
                yield self.need(case, f"{case} · no change", f"for {age(at)}", "soon", "Open", at)

    @staticmethod
    def need(case, what, words, mark, verb, at=None):
        url = url_for("case.details_view", id=case.id)
        return Need(case.subject, what, words, mark, verb, url, at or case.opened_at)
