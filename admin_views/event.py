"""History: whether everything fits, backups, stuck emails; and, for Level 5, who did what."""

from flask import flash, request, url_for

from models import Event, Notice, Refused, User, now
from models.shelf import proof, upkeep

from .rails.door import me, saved
from .rails.taking import Step
from .rails.writing import RecordView

READS = ("incident:read", "log:read", "log:pdf", "section:read", "child:read", "attachment:read")
SIGN_INS = (
    "user:signed_in",
    "user:signed_out",
    "user:failed",
    "user:password",
    "user:factor",
    "user:reset_factor",
)
KINDS = {
    "Reading and printing": Event.verb.in_(READS),
    "Exports": Event.verb.in_(("incident:export", "log:export")),
    "Refusals": Event.verb == "record:refused",
    "Signing in": Event.verb.in_(SIGN_INS),
    "The installation": (Event.subject == "event") & Event.record.is_null(),
    "Changes": Event.verb.not_in(
        (
            *READS,
            *SIGN_INS,
            "incident:export",
            "log:export",
            "record:refused",
            "user:told",
            "notice:send",
            "document:add",
            "document:keep",
        )
    )
    & ((Event.subject != "event") | Event.record.is_null(False)),
}


WINDOW = 20_000  # events


def windows():
    """{how a window of the history is called: its first number}, the latest first; none while one
    holds all.
    """
    last = Event.head().id
    if last <= WINDOW:
        return {}
    starts = range((last - 1) // WINDOW * WINDOW + 1, 0, -WINDOW)
    return {
        f"{first:,} to {first + WINDOW - 1:,}"
        if first + WINDOW <= last
        else f"from {first:,}": first
        for first in starts
    }


class EventView(RecordView):
    shows, title, found_in, place = Event, "History", "set up", 90
    says = "whether everything fits, backups, and who did what"
    one = "event"
    permission = "event:read"
    details_view = create_view = edit_view = export = None
    steps = (
        Step("notice:release", "Release the emails"),
        Step("notice:retry", "Try them again now"),
    )
    intro = "Whether everything that was recorded is still what was recorded, and what IT sees to."
    empty = "Nothing has happened yet."
    order = (Event.id.desc(),)
    column_list = [
        "at",
        "sentence",
        "address",
    ]  # no number: the numbers between would count what is hidden
    column_labels = {"at": "When", "sentence": "What", "address": "From"}
    filters = {
        "what": ("What", lambda: list(KINDS)),
        "numbers": ("Numbers", lambda: list(windows())),
    }

    def link(self, row):
        """To the incident of the case, for those who may open it."""
        return url_for("incident.details_view", id=row.incident) if row.incident else None

    def get_query(self):
        """Of a history without end one window at a time, so that none costs more than another."""
        query = super().get_query()
        return (
            query
            if request.args.get("numbers") in windows()
            else query.where(Event.id > Event.head().id - WINDOW)
        )

    def chosen(self, name, value):
        return (
            KINDS[value]
            if name == "what"
            else Event.id.between(windows()[value], windows()[value] + WINDOW - 1)
        )

    def cell(self, row, name):
        return row.detail.get("address", "") if name == "address" else super().cell(row, name)

    def render(self, template, **kwargs):
        """The list, with how the installation stands above it."""
        anchor, fits, breaks = request.args.get("anchor", "").strip(), None, None
        try:
            fits = proof.compare(anchor) if anchor else None
        except Refused as refused:
            breaks = refused
        latest = upkeep.latest()
        state = {
            "head": Event.head(),
            "window": WINDOW,
            "held": Notice.held(),
            "stuck": list(
                Notice.stuck().select(Notice, User).join(User).order_by(Notice.id).limit(100)
            ),
            "warnings": list(upkeep.warnings(now(), latest)),
        }
        return super().render(template, fits=fits, breaks=breaks, **latest, **state, **kwargs)

    def take(self, step, _ids):
        """Both are of the installation: no record is asked for."""
        if step.verb == "notice:release":
            Notice.release(me())
            said = "The emails are on their way."
        else:
            number = Notice.retry(me())
            soon = f"{number} will be tried again within five minutes."
            said = soon if number else "No email is stuck."
        flash(said, "success")
        return saved(url_for("event.index_view", _anchor="emails"))
