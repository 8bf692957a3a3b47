"""Changes that would open records: a Level 5 decides."""

from flask import url_for

from models import Proposal
from models.access.proposal import CODE
from models.ground.words import age

from .home import Need
from .rails.door import me
from .rails.taking import Step
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
    shows, title, found_in, place = Proposal, "Approvals", "set up", 74
    says = "what waits for a Level 5"
    one = "change"
    create_view = edit_view = export = None
    intro = (
        "Changes that would let somebody read records. A Level 5 who neither asked nor gains "
        "decides."
    )
    empty = "No change has been asked for."
    column_list = ["what", "by", "at", "status"]
    column_labels = {"what": "What is asked"}
    column_sortable_list = ["at", "status"]
    form_columns = ["what", "by", "at", "status"]
    filters = {"status": ("Status", lambda: ["waiting", CODE, "approved", "refused"])}
    steps = (
        Step("proposal:approve", "Approve", guarded=True, said=hand_over),
        Step("proposal:refuse", "Refuse", guarded=True),
        Step("proposal:new_code", "Make another code", guarded=True, said=hand_over),
    )

    def is_accessible(self):
        return super().is_accessible() and (me().may("proposal:approve") or me().may("user:edit"))

    def joined(self, query):
        return Proposal.joined(query)

    def about(self, record):
        return {"gainers": record.gainers(), "accounts": record.accounts()}

    def needs(self, limit):
        """What waits for a Level 5, and the reader may decide."""
        if not me().may("proposal:approve"):
            return
        for one in Proposal.waiting_for(me())[:limit]:
            url = url_for("proposal.details_view", id=one.id)
            yield Need(
                one.whom,
                f"{one.what} · asked for by {one.by}",
                age(one.at),
                "",
                "Approve",
                url,
                one.at,
            )
