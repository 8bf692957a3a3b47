"""Thanks and corrections: beside an incident for those who give them, on the author's home page
until they press Read.
"""

from flask import url_for

from models import Feedback, Incident, User, visible
from models.case.feedback import FIRST

from .rails.door import me
from .rails.taking import Step
from .rails.writing import RecordView


class FeedbackView(RecordView):
    shows, title, place = Feedback, "Thanks and corrections", 28
    one, under = "note to an author", Incident
    permission = "feedback:acknowledge"
    add_permission = "feedback:give"
    intro = "What the safeguarding team said to the authors of reports, off the child’s record."
    empty = "Nothing was said yet. It is said on the page of an incident."
    edit_view = export = None
    order = (Feedback.given_at.desc(),)
    column_list = ["kind", "to", "given_by", "given_at", "status"]
    column_labels = {"to": "To", "kind": "What"}
    column_sortable_list = ["given_at", "status"]
    form_columns = ["kind", "text"]
    steps = (
        Step(
            "feedback:acknowledge",
            "Read",
            said=lambda _word: "Read: whoever wrote it sees that.",
            leads=lambda _word: url_for("home.index"),
        ),
    )
    cards = {"incident": "feedback/card.html", "home": "feedback/mine.html"}

    def joined(self, query):
        giver = User.alias()
        query = query.select(Feedback, Incident, *User.named(), *User.named(giver)).join(Incident)
        query = query.join(User, on=(Incident.reported_by == User.id)).switch(Feedback)
        return query.join(giver, on=(Feedback.given_by == giver.id), attr="given_by")

    def cell(self, row, name):
        return str(row.incident.reported_by) if name == "to" else super().cell(row, name)

    def create(self, form):
        return Feedback.give(self.parent(), me(), **self.values(form))

    def saved_words(self, record, is_created):
        return f"Said: {record.incident.reported_by} finds it on the home page."

    def get_save_return_url(self, model, is_created=False):
        return url_for("incident.details_view", id=model.incident_id, _anchor="author")

    def card(self, page, record):
        """Beside an incident for those who may say something, and for the author what was said; on
        the home page what the author has not read.
        """
        if page == "home":
            seen = self.joined(visible(Feedback, me()))
            mine = (Incident.reported_by == me()) & (Feedback.status == "given")
            mine &= Incident.lies(me().within(self.permission), Feedback.incident)
            rows = list(seen.where(mine).order_by(Feedback.id).limit(5))
            return {"words": rows} if rows else None
        rows = []
        if Feedback.ids_of(record.id):  # mostly nothing was said
            seen = self.joined(visible(Feedback, me()))
            rows = list(seen.where(Feedback.incident == record).order_by(Feedback.id))
        gives = self.allows(self.add_permission, record) and record.reported_by_id != me().id
        which = self.which(record) if gives else ""
        card = {"words": rows, "gives": gives, "which": which, "incident": record}
        return card if rows or gives else None

    @staticmethod
    def which(incident):
        """Whether it is the author's "first", "second" or "third" report, or "". Counted, as far as
        the reader may see their reports: a number would else tell of one that is shut to them.
        """
        theirs = visible(Incident, me()).where(Incident.reported_by == incident.reported_by_id)
        before = theirs.where(Incident.id < incident.id).select(Incident.id).limit(len(FIRST))
        number = len(list(before))
        return FIRST[number] if number < len(FIRST) else ""
