"""The emails that were sent, to look at."""

from models import Event, Notice, User, visible
from models.history.notice import Withheld
from models.shelf import digest

from .rails.door import me
from .rails.writing import RecordView


class NoticeView(RecordView):
    shows, title, found_in, place = Notice, "Sent emails", "set up", 80
    says, found_by = "who was told, and when", "notice:read"
    cards = {"home": "notice/stuck.html"}
    one = "email"
    create_view = edit_view = export = action_view = None
    intro = (
        "Who was told, when. An email says who acted, what they did, the reference and a link: "
        "nothing else, and its subject is always the same."
    )
    empty = (
        "There is no email to you here, and none about a case that you may read. One is sent "
        "to the people assigned whenever an Ofsted log moves."
    )
    column_list = ["queued_at", "user", "about", "status", "sent_at", "attempts"]
    column_labels = {"about": "About"}
    column_sortable_list = ["queued_at", "status", "sent_at"]
    filters = {"status": ("Status", lambda: ["waiting", "gathered", "sent", "failed", "withheld"])}

    def joined(self, query):
        query = query.select(Notice, User, Event).join(User, on=(Notice.user == User.id))
        return query.switch(Notice).join(Event, on=(Notice.event == Event.id))

    def cell(self, row, name):
        return row.about(me()) if name == "about" else super().cell(row, name)

    def about(self, record):
        """With the text: of a daily email what its person may still see of it."""
        try:
            text = record.body if record.event.incident else digest.words(record, visible)[0]
        except Withheld:
            text = "Nothing of it may be seen any more."
        return {"about": record.about(me()), "text": text}

    def card(self, page, record):
        """On the home page: how many emails could not be delivered yet."""
        if not me().may("notice:read"):
            return None
        stuck = Notice.id.in_(Notice.stuck().select(Notice.id))
        count = visible(Notice, me()).where(stuck).count()
        return {"count": count} if count else None
