"""The people around a child: written down and ended, from the page of the child."""

from wtforms.fields.choices import SelectChoice

from models import Refused, Relation, visible
from models.case.chronology import beside

from .child import OfChildView, back
from .rails.door import me
from .rails.fields import SeveralField
from .rails.forms import ReasonForm, in_order
from .rails.taking import Step


def ended(relation):
    if relation.other_id:  # who may be hidden: see get_one
        return "Ended: this child is no longer written down there."
    opened = " What is about the child is open to them again, as far as their role goes."
    return f"Ended: {relation.who}.{opened if relation.user_id else ''}"


class RelationView(OfChildView):
    shows, title = Relation, "People around children"
    one, asks = "person", "Add a person"
    add_permission = "child:relate"
    form_columns = ["kind", "name", "other", "user", "responsible", "household", "reached"]
    form_extra_fields = {"shuts_out": SeveralField("What follows", validate_choice=False)}
    page_columns = [*form_columns, "added_at", "ended_at"]
    steps = (Step("child:unrelate", "End this", ReasonForm, said=ended, leads=back),)

    def get_one(self, id):
        """Another child whom the reader may not see, as one of another school or home, is named
        nowhere.
        """
        relation = super().get_one(id)
        beside([relation] if relation else [], {}, me(), visible)
        return relation

    def create_form(self, obj=None):
        """With what follows for a colleague, and for whom, once one is named."""
        form = super().create_form(obj)
        if not (person := form.user.data):
            del form.shuts_out
            return form
        child = self.parent()
        yes = f"Yes: {person} is to see nothing about {child}"
        form.shuts_out.choices = [SelectChoice(yes)]
        form.shuts_out.description = (
            f"From then on {person} sees nothing about {child}: no incident, case, log, task or "
            "file, not even those that they reported or are assigned to. Only a Level 5 can undo "
            "it."
        )
        return in_order(form, ("kind", "name", "other", "user", "shuts_out"))

    def create(self, form):
        if "shuts_out" in form and form.shuts_out.data != [form.shuts_out.choices[0].value]:
            sure = "Tick this if it is right, and save again."
            raise Refused("Nothing was saved yet.", {"shuts_out": sure})
        return Relation.relate(self.parent(), me(), **self.values(form))

    def saved_words(self, record, is_created):
        if not record.user_id:
            return f"Saved: {record.who}."
        return f"Saved: {record.who} is shut out of all that is about this child from now on."

    def offers(self, record, verb):
        return not record.ended_at and super().offers(record, verb)
