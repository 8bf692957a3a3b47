"""Need to know: which rows a person sees. One page, asked by every door; what they may do to a row is a permission on top."""

from .attachment import Attachment
from .child import Child
from .document import Document
from .event import Event
from .incident import ABOUT, Incident, Involved
from .lists import Choice
from .log import Assignee, Log
from .notice import Notice
from .people import Role, User
from .template import Question, Template, TemplateSection
from .tracker import Section, Tracker


def incidents(by):
    """What they reported; what is assigned to them; all, with incident:read. Never one that is about them."""
    about_them = Involved.select(Involved.incident).where(Involved.adult == by, Involved.part == ABOUT)
    query = Incident.select().where(Incident.id.not_in(about_them))
    if by.may("incident:read"):
        return query
    mine = Incident.reported_by == by
    if by.may("log:read"):
        mine |= Incident.id.in_(Log.select(Log.incident).where(Log.id.in_(Assignee.logs_of(by))))
    return query.where(mine)


def logs(by):
    """Those assigned to them, with log:read; all, with log:read_all. Never one about them."""
    query = Log.select().where(Log.incident.in_(incidents(by).select(Incident.id)))
    if by.may("log:read_all"):
        return query
    return query.where(Log.id.in_(Assignee.logs_of(by))) if by.may("log:read") else query.where(False)


def trackers(by):
    return Tracker.select().where(Tracker.log.in_(logs(by).select(Log.id)))


def sections(by):
    query = Section.select().where(Section.tracker.in_(trackers(by).select(Tracker.id)))
    return query if by.may("section:read_restricted") else query.where(~Section.restricted)


def documents(by):
    """Copies kept at sign-off hold the whole tracker, so they are for those who may read all of it."""
    query = Document.select().where(Document.event.in_(Event.select(Event.id).where(Event.incident.in_(logs(by).select(Log.incident)))))
    return query if by.may("section:read_restricted") else query.where(~Document.restricted)


def notices(by):
    """Their own emails and, with notice:read, those about logs that they may see."""
    return Notice.about(by, logs(by).select(Log.incident))


def only(model, permission):
    return lambda by: model.select() if by.may(permission) else model.select().where(False)


VISIBLE = {
    Incident: incidents,
    Log: logs,
    Tracker: trackers,
    Section: sections,
    Document: documents,
    Notice: notices,
    Attachment: lambda by: Attachment.select().where(Attachment.incident.in_(incidents(by).select(Incident.id))),
    Child: only(Child, "child:read"),
    Template: only(Template, "template:edit"),
    TemplateSection: only(TemplateSection, "template:edit"),
    Question: only(Question, "template:edit"),
    Choice: only(Choice, "choice:edit"),
    User: only(User, "user:edit"),
    Role: only(Role, "user:edit"),
}


def visible(model, by):
    """The query of rows of `model` that the User `by` may see. A model without a rule has no door: KeyError."""
    return VISIBLE[model](by)
