"""Tasks: the list, the form under an incident, done or cancelled, and the card on the pages of
others.
"""

from datetime import UTC, datetime, time

from flask import url_for

from models import Child, Incident, Task, User, visible
from models.ground.words import due

from .home import Need
from .rails.door import me
from .rails.forms import ReasonForm, why
from .rails.taking import Step
from .rails.writing import RecordView


class TaskView(RecordView):
    shows, title, found_in, place = Task, "Tasks", "drawer", 25
    one, under = "task", Incident
    permission = "task:done"
    add_permission = "task:give"
    intro = "What is to be done about incidents: yours, and those that your role lets you follow."
    empty = "No task is here. One is added on the page of an incident."
    edit_view = export = None
    order = (Task.status.desc(), Task.due_on)
    column_list = ["what", "child", "owner", "due_on", "status"]
    column_labels = {"child": "About"}
    column_sortable_list = ["due_on", "status"]
    filters = {"status": ("Status", lambda: Task.STATUSES)}
    form_columns = ["what", "owner", "due_on"]
    page_columns = ["what", "owner", "due_on", "status", "given_by", "given_at", "effect"]
    steps = (
        Step("task:done", "Done", why("What came of it?", name="effect")),
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
        within = record.incidents() if page == "case" else [incident.id]
        tasks = visible(Task, me()).where(Task.incident.in_(within))
        rows, gives = (
            list(self.joined(tasks).order_by(Task.due_on)),
            self.allows(self.add_permission, incident),
        )
        return {"tasks": rows, "gives": gives, "incident": incident} if rows or gives else None

    def needs(self, limit):
        """The reader's own open tasks, the first due first."""
        mine = visible(Task, me()).where(Task.owner == me(), Task.status == "open")
        for task in self.joined(mine).order_by(Task.due_on).limit(limit):
            words, mark = due(task.due_on)
            at = datetime.combine(task.due_on, time(17), UTC)
            url = url_for("task.details_view", id=task.id)
            yield Need(task.incident.child, task.what, words, mark, "Do this", url, at)
