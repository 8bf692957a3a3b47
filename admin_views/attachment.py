"""Files: added to an incident later, a scanned paper file among them; the page of one, with its
picture; and the card with those of an incident or a case.
"""

from flask import g, url_for

from models import Attachment, Child, Incident, User, of_seen, visible
from models.case.scanner import Quarantine

from .rails.door import me
from .rails.files import Filing, file_field
from .rails.writing import RecordView


class AttachmentView(Filing, RecordView):
    shows, title, found_in, place = Attachment, "Files", "", 24
    one, under = "file", Incident
    permission, add_permission = "incident:report", "incident:amend"
    intro = "Files on incidents that you may see."
    empty = "No file is here. One is added on the page of an incident."
    edit_view = export = action_view = None
    order = (Attachment.added_at.desc(),)
    column_list = ["what", "name", "child", "added_at", "added_by"]
    column_labels = {"child": "About", "name": "File"}
    column_sortable_list = ["name", "added_at"]
    form_columns = ["what", "dated_on", "until", "period", "pages"]
    form_extra_fields = {
        "files": file_field(
            "The files",
            "Several pages may come as one PDF, or as pictures that are chosen together.",
        )
    }
    cards = dict.fromkeys(("incident", "case"), "attachment/card.html")

    def joined(self, query):
        query = query.select(Attachment, Incident, Child, *User.named())
        query = query.join(Incident).join(Child).switch(Attachment)
        return query.join(User, on=(Attachment.added_by == User.id))

    def cell(self, row, name):
        if name == "what":
            return row.described or row.name
        return str(row.incident.child) if name == "child" else super().cell(row, name)

    def read_form(self, name):
        """Besides, there has to be a file."""
        super().read_form(name)
        if g.get("valid") and not self.files():
            g.form.files.errors, g.valid = ["Choose the file, or take a photograph of it."], False

    def create(self, form):
        incident, about = self.parent(), self.values(form)
        added = [
            Attachment.add(incident, me(), name, content, looked, **about)
            for name, content, looked in self.files()
        ]
        return added[0]

    def saved_words(self, record, is_created):
        return f"Saved: {record.described or record.name}."

    def get_save_return_url(self, model, is_created=False):
        return url_for("incident.details_view", id=model.incident_id, _anchor="files")

    def about(self, record):
        return {"back": record.held_back()}

    def card(self, page, record):
        """The files of an incident, or of all incidents of a case that the reader sees."""
        by = me()
        if page == "case":
            mine = visible(Incident, by).where(Incident.id.in_(record.incidents()))
            rows = visible(Attachment, by).where(
                Attachment.incident.in_([one.id for one in mine.select(Incident.id)])
            )
            rows = list(self.joined(rows).order_by(Attachment.id))
        else:
            rows = of_seen(Attachment, record, by)
        adds = self.allows(self.add_permission, record)
        adds = adds and (page, record.status) != ("case", "closed")  # it is read-only
        if not rows and not adds:
            return None
        return {
            "files": rows,
            "back": Quarantine.of([one.sha256 for one in rows]) if rows else {},
            "adds": adds,
            "incident": record.incident_id if page == "case" else record.id,
            "several": page == "case",
        }
