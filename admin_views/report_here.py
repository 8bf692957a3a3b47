"""The page on which somebody without an account types the code from reception, and reports: they
see an empty form, and afterwards only that it arrived.
"""

import time
from datetime import UTC, datetime, timedelta

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask_login import AnonymousUserMixin
from werkzeug.datastructures import MultiDict
from wtforms import StringField

from models import Attempt, Guidance, Refused, Slip, VisitorPass, now
from models.access.proposal import hashed
from models.access.visitor_pass import spelled

from .rails.fields import clean
from .rails.forms import BaseForm, put_errors, required
from .rails.sessions import address

IDLE = 1200  # seconds after which a form that was left is shown to nobody without its code
SHOWN = timedelta(minutes=15)  # that the receipt stays on the screen of whoever sent it
OWN = (
    "Write this down: {}. With it you go on if this page is lost, here or on another device. "
    "Nobody at reception knows it, and theirs opens nothing once you have begun."
)
UNKNOWN = "This code opens nothing: it is mistyped, too old, withdrawn or used. Ask at reception."


class CodeForm(BaseForm):
    """The code from reception, however it is typed."""

    code = StringField(
        "The code that reception gave you",
        description="Capitals and hyphens do not matter.",
        validators=[required("Type the code.")],
        filters=[clean],
    )


def page(template, status=200, **context):
    """A page of a stranger, also where a colleague is signed in in the same browser: without the
    menu.
    """
    nobody = {"me": AnonymousUserMixin(), "entries": [], "drawer": [], "outside": True}
    return render_template(f"report_here/{template}.html", **nobody | context), status


def began():
    """(the pass whose code was typed in this browser, when, whether somebody is still at it), or
    (None, None, False).
    """
    id, at, seen, own = session.get("visitor") or (None, 0, 0, "")
    found = VisitorPass.get_or_none(VisitorPass.id == id) if id else None
    if not found or found.own not in (None, own):
        return None, None, False
    return found, datetime.fromtimestamp(at, UTC), time.time() - seen < IDLE


def seen():
    """Note that somebody is at it: after a while the screen of a reception is the next person's."""
    if "visitor" in session:
        id, at, _seen, own = session["visitor"]
        session["visitor"] = id, at, time.time(), own


def beside(by_pass):
    """What the school wants recorded, whom to tell and where else to go, for a page."""
    setting = by_pass.setting_id if by_pass else None
    return {"guidance": Guidance.of(setting), "team": Guidance.team(setting) if by_pass else []}


def typed(code):
    """The pass of a code, counted as an attempt from before it is judged: guesses are limited as
    they are at signing in, but for each network address by itself, so that nobody who guesses
    shuts out those who report.
    """
    attempt = Attempt.reserve(f"visitor pass at {address()}", address())
    *_rest, own = session.get("visitor") or ("",)
    found = VisitorPass.typed(code or "", own)
    if not found or arrived(found):
        raise Refused(UNKNOWN)
    attempt.take_back()
    if not found.own:
        own = hashed(fresh := spelled())
        flash(OWN.format(fresh), "warning")
    session["visitor"] = found.id, time.time(), time.time(), found.own or own
    return found


def arrived(by_pass):
    """What was handed in with a pass, or None."""
    return Slip.get_or_none(Slip.visitor_pass == by_pass) if by_pass else None


def report_here():
    """Type the code; or leave, where somebody has finished."""
    if request.method == "POST" and request.form.get("leave"):
        session.pop("visitor", None)
        return redirect(url_for("report_here"))
    form = CodeForm(request.form if request.method == "POST" else None)
    if request.method == "POST" and form.validate():
        try:
            typed(form.code.data)
            return redirect(url_for("report_here_form.create_view"))
        except Refused as refused:
            form.code.errors = [str(refused)]
    by_pass, at, there = began()
    slip = arrived(by_pass)
    if request.method == "GET" and there and not slip and by_pass.usable(at):
        return redirect(url_for("report_here_form.create_view"))
    if request.method == "GET" and slip and now() - slip.at < SHOWN:
        return page("arrived", slip=slip, **beside(by_pass))
    return page("code", 422 if form.errors else 200, form=form, **beside(None))


def blank(sent):
    """The form, filled from what was `sent`."""
    view = next(one for one in current_app.extensions["admin"][0]._views if one.noun == "slip")
    return view._create_form_class(sent)


def write():
    """The form of a report: empty, with what was kept of it, or with what was just sent. Whatever
    became of the code meanwhile, the text is given back.
    """
    by_pass, at, there = began()
    slip = arrived(by_pass)
    if request.method == "GET":
        if not there or slip or not by_pass.usable(at):
            return redirect(url_for("report_here"))
        seen()
        form = blank(MultiDict(by_pass.draft) if by_pass.draft else None)
        if not by_pass.draft:
            form.noticed_at.data = now()
        return form_page(form, by_pass)
    if request.form.get("draft"):
        return keep(by_pass if not slip else None)
    form, problem = blank(request.form), ""
    again = request.form.get("code", "").strip()
    valid = form.validate()
    if slip and not again and valid and slip.says(answers(form)):
        return redirect(url_for("report_here"))  # the answer was lost: it arrived, once
    if again:
        try:
            by_pass, at = typed(again), now()
        except Refused as refused:
            problem = str(refused)
    elif not by_pass:
        problem = "Type the code that reception gave you. Nothing you wrote is lost."
    if valid and not problem:
        try:
            Slip.hand_in(by_pass, at, **answers(form))
            session.pop("_flashes", None)  # it is sent: no code is needed to go on
            g.committed = url_for("report_here")
            return redirect(g.committed)
        except Refused as refused:
            problem = refused.errors.pop("code", "") and str(refused)
            if refused.errors:
                put_errors(form, refused)
    if problem:
        form.form_errors.append(problem)
    return form_page(form, by_pass, 422, asks=bool(problem), again=again)


def answers(form):
    """What the form holds, by the names of the fields of a slip."""
    return {name: form[name].data for name in (*Slip.WRITER, *Slip.ASKED)}


def form_page(form, by_pass, status=200, asks=False, again=""):
    kept = by_pass.drafted_at if by_pass and by_pass.draft else None
    return page(
        "form", status, form=form, asks=asks, again=again, kept=kept, model=Slip, **beside(by_pass)
    )


def keep(by_pass):
    """Keep what is being typed, for whoever types the same code; the page's own script sends it as
    well.
    """
    if not by_pass:
        return form_page(blank(request.form), None, 422, asks=True)
    leaves, own = request.form["draft"] == "leave", session["visitor"][3]
    fresh = spelled() if leaves else ""
    try:
        by_pass.write(request.form.items(multi=True), own, hashed(fresh) if leaves else None)
    except Refused as refused:
        form = blank(request.form)
        form.form_errors.append(str(refused))
        return form_page(form, by_pass, 422)
    if not leaves:
        seen()
        return redirect(url_for("report_here_form.create_view"))
    session.pop("visitor", None)
    flash(f"Kept, and not sent yet. Write this down: {fresh}. Type it, and you go on.", "warning")
    return redirect(url_for("report_here", kept=1))


def install(app):
    """Put both pages on the Flask app. The form's endpoint ends as those do whose text is given
    back in any trouble.
    """
    both = ["GET", "POST"]
    app.add_url_rule("/report-here", "report_here", report_here, methods=both)
    app.add_url_rule("/report-here/form", "report_here_form.create_view", write, methods=both)
