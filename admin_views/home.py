"""The home page: one ranked list of what needs the person who opens it, and what each noun
contributes beside it.
"""

from datetime import datetime
from typing import NamedTuple

from flask_admin import expose

from models import Incident, Log, PolicyDocument, now
from models.ground.clock import LONDON
from models.ground.words import when
from models.shelf import upkeep

from .account import drafts
from .rails.door import Home, me

SHOWN = 12  # things; the lists behind the menu have all


class Need(NamedTuple):
    """One thing that needs somebody today: whom it is about, what it is, how late, and the verb."""

    who: object
    what: str
    age: str  # in words; `mark` is "late", "soon" or ""
    mark: str
    verb: str
    url: str
    at: datetime  # UTC; what is due first comes first among those that are as late

    @property
    def rank(self):
        return ("late", "soon", "").index(self.mark), self.at


def greeting():
    hour = now().astimezone(LONDON).hour
    return "Good morning" if hour < 12 else "Good afternoon" if hour < 18 else "Good evening"


def counts(by):
    """How many incidents and logs there are, and how far policies are read, where `by` may count
    them.
    """
    within = by.within("counts:read")
    read = map(sum, zip(*PolicyDocument.tally(within).values(), strict=True))
    policies = {"Policies": {"read by staff": " of ".join(map(str, read)) or "none to be read"}}
    if within is None:
        return {"Incidents": Incident.counts(), "Ofsted logs": Log.counts()} | policies
    return {
        "Incidents": Incident.counts(Incident.lies(within, Incident.id)),
        "Ofsted logs": Log.counts(Incident.lies(within, Log.incident)),
    } | policies


class HomeView(Home):
    title, found_in, place = "Home", "main", 0

    @expose("/")
    def index(self):
        by, needs = me(), []
        for view in self.admin._views:
            if view.is_accessible():
                needs += view.needs(SHOWN + 1)
        needs.sort(key=lambda need: need.rank)
        state = {"warnings": [], "anchor": None}
        if by.may("event:read"):
            latest = upkeep.latest()
            state = latest | {"warnings": list(upkeep.warnings(now(), latest))}
        return self.render(
            "home/page.html",
            greeting=greeting(),
            today=when(now()),
            needs=needs[:SHOWN],
            more=len(needs) > SHOWN,
            late=sum(need.mark == "late" for need in needs),
            drafts=drafts(by),
            cards=self.cards_on("home", None),
            state=state if by.may("event:read") else None,
            counts=counts(by) if by.may("counts:read") else {},
        )
