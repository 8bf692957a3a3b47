"""Questions to the reporter: asked on the page of an incident, answered from the home page."""

from datetime import UTC, datetime, time

from flask import url_for
from flask_admin.form import BaseForm

from models import Addendum, Child, Clarification, Incident, User, of_seen, visible
from models.ground.words import due

from .home import Need
from .rails.door import me
from .rails.fields import LongTextField, clean
from .rails.forms import ReasonForm, required
from .rails.taking import Step
from .rails.writing import RecordView


class AnswerForm(BaseForm):
    text = LongTextField(
        "Your answer",
        description="What you saw, heard or were told. It is added to your report with your name "
        "and the time, and never changes.",
        validators=[required("Write your answer.")],
        filters=[clean],
    )


class ClarificationView(RecordView):
    shows, title, place = Clarification, "Questions to reporters", 26
    one, under = "question", Incident
    permission = "clarification:answer"
    add_permission = "clarification:ask"
    intro = "What the safeguarding team asked the people who reported incidents."
    empty = "Nothing was asked. A question is asked on the page of an incident."
    edit_view = export = None
    order = (Clarification.status, Clarification.answer_by)
    column_list = ["question", "child", "answer_by", "asked_by", "status"]
    column_labels = {"question": "Question", "child": "About"}
    column_sortable_list = ["answer_by", "status"]
    filters = {"status": ("Status", lambda: Clarification.STATUSES)}
    form_columns = ["question", "answer_by"]
    steps = (
        Step(
            "clarification:answer",
            "Send the answer",
            AnswerForm,
            said=lambda asked: f"Thank you. Your answer was added to {asked.incident}.",
        ),
        Step("clarification:withdraw", "Withdraw the question", ReasonForm),
    )
    cards = {"incident": "clarification/card.html", "home": "clarification/waiting.html"}

    def joined(self, query):
        reporter = User.alias()
        query = query.select(
            Clarification, Incident, Child, Addendum, *User.named(), *User.named(reporter)
        )
        query = query.join(Incident).join(Child).switch(Incident)
        query = query.join(reporter, on=(Incident.reported_by == reporter.id), attr="reported_by")
        query = query.switch(Clarification).join(User, on=(Clarification.asked_by == User.id))
        return query.switch(Clarification).left_outer_join(Addendum)

    def cell(self, row, name):
        if name == "answer_by" and row.status == "asked":
            return f"{super().cell(row, name)}, {due(row.answer_by)[0].removeprefix('due ')}"
        return str(row.incident.child) if name == "child" else super().cell(row, name)

    def mark(self, row, name):
        return due(row.answer_by)[1] if name == "answer_by" and row.status == "asked" else ""

    def create(self, form):
        return Clarification.ask(self.parent(), me(), **self.values(form))

    def saved_words(self, record, is_created):
        return f"Asked: {record.incident.reported_by} is emailed, and finds it on the home page."

    def get_save_return_url(self, model, is_created=False):
        return url_for("incident.details_view", id=model.incident_id, _anchor="questions")

    def card(self, page, record):
        """On the page of an incident what was asked about it; on the home page what the reader
        asked, and waits for.
        """
        if page == "home":
            seen = self.joined(visible(Clarification, me()))
            mine = seen.where(Clarification.asked_by == me(), Clarification.status == "asked")
            rows = list(mine.order_by(Clarification.answer_by).limit(5))
            return {"questions": rows} if rows else None
        rows = of_seen(Clarification, record, me())
        asks = self.allows(self.add_permission, record) and record.reported_by_id != me().id
        return {"questions": rows, "asks": asks, "incident": record} if rows or asks else None

    def needs(self, limit):
        """What the reader was asked about their own reports."""
        mine = (Incident.reported_by == me()) & (Clarification.status == "asked")
        asked_here = Incident.where_may(visible(Clarification, me()), me(), self.permission)
        rows = self.joined(asked_here).where(mine)
        for asked in rows.order_by(Clarification.answer_by).limit(limit):
            words, mark = due(asked.answer_by)
            at = datetime.combine(asked.answer_by, time(17), UTC)
            url = url_for("clarification.details_view", id=asked.id)
            what = f"{asked.asked_by} asks: {asked.question}"
            yield Need(asked.incident.child, what, words, mark, "Answer", url, at)
