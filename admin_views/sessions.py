"""Sessions: begun, run out and ended, what was typed when one ran out, and the passphrase asked again before what matters."""

import time
from contextlib import nullcontext
from functools import wraps
from urllib.parse import urlencode

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user, user_logged_in, user_logged_out
from flask_security import password_changed, password_reset, tf_disabled, tf_profile_changed, wan_deleted, wan_registered
from flask_security.utils import get_request_attr

from models import Attempt, Draft, Event, Refused, Session, transaction
from models.draft import ANEW

from .trouble import FORMS, typed

FRESH = 600  # seconds after a passphrase within which sign-off, exports and changes of access do not ask again
WHOLE = (
    "change_password", "reset_password", "two_factor_setup", "two_factor_setup_validate", "mf_recovery_codes", "mf_recovery", "wan_register_response", "wan_delete",
)  # fmt: skip
SCRIPTED = ("account.draft_view", "account.alive_view")  # what a page sends by itself
OPEN = ("static", "health", "security.static", "security.login", "security.logout")


def in_one(view):
    """The view with all that a post of it changes in one transaction: a new passphrase with its line in the history and the end of the other sessions."""

    @wraps(view)
    def whole(*args, **kwargs):
        with transaction() if request.method == "POST" else nullcontext():
            answer = view(*args, **kwargs)
        if request.method == "POST" and getattr(answer, "location", None):
            g.committed = answer.location
        return answer

    return whole


def install(app):
    """Sessions, drafts of a session that ran out, and what the history says of signing in."""

    @user_logged_in.connect_via(app)
    def begin(_app, user, **_more):
        Attempt.forget(user.email, request.remote_addr or "")
        session["door"] = Session.begin(user, request.remote_addr or "", request.user_agent.string)

    @user_logged_out.connect_via(app)
    def end(_app, user, **_more):
        if user and session.get("door"):
            Session.end(session.pop("door"), user)

    @password_changed.connect_via(app)
    @password_reset.connect_via(app)
    def new_passphrase(_app, user, **_more):
        change(user, "user:password")

    @tf_profile_changed.connect_via(app)
    @tf_disabled.connect_via(app)
    @wan_registered.connect_via(app)
    @wan_deleted.connect_via(app)
    def new_factor(_app, user, **_more):
        change(user, "user:factor")

    def change(user, verb):
        Event.write(verb, user, user)
        Session.end_all(user, but=session.get("door"))

    for endpoint in WHOLE:
        app.view_functions[f"security.{endpoint}"] = in_one(app.view_functions[f"security.{endpoint}"])

    @app.before_request
    def only_an_open_session():
        if request.endpoint in OPEN or not current_user.is_authenticated:
            return None
        user = current_user._get_current_object()
        found = Session.find(session.get("door"), user)
        if found:
            g.session = found
            # opened by somebody who is signed in, Flask-Security's page for a code would sign them out: a link could do that to them
            return redirect("/") if request.endpoint == "security.two_factor_token_validation" and request.method == "GET" else None
        if request.endpoint in SCRIPTED:
            return "", 401  # the session stays as it is, so that a form that is sent next is still known to be theirs
        after = after_sign_in()
        if request.method == "POST" and Session.ran_out(session.get("door"), user):
            words = "Nothing was done."
            if typed():
                Draft.keep(user, here(), request.form.items(multi=True))
                words = "What you typed is kept: sign in and it is back."
                after = here() if request.endpoint.endswith(FORMS) else url_for("account.unsent_view", path=here())
            flash(f"You were signed out because nothing was done for a while. {words}", "warning")
        logout_user()
        session.pop("door", None)
        return redirect(url_for("security.login", next=after))


def here():
    """The address that was asked for, with the step and the record that a button names: where a draft is found again."""
    step = {name: request.form[name] for name in ("action", "rowid") if name in request.form}
    return f"{request.path}?{urlencode(step)}" if step else request.full_path.rstrip("?")


def after_sign_in():
    """The page to go to after signing in: the one asked for, or the one that the button stands on."""
    if request.method == "GET" or (request.endpoint or "").endswith(FORMS):
        return here()
    noun, rowid, pages = (request.endpoint or "").partition(".")[0], request.form.get("rowid", ""), current_app.view_functions
    if rowid.isdigit() and f"{noun}.details_view" in pages:
        return url_for(f"{noun}.details_view", id=rowid)
    return url_for(f"{noun}.index_view") if f"{noun}.index_view" in pages else "/"


def check_passphrase():
    """Judge the passphrase that was asked for again, before any transaction: that takes a third of a second."""
    user, typed = current_user._get_current_object(), request.form.get("passphrase_again")
    g.again = None  # the problem with it, "" when there is none; None when nobody was asked
    if typed is None or not user.is_authenticated:
        return
    try:
        Attempt.check(user.email, request.remote_addr or "")
        g.again = "" if user.verify_and_update_password(typed) else "This is not your passphrase."
        if g.again:
            Attempt.fail(user.email, request.remote_addr or "")
            Event.write("user:failed", user, user, way="asked again")
        else:
            session["fs_paa"] = time.time()
    except Refused as refused:
        g.again = str(refused)


def stale():
    """None when a passphrase was given within the last 10 minutes; otherwise the page that asks for it and then goes on.

    The page carries what was sent along, so that no reason typed is lost (ASVS 7.5.3: re-authenticate before what is sensitive).
    """
    problem = g.get("again")
    given_at = session.get("fs_paa") or get_request_attr("fs_paa") or 0
    if time.time() - given_at < FRESH and not problem:
        return None
    if request.method == "GET":
        return redirect(url_for("security.verify", next=request.full_path))
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in ANEW]
    return render_template("confirm.html", fields=fields, problem=problem), 403 if problem else 200
