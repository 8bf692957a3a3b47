"""Flags: set, looked at again and ended, from the page of their child."""

from datetime import UTC, datetime, time

from flask import url_for
from flask_admin.form import BaseForm

from models import Flag, visible
from models.ground.clock import today
from models.ground.words import due

from .child import OfChildView, back
from .home import Need
from .rails.door import me
from .rails.forms import required, why
from .rails.moments import DayField
from .rails.taking import Step
from .rails.writing import RecordView


class UntilForm(BaseForm):
    """The last day."""

    until = DayField("Until", validators=[required()])


class FlagView(OfChildView):
    shows, title = Flag, "Flags"
    one, asks = "flag", "Set a flag"
    add_permission = edit_permission = "child:edit"
    edit_view = RecordView.edit_view
    form_columns = ["kind", "since", "review_on", "told", "told_why"]
    page_columns = ["kind", "since", "until", "review_on", "told", "told_why"]
    steps = (
        Step(
            "child:unflag",
            "End this flag",
            why("Why it ends", UntilForm),
            permission="child:edit",
            said=lambda flag: f"Ended: {flag.kind}. It stays in the chronology.",
            leads=back,
        ),
    )

    def create_form(self, obj=None):
        form = super().create_form(obj)
        form.since.data = form.since.data or today()
        return form

    def edit_form(self, obj=None):
        """What is looked at again; what it is, and since when, stays."""
        form = super().edit_form(obj)
        del form.kind, form.since
        return form

    def offers(self, record, verb):
        return not record.until and super().offers(record, verb)

    def create(self, form):
        return Flag.flag(self.parent(), me(), **self.values(form))

    def update(self, form, record):
        record.change(me(), **self.values(form))

    def needs(self, limit):
        """The flags that are to be looked at again."""
        if not self.can_edit:
            return
        mine = Flag.where_may(visible(Flag, me()).where(Flag.due()), me(), self.edit_permission)
        rows = self.joined(mine).order_by(Flag.review_on)
        for flag in rows.limit(limit):
            words, mark = due(flag.review_on)
            at = datetime.combine(flag.review_on, time(17), UTC)
            url = url_for("flag.details_view", id=flag.id)
            yield Need(flag.child, f"Flag: {flag.kind}", words, mark, "Review", url, at)
