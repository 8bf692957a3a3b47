"""Changes that would open records: a Level 5 decides."""

from flask_admin.actions import action

from models import Proposal
from models.access.proposal import CODE

from .rails.door import me
from .rails.writing import RecordView


def hand_over(proposal):
    """What the approver is told: the code, this once, where there is one."""
    if not proposal.fresh_code:
        return f"{proposal.reference}: approved."
    return (
        f"Approved. It counts once {proposal.user} has signed in and typed this code under Your "
        "account: "
        f"{proposal.fresh_code}. Hand it over face to face, not by email. It is shown only now."
    )


class ProposalView(RecordView):
    one = "change"
    create_view = edit_view = export = None
    intro = (
        "Changes that would let somebody read records. A Level 5 who neither asked nor gains "
        "decides."
    )
    empty = "No change has been asked for."
    column_list = ["what", "by", "at", "status"]
    column_labels = {"what": "Asked for"}
    column_sortable_list = ["at", "status"]
    form_columns = ["what", "by", "at", "status"]
    filters = {"status": ("Status", lambda: ["waiting", CODE, "approved", "refused"])}
    details_template = "proposal.html"
    guarded = ("proposal:approve", "proposal:refuse", "proposal:new_code")
    steps = {"proposal:approve": None, "proposal:refuse": None, "proposal:new_code": None}

    def is_accessible(self):
        return super().is_accessible() and (me().may("proposal:approve") or me().may("user:edit"))

    def joined(self, query):
        return Proposal.joined(query)

    def about(self, record):
        return {"gainers": record.gainers(), "accounts": record.accounts()}

    @action("proposal:approve", "Approve")
    def approve(self, ids):
        return self.take(Proposal.approve, ids, said=hand_over)

    @action("proposal:new_code", "Make another code")
    def new_code(self, ids):
        return self.take(Proposal.new_code, ids, said=hand_over)

    @action("proposal:refuse", "Refuse")
    def refuse(self, ids):
        return self.take(Proposal.refuse, ids)
