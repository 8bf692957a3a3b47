"""Need to know: which rows a person sees. One page, asked by every door; what they may do to a row is a permission on top."""

from peewee import fn

from .attachment import Attachment
from .base import now
from .child import Child
from .document import Document
from .event import Event
from .incident import ABOUT, Incident, Involved
from .lists import Choice
from .log import Assignee, Log
from .notice import Notice
from .people import Role, User
from .proposal import Proposal
from .sharing import LASTS, Emergency, Share
from .template import Question, Template, TemplateSection
from .tracker import Section, Tracker
from .words import when


def in_emergency(by):
    """Whether `by` has emergency access now; asked once for each User object, so once a request."""
    if "_emergency" not in by.__dict__:
        by.__dict__["_emergency"] = by.may("emergency:begin") and Emergency.of(by) is not None
    return by.__dict__["_emergency"]


def incidents(by):
    """What they reported; what is assigned to or shared with them; all, with incident:read or in an emergency. Never one about them."""
    about_them = Involved.select(Involved.incident).where(Involved.adult == by, Involved.part == ABOUT)
    query = Incident.select().where(Incident.id.not_in(about_them))
    if by.may("incident:read") or in_emergency(by):
        return query
    mine = (Incident.reported_by == by) | Incident.id.in_(Share.incidents_of(by))
    if by.may("log:read"):
        mine |= Incident.id.in_(Log.select(Log.incident).where(Log.id.in_(Assignee.logs_of(by))))
    return query.where(mine)


def logs(by):
    """With log:read those assigned to them, or whose incident is shared with them; all, with log:read_all or in an emergency. Never one about them."""
    query = Log.select().where(Log.incident.in_(incidents(by).select(Incident.id)))
    if by.may("log:read_all") or in_emergency(by):
        return query
    mine = Log.id.in_(Assignee.logs_of(by)) | Log.incident.in_(Share.incidents_of(by))
    return query.where(mine) if by.may("log:read") else query.where(False)


def fills_in(by, log):
    """Whether `by` may write in the sections of a log that they see: emergency access is for reading."""
    return by.may("log:read_all") or logs_theirs(by).where(Log.id == log.id).exists()


def logs_theirs(by):
    """The logs assigned to `by`, or whose incident is shared with them."""
    return Log.select().where(Log.id.in_(Assignee.logs_of(by)) | Log.incident.in_(Share.incidents_of(by)))


def who_sees(incident):
    """Who can see `incident`, and why: [(User, [reason, …])] by name. The same rules as `incidents`, from the record's side; a test holds them together."""
    about = {row.adult_id for row in Involved.select(Involved.adult).where(Involved.incident == incident, Involved.part == ABOUT)}
    log = Log.get_or_none(Log.incident == incident)
    assigned = {row.user_id: row.why for row in Assignee.of(log)} if log else {}
    shared = {share.user_id: f"shared by {share.by}" for share in Share.of(incident)}
    emergencies = {
        row.user_id: f"emergency access until {when(row.until)}" for row in Emergency.select().where(Emergency.begun_at > now() - LASTS)
    }
    seen = []
    for person, permissions in User.with_permissions():
        reasons = [
            "reported it" if person.id == incident.reported_by_id else "",
            "their role reads every incident" if "incident:read" in permissions else "",
            assigned.get(person.id, "") if "log:read" in permissions else "",
            shared.get(person.id, ""),
            emergencies.get(person.id, "") if "emergency:begin" in permissions else "",
        ]
        if any(reasons) and person.id not in about:
            seen.append((person, [reason for reason in reasons if reason]))
    return seen


def trackers(by):
    return Tracker.select().where(Tracker.log.in_(logs(by).select(Log.id)))


def sections(by):
    query = Section.select().where(Section.tracker.in_(trackers(by).select(Tracker.id)))
    return query if by.may("section:read_restricted") else query.where(~Section.restricted)


def documents(by):
    """Copies kept at sign-off hold the whole tracker and its history: for those who may read all of it.

    A restricted section that was saved before the sign-off, and emptied, shuts a copy as well: earlier
    versions kept such a copy as open.
    """
    query = Document.select().where(Document.event.in_(Event.select(Event.id).where(Event.incident.in_(logs(by).select(Log.incident)))))
    if by.may("section:read_restricted"):
        return query
    signing, save = Event.alias(), Event.alias()
    held = (
        save.select(save.id)
        .join(Section, on=(save.record == Section.id))
        .where(save.subject == "section", save.verb == "section:save", Section.restricted)
        .where(save.incident == signing.incident, save.id < signing.id)
    )
    closed = signing.select(signing.id).where(signing.id == Document.event, fn.EXISTS(held))
    return query.where(~Document.restricted, ~fn.EXISTS(closed))


def notices(by):
    """Their own emails and, with notice:read, those about logs that they may see."""
    return Notice.about(by, logs(by).select(Log.incident))


def events(by):
    """The history, with event:read_all: what belongs to no case, and to cases that they may see."""
    case = fn.COALESCE(Event.incident, 0)  # no index on this: by the case, SQLite would sort millions to find the latest
    theirs = (case == 0) | case.in_(incidents(by).select(Incident.id))
    return Event.select().where(theirs if by.may("event:read_all") else False)


def only(model, permission):
    return lambda by: model.select() if by.may(permission) else model.select().where(False)


VISIBLE = {
    Incident: incidents,
    Log: logs,
    Tracker: trackers,
    Section: sections,
    Document: documents,
    Notice: notices,
    Event: events,
    Attachment: lambda by: Attachment.select().where(Attachment.incident.in_(incidents(by).select(Incident.id))),
    Child: only(Child, "child:read"),
    Template: only(Template, "template:edit"),
    TemplateSection: only(TemplateSection, "template:edit"),
    Question: only(Question, "template:edit"),
    Choice: only(Choice, "choice:edit"),
    User: only(User, "user:edit"),
    Role: only(Role, "role:edit"),
    Proposal: lambda by: Proposal.select() if by.may("proposal:approve") else Proposal.select().where(Proposal.by == by),
}


def visible(model, by):
    """The query of rows of `model` that the User `by` may see. A model without a rule has no door: KeyError."""
    return VISIBLE[model](by)
