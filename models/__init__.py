"""The story, in order: a module knows only those above it."""

from .attachment import Attachment
from .base import Refused, db, now, transaction
from .child import Child, Flag
from .document import Document
from .draft import Draft
from .event import Event
from .incident import Addendum, Incident, Involved
from .lists import Choice
from .log import Assignee, Log
from .looks import look
from .notice import Notice
from .people import Role, User, UserRole, WebAuthn
from .permissions import PERMISSIONS, SHIPPED_ROLES, VOCABULARY
from .policy import visible, who_sees
from .proposal import Proposal
from .receipt import Receipt
from .settings import settings
from .sharing import Emergency, Share
from .signin import Attempt, Device, Session, SetupLink
from .template import Question, Template, TemplateSection
from .tracker import Section, Tracker

ORDER = [  # fmt: skip
    "settings",
    "permissions",
    "base",
    "words",
    "people",
    "event",
    "looks",
    "notice",
    "seal",
    "fonts",
    "shaping",
    "typeface",
    "archive",
    "paper",
    "document",
    "steps",
    "signin",
    "draft",
    "receipt",
    "proposal",
    "accounts",
    "lists",
    "child",
    "pupil_list",
    "roll",
    "incident",
    "attachment",
    "sharing",
    "front",
    "log",
    "template",
    "tracker",
    "policy",
    "keeps",
    "copies",
    "proof",
    "upkeep",
    "copying",
    "backup",
    "demo",
]
TABLES = [  # fmt: skip
    Role,
    User,
    UserRole,
    WebAuthn,
    Event,
    Notice,
    Document,
    Session,
    Device,
    Attempt,
    SetupLink,
    Draft,
    Receipt,
    Proposal,
    Choice,
    Child,
    Flag,
    Incident,
    Involved,
    Addendum,
    Attachment,
    Share,
    Emergency,
    Log,
    Assignee,
    Template,
    TemplateSection,
    Question,
    Tracker,
    Section,
]


def step_of(verb):
    """The method of a verb: step_of("log:complete") is Log.complete.

    Its `sources` are the statuses from which it can be taken, its `who` says who may, on this
    record. A step that makes another noun stands there: "incident:share" is Share.share.
    """
    noun, name = verb.split(":")
    if verb == "section:save":
        return Section.save_answers
    own = next(model for model in TABLES if model.noun() == noun)
    others = (getattr(model, name, None) for model in TABLES)
    return getattr(own, name, None) or next(method for method in others if hasattr(method, "who"))


__all__ = [*(model.__name__ for model in TABLES), "ORDER", "PERMISSIONS", "Refused", "SHIPPED_ROLES", "TABLES", "VOCABULARY", "db", "look", "now", "settings", "step_of",
           "transaction", "visible", "who_sees"]  # fmt: skip
