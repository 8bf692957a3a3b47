"""Steps: declared in the body of a view, each a custom action of Flask-Admin, taken on one record
that was fetched through the policy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_admin.form import BaseForm

from models import Refused, step_of
from models.ground.words import counted
from models.permissions import VOCABULARY

from .door import me, saved
from .forms import put_errors
from .sessions import stale

MOST = 100  # records that a step is taken on at once


@dataclass(frozen=True)
class Step:
    """A button on the page of a record. `verb` is permission, method and history word in one.

    form: what it asks for besides its button. guarded: whether it asks for the passphrase again
    after 10 minutes. said: a function of what the method returned, giving the sentence that is
    shown, or (sentence, kind). leads: a function of the same, giving the address that it leads to.
    permission: where the step is a part of what another permission allows. several: it may be
    taken on several records of a list at once; the endpoint to go to afterwards. asked: its form
    is rarely wanted, so it is drawn only when the address asks for it. given: what the method is
    given besides what the form asks.
    """

    verb: str
    label: str
    form: type[BaseForm] | None = None
    guarded: bool = False
    said: Callable | None = None
    leads: Callable | None = None
    permission: str = ""
    several: str = ""
    asked: bool = False
    given: Mapping | None = None

    def drawn(self, sent=None):
        """Its form, filled from what was `sent`, with ids of its own on the page; or None."""
        form = self.form and self.form(sent)
        for field in form or ():
            field.id = field.label.field_id = f"{self.verb.replace(':', '-')}-{field.name}"
        return form


class Taking:
    """The steps of a view. Whether a button is drawn and whether what it sends is taken is asked
    in one place: permission, status, and who, on this record.
    """

    steps = ()

    def init_actions(self):
        super().init_actions()
        for step in self.steps:
            self._actions.append((step.verb, step.label))
            self._actions_data[step.verb] = (self.takes(step), step.label, None)

    def takes(self, step):
        return lambda ids: self.take(step, ids)

    @staticmethod
    def allows(permission, record=None):
        """Whether the reader has `permission`: where `record` is or, without one, anywhere."""
        user = me()
        return bool(permission) and user.is_authenticated and user.may(permission, record)

    def may_take(self, verb, record):
        """Whether the reader may take a step on `record`: it may be of a school or home in which
        they only reported, and not of one that they look after.
        """
        step = next(one for one in self.steps if one.verb == verb)
        return self.is_action_allowed(verb) and self.allows(step.permission or verb, record)

    def stay_allowed(self, permission, record):
        """Answer 403, and write the refusal down, where the reader may not, on this record."""
        if not self.allows(permission, record):
            self.note_refusal(str(record.id), type(record))
            abort(403)

    def is_action_allowed(self, name):
        step = next((one for one in self.steps if one.verb == name), None)
        return name in self._actions_data and self.allows(step and step.permission or name)

    def ready(self, verb, form, record):
        """Give the form of a step what it offers on this record: names to choose from, and so
        on.
        """

    def drawn(self, step, record, sent=None):
        form = step.drawn(sent)
        if form:
            self.ready(step.verb, form, record)
        return form

    def offers(self, record, verb):
        """Whether the button of `verb` is drawn: this person may, on this record, and its status
        allows it.
        """
        one = step_of(verb)
        status = not one.sources or record.status in one.sources
        return self.may_take(verb, record) and status and one.who(record, me())

    def step_forms(self, record):
        """{verb: its form, or None for a bare button} of the steps that can be taken now."""
        offered = [one for one in self.steps if self.offers(record, one.verb)]
        wanted = request.args.get("step")
        return {
            one.verb: None if one.asked and one.verb != wanted else self.drawn(one, record)
            for one in offered
        }

    def take(self, step, ids):
        """Take `step` on the one record that the form names, and go to where it leads.

        A rule that refuses, and a reason left out, bring the same page back with what was typed.
        """
        if step.several and request.form.get("several"):
            return self.take_all(step, ids)
        if len(ids) != 1:
            abort(400)
        record = self.asked(ids[0])
        self.stay_allowed(step.permission or step.verb, record)
        form = self.drawn(step, record, request.form)
        again = bool(form) and "more" in request.form  # rows of a table: nothing is checked
        if again or form and not form.validate():
            forms = self.step_forms(record) | {step.verb: form}
            return self.show(record, 200 if again else 422, forms=forms, failed=step.verb)
        try:
            given = {**(form.data if form else {}), **(step.given or {})}
            result = step_of(step.verb)(record, **given, by=me())
        except Refused as refused:
            if form and refused.errors:
                put_errors(form, refused)
            fresh = self.asked(ids[0])
            forms = self.step_forms(fresh) | ({step.verb: form} if form else {})
            return self.show(fresh, 409, refused=refused, failed=step.verb, forms=forms)
        said = step.said(result) if step.said else self.did(step, record)
        flash(*(said if isinstance(said, tuple) else (said, "success")))
        here = url_for(f"{self.noun}.details_view", id=record.id)
        return saved(step.leads(result) if step.leads else here)

    @staticmethod
    def did(step, record):
        """What was done, in the words of the history, to whoever did it."""
        words = f"{record}: you {VOCABULARY[step.verb].says}.".removeprefix(": ")
        return words[:1].upper() + words[1:]

    def take_all(self, step, ids):
        """Take a step that asks for nothing on each of `ids` that were ticked in a list."""
        for record in [self.asked(id) for id in dict.fromkeys(ids[:MOST])]:
            self.stay_allowed(step.permission or step.verb, record)
            try:
                step_of(step.verb)(record, by=me())
            except Refused as refused:
                flash(str(refused), "warning")
        many = counted(len(ids), "record")
        said = f"{step.label}: done for {many}." if ids else "Nothing was ticked: tick some first."
        flash(said, "success" if ids else "warning")
        return saved(url_for(step.several))

    @expose("/action/", methods=("GET", "POST"))
    def action_view(self):
        if request.method == "GET":  # the page of a step that was refused, opened again
            return redirect(url_for(f"{self.noun}.index_view"))
        name = request.form.get("action", "")
        if not self.is_action_allowed(name):
            self.note_refusal(request.form.get("rowid"))
            abort(403)
        if any(one.verb == name and one.guarded for one in self.steps) and (again := stale()):
            return again
        return self._actions_data[name][0](request.form.getlist("rowid"))
