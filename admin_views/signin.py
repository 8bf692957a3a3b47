"""What Flask-Security lacks: limits, sessions that can be ended, a code that works once, email by the outbox, asking again before what matters."""

import time
from base64 import urlsafe_b64encode
from contextlib import nullcontext
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from urllib.parse import urlencode

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user, user_logged_in, user_logged_out
from flask_security import (
    ChangePasswordForm,
    ForgotPasswordForm,
    LoginForm,
    MailUtil,
    MfRecoveryForm,
    PasswordUtil,
    Totp,
    TwoFactorVerifyCodeForm,
    VerifyForm,
    password_changed,
    password_reset,
    tf_disabled,
    tf_profile_changed,
    wan_deleted,
    wan_registered,
)  # fmt: skip
from flask_security.utils import get_request_attr

from models import Attempt, Draft, Event, Notice, Refused, Session, User, transaction
from models.base import fold
from models.settings import settings

from .trouble import FORMS, typed

FRESH = 600  # seconds after a passphrase within which sign-off, exports and changes of access do not ask again
WHOLE = (
    "change_password", "reset_password", "two_factor_setup", "two_factor_setup_validate", "mf_recovery_codes", "mf_recovery", "wan_register_response", "wan_delete",
)  # fmt: skip
SCRIPTED = ("account.draft_view", "account.alive_view")  # what a page sends by itself
OPEN = ("static", "security.static", "security.login", "security.logout")


def key_from(secret, purpose):
    """A key of its own for each purpose, from the installation's one secret (URL-safe base64 of 32 bytes)."""
    return urlsafe_b64encode(sha256(f"{purpose}:{secret}".encode()).digest()).decode()


def config(secret):
    """The configuration of Flask-Security: what is on, what is off, and for how long."""
    return {
        "SECURITY_PASSWORD_HASH": "argon2", "SECURITY_PASSWORD_SALT": key_from(secret, "salt"), "SECURITY_PASSWORD_LENGTH_MIN": 12,
        "SECURITY_PASSWORD_COMPLEXITY_CHECKER": "zxcvbn", "SECURITY_ZXCVBN_MINIMUM_SCORE": 3,
        "SECURITY_TRACKABLE": True, "SECURITY_RETURN_GENERIC_RESPONSES": True, "SECURITY_SEND_REGISTER_EMAIL": False, "SECURITY_CHANGEABLE": True,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False}, "SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,
        "SECURITY_WAN_RP_NAME": settings.school, "SECURITY_RECOVERABLE": True, "SECURITY_RESET_PASSWORD_WITHIN": "3 days", "SECURITY_RESET_URL": "/reset", "SECURITY_REMEMBER_ME": False,
        "SECURITY_TWO_FACTOR": True, "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"], "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_ALWAYS_VALIDATE": True, "SECURITY_TOTP_SECRETS": {1: key_from(secret, "totp")}, "SECURITY_TOTP_ISSUER": settings.school,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True, "SECURITY_MULTI_FACTOR_RECOVERY_CODES_KEYS": [key_from(secret, "recovery")],
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_N": 8, "SECURITY_WEBAUTHN": True, "SECURITY_WAN_ALLOW_AS_FIRST_FACTOR": False,
        "SECURITY_WAN_ALLOW_AS_MULTI_FACTOR": True, "SECURITY_FRESHNESS": timedelta(seconds=FRESH), "SECURITY_FRESHNESS_GRACE_PERIOD": timedelta(0),
        "SECURITY_POST_LOGIN_VIEW": "/", "SECURITY_POST_LOGOUT_VIEW": "/login", "SECURITY_POST_RESET_VIEW": "/login", "SECURITY_POST_CHANGE_VIEW": "/account/",
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "/account/", "SECURITY_WAN_POST_REGISTER_VIEW": "/account/", "SECURITY_SCRIPT_NONCE_KEY": "nonce",
    }  # fmt: skip


