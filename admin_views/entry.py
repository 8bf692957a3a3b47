"""Entries by hand: the form under a child, the page with what was scanned, and withdrawing one."""

from flask import request
from flask_admin import expose

from models import Entry, Scan, User

from .child import OfChildView, back
from .rails.door import me
from .rails.files import Filing, file_field, handed_out
from .rails.forms import ReasonForm
from .rails.taking import Step


class EntryView(Filing, OfChildView):
    shows, title = Entry, "Entries by hand"
    one, asks = "entry", "Add an entry"
    permission, add_permission = "entry:read", "entry:add"
    reads = True
    form_columns = [
        "headline", "happened_on", "until", "period", "text", "source", "origin", "pages",
        "significant",
    ]  # fmt: skip
    form_extra_fields = {"files": file_field("The scan", "A PDF or a picture of the page.")}
    page_columns = [
        "happened_on", "until", "period", "text", "source", "origin", "pages", "significant",
        "entered_by", "entered_at", "withdrawn_at", "withdrawn_by", "withdrawn_why",
    ]  # fmt: skip
    steps = (
        Step(
            "entry:withdraw",
            "Withdraw this entry",
            ReasonForm,
            said=lambda entry: "Withdrawn. It stays in the chronology, struck through.",
            leads=back,
        ),
    )

    def joined(self, query):
        query = super().joined(query).select_extend(*User.named()).switch(Entry)
        return query.join(User, on=(Entry.entered_by == User.id), attr="entered_by")

    def create(self, form):
        return Entry.add(self.parent(), me(), files=self.files(), **self.values(form))

    def saved_words(self, record, is_created):
        return "Saved. It stands in the chronology."

    def offers(self, record, verb):
        return not record.withdrawn_at and super().offers(record, verb)

    def about(self, record):
        return {"scans": list(record.scans.order_by(Scan.id))}

    @expose("/file/")
    def file_view(self):
        scan = self.other(Scan, request.args.get("id", ""))
        return handed_out(scan, "scan:read", inline="look" in request.args)
