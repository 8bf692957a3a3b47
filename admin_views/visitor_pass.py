"""Visitor passes: made at reception, shown once, withdrawn."""

from flask import url_for

from models import Refused, VisitorPass
from models.access.visitor_pass import LASTS
from models.ground.settings import settings
from models.ground.words import when

from .rails.door import me
from .rails.fields import PickField
from .rails.forms import required, settings_for
from .rails.taking import Step
from .rails.writing import RecordView


class VisitorPassView(RecordView):
    shows, title, found_in, place = VisitorPass, "Visitor passes", "drawer", 60
    one, adds = "code", "Make a code"
    permission = add_permission = "visitor_pass:make"
    edit_view = export = None
    of_setting = True
    intro = (
        "A code for a visitor or a supply teacher without an account, by which they hand in one "
        "report. Only the safeguarding team reads it, and this list does not say whether it was "
        "used."
    )
    empty = "No code has been made yet."
    column_list = ["for_whom", "state", "until", "made_by", "made_at"]
    column_labels = {"state": "State"}
    column_sortable_list = ["until", "made_at"]
    form_columns = ["for_whom", "setting"]
    page_columns = ["for_whom", "until", "made_by", "made_at"]
    form_extra_fields = {
        "lasts": PickField(
            "How long it is valid",
            names=list(LASTS),
            radio=True,
            validators=[required("Choose how long it is valid.")],
        )
    }
    steps = (
        Step(
            "visitor_pass:withdraw",
            "Withdraw",
            permission="visitor_pass:make",
            said=lambda one: f"The {one} is withdrawn: its code opens nothing any more.",
        ),
    )

    def joined(self, query):
        return VisitorPass.joined(query)

    def create_form(self, obj=None):
        form = super().create_form(obj)
        found = settings_for("visitor_pass:make")
        if len(found) > 1:
            form.setting.none = "Choose…"
            form.setting.offer(found)
        else:
            del form.setting
        return form

    def create(self, form):
        found = settings_for("visitor_pass:make")
        setting = form.setting.data if "setting" in form else next(iter(found), None)
        if found and not setting:
            raise Refused("Nothing was saved.", {"setting": "Choose the school or home."})
        return VisitorPass.make(me(), form.for_whom.data, form.lasts.data, setting)

    def saved_words(self, record, is_created):
        return (
            f"The code for {record.for_whom} is {record.fresh_code}. It is typed at "
            f"{settings.url}{url_for('report_here')}, until {when(record.until)}. Hand it over on "
            "paper, face to face. It is shown only now."
        )
