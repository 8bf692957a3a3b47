"""The story, in order: a module knows only those above it."""

from .attachment import Attachment
from .base import Refused, db, now, transaction
from .child import Child, Flag
from .document import Document
from .event import Event
from .incident import Addendum, Incident, Involved
from .lists import Choice
from .log import Assignee, Log
from .notice import Notice
from .people import Role, User, UserRole
from .permissions import PERMISSIONS, SHIPPED_ROLES, VOCABULARY
from .policy import visible
from .settings import settings
from .template import Question, Template, TemplateSection
from .tracker import Section, Tracker

ORDER = [
    "settings",
    "permissions",
    "base",
    "words",
    "people",
    "event",
    "notice",
    "document",
    "steps",
    "lists",
    "child",
    "incident",
    "attachment",
    "log",
    "template",
    "tracker",
    "policy",
    "demo",
]
TABLES = [
    Role,
    User,
    UserRole,
    Event,
    Notice,
    Document,
    Choice,
    Child,
    Flag,
    Incident,
    Involved,
    Addendum,
    Attachment,
    Log,
    Assignee,
    Template,
    TemplateSection,
    Question,
    Tracker,
    Section,
]


def step_of(verb):
    """The method of a verb: step_of("log:complete") is Log.complete. Its `sources` are the statuses from which it can be taken."""
    noun, name = verb.split(":")
    return getattr(next(model for model in TABLES if model.noun() == noun), name)


__all__ = [
    "ORDER",
    "PERMISSIONS",
    "SHIPPED_ROLES",
    "TABLES",
    "VOCABULARY",
    "Addendum",
    "Assignee",
    "Attachment",
    "Child",
    "Choice",
    "Document",
    "Event",
    "Flag",
    "Incident",
    "Involved",
    "Log",
    "Notice",
    "Question",
    "Refused",
    "Role",
    "Section",
    "Template",
    "TemplateSection",
    "Tracker",
    "User",
    "UserRole",
    "db",
    "now",
    "settings",
    "step_of",
    "transaction",
    "visible",
]
