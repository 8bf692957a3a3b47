"""Tasks: the list, the form under an incident, done or cancelled, and the card on the pages of
others.
"""

from datetime import UTC, datetime, time

from flask import g, request, url_for

from models import Case, Child, Incident, Submission, Task, Template, User, of_seen, visible
from models.case.task import today
from models.ground.words import day, due

from .home import Need
from .rails.door import is_id, me
from .rails.fields import LongTextField, SeveralField, clean
from .rails.forms import ReasonForm, why
from .rails.taking import Step
from .rails.writing import RecordView

TABS = {"mine": "My tasks", "overdue": "Overdue", "all": "All that I may follow"}


class DoneForm(why("What came of it?", name="effect")):
    """What came of it and, where there is something, what shows it."""

    evidence = LongTextField(
        "Evidence",
        description="What shows it, if anything does: a reply, a reference, who was there.",
        filters=[clean],
    )
    last = SeveralField("Again?", names=["This was the last time: it is not to be done again"])


def done_words(task):
    if not task.repeats:
        return f"{task}: done."
    if not (again := task.next_one):
        return f"{task}: done. It does not come again."
    whose = f" It is {again.owner}’s now." if again.owner_id != task.owner_id else ""
    return f"{task}: done. It repeats: the next one is due {day(again.due_on)}.{whose}"


def cancelled_words(task):
    return f"{task}: cancelled.{' It does not come again.' if task.repeats else ''}"


def back_to(task):
    """Where a task that was cancelled leads: to the case before whose closing it stood, if so."""
    case = request.form.get("case", "")
    if is_id(case):
        return url_for("case.details_view", id=case, _anchor="before")
    return url_for("task.details_view", id=task.id)


class TaskView(RecordView):
    shows, title, found_in, place = Task, "Tasks", "drawer", 25
    one, under = "task", Incident
    permission, of_setting = "task:done", True
    add_permission = "task:give"
    intro = "What is to be done about incidents: yours, and those that your role lets you follow."
    empty = "No task is here. One is added on the page of an incident."
    edit_view = export = None
    order = (Task.status.desc(), Task.due_on)
    column_list = ["what", "child", "owner", "due_on", "urgency", "status"]
    column_labels = {"child": "About"}
    column_sortable_list = ["due_on", "status"]
    tabs = TABS
    filters = {"tab": ("Show", lambda: TABS), "status": ("Status", lambda: Task.STATUSES)}
    form_columns = ["what", "owner", "due_on", "urgency", "repeats"]
    page_columns = [
        "what",
        "owner",
        "due_on",
        "urgency",
        "repeats",
        "status",
        "given_by",
        "given_at",
        "effect",
        "evidence",
    ]
    steps = (
        Step("task:done", "Done", DoneForm, said=done_words, given={"visible": visible}),
        Step("task:cancel", "Cancel this task", ReasonForm, said=cancelled_words, leads=back_to),
    )
    cards = dict.fromkeys(("incident", "log", "case"), "task/card.html")

    def joined(self, query):
        query = query.select(Task, Incident, Child, Submission, Template, *User.named())
        query = query.left_outer_join(Incident).left_outer_join(Child).switch(Task)
        query = query.left_outer_join(Submission).left_outer_join(Template).switch(Task)
        return query.join(User, on=(Task.owner == User.id))

    @staticmethod
    def whom(task):
        """Whom a task is about: the child of its incident or, of what a form asked for, the kind of
        form: whoever does the task may not read the form.
        """
        return task.incident.child if task.incident_id else task.submission.template

    @property
    def tab(self):
        """The tab that is shown: the one asked for or, for whoever has something to do, theirs."""
        if request.args.get("tab") in TABS:
            return request.args["tab"]
        if "task_tab" not in g:
            mine = Task.select().where(Task.owner == me(), Task.status == "open")
            g.task_tab = "mine" if mine.exists() else "all"
        return g.task_tab

    def get_query(self):
        """All that they may see; on the list only what its tab holds."""
        query = super().get_query()
        return query.where(*self.shown()) if request.endpoint == "task.index_view" else query

    def about(self, record):
        seen = visible(Submission, me()).where(Submission.id == record.submission_id)
        return {"form_seen": bool(record.submission_id) and seen.exists()}

    def shown(self):
        """The conditions of the tab."""
        late = (Task.status == "open") & (Task.due_on < today())
        return {"mine": [Task.owner == me()], "overdue": [late], "all": []}[self.tab]

    def chosen(self, name, value):
        return True if name == "tab" else super().chosen(name, value)

    def cell(self, row, name):
        if name == "due_on" and row.status == "open":
            return f"{super().cell(row, name)}, {due(row.due_on)[0].removeprefix('due ')}"
        return str(self.whom(row)) if name == "child" else super().cell(row, name)

    def mark(self, row, name):
        return due(row.due_on)[1] if name == "due_on" and row.status == "open" else ""

    def ready(self, verb, form, record):
        if verb == "task:done" and not record.repeats:
            del form.last

    def create(self, form):
        return Task.give(self.parent(), me(), visible=visible, **self.values(form))

    def get_save_return_url(self, model, is_created=False):
        return url_for("incident.details_view", id=model.incident_id, _anchor="tasks")

    def card(self, page, record):
        incident = record if page == "incident" else record.incident
        if page == "case":
            tasks = visible(Task, me()).where(Task.incident.in_(record.incidents()))
            tasks = tasks.select(Task, *User.named()).join(User, on=(Task.owner == User.id))
            rows = list(tasks.order_by(Task.due_on))
        else:
            rows = of_seen(Task, incident, me())
        gives = self.allows(self.add_permission, incident)
        gives = gives and (page, record.status) != ("case", "closed")  # it is read-only
        if not rows and not gives:
            return None
        closed = Case.all_closed(incident, me(), visible) if gives and page != "case" else []
        return {
            "tasks": rows,
            "gives": gives and not closed,
            "closed": closed,
            "incident": incident,
        }

    def needs(self, limit):
        """The reader's own open tasks, the first due first."""
        mine = visible(Task, me()).where(Task.owner == me(), Task.status == "open")
        for task in self.joined(mine).order_by(Task.due_on).limit(limit):
            words, mark = due(task.due_on)
            at = datetime.combine(task.due_on, time(17), UTC)
            url = url_for("task.details_view", id=task.id)
            what = " · ".join(filter(None, (task.what, task.urgency)))
            yield Need(self.whom(task), what, words, mark, "Do this", url, at)