def slowed(form, field, account, check, count=lambda: True):
    """Run `check`, a form's own validation, behind the limits, and count a failure (when `count` says that it is one).

    Only a whole sign-in makes failures forgotten: a right passphrase must not wipe out the wrong codes before it.
    """
    address = request.remote_addr or ""
    try:
        Attempt.check(account, address)
    except Refused as refused:
        field.errors = [str(refused)]
        return False
    if check():
        return True
    if not count():
        return False
    with transaction():
        Attempt.fail(account, address)
        user = User.get_or_none(User.email == account)
        if user:
            Event.write("user:failed", user, None, way=type(form).__name__)
    return False


class Login(LoginForm):
    def validate(self, **kwargs):
        account = (self.email.data or "").strip().casefold()
        return slowed(self, self.password, account, lambda: super(Login, self).validate(**kwargs))


class Again(VerifyForm):
    def validate(self, **kwargs):
        return slowed(self, self.password, current_user.email, lambda: super(Again, self).validate(**kwargs))


class Code(TwoFactorVerifyCodeForm):
    def validate(self, **kwargs):
        account = getattr(self.user, "email", "") or getattr(current_user, "email", "")
        return slowed(self, self.code, account, lambda: super(Code, self).validate(**kwargs))


class Recovery(MfRecoveryForm):
    def validate(self, **kwargs):
        return slowed(self, self.code, getattr(self.user, "email", ""), lambda: super(Recovery, self).validate(**kwargs))


class Change(ChangePasswordForm):
    def validate(self, **kwargs):
        def wrong():
            return bool(self.password.errors)  # a weak new passphrase is no guess

        return slowed(self, self.password, current_user.email, lambda: super(Change, self).validate(**kwargs), wrong)


class Forgot(ForgotPasswordForm):
    """Each request counts, whether or not the account exists: nobody's mailbox is filled by strangers."""

    def validate(self, **kwargs):
        account = f"reset {(self.email.data or '').strip()}"
        good = slowed(self, self.email, account, lambda: super(Forgot, self).validate(**kwargs))
        if good:
            Attempt.fail(account, request.remote_addr or "")
        return good


class CodeOnce(Totp):
    """A code works once: the counter of the last one is kept, also on the object that Flask-Security saves afterwards."""

    def get_last_counter(self, user):
        return user.tf_last_counter

    def set_last_counter(self, user, tmatch):
        user.tf_last_counter = tmatch.counter
        User.update(tf_last_counter=tmatch.counter).where(User.id == user.id).execute()


class Passphrase(PasswordUtil):
    def validate(self, password, is_register, **kwargs):
        """Refuse what is common (zxcvbn), and what is made from the name of the school or the person."""
        password = self.normalize(password)
        problems, _short = super().validate(password[:72], is_register, **kwargs)  # zxcvbn raises on more
        user = kwargs.get("user") or (current_user if current_user.is_authenticated else None)
        names = f"{settings.school} {getattr(user, 'name', '')} {getattr(user, 'email', '')}".replace("@", " ").replace(".", " ").split()
        bare = fold(password)
        for name in map(fold, names):
            bare = bare.replace(name, "") if len(name) > 3 else bare
        if len(bare) < 8:
            problems = [*(problems or []), "This is made from the name of the school or from yours. Choose other words."]
        return problems, password


class Outbox(MailUtil):
    """Flask-Security's emails go to the outbox, with the place of a link instead of the link: no token is ever stored."""

    def send_mail(self, template, subject, recipient, sender, body, html, **kwargs):
        user = kwargs.get("user") or User.get(User.email == recipient)
        for secret in (kwargs.get("reset_link"), kwargs.get("reset_token")):
            body = body.replace(str(secret), "{link}") if secret else body
        Notice.to_account(user, subject, body)


def in_one(view):
    """The view with all that a post of it changes in one transaction: a new passphrase with its line in the history and the end of the other sessions."""

    @wraps(view)
    def whole(*args, **kwargs):
        with transaction() if request.method == "POST" else nullcontext():
            return view(*args, **kwargs)

    return whole


def install(app, security):
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
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in ("csrf_token", "once", "passphrase_again")]
    return render_template("confirm.html", fields=fields, problem=problem), 403 if problem else 200
