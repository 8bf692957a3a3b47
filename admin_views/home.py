"""The home page: what waits for the person who opens it."""

from flask_admin import expose

from models import Assignee, Child, Incident, Log, Notice, Proposal, Section, User, now, visible
from models.case.tracker import Tracker
from models.shelf import upkeep

from .rails.door import Home, me

SHOWN = 8  # rows of each list; the link below it leads to all


class HomeView(Home):
    @expose("/")
    def index(self):
        by = me()
        waiting = {}
        if by.may("log:trigger"):
            query = visible(Incident, by).where(Incident.status == "to decide")
            waiting["alerts"] = self.some(query, Incident.reported_at, Child)
        if by.may("log:read"):
            mine = Log.status.in_(("open", "tracking")) & Log.id.in_(Assignee.logs_of(by))
            query = visible(Log, by).where(mine)
            waiting["logs"] = self.some(query, Log.triggered_at, Incident, Child)
            begun = (
                visible(Section, by)
                .select(Section, Tracker, Log, User)
                .join(Tracker)
                .join(Log)
                .switch(Section)
                .join(User, on=(Section.saved_by == User.id))
                .where(mine, Section.saved_at.is_null(False))
                .order_by(Section.saved_at.desc())
            )
            waiting["sections"] = [section for section in begun if section.status == "in progress"]
        if by.may("incident:report"):
            waiting["reports"] = self.some(
                visible(Incident, by).where(Incident.reported_by == by),
                Incident.reported_at.desc(),
                Child,
            )
        if by.may("notice:read"):
            waiting["stuck"] = (
                visible(Notice, by).where(Notice.id.in_(Notice.stuck().select(Notice.id))).count()
            )
        if by.may("event:read"):
            waiting["warnings"] = list(upkeep.warnings(now(), upkeep.latest()))
        if by.may("counts:read"):
            waiting["counts"] = {"Incidents": Incident.counts(), "Ofsted logs": Log.counts()}
        if by.may("proposal:approve"):
            waiting["proposals"] = Proposal.waiting_for(by)
        return self.render("home.html", waiting=waiting, limit=SHOWN)

    @staticmethod
    def some(query, order, *joins):
        """(how many there are, the first few with what `joins` adds)."""
        ids = [row.id for row in query.select(query.model.id).order_by(order).limit(SHOWN)]
        rows = query.model.select(query.model, *joins)
        for model in joins:
            rows = rows.join(model)
        return query.count(), list(rows.where(query.model.id.in_(ids)).order_by(order))
