"""The people around a child: written down and ended, from the page of the child."""

from models import Relation, visible
from models.case.chronology import beside

from .child import OfChildView, back
from .rails.door import me
from .rails.forms import ReasonForm
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
    page_columns = [*form_columns, "added_at", "ended_at"]
    steps = (Step("child:unrelate", "End this", ReasonForm, said=ended, leads=back),)

    def get_one(self, id):
        """Another child whom the reader may not see, as one of another school or home, is named
        nowhere.
        """
        relation = super().get_one(id)
        beside([relation] if relation else [], {}, me(), visible)
        return relation

    def create(self, form):
        return Relation.relate(self.parent(), me(), **self.values(form))

    def saved_words(self, record, is_created):
        if not record.user_id:
            return f"Saved: {record.who}."
        return f"Saved: {record.who} is shut out of all that is about this child from now on."

    def offers(self, record, verb):
        return not record.ended_at and super().offers(record, verb)
