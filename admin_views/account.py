"""One's own account: where one is signed in, when emails come; and the page of the first start."""

import time

from flask import abort, flash, g, jsonify, redirect, render_template, request, session, url_for
from flask_admin import expose
from flask_security import hash_password
from flask_security.proxies import _security
from wtforms import PasswordField, StringField

from models import (
    PERMISSIONS,
    Calendar,
    Draft,
    Emergency,
    Held,
    Proposal,
    Refused,
    Session,
    SetupLink,
    settings,
)
from models.access.accounts import choose_emails
from models.access.proposal import TRIES
from models.people.user import User, normal

from .rails.chosen import chosen, hold
from .rails.door import Page, is_id, me, saved
from .rails.fields import PickField, TextField, YesNoField, clean
from .rails.forms import BaseForm, EmailAddress, ReasonForm, at_most, put_errors, required
from .rails.sessions import LOCAL, PROVED, end_others, hide, stale
from .rails.signin import FEW, Proof
from .rails.trouble import by_hand

ENDED = "this session was ended in another browser"


def drafts(user):
    """What `user` typed and did not save: [(draft, what it is, the address where it is opened
    again)].
    """
    found = []
    for draft in Draft.all_of(user):
        step = draft.path.partition("?")[0].endswith(("/action/", "/emergency/"))
        noun, lost = draft.path.split("/")[1].capitalize(), "sent" if step else "saved"
        what = f"{noun}: what was not {lost}"
        if draft.path.startswith("/incident/new/") and isinstance(draft.fields, list):
            what = f"Report about {dict(draft.fields).get('child') or 'a child'}"
        found.append(
            (draft, what, url_for("account.unsent_view", path=draft.path) if step else draft.path)
        )
    return found


AT_ONCE, DAILY = "at once", "once a day, in one email"


class EmailsForm(BaseForm):
    """When the emails come that can wait."""

    daily = PickField("Emails about records", names=[AT_ONCE, DAILY], validators=[required()])
    progress = YesNoField(
        "Tell me once a day which sections of my logs were saved",
        description="By their numbers, and only what you may read.",
        validators=[required()],
    )
    quiet_from = TextField(
        "No emails from",
        description="A time of day, for example 18:00. Leave both empty for none.",
        filters=[clean],
    )
    quiet_until = TextField(
        "No emails until", description="For example 07:30, the next morning.", filters=[clean]
    )


def emails_of(user, sent=None):
    """The form of what `user` chose, or of what was `sent`; about logs only for whoever may be
    assigned to one.
    """
    known = {
        "daily": DAILY if user.daily else AT_ONCE,
        "progress": bool(user.progress),
        "quiet_from": user.quiet_from,
        "quiet_until": user.quiet_until,
    }
    form = EmailsForm(sent, data=known)
    if not user.may("log:read"):
        del form.progress
    return form


