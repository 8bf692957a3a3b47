"""One email a day, for those who chose it: what happened in their cases, and which sections of
their logs were saved.

Each email that would have gone at once stays a row of its own, the evidence of who was told of
what: it waits, is gathered, and is sent with the email of the day, or withheld when its person may
no longer see the record. The lines are put together as the email leaves, so that it holds nothing
that was shut meanwhile, and no copy of them is kept.
"""

from collections.abc import Callable
from typing import Any

from models.case.case import Case
from models.case.log import Assignee, Log
from models.case.policy_document import PolicyDocument
from models.case.task import Task
from models.case.tracker import Section, Tracker
from models.ground.clock import now, today
from models.ground.database import transaction
from models.ground.settings import settings
from models.ground.words import line, pages, paragraphs
from models.history.event import Event
from models.history.notice import DIGEST, SUBJECT, Notice, Withheld
from models.people.user import User


def gather(visible: Callable) -> Any:
    """Queue the email of the day for everybody for whom it is due and who has something in it: one
    a day each, also where two processes gather at once. Returns how many.

    visible: the policy, models.visible. While emails are held back, nothing is gathered.
    """
    if Notice.held():
        return 0
    chose = User.select().where(User.daily | User.progress)
    return sum(queue(person, visible) for person in list(chose) if found(person, visible))


def queue(person: User, visible: Callable) -> Any:
    """Queue the email of the day for one person; True unless another process was first."""
    with transaction():
        news = found(person, visible)
        if not news:
            return False
        gathered, detail = news
        for notice in gathered:
            notice.status = "gathered"
            notice.save()
        body = pages.get_template("email/digest.txt").render()
        ids = [notice.id for notice in gathered]
        letters = [(person, SUBJECT, body)]
        Notice.queue(DIGEST, person, None, letters, gathers=ids, also=gathered, **detail)
    return True


def found(person: User, visible: Callable) -> Any:
    """([Notice that waits], what the event is to say) when the email of the day is due to `person`
    and would have something in it, else None.

    It holds what happened before it was due, counted in events and not by their times: none is left
    out, and none is told twice, when a clock was wrong.
    """
    slot = person.daily_due(now())
    last = Event.last(person, DIGEST)
    if last and last.detail.get("slot") == slot.isoformat():
        return None
    before = Event.select(Event.id).where(Event.at < slot).order_by(Event.id.desc()).limit(1)
    upto = before.scalar() or 0
    detail = {"slot": slot.isoformat(), "upto": upto}
    if person.progress:
        detail["since"] = since(person, upto)
    gathered = waiting(person, upto) if person.daily else []
    news = gathered or saved(person, detail, visible)
    return (gathered, detail) if news or (person.daily and reminders(person, visible)) else None


def reminders(person: User, visible: Callable) -> list[str]:
    """What is due of the person's own, in numbers and with an address, never whom it is about."""
    own = (Task.owner == person) & (Task.status == "open") & (Task.due_on <= today())
    tasks = visible(Task, person).where(own).count()
    theirs = (Case.lead == person) & Case.status.in_(("open", "monitoring"))
    cases = list(visible(Case, person).where(theirs))
    changed = Case.updated(case.id for case in cases)
    resting = sum(case.resting(changed.get(case.id, case.opened_at)) for case in cases)
    policies = sum(due_on <= today() for _policy, due_on in PolicyDocument.owed(person))
    read = "policy is to be read", "policies are to be read", PolicyDocument.noun()
    said = (
        (policies, *read),
        (tasks, "task of yours is due", "tasks of yours are due", "task"),
        (resting, "case of yours is one to look at", "cases of yours are to look at", "case"),
    )
    return [
        f"{number} {one if number == 1 else many}.\n{settings.url}/{noun.replace('_', '-')}/"
        for number, one, many, noun in said
        if number
    ]


def waiting(person: User, upto: int) -> Any:
    """The emails to `person` that wait for the one of the day, of events up to number `upto`; none
    that a worker has in hand.
    """
    query = Notice.select(Notice, Event).join(Event).order_by(Notice.id)
    mine = (Notice.user == person) & (Notice.status == "waiting") & (Notice.attempts == 0)
    return [notice for notice in query.where(mine, Event.id <= upto) if notice.patient]


def since(person: User, upto: int) -> Any:
    """The number of the event up to which `person` was told which sections were saved, or with
    which they chose to be.
    """
    events = Event.select().where(
        Event.subject == User.noun(),
        Event.record == person.id,
        Event.verb.in_((DIGEST, "user:choose")),
    )
    for event in events.order_by(Event.id.desc()):
        if event.verb == DIGEST:
            return event.detail.get("upto", event.id)
        if "progress" in event.detail.get("changed", ()):
            return event.id
    return upto


def saved(person: User, detail: Any, visible: Callable) -> Any:
    """Which sections others saved of the logs that `person` is assigned to: one line for each log
    and saver.

    By their numbers, as the page of the log has them: a title would tell whoever looks over a
    shoulder what the case is about. Of restricted ones nothing to those who may not read them.
    """
    if "since" not in detail:
        return []
    rows: Any = (
        Event.select(User.name, Log.id, Log.reference, Section.position)
        .join(Section, on=(Event.record == Section.id))
        .join(Tracker, on=(Section.tracker == Tracker.id))
        .join(Log, on=(Tracker.log == Log.id))
        .switch(Event)
        .join(User, on=(Event.by == User.id))
        .where(Event.subject == Section.noun(), Event.verb == "section:save", Event.by != person)
        .where(Event.id > detail["since"], Event.id <= detail["upto"])
        .where(Log.id.in_(Assignee.logs_of(person)))
        .where(Section.id.in_(visible(Section, person).select(Section.id)))
        .order_by(Log.id, User.name, Section.position)
    )
    numbers: Any = {}
    for name, id, reference, position in rows.tuples():
        numbers.setdefault((name, id, reference), {})[str(position)] = None
    return [
        f"{line(name)} saved section{'' if len(places) == 1 else 's'} {', '.join(places)}.\n"
        f"Reference: {reference}\n{settings.url}/log/details/?id={id}"
        for (name, id, reference), places in numbers.items()
    ]


def words(notice: Notice, visible: Callable) -> Any:
    """What an email says as it leaves now, and which of the emails that it gathers it tells of.
    Raises Withheld when its person may not see, or no longer, what it is about.
    """
    person = notice.user
    if notice.event.verb != DIGEST:
        of_incident = notice.event.incident is not None
        if of_incident and not visible(Notice, person).where(Notice.id == notice.id).exists():
            raise Withheld
        return notice.body, ()
    detail = notice.event.detail
    detail["upto"]  # of a damaged event nothing is known, and that is no reason to withhold
    told = list(
        visible(Notice, person)
        .where(Notice.id.in_(detail.get("gathers", ())), Notice.user == person)
        .order_by(Notice.id)
    )
    # without its last line, the name of the school
    lines = ["\n".join(paragraphs(one.body)[:-1]) for one in told]
    lines += saved(person, detail, visible)
    lines += reminders(person, visible) if person.daily else []
    if not lines:
        raise Withheld
    return notice.body.replace("{lines}", "\n\n".join(lines)), told
