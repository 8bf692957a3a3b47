"""The screens. A module put here is found by itself: each view says of which noun it is, where the
menu has it, and its place.
"""

from importlib import import_module
from pkgutil import iter_modules
from secrets import token_urlsafe

from flask import current_app, url_for
from flask_admin import Admin

from models.ground.dates import EXAMPLE
from models.ground.words import INLINE, PAGE

from . import report_here
from .account import first_start
from .calendar import feed
from .home import HomeView
from .rails.door import Door
from .rails.drawn import drawn_once
from .rails.moments import this_day
from .rails.signin import codes_left


def missing_url(record, anchor):
    """Where to answer what a sign-off, or the closing of a case, still lacks."""
    page = f"{record.noun()}.details_view"
    if anchor in ("tracker", "triage") or (not anchor and page in current_app.view_functions):
        return url_for(page, id=record.id, _anchor=anchor or None)
    return url_for(f"{record.noun()}.edit_view", id=record.id, _anchor=anchor)


def column_names(field):
    """The headings of a model's small table."""
    columns = getattr(field, "columns", {})
    return {key: label[0] if isinstance(label, tuple) else label for key, label in columns.items()}


def views(base=Door):
    """Every view that says what it is called, in the order of their places."""
    found = []
    for view in base.__subclasses__():
        found += [view] if vars(view).get("title") else []
        found += views(view)
    return sorted(set(found), key=lambda view: (view.place, view.title))


def install(app, settings):
    """Put every screen on the Flask app."""
    app.jinja_env.globals.update(
        INLINE=INLINE,
        PAGE=PAGE,
        once=token_urlsafe,
        drawn_once=drawn_once,
        missing_url=missing_url,
        column_names=column_names,
        this_day=this_day,
        EXAMPLE=EXAMPLE,
        codes_left=codes_left,
    )
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    admin = Admin(app, name=settings.school, index_view=HomeView())
    for view in views():
        if view is not HomeView:
            admin.add_view(view())
    app.add_url_rule("/calendar/<token>.ics", "calendar", feed, methods=["GET"])
    report_here.install(app)
    app.add_url_rule("/setup/<token>", "setup", first_start, methods=["GET", "POST"])
    return admin
