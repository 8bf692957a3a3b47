"""The emails that were sent, to look at."""

from models import Notice, User

from .rails.writing import RecordView


class NoticeView(RecordView):
    shows, title, found_in, place = Notice, "Sent emails", "set up", 80
    says, found_by = "who was told, and when", "notice:read"
    one = "email"
    create_view = edit_view = export = action_view = None
    intro = (
        "Who was told, when. An email says who acted, the reference, the status and a link: "
        "nothing else."
    )
    empty = (
        "There is no email to you here, and none about a case that you may read. One is sent "
        "to the people assigned whenever an Ofsted log moves."
    )
    column_list = ["queued_at", "user", "subject", "status", "sent_at", "attempts"]
    column_sortable_list = ["queued_at", "status", "sent_at"]
    filters = {"status": ("Status", lambda: ["waiting", "sent", "failed"])}

    def joined(self, query):
        return query.select(Notice, User).join(User, on=(Notice.user == User.id))
