"""Handing over: what a leaver was to do goes to a colleague, in one press."""

from flask import flash, request, url_for
from flask_admin import expose
from wtforms import SelectMultipleField

from models import Refused, visible
from models.case.handing import hand_over, held, holders
from models.ground.words import counted

from .rails.door import Page, me, saved
from .rails.fields import NamedField
from .rails.forms import BaseForm, people, put_errors, required


def leavers(_typed=None):
    """Whoever holds something that the reader may hand over: those who left already, too."""
    return holders(me(), visible)


class WhoForm(BaseForm):
    """From whom, and to whom."""

    person = NamedField(
        "From whom",
        description="Whoever leaves, or has left.",
        records=leavers,
        what="person",
        validators=[required()],
    )
    to = NamedField("To whom", records=people, what="person", validators=[required()])


class ThingsForm(WhoForm):
    """… and which things."""

    things = SelectMultipleField("Things", choices=[], validate_choice=False)


class HandOverView(Page):
    noun, title, found_in, place = "hand_over", "Handing over", "set up", 72
    says = "give to a colleague what a leaver was to do"
    permission = "task:hand_over"

    def page(self, form, status=200, refused=None):
        """The form and, with both people known, what there is to hand over; all of it ticked until
        it was sent.
        """
        person, to = form.person.data, form.to.data
        known = person and to and not form.errors
        things = held(person, to, me(), visible) if known else []
        ticked = form.things.data if "things" in form else [one.key for one in things]
        if refused:
            put_errors(form, refused)
        page = self.render(
            "hand_over/page.html",
            form=form,
            refused=refused,
            known=known,
            person=person,
            to=to,
            ready=[(one, one.key in ticked) for one in things if not one.why],
            shut=[one for one in things if one.why],
        )
        return page, status

    @expose("/")
    def index_view(self):
        asked = {"person", "to"} & set(request.args)
        form = WhoForm(request.args if asked else None)
        if asked:
            form.validate()
        return self.page(form)

    @expose("/action/", methods=("POST",))
    def action_view(self):
        form = ThingsForm(request.form)
        if not form.validate():
            return self.page(form, 422)
        to = form.to.data
        try:
            number = hand_over(form.person.data, to, form.things.data, me(), visible)
        except Refused as refused:
            return self.page(form, 409, refused)
        things = f"{counted(number, 'thing')} {'is' if number == 1 else 'are'}"
        flash(f"{things} handed over to {to}, who gets one email.", "success")
        return saved(url_for("hand_over.index_view"))
