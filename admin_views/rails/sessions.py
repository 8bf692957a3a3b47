"""Sessions: begun, run out and ended, what was typed when one ran out, and the passphrase asked
again before what matters.
"""

import re
import secrets
import time
from contextlib import nullcontext, suppress
from functools import wraps
from urllib.parse import urlencode

from flask import (
    abort,
    after_this_request,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user, logout_user, user_logged_in, user_logged_out
from flask_security import (
    password_changed,
    password_reset,
    tf_disabled,
    tf_profile_changed,
    wan_deleted,
    wan_registered,
)
from flask_security.proxies import _security
from flask_security.utils import get_request_attr

from models import Attempt, Device, Draft, Event, Refused, Session, User, transaction
from models.access.draft import ANEW
from models.access.signin import KNOWN, hashed

from .chosen import hold
from .trouble import FORMS, text_sent, with_text

# seconds after a passphrase within which sign-off, exports and changes of access do not ask again
FRESH = 600
# seconds after passphrase and second factor within which a second factor may be set, changed or
# removed
PROVED = 300
FACTOR = (
    "two_factor_setup",
    "two_factor_setup_validate",
    "mf_recovery_codes",
    "wan_register",
    "wan_register_response",
    "wan_delete",
)
SIGN_IN = "security.two_factor_token_validation"  # the first factor is set up there, too
ENROLS = ("two_factor_token_validation", "two_factor_setup_validate", "wan_register_response")
WHOLE = ("change_password", "reset_password", "mf_recovery", "two_factor_token_validation", *FACTOR)
LOCAL = re.compile(r"/(?![/\\])[^\s\\\0]*\Z")  # an address on this host
SCRIPTED = ("account.draft_view", "account.alive_view")  # what a page sends by itself
VISITOR = ("report_here", "report_here_form.create_view")  # of nobody's session
OPEN = (
    "static",
    "health",
    "calendar",
    "security.static",
    "security.login",
    "security.logout",
    *VISITOR,
)
LOCKED = "account.hidden_view"  # the one page of a session that is hidden


def in_one(view):
    """The view with all that a post of it changes in one transaction: a new passphrase with its
    line in the history and the end of the other sessions.
    """

    @wraps(view)
    def whole(*args, **kwargs):
        with transaction() if request.method == "POST" else nullcontext():
            answer = view(*args, **kwargs)
        if request.method == "POST" and getattr(answer, "location", None):
            g.committed = answer.location
        return answer

    return whole


def passkey_shown(view):
    """The view that takes a passkey’s answer from who is signed in, with the time noted when it was
    right.
    """

    @wraps(view)
    def noted(*args, **kwargs):
        before = session.get("fs_paa")
        answer = view(*args, **kwargs)
        if session.get("fs_paa") != before:
            session["passkey_at"] = time.time()
        return answer

    return noted


def with_codes(view):
    """The view that sets up a second factor, followed, once it is set up, by recovery codes for
    whoever has none: shown in this answer and kept in none.
    """

    @wraps(view)
    def followed(*args, **kwargs):
        enrolling = request.endpoint != SIGN_IN or session.get("tf_state") == "validating_profile"
        answer = view(*args, **kwargs)
        user = current_user._get_current_object()
        done = request.method == "POST" and user.is_authenticated and user.has_factor
        if not (done and enrolling and getattr(answer, "location", None)):
            return answer
        if user.mf_recovery_codes:
            return answer
        codes = _security.mf_recovery_codes_util.create_recovery_codes(user)
        return render_template(
            "security/mf_recovery_codes.html", recovery_codes=codes, target=answer.location
        )

    return followed


def install(app):
    """Sessions, drafts of a session that ran out, and what the history says of signing in."""

    @user_logged_in.connect_via(app)
    def begin(_app, user, **_more):
        token = request.cookies.get(device_cookie())
        with transaction():
            Attempt.forget(user.email, address(), Device.of(token, user))
            says = request.user_agent.string
            session["door"] = Session.begin(user, address(), says)
            token = g.device = Device.meet(token, user, says)
        session.pop("proved", None)

        @after_this_request
        def remember_browser(response):
            secure, age = app.config["SESSION_COOKIE_SECURE"], int(KNOWN.total_seconds())
            response.set_cookie(
                device_cookie(), token, max_age=age, secure=secure, httponly=True, samesite="Strict"
            )
            return response

    @user_logged_out.connect_via(app)
    def end(_app, user, **_more):
        if user and session.get("door"):
            Session.end(session.pop("door"), user)

    @password_changed.connect_via(app)
    @password_reset.connect_via(app)
    def new_passphrase(_app, user, **_more):
        change(user, "user:password", "your passphrase was changed")

    @tf_profile_changed.connect_via(app)
    @tf_disabled.connect_via(app)
    @wan_registered.connect_via(app)
    @wan_deleted.connect_via(app)
    def new_factor(_app, user, **_more):
        session.pop("proved", None)  # for one change
        change(user, "user:factor", "your second factor was changed")

    def change(user, verb, why):
        Event.write(verb, user, user)
        end_others(user, why)

    for endpoint in ENROLS:
        app.view_functions[f"security.{endpoint}"] = with_codes(
            app.view_functions[f"security.{endpoint}"]
        )
    for endpoint in WHOLE:
        app.view_functions[f"security.{endpoint}"] = in_one(
            app.view_functions[f"security.{endpoint}"]
        )

    app.login_manager.request_loader(
        lambda _request: None
    )  # nobody is known by a token in a header, an address or JSON
    app.view_functions["security.wan_verify_response"] = passkey_shown(
        app.view_functions["security.wan_verify_response"]
    )

    @app.before_request
    def only_forms():
        """No page takes JSON, however deep: ours are forms, and a passkey’s answer comes in a field
        of one.
        """
        if request.is_json:
            abort(415)
        if request.endpoint == "security.two_factor_rescue":
            abort(404)  # it only sends emails, as many as one likes

    @app.before_request
    def only_an_open_session():
        door, user = (
            session.get("door"),
            current_user._get_current_object() if current_user.is_authenticated else None,
        )
        if (
            request.endpoint in OPEN
            or not (user or door)
            or (request.blueprint == "security" and not user)
        ):
            return None
        found = user and Session.find(door, user)
        if found:
            g.session = found
            if found.hidden_at:
                return locked()
            forms = (request.endpoint or "").endswith(FORMS)
            if forms and request.form.get("draft") == "hide":
                return hide()
            # opened by somebody who is signed in, Flask-Security's page for a code would sign them
            # out: a link could do that to them
            return redirect("/") if request.endpoint == SIGN_IN else prove_first()
        if request.endpoint in SCRIPTED:
            return (
                "",
                401,
                # the session stays as it is, so that a form that is sent next is still known to be
                # theirs
            )
        return signed_out(user, Session.lost(door))


def address():
    return request.remote_addr or ""


def device_cookie():
    """The name of the cookie by which a browser is known again: a name that only https and this
    host can set, but on plain http.
    """
    return "__Host-device" if current_app.config["SESSION_COOKIE_SECURE"] else "device"


def this_device(account):
    """The Device that this browser is for the person with this email; None where they have not
    signed in before.
    """
    user = User.get_or_none(User.email == account)
    return Device.of(request.cookies.get(device_cookie()), user) if user else None


def end_others(user, why):
    """End every other session of `user`, and take every other browser for a new one."""
    Session.end_all(user, but=session.get("door"), why=why)
    Device.leave(user, but=g.get("device") or request.cookies.get(device_cookie()))


def prove_first():
    """The page that asks for passphrase and second factor, before one of those may be set, changed
    or removed; None when they were just given.
    """
    if request.blueprint != "security" or request.endpoint.partition(".")[2] not in FACTOR:
        return None
    if time.time() - session.get("proved", 0) < PROVED:
        return None
    return redirect(
        url_for(
            "account.prove_view", next=request.full_path if request.method == "GET" else "/account/"
        )
    )


def locked():
    """Away to the page that asks a hidden session for its passphrase: nothing else opens, nothing
    is kept or changed, and no message is shown that was meant for the page before.

    A text that another tab sends meanwhile goes back into that tab, to be sent again afterwards.
    """
    session.pop("_flashes", None)
    if request.endpoint == LOCKED:
        return None
    if request.endpoint in SCRIPTED:
        return "", 423
    return with_text(423) if text_sent() else redirect(url_for(LOCKED))


def is_locked():
    """Whether this request comes from a session that is hidden, also where nothing has asked yet:
    a page that refuses a form must not show the menu.
    """
    door = session.get("door")
    found = g.get("session") or (door and Session.get_or_none(Session.token == hashed(door)))
    return bool(found and found.hidden_at)


def hide(path=None):
    """Lock the session behind its passphrase, with what was typed into the form that the button
    belongs to kept as a draft; `path`: the page it stands on, where there is no such form.

    What cannot be kept does not stop it: somebody may be looking.
    """
    if path is None:
        path = here()
        try:
            Draft.keep(g.session.user, path, request.form.items(multi=True))
            if unheld := hold(g.session.user, path):
                session["unkept"] = " ".join(unheld)
        except Refused as refused:
            session["unkept"] = str(refused)
    session.pop("proved", None)
    session.pop("_flashes", None)
    with transaction():
        g.session.hide(path if LOCAL.match(path) else "/")
    return redirect(url_for(LOCKED))


def signed_out(user, lost):
    """Away to the page for signing in, with what was typed kept where it may be, and why this
    session ended.

    user: who the cookie says, or None. lost: what Session.lost says.
    """
    after, text = after_sign_in(), text_sent()
    owner, why = lost or (None, None)
    kept, unheld = False, []
    if text and lost:
        with suppress(Refused):  # too much: then it is given back below
            Draft.keep(owner, here(), request.form.items(multi=True))
            unheld = hold(owner, here())
            kept = True
            after = (
                here()
                if request.endpoint.endswith(FORMS)
                else url_for("account.unsent_view", path=here())
            )
    if user:
        logout_user()
    session.pop("door", None)
    if text and not kept:
        return with_text(401)
    if lost:
        words = (
            "What you typed is kept: sign in and it is back."
            if kept
            else "Nothing was done."
            if request.method == "POST"
            else ""
        )
        flash(" ".join([f"You were signed out because {why}.", words, *unheld]).strip(), "warning")
    if user or lost:
        return redirect(url_for("security.login", next=after))
    return None


def here():
    """The address that was asked for, with the step and the record that a button names: where a
    draft is found again.
    """
    step = {name: request.form[name][:60] for name in ("action", "rowid") if name in request.form}
    if step:
        return f"{request.path}?{urlencode(step)}"
    whole = request.full_path.rstrip("?")
    if (request.endpoint or "").endswith(".create_view") and "draft" not in request.args:
        # a new form has a place of its own: no older draft fills it, and it replaces none
        name = g.setdefault("new_draft", secrets.token_urlsafe(6))
        return f"{whole}{'&' if '?' in whole else '?'}draft={name}"
    return whole


def after_sign_in():
    """The page to go to after signing in: the one asked for, or the one that the button stands
    on.
    """
    if request.method == "GET" or (request.endpoint or "").endswith(FORMS):
        return here()
    noun, rowid, pages = (
        (request.endpoint or "").partition(".")[0],
        request.form.get("rowid", ""),
        current_app.view_functions,
    )
    if rowid.isdigit() and f"{noun}.details_view" in pages:
        return url_for(f"{noun}.details_view", id=rowid)
    return url_for(f"{noun}.index_view") if f"{noun}.index_view" in pages else "/"


def check_passphrase():
    """Judge the passphrase that was asked for again, before any transaction: that takes a third of
    a second.
    """
    user, typed = current_user._get_current_object(), request.form.get("passphrase_again")
    g.again = None  # the problem with it, "" when there is none; None when nobody was asked
    if typed is None or not user.is_authenticated:
        return
    try:
        attempt = Attempt.reserve(user.email, address(), this_device(user.email))
    except Refused as refused:
        g.again = str(refused)
        return
    if user.verify_and_update_password(_security.password_util.normalize(typed)):
        attempt.take_back()
        g.again, session["fs_paa"] = "", time.time()
    else:
        g.again = "This is not your passphrase."
        Event.write("user:failed", user, user, way="asked again")


def stale():
    """None when a passphrase was given within the last 10 minutes; otherwise the page that asks for
    it and then goes on.

    The page carries what was sent along, so that no reason typed is lost (ASVS 7.5.3:
    re-authenticate before what is sensitive).
    """
    problem = g.get("again")
    given_at = session.get("fs_paa") or get_request_attr("fs_paa") or 0
    if time.time() - given_at < FRESH and not problem:
        return None
    if request.method == "GET":
        return redirect(url_for("security.verify", next=request.full_path))
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in ANEW]
    return render_template(
        "layout/confirm.html", fields=fields, problem=problem
    ), 403 if problem else 200
