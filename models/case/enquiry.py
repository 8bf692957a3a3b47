"""The one update that Ofsted takes, the conclusion of an enquiry: a task by itself."""

from typing import Any

from models.ground.clock import LONDON, now
from models.history.event import Event
from models.history.step import claim
from models.people.user import User

from .duty import Duty
from .task import Task

OPENED, CONCLUDED = "Opened", "Concluded"


def follow(log: Any, by: User, became: str | None) -> None:
    """Make the task when the enquiry of `log` is opened, once, and have it done when that is
    concluded; inside the transaction of the change.

    The duty with the rule “enquiry: Opened” says what is to be done, and by when. Switched off, or
    without a limit, it makes none.
    """
    duties = [one for one in Duty.in_force() if ("enquiry", OPENED) in one.rules()]
    for duty in duties:
        open_ones = Task.select().where(
            Task.incident == log.incident_id, Task.what == duty.name, Task.status == "open"
        )
        if became == OPENED and duty.amount and not open_ones.exists():
            due = duty.due_at(now()).astimezone(LONDON).date()
            task = Task.create(
                incident=log.incident_id,
                what=duty.name,
                owner=by,
                due_on=due,
                given_by=by,
                given_at=now(),
            )
            Event.write("task:give", task, by)
        if became == CONCLUDED:
            for task in list(open_ones):
                claim(task, ("open",), "done")
                task.effect = log.enquiry_outcome or "The enquiry was concluded."
                task.save()
                Event.write("task:done", task, by, {"status": ("open", "done")})