class AccountView(Page):
    """Sessions, second factor, when emails come, emergency access."""

    noun, title = "account", "Your account"

    def page(self, status=200, **context):
        user = me()
        known = {
            "sessions": Session.of(user),
            "current": g.session,
            "passkeys": list(user.webauthn),
            "codes": len(user.mf_recovery_codes or []),
            "few": FEW,
            "with_code": Proposal.with_code(user),
            "code_problem": "",
            "drafts": drafts(user),
            "emergency": Emergency.of(user) if user.may("emergency:begin") else None,
            "form": ReasonForm(),
            "emails": emails_of(user),
            "calendar": Calendar.of(user) if user.may("task:done") else None,
            "address": "",
        }
        return self.render("account/page.html", **known | context), status

    @expose("/")
    def index_view(self):
        return self.page()

    @expose("/code/", methods=("POST",))
    def code_view(self):
        """Type the code that a Level 5 handed over: what they approved counts from now on."""
        done = Proposal.type_code(request.form.get("code", "")[:40], me())
        if not done:
            problem = f"This code opens nothing. After {TRIES} wrong ones, ask for a new one."
            return self.page(422, code_problem=problem)
        flash("Thank you. What was approved for you counts from now on.", "success")
        return saved(url_for("home.index"))

    @expose("/end/", methods=("POST",))
    def end_view(self):
        """End one of one's own sessions, or all the others."""
        id = request.form.get("id", "")
        if id == "others":
            end_others(me(), ENDED)
        elif is_id(id):
            Session.end_one(me(), int(id), ENDED)
        flash("Ended.", "success")
        return saved(url_for("account.index_view"))

    @expose("/emails/", methods=("POST",))
    def emails_view(self):
        """Choose when the emails come that can wait."""
        form = emails_of(me(), request.form)
        if form.validate():
            daily, progress = form.daily.data == DAILY, "progress" in form and form.progress.data
            try:
                choose_emails(me(), daily, progress, form.quiet_from.data, form.quiet_until.data)
            except Refused as refused:
                put_errors(form, refused)
            else:
                flash("Saved. What is urgent is sent at once all the same.", "success")
                return saved(url_for("account.index_view", _anchor="emails"))
        return self.page(422, emails=form)

    @expose("/calendar/", methods=("POST",))
    def calendar_view(self):
        """Make a calendar address, which this answer alone shows, or end the one there is."""
        if not me().may("task:done"):
            abort(403)
        if request.form.get("end"):
            Calendar.end(me(), me())
            flash("The calendar address is ended: it opens nothing any more.", "success")
            return saved(url_for("account.index_view", _anchor="calendar"))
        if again := stale():
            return again
        path = url_for("calendar", token=Calendar.make(me()))
        return self.page(address=settings.url + path)

    @expose("/emergency/", methods=("POST",))
    def emergency_view(self):
        if not me().may("emergency:begin"):
            abort(403)
        form = ReasonForm(request.form)
        if not form.validate():
            return self.page(422, form=form)
        if again := stale():
            return again
        try:
            Emergency.begin(me(), form.reason.data)
        except Refused as refused:
            return self.page(409, form=form, refused=refused)
        flash("Emergency access is open for 24 hours. Every Level 5 has been told.", "warning")
        return saved(url_for("incident.index_view"))

    @expose("/prove/", methods=("GET", "POST"))
    def prove_view(self):
        """Asked before a second factor is set, changed or removed: by somebody at an unlocked
        screen, too.
        """
        user, form = me(), Proof(request.form if request.method == "POST" else None)
        target = request.args.get("next", "")
        if request.method == "POST" and form.validate():
            session["proved"] = time.time()
            known = {
                url_for(f"security.{page}")
                for page in ("two_factor_setup", "mf_recovery_codes", "wan_register")
            }
            return redirect(
                target if target.partition("?")[0] in known else url_for("account.index_view")
            )
        passkey = any(user.webauthn) and time.time() - session.get("passkey_at", 0) > PROVED
        page = self.render(
            "account/prove.html",
            form=form,
            problem=g.get("again"),
            passkey=passkey,
            asked=user.has_factor,
            target=target,
        )
        return page, 422 if request.method == "POST" else 200

    def read_form(self, name):
        if name == "draft_view":
            chosen()

    @expose("/draft/", methods=("POST",))
    def draft_view(self):
        """Keep what is being typed, and the files that were chosen. Sent by the page's own script,
        and while the session lives.
        """
        path = request.form.get("draft_path", "")
        if LOCAL.match(path):
            typed = [pair for pair in request.form.items(multi=True) if pair[0] != "draft_path"]
            try:
                Draft.keep(me(), path, typed)
            except Refused as refused:
                return jsonify(kept=False, why=str(refused)), 413
            if request.files:
                wrong = hold(me(), path)
                held = [[one.id, one.name, one.size] for one in Held.at(me(), path)]
                return jsonify(kept=True, held=held, wrong=wrong)
        return jsonify(kept=True)

    @expose("/forget/", methods=("POST",))
    def forget_view(self):
        """Throw a draft away without opening it."""
        Draft.drop(me(), request.form.get("path", ""))
        flash("Thrown away.", "success")
        return saved(url_for("account.index_view"))

    @expose("/unsent/")
    def unsent_view(self):
        """What was typed for a step when the session ran out, to be sent now, or left.

        Of a record's own form a draft opens through that form alone: what others wrote stands in
        it, and the form asks who may read it.
        """
        draft = Draft.of(me(), request.args.get("path", "")) or abort(404)
        if not draft.path.partition("?")[0].endswith(("/action/", "/emergency/")):
            abort(404)
        hidden = {name: value for name, value in draft.fields if not by_hand(name)}
        fields = [(name, value) for name, value in draft.fields if by_hand(name)]
        back = (
            draft.path.partition("action/")[0] + f"details/?id={hidden['rowid']}"
            if "rowid" in hidden
            else url_for("account.index_view")
        )
        return self.render(
            "account/unsent.html",
            draft=draft,
            hidden=hidden,
            fields=fields,
            back=back,
            what=PERMISSIONS.get(hidden.get("action"), ""),  # type: ignore[arg-type]
        )

    @expose("/alive/", methods=("POST",))
    def alive_view(self):
        """Count as activity: the answer to the warning before an idle session ends."""
        g.session.touch()
        return jsonify(alive=True)

    @expose("/hide/", methods=("POST",))
    def hide_view(self):
        """Hide: from a page on which nothing is typed, or from its script, which has kept that."""
        return hide(request.form.get("path", "/"))

    @expose("/hidden/", methods=("GET", "POST"))
    def hidden_view(self):
        """The page of a session that is hidden: its passphrase opens it again, where it was."""
        if not g.session.hidden_at:
            return redirect("/")
        if request.method == "POST" and g.again == "":
            path = g.session.unhide()
            if unkept := session.pop("unkept", None):
                flash(f"What you typed could not be kept. {unkept}", "warning")
            return redirect(path)
        problem = g.again if request.method == "POST" else None
        if request.method == "POST" and problem is None:
            problem = "Type your passphrase."
        kept = "unkept" not in session
        page = self.render("account/hidden.html", person=me(), problem=problem, kept=kept)
        return page, 422 if problem else 200


