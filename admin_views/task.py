"""Tasks: the list, the form under an incident, done or cancelled, and the card on the pages of
others.
"""

from datetime import UTC, datetime, time

from flask import g, request, url_for

from models import Child, Incident, Task, User, of_seen, visible
from models.case.task import today
from models.ground.words import day, due

from .home import Need
from .rails.door import me
from .rails.fields import LongTextField, clean
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


def done_words(task):
    again = f" It repeats: the next one is due {day(task.next_on)}." if task.next_on else ""
    return f"{task}: done.{again}"


class TaskView(RecordView):
    shows, title, found_in, place = Task, "Tasks", "drawer", 25
    one, under = "task", Incident
    permission = "task:done"
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
        Step("task:done", "Done", DoneForm, said=done_words),
        Step("task:cancel", "Cancel this task", ReasonForm),
    )
    cards = dict.fromkeys(("incident", "log", "case"), "task/card.html")

    def joined(self, query):
        query = (
            query.select(Task, Incident, Child, *User.named())
            .join(Incident)
            .join(Child)
            .switch(Task)
        )
        return query.join(User, on=(Task.owner == User.id))

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

    def shown(self):
        """The conditions of the tab."""
        late = (Task.status == "open") & (Task.due_on < today())
        return {"mine": [Task.owner == me()], "overdue": [late], "all": []}[self.tab]

    def chosen(self, name, value):
        return True if name == "tab" else super().chosen(name, value)

    def cell(self, row, name):
        if name == "due_on" and row.status == "open":
            return f"{super().cell(row, name)}, {due(row.due_on)[0].removeprefix('due ')}"
        return str(row.incident.child) if name == "child" else super().cell(row, name)

    def mark(self, row, name):
        return due(row.due_on)[1] if name == "due_on" and row.status == "open" else ""

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
        return {"tasks": rows, "gives": gives, "incident": incident} if rows or gives else None

    def needs(self, limit):
        """The reader's own open tasks, the first due first."""
        mine = visible(Task, me()).where(Task.owner == me(), Task.status == "open")
        for task in self.joined(mine).order_by(Task.due_on).limit(limit):
            words, mark = due(task.due_on)
            at = datetime.combine(task.due_on, time(17), UTC)
            url = url_for("task.details_view", id=task.id)
            what = " · ".join(filter(None, (task.what, task.urgency)))
            yield Need(task.incident.child, what, words, mark, "Do this", url, at)
