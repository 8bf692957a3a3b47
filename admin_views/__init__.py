"""The screens, in the order of the menu."""

from secrets import token_urlsafe

from flask import url_for
from flask_admin import Admin

from models import (
    Child,
    Choice,
    Event,
    Incident,
    Log,
    Notice,
    Proposal,
    Question,
    Role,
    Section,
    Template,
    TemplateSection,
    User,
)
from models.ground.words import INLINE, PAGE

from .account import AccountView, first_start
from .child import ChildView
from .choice import ChoiceView
from .event import EventView
from .home import HomeView
from .incident import IncidentView
from .log import LogView
from .notice import NoticeView
from .proposal import ProposalView
from .role import RoleView
from .section import SectionView
from .template import QuestionView, TemplateSectionView, TemplateView
from .user import UserView


def missing_url(record, anchor):
    """Where to answer what a sign-off still lacks."""
    if anchor == "tracker":
        return url_for("log.details_view", id=record.id, _anchor=anchor)
    return url_for(f"{record.noun()}.edit_view", id=record.id, _anchor=anchor)


def column_names(field):
    """The headings of a model's small table."""
    return {
        key: label[0] if isinstance(label, tuple) else label
        for key, label in getattr(field, "columns", {}).items()
    }


def install(app, settings):
    """Put every screen on the Flask app."""
    app.jinja_env.globals.update(
        INLINE=INLINE,
        PAGE=PAGE,
        once=token_urlsafe,
        missing_url=missing_url,
        column_names=column_names,
    )
    admin = Admin(
        app, name=settings.school, index_view=HomeView(name="Home", url="/", endpoint="home")
    )
    admin.add_view(IncidentView(Incident, name="Incidents"))
    admin.add_view(LogView(Log, name="Ofsted logs"))
    admin.add_view(SectionView(Section, name="Sections"))
    admin.add_view(ChildView(Child, name="Children"))
    admin.add_view(NoticeView(Notice, name="Sent emails"))
    admin.add_view(EventView(Event, name="History"))
    admin.add_view(TemplateView(Template, name="Templates"))
    admin.add_view(TemplateSectionView(TemplateSection, name="Sections of a template"))
    admin.add_view(QuestionView(Question, name="Questions"))
    admin.add_view(ChoiceView(Choice, name="Lists"))
    admin.add_view(UserView(User, name="People"))
    admin.add_view(RoleView(Role, name="Roles"))
    admin.add_view(ProposalView(Proposal, name="Approvals"))
    admin.add_view(AccountView(name="Your account", endpoint="account", url="/account"))
    app.add_url_rule("/setup/<token>", "setup", first_start, methods=["GET", "POST"])
    return admin
