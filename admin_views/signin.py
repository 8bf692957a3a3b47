"""What Flask-Security lacks at signing in: limits, a code that works once, passphrases that are not the school’s name, email by the outbox."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256

from flask import request
from flask_login import current_user
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
)  # fmt: skip

from models import Attempt, Event, Notice, Refused, User, transaction
from models.base import fold
from models.settings import settings

from .sessions import FRESH


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