class FirstForm(BaseForm):
    """The first IT person and the first Level 5, side by side, each typing their own passphrase."""

    it_name = StringField("Full name", validators=[required(), at_most(120)], filters=[clean])
    it_email = StringField(
        "Email", validators=[required(), EmailAddress(), at_most(254)], filters=[clean]
    )
    it_passphrase = PasswordField(
        "Passphrase",
        description="12 characters or more; three or four words that do not belong together.",
        validators=[required()],
    )
    dsl_name = StringField("Full name", validators=[required(), at_most(120)], filters=[clean])
    dsl_email = StringField(
        "Email", validators=[required(), EmailAddress(), at_most(254)], filters=[clean]
    )
    dsl_passphrase = PasswordField(
        "Passphrase",
        description="Typed by the Level 5 themselves. 12 characters or more.",
        validators=[required()],
    )

    def validate(self, **kwargs):
        """Each field has at most one sentence of what to do."""
        good = super().validate(**kwargs)
        for who in ("it", "dsl"):
            name, email, typed = (self[f"{who}_{what}"] for what in ("name", "email", "passphrase"))
            user = User(name=name.data or "", email=email.data or "")
            problems, typed.data = _security.password_util.validate(
                typed.data or "", False, user=user
            )
            typed.errors = typed.errors or list(problems or [])
            try:
                user.check()
            except Refused as refused:
                for what, sentence in refused.errors.items():
                    field = self[f"{who}_{what}"]
                    field.errors = field.errors or [sentence]
        emails = [normal(field.data or "") for field in (self.it_email, self.dsl_email)]
        if emails[0] == emails[1] and not (self.it_email.errors or self.dsl_email.errors):
            self.dsl_email.errors = [
                "Two different people are needed, as whoever configures does not read: write the "
                "email of the other one."
            ]
        return good and not self.errors


def first_start(token):
    """The page of the link that the first start prints. Anything but a valid link does not
    exist.
    """
    if not SetupLink.valid(token):
        abort(404)
    form = FirstForm(request.form if request.method == "POST" else None)
    if request.method == "POST" and form.validate():
        people = [
            (
                role,
                form[f"{who}_name"].data,
                form[f"{who}_email"].data,
                hash_password(form[f"{who}_passphrase"].data),
            )
            for who, role in (("it", "IT"), ("dsl", "DSL"))
        ]
        try:
            SetupLink.use(token, people)
        except Refused as refused:
            put_errors(form, refused)
        else:
            flash(
                "Both accounts are made. Sign in: you will be asked to set up a second factor "
                "first.",
                "success",
            )
            return redirect(url_for("security.login"))
    return render_template("account/setup.html", form=form), 422 if form.errors else 200
